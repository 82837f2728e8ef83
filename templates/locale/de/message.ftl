# Mails und SMS. Jede Art Mail hat einen Titel und darunter: den Betreff; was geschah oder gebraucht wird; die Worte auf dem
# Knopf; was zu tun ist, wenn Sie es nicht waren. SMS (sms-) bleiben bei den Buchstaben alter Telefone: ä ö ü ß, keine runden
# Anführungszeichen.

message-hello = Guten Tag { $name },
message-hello-nameless = Guten Tag,
message-link = Oder kopieren Sie diese Adresse in Ihren Browser:
message-valid-minutes = { $count ->
    [one] Das gilt eine Minute lang und nur einmal.
   *[other] Das gilt { $count } Minuten lang und nur einmal.
}
message-valid-hours = { $count ->
    [one] Das gilt eine Stunde lang und nur einmal.
   *[other] Das gilt { $count } Stunden lang und nur einmal.
}
message-valid-days = { $count ->
    [one] Das gilt einen Tag lang und nur einmal.
   *[other] Das gilt { $count } Tage lang und nur einmal.
}
message-request = Die Anfrage kam am { $date } von { $address } ({ $device }).
message-device-unknown = unbekanntes Gerät

mail-activate = Aktivieren Sie Ihr Konto
    .subject = Aktivieren Sie Ihr Konto bei { $app }
    .lead = Sie haben sich mit dieser Adresse bei { $app } registriert. Bestätigen Sie, dass sie Ihnen gehört, und Ihr Konto ist bereit.
    .action = Konto aktivieren
    .note = Waren Sie das nicht, brauchen Sie nichts zu tun: ohne diesen Schritt gibt es kein Konto.
mail-registration_code = Bestätigen Sie Ihre Adresse
    .subject = { $code } ist Ihr Code für { $app }
    .lead = Geben Sie diesen Code dort ein, wo Sie sich bei { $app } registrieren.
    .action = Adresse bestätigen
    .note = Waren Sie das nicht, brauchen Sie nichts zu tun: ohne den Code gibt es kein Konto. Nennen Sie ihn niemandem.
mail-sign_in_code = Ihr Code zum Anmelden
    .subject = { $code } ist Ihr Code für { $app }
    .lead = Geben Sie diesen Code ein, um sich bei { $app } anzumelden.
    .action = Anmelden
    .note = Waren Sie das nicht, hat jemand Ihre Adresse eingegeben. Ohne den Code kommt er nicht weiter. Nennen Sie ihn niemandem.
mail-magic_link = Ihr Link zum Anmelden
    .subject = Anmelden bei { $app }
    .lead = Öffnen Sie diesen Link, um sich bei { $app } anzumelden.
    .action = Anmelden
    .note = Waren Sie das nicht, hat jemand Ihre Adresse eingegeben. Öffnen Sie den Link nicht, und geben Sie ihn niemandem.
mail-password_reset = Neues Passwort setzen
    .subject = Neues Passwort für { $app } setzen
    .lead = Sie haben um ein neues Passwort für Ihr Konto bei { $app } gebeten.
    .action = Neues Passwort setzen
    .note = Waren Sie das nicht, brauchen Sie nichts zu tun: Ihr Passwort bleibt, wie es ist.
mail-password_reset_code = Neues Passwort setzen
    .subject = { $code } ist Ihr Code für { $app }
    .lead = Geben Sie diesen Code ein, um ein neues Passwort für Ihr Konto bei { $app } zu setzen.
    .action = Neues Passwort setzen
    .note = Waren Sie das nicht, brauchen Sie nichts zu tun: Ihr Passwort bleibt, wie es ist. Nennen Sie den Code niemandem.
mail-set_password = Ihr Konto ist bereit
    .subject = Ihr Konto bei { $app }: Passwort setzen
    .lead = Für Sie wurde ein Konto bei { $app } angelegt. Setzen Sie Ihr Passwort, um zu beginnen.
    .action = Passwort setzen
    .note = Wissen Sie nicht, worum es geht, brauchen Sie nichts zu tun: ohne Passwort kann niemand das Konto benutzen.
