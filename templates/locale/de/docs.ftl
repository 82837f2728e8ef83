# Was Entwickler über den Code eines OAuth-Fehlers lesen: was er sagt, woran es meist liegt und was jeweils hilft.

error-docs = Fehlercodes
error-docs-why = Was jeder Code dieses Servers bedeutet, warum er kommt und was zu tun ist.
error-docs-all = Alle Fehlercodes

docs-invalid_request = Die Anfrage ist nicht richtig gebaut
    .cause = Ein nötiger Parameter fehlt, ein Parameter kam zweimal oder hat einen unmöglichen Wert, oder der Inhalt ist nicht application/x-www-form-urlencoded. Auch PKCE gehört hierher: eine code_challenge, die fehlt, oder eine andere Methode als S256.
    .cure = Lesen Sie error_description: dort steht der Parameter. Schicken Sie jeden Parameter einmal, und die eines Formulars im Inhalt eines POST, nie in der Adresse.
docs-invalid_client = Der Client hat nicht gezeigt, wer er ist
    .cause = Einen Client dieser client_id gibt es nicht, sein Geheimnis ist falsch, er wurde abgeschaltet, oder er weist sich anders aus, als er registriert ist: mit Basic statt mit einem Parameter des Formulars, oder auf zwei Arten zugleich. Bei einer Assertion sind vielleicht aud, exp oder der Schlüssel falsch, oder ihre jti wurde schon benutzt.
    .cure = Vergleichen Sie client_id, Geheimnis und token_endpoint_auth_method mit der Registrierung. Kodieren Sie für HTTP Basic beide mit Prozentzeichen, bevor Sie sie mit einem Doppelpunkt verbinden (RFC 6749, Abschnitt 2.3.1). Warten Sie nach vielen Fehlversuchen einige Sekunden. Die Betreiber sehen den genauen Grund im Log und bei den zuletzt abgelehnten Anfragen der Verwaltung.
docs-invalid_grant = Der Code oder das Refresh-Token gilt nicht mehr
    .cause = Ein Code lebt eine Minute und gilt einmal; ein Refresh-Token gilt einmal, wenn es wechselt. Beide können abgelaufen, benutzt, widerrufen oder von einem anderen Client sein; redirect_uri ist vielleicht eine andere als die, mit der um den Code gebeten wurde; code_verifier gehört vielleicht nicht zu seiner code_challenge; oder die Person ist gegangen, abgeschaltet oder hat ihre Zustimmung zurückgenommen.
    .cure = Beginnen Sie eine neue Anmeldung. Lösen Sie einen Code sofort und nur einmal ein, mit derselben redirect_uri; behalten Sie das neueste Refresh-Token und benutzen Sie kein älteres mehr, denn das widerruft die ganze Familie.
docs-unauthorized_client = Das darf der Client nicht
    .cause = Der Client ist registriert, aber nicht für diesen Grant oder diesen Response Type.
    .cure = Fügen Sie ihn zu grant_types oder response_types der Registrierung hinzu, oder nehmen Sie einen, der dort steht.
docs-unsupported_grant_type = Diesen Grant gibt es nicht
    .cause = Der Server kennt den Wert von grant_type nicht.
    .cure = Nehmen Sie einen aus grant_types_supported im Discovery-Dokument; suchen Sie zuerst nach einem Tippfehler.
docs-unsupported_response_type = Diesen Response Type gibt es nicht
    .cause = Der Server antwortet nicht mit dem, worum response_type bittet.
    .cure = Nehmen Sie response_type=code mit PKCE; response_types_supported im Discovery-Dokument hat die Liste.
docs-invalid_scope = Ein Scope kann nicht gewährt werden
    .cause = Der Scope ist unbekannt, falsch geschrieben, für diesen Client nicht registriert oder weiter als das, was gewährt wurde, wenn er mit einem Refresh-Token kam.
    .cure = Bitten Sie um Scopes aus scopes_supported und aus der Registrierung; mit einem Refresh-Token um weniger, nie um mehr.
docs-authorization_pending = Noch hat niemand entschieden
    .cause = Ein Gerät fragt mit seinem Gerätecode, und noch hat niemand Ja oder Nein gesagt.
    .cure = Warten Sie die Sekunden von interval und fragen Sie dann wieder; hören Sie nach expires_in auf. Das ist kein Fehler.
docs-slow_down = Das Gerät fragt zu oft
    .cause = Zwei Anfragen mit einem Gerätecode kamen in kürzerem Abstand als interval, oder zu viele Geräte begannen von einer Adresse.
    .cure = Warten Sie zwischen zwei Anfragen fünf Sekunden länger, jetzt und künftig. Nach einem 429 warten Sie die Sekunden von Retry-After.
docs-expired_token = Der Gerätecode ist abgelaufen
    .cause = Niemand hat innerhalb von expires_in entschieden.
    .cure = Beginnen Sie am device authorization endpoint von Neuem und zeigen Sie den neuen Code.
docs-access_denied = Die Antwort war nein
    .cause = Die Person oder die Regeln des Servers haben die Anfrage abgelehnt.
    .cure = Nichts ist kaputt. Lassen Sie die Person es noch einmal versuchen, wenn sie möchte.
docs-server_error = Dem Server ist etwas Unerwartetes begegnet
    .cause = Der Fehler liegt beim Server.
    .cure = Versuchen Sie es gleich noch einmal. Nennen Sie den Betreibern die x-request-id der Antwort oder ihre Zeit: darunter steht im Log die Ursache.
docs-temporarily_unavailable = Das kann der Server zurzeit nicht
    .cause = Ein Teil des Servers ist überlastet oder nicht da.
    .cure = Versuchen Sie es nach den Sekunden in Retry-After noch einmal. Die Anfrage hat nichts geändert, was Sie zurücknehmen müssten.
