# Die Seiten des eigenen Kontos: wo jemand angemeldet ist, was geschah, welche Apps zugelassen sind; und noch einmal beweisen, wer man
# ist.

account-page = Ihr Konto
sign-out = Abmelden
console-label = Seiten Ihres Kontos
console-overview = Übersicht
    .about = Alles über Ihr Konto
console-sessions = Wo Sie angemeldet sind
    .about = Sehen Sie Ihre Browser und melden Sie ab, was Sie nicht kennen
console-history = Verlauf
    .about = Anmeldungen und Änderungen, mit Zeit und Ort
console-apps = Zugelassene Apps
    .about = Sehen Sie, was sie sehen dürfen, und nehmen Sie es zurück

apps = Zugelassene Apps
apps-why = Diese Apps dürfen etwas von Ihnen sehen. Nehmen Sie das zurück, werden sie von Ihrem Konto abgemeldet.
apps-none = Noch hat keine App um etwas gebeten.
app-since = Zugelassen am
app-revoke = Zurücknehmen

sessions = Wo Sie angemeldet sind
sessions-why = Beenden Sie, was Sie nicht kennen. Apps, die dort zugelassen wurden, werden mit abgemeldet.
sessions-end-others = Überall sonst abmelden
session-current = Dieser Browser
session-device-unknown = Ein unbekannter Browser
session-seen = Zuletzt gesehen am
session-began = Angemeldet am
session-end = Abmelden

history = Verlauf
history-why = Waren Sie etwas davon nicht selbst, ändern Sie Ihr Passwort und melden Sie sich überall sonst ab.
history-none = Noch ist nichts geschehen.
history-failed = Abgewiesen
history-older = Älteres
event-sign_in = Anmeldung
event-session-ended = Abgemeldet
event-session-step_up = Noch einmal bewiesen, dass Sie es sind
event-user-created = Konto angelegt
event-user-activated = Konto aktiviert
event-user-updated = Profil geändert
event-user-deactivated = Konto abgeschaltet
event-user-deletion_requested = Löschen des Kontos verlangt
event-user-deletion_undone = Löschen des Kontos zurückgenommen
event-user-deleted = Konto gelöscht
event-password-reset_requested = Neues Passwort verlangt
event-password-reset = Passwort neu gesetzt
event-password-changed = Passwort geändert
event-email-change_requested = Wechsel der E-Mail-Adresse verlangt
event-email-changed = E-Mail-Adressen geändert
event-phone-changed = Telefonnummern geändert
event-mfa-changed = Zweiten Faktor geändert
event-data-exported = Daten ausgegeben
event-security-blocked = Rateversuche für eine Weile ausgesperrt
event-token-reuse_detected = Ein verbrauchtes Token einer App kam wieder, und die App wurde abgemeldet
event-consent-granted = App zugelassen
event-consent-withdrawn = Erlaubnis einer App zurückgenommen
event-user-enabled = Konto wieder eingeschaltet
event-user-role_changed = Rolle auf diesem Server geändert
event-group-member_added = In eine Gruppe aufgenommen
event-group-member_removed = Aus einer Gruppe genommen
event-role-given = Rolle erhalten
event-role-taken = Rolle entzogen
event-method-password = mit Passwort
event-method-link = mit Link
event-method-totp = mit Code-App
event-method-backup_code = mit Ersatzcode
event-method-totp_setup = mit Code-App
event-method-registration = mit Registrierung

again = Sind das noch Sie?
again-why = Bevor das geändert werden kann, geben Sie bitte noch einmal Ihr Passwort ein.
again-account = Konto
again-stay = Zurück zu Ihrem Konto
again-error-wrong_password = Das ist nicht das Passwort dieses Kontos. Versuchen Sie es noch einmal.
again-error-too_many_attempts = Zu viele Versuche. Warten Sie ein paar Minuten und versuchen Sie es dann noch einmal.
again-error-too_many_failures = Zu viele falsche Passwörter hintereinander. Bitten Sie die Betreiber dieses Dienstes um einen Link zum Anmelden.