mail-password_changed = Ihr Passwort wurde geändert
    .subject = Ihr Passwort für { $app } wurde geändert
    .lead = Das Passwort Ihres Kontos bei { $app } wurde gerade geändert.
    .action = Das war ich nicht
    .note = Waren Sie es selbst, ist nichts zu tun. Waren Sie es nicht, setzen Sie sofort ein neues Passwort.
mail-email_change = Bestätigen Sie Ihre neue Adresse
    .subject = { $code ->
        [none] Bestätigen Sie Ihre neue Adresse für { $app }
       *[other] { $code } ist Ihr Code für { $app }
    }
    .lead = Sie möchten diese Adresse für Ihr Konto bei { $app } benutzen.
    .action = Adresse bestätigen
    .note = Waren Sie das nicht, brauchen Sie nichts zu tun: das Konto behält seine Adresse.
mail-email_change_notice = Ihre Adresse ändert sich
    .subject = Die Adresse Ihres Kontos bei { $app } ändert sich
    .lead = Die Adresse Ihres Kontos bei { $app } soll auf { $address } geändert werden.
    .action = Diese Adresse behalten
    .note = Waren Sie es selbst, ist nichts zu tun. Waren Sie es nicht, behalten Sie diese Adresse und setzen Sie ein neues Passwort.
mail-contact_code = Bestätigen Sie diese Adresse
    .subject = { $code } ist Ihr Code für { $app }
    .lead = Geben Sie diesen Code ein, um diese Adresse Ihrem Konto bei { $app } hinzuzufügen.
    .action = Adresse bestätigen
    .note = Waren Sie das nicht, brauchen Sie nichts zu tun: die Adresse kommt nicht hinzu. Nennen Sie den Code niemandem.
mail-contact_added = Ihr Konto hat eine neue Adresse oder Nummer
    .subject = Eine neue Adresse oder Nummer für Ihr Konto bei { $app }
    .lead = { $address } wurde Ihrem Konto bei { $app } hinzugefügt: Wer dort mitliest, findet den Weg in das Konto.
    .action = Konto ansehen
    .note = Waren Sie es selbst, ist nichts zu tun. Waren Sie es nicht, entfernen Sie sie, melden Sie sich überall ab und setzen Sie ein neues Passwort.
mail-contact_primary = Eine andere Adresse oder Nummer steht vorn
    .subject = Eine andere Adresse oder Nummer steht vorn in Ihrem Konto bei { $app }
    .lead = { $address } ist von nun an die erste Adresse oder Nummer Ihres Kontos bei { $app }.
    .action = Konto ansehen
    .note = Waren Sie es selbst, ist nichts zu tun. Waren Sie es nicht, melden Sie sich überall ab und setzen Sie ein neues Passwort.
mail-contact_removed = Eine Adresse oder Nummer wurde entfernt
    .subject = Eine Adresse oder Nummer wurde aus Ihrem Konto bei { $app } entfernt
    .lead = { $address } wurde aus Ihrem Konto bei { $app } entfernt.
    .action = Konto ansehen
    .note = Waren Sie es selbst, ist nichts zu tun. Waren Sie es nicht, melden Sie sich überall ab und setzen Sie ein neues Passwort.
mail-step_up_code = Zeigen Sie, dass Sie es sind
    .subject = { $code } ist Ihr Code für { $app }
    .lead = Geben Sie diesen Code ein, um mit einer Änderung an Ihrem Konto bei { $app } fortzufahren.
    .action = Fortfahren
    .note = Waren Sie das nicht, ist jemand in Ihrem Konto angemeldet: melden Sie ihn ab und setzen Sie ein neues Passwort. Nennen Sie den Code niemandem.
mail-recovery_code = Finden Sie Ihr Konto
    .subject = { $code } ist Ihr Code für { $app }
    .lead = Geben Sie diesen Code ein, um zu sehen, mit welcher Adresse Sie bei { $app } registriert sind.
    .action = Konto finden
    .note = Waren Sie das nicht, brauchen Sie nichts zu tun. Nennen Sie den Code niemandem.