docs-invalid_token = Das Token gilt nicht
    .cause = Das Access-Token fehlt, ist nicht richtig gebaut, abgelaufen, widerrufen oder von einem anderen Aussteller, oder es ist gar keines: ein ID-Token öffnet nichts. Am Registrierungsendpunkt ist das Registration Access Token gemeint.
    .cure = Holen Sie ein neues Access-Token mit dem Refresh-Token oder durch eine neue Anmeldung, und schicken Sie es als Authorization: Bearer.
docs-insufficient_scope = Das Token erlaubt weniger als das
    .cause = Das Token gilt, aber ihm fehlt der Scope, den die Ressource verlangt; Userinfo verlangt openid.
    .cure = Bitten Sie in der Autorisierungsanfrage um diesen Scope.
docs-interaction_required = Die Person muss etwas tun
    .cause = Die Anfrage hatte prompt=none, lässt sich aber nicht ohne eine Seite beantworten.
    .cure = Wiederholen Sie sie im ganzen Fenster, ohne prompt=none.
docs-login_required = Die Person muss sich anmelden
    .cause = Die Anfrage hatte prompt=none, aber niemand ist angemeldet, die Anmeldung ist älter als max_age, es ist eine andere Person, als id_token_hint nennt, den Schlüssel, der id_token_hint unterschrieben hat, gibt es nicht mehr, oder der Browser hat das Cookie nicht geschickt: im Rahmen einer anderen Website tut er das nie.
    .cure = Wiederholen Sie die Anfrage im ganzen Fenster, ohne prompt=none und ohne einen veralteten Hinweis.
docs-account_selection_required = Die Person muss ein Konto wählen
    .cause = Die Anfrage hatte prompt=none, aber es ist nicht klar, welches Konto gemeint ist.
    .cure = Wiederholen Sie sie im ganzen Fenster, ohne prompt=none, oder nennen Sie das Konto mit id_token_hint.
docs-consent_required = Die Person muss zustimmen
    .cause = Die Anfrage hatte prompt=none, bittet aber um mehr, als die Person der App bisher erlaubt hat.
    .cure = Wiederholen Sie sie im ganzen Fenster, ohne prompt=none.
docs-request_not_supported = Request Objects werden nicht angenommen
    .cause = Die Anfrage hat den Parameter request, den dieser Server nicht annimmt.
    .cure = Schicken Sie die Parameter selbst.
docs-request_uri_not_supported = Request Objects werden nicht geholt
    .cause = Die Anfrage hat den Parameter request_uri, den dieser Server nicht annimmt.
    .cure = Schicken Sie die Parameter selbst.
docs-registration_not_supported = Clients stellen sich nicht in einer Anfrage vor
    .cause = Die Anfrage hat den Parameter registration, den dieser Server nicht annimmt.
    .cure = Registrieren Sie den Client vorher.
docs-unmet_authentication_requirements = Die Anmeldung ist nicht stark genug
    .cause = acr_values oder claims verlangen eine Stärke, die die Person hier nicht erreichen kann.
    .cure = Bitten Sie freiwillig darum, oder lassen Sie die Person einrichten, was es dazu braucht.
docs-invalid_target = Diese Ressource gibt es nicht
    .cause = Der Parameter resource oder audience nennt eine Ressource, die der Client nicht benutzen darf, oder die keine absolute URI ist.
    .cure = Nennen Sie eine Ressource, die für diesen Client registriert ist.
docs-unsupported_token_type = Dieses Token lässt sich nicht widerrufen
    .cause = Der Server widerruft keine Token dieser Art.
    .cure = Widerrufen Sie das Refresh-Token oder das Access-Token.
docs-invalid_redirect_uri = Eine Redirect-URI kann nicht benutzt werden
    .cause = Eine Redirect-URI der Registrierung ist keine absolute URI, hat ein Fragment, ist einfaches http außerhalb dieses Rechners oder hat ein Schema, das Skripte ausführt; oder die der Anfrage ist nicht registriert.
    .cure = Redirect-URIs werden Zeichen für Zeichen verglichen: achten Sie auf einen Schrägstrich am Ende, http statt https, einen anderen Port, Groß- und Kleinschreibung. Nur der Port einer Loopback-Adresse darf ein anderer sein.
docs-invalid_client_metadata = Die Registrierung kann nicht benutzt werden
    .cause = Ein Feld der Angaben über den Client ist von falscher Art, hat einen unbekannten Wert oder passt nicht zu einem anderen.
    .cure = Lesen Sie error_description: dort steht das Feld.
docs-invalid_software_statement = Das Software Statement gilt nicht
    .cause = Seine Signatur oder seine Claims lassen sich nicht prüfen.
    .cure = Lassen Sie es weg, oder fragen Sie, wer es ausgestellt hat.
docs-unapproved_software_statement = Das Software Statement wird nicht angenommen
    .cause = Der Server vertraut dem nicht, der es ausgestellt hat.
    .cure = Lassen Sie es weg, oder fragen Sie die Betreiber des Servers.
docs-insufficient_authorization = Die Anmeldung in der App selbst braucht mehr
    .cause = Der Authorization-Challenge-Endpunkt möchte eine Antwort auf eine seiner Fragen, oder die Antwort, die kam, war falsch; das Feld code sagt, welches von beiden.
    .cure = Fragen Sie die Person nach dem, was challenges nennt, und schicken Sie es mit der auth_session der Antwort.
docs-invalid_session = Die Anmeldung in der App selbst ist zu Ende
    .cause = auth_session ist hier unbekannt, abgelaufen, zu Ende benutzt oder von einem anderen Client begonnen.
    .cure = Beginnen Sie von vorn, ohne auth_session.
