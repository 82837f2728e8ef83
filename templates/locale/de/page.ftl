# Die Seiten auf Deutsch. Ein Text darf einfaches HTML enthalten; Argumente werden maskiert, bevor sie hineinkommen.
# Ein Text darf kein gerades doppeltes Anführungszeichen enthalten: manche stehen in Attributen.

product = Symbolon
skip = Zum Inhalt springen
nav-label = Konto
title-error = Fehler:
development-mark = Entwicklungsserver
back = Zurück
back-to = Zurück zu { $client }
continue = Weiter
copy = Kopieren
copied = Kopiert
or = oder
date = { $day }. { $month ->
    [1] Januar
    [2] Februar
    [3] März
    [4] April
    [5] Mai
    [6] Juni
    [7] Juli
    [8] August
    [9] September
    [10] Oktober
    [11] November
   *[12] Dezember
} { $year }, { $time } UTC

## Anmelden

sign-in = Anmelden
sign-in-again = Erneut anmelden
sign-in-again-why = Bitte zeigen Sie, dass Sie es noch sind.
sign-in-client = Danach geht es weiter zu
login = E-Mail oder Benutzername
login-any = E-Mail oder Benutzername
login-email = E-Mail
login-username = Benutzername
login-phone = Telefonnummer
login-email-username = E-Mail oder Benutzername
login-email-phone = E-Mail oder Telefonnummer
login-username-phone = Benutzername oder Telefonnummer
password = Passwort
password-show = Passwort zeigen
password-caps-lock = Die Feststelltaste ist aktiv.
remember = Auf diesem Gerät angemeldet bleiben
client-self-registered = Diese App hat sich selbst registriert, und niemand hat sie geprüft. Fahren Sie nur fort, wenn Sie <strong>{ $host }</strong> vertrauen.
client-policy = Datenschutz
client-tos = Nutzungsbedingungen
sign-in-error-sign_in_failed = Name und Passwort passen zu keinem Konto. Prüfen Sie beides und versuchen Sie es noch einmal. Sind Sie sich sicher, nehmen Sie einen Browser, in dem Sie schon angemeldet waren, oder bitten Sie die Betreiber dieses Dienstes um einen Link zum Anmelden.
sign-in-error-account_disabled = Dieses Konto ist abgeschaltet. Bitte fragen Sie die Betreiber dieses Dienstes.
sign-in-error-account_not_activated = Dieses Konto ist noch nicht aktiviert. Bitte öffnen Sie den Link in der Mail, die wir Ihnen geschickt haben.
sign-in-error-too_many_attempts = Zu viele Versuche. Warten Sie ein paar Minuten und versuchen Sie es dann noch einmal.
sign-in-error-too_many_failures = Es kamen zu viele falsche Passwörter nacheinander, deshalb wird keines mehr angehört. Bitten Sie die Betreiber dieses Dienstes um einen Link zum Anmelden.
sign-in-error-session_expired = Sie waren eine Weile fort. Bitte melden Sie sich noch einmal an.
sign-in-error-missing = Geben Sie Ihren Namen und Ihr Passwort ein.
sign-in-error-busy = Gerade melden sich viele Menschen an. Bitte versuchen Sie es gleich noch einmal.
sign-in-error-form_expired = Das Formular war zu alt, deshalb wurde nichts abgeschickt. Bitte versuchen Sie es noch einmal.
sign-in-error-other_account = Bitte melden Sie sich mit dem Konto an, das hier steht.
method-passkey = Mit einem Passkey anmelden
method-other = Weiter mit { $name }
provider-last = Zuletzt benutzt
sign-in-connects = Um { $provider } ({ $identity }) zu verbinden, melden Sie sich hier einmal bei Ihrem Konto an.
connect = { $provider } verbinden?
connect-why = Von da an können Sie sich hier mit { $provider } anmelden. Sie können die Verbindung jederzeit in Ihrem Konto trennen.
connect-account = Konto hier
connect-submit = Verbinden
connect-skip = Jetzt nicht
development-users = Mit einem Klick anmelden
development-users-why = Das gibt es nur auf einem Entwicklungsserver.
development-sign-in = Anmelden als
select-account = Konto auswählen
account-other = Anderes Konto verwenden
account-switch = Das sind nicht Sie?

## Einwilligung