mail-account_exists = Sie haben schon ein Konto
    .subject = Sie haben schon ein Konto bei { $app }
    .lead = Jemand, vielleicht Sie, wollte sich mit dieser Adresse bei { $app } registrieren. Zu ihr gibt es schon ein Konto.
    .action = Anmelden
    .note = Haben Sie Ihr Passwort vergessen, können Sie dort, wo Sie sich anmelden, ein neues setzen. Waren Sie das nicht, ist nichts zu tun.
mail-new_device = Eine neue Anmeldung
    .subject = Neue Anmeldung bei Ihrem Konto bei { $app }
    .lead = Jemand hat sich mit einem Browser, den wir noch nicht kannten, bei Ihrem Konto bei { $app } angemeldet.
    .action = Das war ich nicht
    .note = Waren Sie es selbst, ist nichts zu tun.
mail-mfa_changed = Ihr zweiter Schritt wurde geändert
    .subject = Der zweite Schritt Ihres Kontos bei { $app } wurde geändert
    .lead = Der zweite Schritt der Anmeldung bei Ihrem Konto bei { $app } wurde gerade geändert.
    .action = Konto ansehen
    .note = Waren Sie es selbst, ist nichts zu tun. Waren Sie es nicht, setzen Sie sofort ein neues Passwort.
mail-backup_code_used = Ein Ersatzcode wurde benutzt
    .subject = Ein Ersatzcode Ihres Kontos bei { $app } wurde benutzt
    .lead = { $remaining ->
        [0] Jemand hat sich mit einem Ersatzcode bei Ihrem Konto bei { $app } angemeldet. Es war der letzte.
        [one] Jemand hat sich mit einem Ersatzcode bei Ihrem Konto bei { $app } angemeldet. Einer ist übrig.
       *[other] Jemand hat sich mit einem Ersatzcode bei Ihrem Konto bei { $app } angemeldet. { $remaining } sind übrig.
    }
    .action = Konto ansehen
    .note = Waren Sie es selbst, machen Sie neue Codes, bevor sie ausgehen. Waren Sie es nicht, setzen Sie sofort ein neues Passwort.
mail-identity_linked = Ein neuer Weg zur Anmeldung
    .subject = Ein neuer Weg zur Anmeldung bei Ihrem Konto bei { $app }
    .lead = Ein Konto bei { $provider } wurde mit Ihrem Konto bei { $app } verbunden: Wer es hat, kann sich anmelden.
    .action = Konto ansehen
    .note = Waren Sie es selbst, ist nichts zu tun. Waren Sie es nicht, trennen Sie die Verbindung, melden Sie sich überall ab und setzen Sie ein neues Passwort.
mail-identity_unlinked = Ein Weg zur Anmeldung wurde getrennt
    .subject = Ein Weg zur Anmeldung bei Ihrem Konto bei { $app } wurde getrennt
    .lead = Ihr Konto bei { $provider } wurde von Ihrem Konto bei { $app } getrennt: Es meldet Sie nicht mehr an.
    .action = Konto ansehen
    .note = Waren Sie es selbst, ist nichts zu tun. Waren Sie es nicht, setzen Sie sofort ein neues Passwort.
mail-account_deletion = Ihr Konto wird gelöscht
    .subject = Ihr Konto bei { $app } wird gelöscht
    .lead = Sie haben darum gebeten, Ihr Konto bei { $app } mit allem darin zu löschen. Bis dahin können Sie es sich noch anders überlegen.
    .action = Konto behalten
    .note = Waren Sie das nicht, behalten Sie das Konto und setzen Sie ein neues Passwort.
mail-export_ready = Ihre Daten liegen bereit
    .subject = Ihre Daten von { $app } liegen bereit
    .lead = Sie haben um eine Kopie dessen gebeten, was { $app } über Sie weiß. Sie liegt bereit.
    .action = Herunterladen
    .note = Waren Sie das nicht, melden Sie sich überall ab und setzen Sie ein neues Passwort.
mail-invitation = Sie sind eingeladen
    .subject = Einladung zu { $app }
    .lead = Sie sind eingeladen, bei { $app } mitzumachen.
    .action = Einladung annehmen
    .note = Wissen Sie nicht, worum es geht, brauchen Sie nichts zu tun.
mail-test = Nachrichten kommen an
    .subject = Eine Nachricht von { $app } kommt an
    .lead = Wer { $app } betreibt, wollte sehen, ob Nachrichten ankommen. Diese ist angekommen.
    .action = Öffnen
    .note = Es ist nichts zu tun.

sms-activate = { $app }: Konto hier aktivieren
sms-registration_code = { $code } ist Ihr Code zum Registrieren bei { $app }. Nennen Sie ihn niemandem.
sms-sign_in_code = { $code } ist Ihr Code zum Anmelden bei { $app }. Nennen Sie ihn niemandem.
sms-magic_link = { $app }: hier anmelden
sms-password_reset = { $app }: hier ein neues Passwort setzen
sms-password_reset_code = { $code } ist Ihr Code für ein neues Passwort bei { $app }. Nennen Sie ihn niemandem.
sms-set_password = { $app }: Ihr Konto ist angelegt, setzen Sie hier Ihr Passwort
sms-password_changed = { $app }: Ihr Passwort wurde geändert. Waren Sie es nicht, setzen Sie sofort ein neues.
sms-email_change = { $code } ist Ihr Code für die neue Adresse bei { $app }.
sms-email_change_notice = { $app }: Ihre Adresse soll geändert werden. Nicht von Ihnen? Behalten Sie sie.
sms-contact_code = { $code } ist Ihr Code, um diese Nummer Ihrem Konto bei { $app } hinzuzufügen. Nennen Sie ihn niemandem.
sms-contact_added = { $app }: { $address } kam zu Ihrem Konto hinzu. Waren Sie es nicht, entfernen Sie sie und setzen Sie ein neues Passwort.
sms-contact_primary = { $app }: { $address } steht nun vorn in Ihrem Konto. Waren Sie es nicht, setzen Sie ein neues Passwort.
sms-contact_removed = { $app }: { $address } wurde aus Ihrem Konto entfernt. Waren Sie es nicht, setzen Sie ein neues Passwort.
sms-step_up_code = { $code } ist Ihr Code zum Fortfahren bei { $app }. Nennen Sie ihn niemandem.
sms-recovery_code = { $code } ist Ihr Code, um Ihr Konto bei { $app } zu finden. Nennen Sie ihn niemandem.
sms-account_exists = { $app }: Zu dieser Nummer gibt es schon ein Konto. Melden Sie sich an, oder setzen Sie dort ein neues Passwort.
sms-new_device = { $app }: Neue Anmeldung bei Ihrem Konto. Nicht Sie? Melden Sie es.
sms-mfa_changed = { $app }: Der zweite Schritt Ihres Kontos wurde geändert. Waren Sie es nicht, setzen Sie ein neues Passwort.
sms-backup_code_used = { $app }: Ein Ersatzcode wurde benutzt, { $remaining } sind übrig. Waren Sie es nicht, setzen Sie ein neues Passwort.
sms-identity_linked = { $app }: Ein Konto anderswo meldet nun bei Ihrem Konto an. Waren Sie es nicht, melden Sie sich überall ab und setzen Sie ein neues Passwort.
sms-identity_unlinked = { $app }: Ein Konto anderswo meldet nicht mehr bei Ihrem Konto an. Waren Sie es nicht, setzen Sie ein neues Passwort.
sms-account_deletion = { $app }: Ihr Konto wird gelöscht. Nicht von Ihnen? Behalten Sie es.
sms-export_ready = { $app }: Ihre Daten liegen bereit. Melden Sie sich an, um sie zu holen.
sms-invitation = Sie sind zu { $app } eingeladen:
sms-test = { $app }: Nachrichten kommen an.