consent-title = { $client } zulassen?
consent-asks = Diese App möchte:
consent-accept = Zulassen
consent-deny = Nicht zulassen
consent-revoke = Das können Sie jederzeit zurücknehmen: { $page }.
consent-answer = Die Antwort geht an <strong>{ $host }</strong>.
scope-openid = Wissen, wer Sie hier sind
scope-profile = Ihr Profil sehen: Name, Bild, Sprache und Ähnliches
scope-email = Ihre E-Mail-Adresse sehen
scope-phone = Ihre Telefonnummer sehen
scope-address = Ihre Postanschrift sehen
scope-offline_access = Verbunden bleiben, während Sie fort sind
scope-groups = Die Gruppen sehen, in denen Sie sind
scope-roles = Ihre Rollen sehen
scope-permissions = Sehen, was Sie in Apps dürfen
scope-other = <code>{ $name }</code> in Ihrem Namen benutzen
scope-new = Neu
scope-short-openid = Identität
scope-short-profile = Profil
scope-short-email = E-Mail-Adresse
scope-short-phone = Telefonnummer
scope-short-address = Postanschrift
scope-short-offline_access = Während Sie fort sind
scope-short-groups = Gruppen
scope-short-roles = Rollen
scope-short-permissions = Rechte
claim-name = Ihren vollen Namen sehen
claim-given_name = Ihren Vornamen sehen
claim-family_name = Ihren Nachnamen sehen
claim-middle_name = Ihren zweiten Vornamen sehen
claim-nickname = Ihren Spitznamen sehen
claim-preferred_username = Ihren Benutzernamen sehen
claim-profile = Die Adresse Ihrer Profilseite sehen
claim-picture = Ihr Bild sehen
claim-website = Ihre Website sehen
claim-email = Ihre E-Mail-Adresse sehen
claim-email_verified = Sehen, ob Ihre E-Mail-Adresse bestätigt ist
claim-gender = Ihr Geschlecht sehen
claim-birthdate = Ihr Geburtsdatum sehen
claim-zoneinfo = Ihre Zeitzone sehen
claim-locale = Ihre Sprache sehen
claim-phone_number = Ihre Telefonnummer sehen
claim-phone_number_verified = Sehen, ob Ihre Telefonnummer bestätigt ist
claim-address = Ihre Postanschrift sehen
claim-updated_at = Sehen, wann sich Ihr Profil zuletzt geändert hat
claim-other = <code>{ $name }</code> sehen

## Zwischen den Seiten

form-post = Einen Moment
form-post-why = Sie werden zurück zur App gebracht.

## Abmelden

logout-title = Abmelden?
logout-why = Um wiederzukommen, müssen Sie sich neu anmelden.
logout-client = { $client } bittet darum, Sie auch hier abzumelden.
logout-confirm = Abmelden
logout-stay = Angemeldet bleiben
signed-out = Sie sind abgemeldet
signed-out-why = Schließen Sie an einem gemeinsamen Computer auch den Browser.
signed-out-apps = Die Apps, die Sie mit diesem Konto benutzt haben, erfahren es auch. Das dauert einen Moment.

## Für Betreiber

admin = Übersicht
issuer = Issuer
version = Version
refusals = Abgelehnte Anfragen
refusals-why = Was Apps zuletzt falsch gemacht haben, das Neueste zuerst, und was dagegen hilft.
refusals-none = Zuletzt wurde nichts abgelehnt.
undelivered = Nachrichten, die nie hinausgingen
undelivered-why = Was aufgegeben wurde, das Neueste zuerst. Ist die Ursache behoben, schicken Sie sie noch einmal; was darin steht, bleibt versiegelt.
undelivered-none = Jede Nachricht ging hinaus oder wartet auf ihren nächsten Versuch.
undelivered-mail = E-Mail
undelivered-sms = SMS
undelivered-tried = { $count ->
    [one] einmal versucht
   *[other] { $count } Mal versucht
}
undelivered-retry = Noch einmal schicken
undelivered-discard = Verwerfen
client-unknown = unbekannter Client
clients = Clients
clients-none = Kein Client ist registriert.
client-name = Name
client-id = Client-ID
client-kind = Art
client-kind-web = Web-App
client-kind-spa = Browser-App
client-kind-native = Native App
client-kind-service = Dienst
client-kind-confidential = Vertraulich
client-kind-public = Öffentlich
redirect-uris = Redirect-URIs
users = Personen
users-none = Es gibt keine Konten.
user-name = Name
user-email = E-Mail
keys = Signaturschlüssel
key-id = Schlüssel-ID
key-algorithm = Algorithmus
key-state = Zustand
key-state-next = Nächster
key-state-active = Aktiv
key-state-retiring = Läuft aus
key-state-gone = Fort

## Die Startseite

home = Willkommen
home-why = Ein Konto für alle Apps hier.
home-signed-in = Angemeldet als { $name }
link-sign_in = Anmelden
    .about = Ihr Konto ansehen
link-account = Ihr Konto
    .about = Zugelassene Apps, und wo Sie angemeldet sind
link-sign_out = Abmelden
    .about = Die Sitzung in diesem Browser beenden
link-admin = Übersicht
    .about = Clients, Personen und Schlüssel dieses Servers
link-discovery = Discovery-Dokument
    .about = Was eine App braucht, um sich zu verbinden
link-jwks = Signaturschlüssel
    .about = Um Tokens zu prüfen, ohne uns zu fragen
link-demo = Demo-App
    .about = Jeden Ablauf Schritt für Schritt durchgehen
link-mailbox = Postfach
    .about = Jede Nachricht, die dieser Entwicklungsserver gesendet hat

## Das Postfach der Entwicklung

mailbox = Postfach
mailbox-why = Ein Entwicklungsserver schickt nichts nach draußen. Was er gesendet hätte, steht hier.
mailbox-none = Noch wurde nichts gesendet.
mailbox-refresh = Neu laden
mailbox-no-subject = Nachricht an { $to }
mailbox-html = HTML-Quelltext
channel-mail = E-Mail
channel-sms = SMS

## Ein Link, der einmal anmeldet

link-title = Per Link anmelden
link-about = Dieser Link meldet Sie einmal an. Gehen Sie nur weiter, wenn Sie selbst um ihn gebeten haben.
link-confirm = Anmelden

## Captcha

captcha-working = Einen Moment: Ihr Browser zeigt, dass er kein Roboter ist.
captcha-done = Fertig.
