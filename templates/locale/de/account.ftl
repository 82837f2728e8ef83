# Ein Konto anlegen, und der Weg zurück hinein.

## Felder

email = E-Mail-Adresse
phone = Telefonnummer
username = Benutzername
username-optional = Benutzername (freiwillig)
field-optional = { $name } (freiwillig)
password-new = Neues Passwort
code = Code

## Attribute, nach denen ein Betreiber fragt: ein Theme ergänzt seine, unter den Namen der Einstellungen

attribute-company = Firma

## Ein Konto anlegen

register = Konto anlegen
register-client = danach geht es weiter zu
register-submit = Weiter
register-have = Sie haben ein Konto?
register-none = Neu hier?
register-link = Konto anlegen
register-by-email = Eine E-Mail-Adresse nehmen
register-by-phone = Eine Telefonnummer nehmen
register-phone-help = Mit ihrem Land, etwa +31 6 12345678. Wir schicken einen Code dorthin.
register-connects-by_link = Sie kommen von { $provider } ({ $identity }). Wir brauchen nur noch eine Adresse, die Ihnen gehört: öffnen Sie den Link, den wir dorthin schicken, in diesem Browser; dann ist beides verbunden.
register-connects = Sie kommen von { $provider } ({ $identity }). Wir brauchen nur noch eine Adresse, die Ihnen gehört; dann ist beides verbunden.

## Codes

code-title-registration = Adresse bestätigen
code-title-registration_phone = Nummer bestätigen
code-title-reset = Neues Passwort setzen
code-title-recovery = Code eingeben
code-about-registration = Wir haben einen Code aus sechs Ziffern an { $address } geschickt. Wie lange er gilt, steht dabei.
code-about-registration_phone = Wir haben eine SMS mit einem Code aus sechs Ziffern an { $address } geschickt. Geben Sie den Code hier ein.
code-about-reset = Wenn { $address } ein Konto hat, ist ein Code aus sechs Ziffern unterwegs. Wie lange er gilt, steht dabei.
code-about-recovery = Wenn ein Konto die Nummer { $address } hat, ist ein Code aus sechs Ziffern unterwegs. Wie lange er gilt, steht dabei.
code-submit-registration = Konto anlegen
code-submit-registration_phone = Konto anlegen
code-submit-reset = Passwort setzen
code-submit-recovery = Meine Adresse zeigen
code-missing = Nichts angekommen?
code-resend = Noch einmal schicken
code-resent = Wir haben noch einen Code geschickt. Der letzte gilt.
code-again = Von vorn beginnen

## Der Weg zurück

forgot = Passwort vergessen?
recover-title-password = Passwort vergessen?
recover-title-email = E-Mail-Adresse vergessen?
recover-about-password = Sagen Sie uns, wie Sie sich anmelden, und wir schicken Ihnen, was Sie für ein neues brauchen.
recover-about-email = Wenn Ihr Konto eine Telefonnummer hat, die Sie bestätigt haben, können wir Ihnen seine Adresse nennen.
recover-field-password = E-Mail-Adresse, Benutzername oder Telefonnummer
recover-field-email = Telefonnummer
recover-link = Link schicken
recover-code = Code per E-Mail schicken
recover-text = Code per SMS schicken
recover-sms = Code schicken
recover-other-password = E-Mail-Adresse vergessen?
recover-other-email = Passwort vergessen?
new-password = Neues Passwort setzen
new-password-about = Danach sind Sie überall abgemeldet und melden sich mit dem neuen an.
new-password-submit = Passwort setzen

## Links aus Mails

mailed-title-activation = Konto aktivieren
mailed-title-email_change = Neue Adresse bestätigen
mailed-title-email_change_undo = Alte Adresse behalten
mailed-title-deletion_undo = Konto behalten
mailed-title-export = Ihre Daten
mailed-title-not_me = Waren Sie das nicht?
mailed-about-activation = Ein Schritt fehlt noch: bestätigen Sie, dass diese Adresse Ihre ist.
mailed-about-email_change = Von nun an melden Sie sich mit dieser Adresse an, und unsere Mails gehen dorthin.
mailed-about-email_change_undo = Die Änderung wird zurückgenommen, Sie sind überall abgemeldet, und Passkeys, Code-Apps, verbundene Konten und Adressen, die seit jener Anmeldung dazukamen, werden entfernt. Setzen Sie danach ein neues Passwort, falls die Änderung nicht von Ihnen kam.
mailed-about-deletion_undo = Die Löschung wird zurückgenommen. Sie können sich sofort wieder anmelden.
mailed-about-export = Sie können die Datei einmal herunterladen. Sie enthält, was wir von Ihnen wissen: bewahren Sie sie sicher auf.
mailed-about-not_me = Dann kann sich jemand anderes mit Ihrem Konto anmelden. Ein Druck meldet alle ab, auch Sie, entfernt Passkeys, Code-Apps, verbundene Konten und Adressen, die seitdem dazukamen, macht das Passwort ungültig und lässt Sie ein neues wählen.
mailed-confirm-activation = Konto aktivieren
mailed-confirm-email_change = Adresse bestätigen
mailed-confirm-email_change_undo = Änderung zurücknehmen
mailed-confirm-deletion_undo = Mein Konto behalten
mailed-confirm-export = Herunterladen
mailed-confirm-not_me = Das war ich nicht

## Was getan ist

notice-title-activation_sent = Sehen Sie in Ihr Postfach
notice-title-reset_sent = Sehen Sie in Ihr Postfach
notice-title-activated = Ihr Konto ist bereit
notice-title-password_set = Ihr neues Passwort ist gesetzt
notice-title-emails = Ihr Konto hat diese Adressen
notice-title-email_changed = Ihre Adresse ist geändert
notice-title-email_restored = Ihre alte Adresse ist zurück
notice-title-restored = Ihr Konto bleibt
notice-title-denied = Das waren nicht Sie
notice-about-activation_sent = Wir haben einen Link an { $address } geschickt. Öffnen Sie ihn, um Ihr Konto zu aktivieren.
notice-about-reset_sent = Wenn { $address } ein Konto hat, ist ein Link unterwegs. Wie lange er gilt, steht in der Mail.
notice-about-activated = Sie können sich jetzt anmelden.
notice-about-password_set = Sie sind überall abgemeldet. Melden Sie sich mit dem neuen an.
notice-about-emails = Teile sind verdeckt, falls Ihnen jemand über die Schulter sieht.
notice-about-email_changed = Sie sind überall sonst abgemeldet.
notice-about-email_restored = Sie sind überall abgemeldet. Falls die Änderung nicht von Ihnen kam, setzen Sie jetzt ein neues Passwort.
notice-about-restored = Es ging nichts verloren. Sie können sich wieder anmelden.
notice-about-denied = Überall ist Ihr Konto abgemeldet, und sein Passwort gilt nicht mehr. Wer diesen Server betreibt, hilft Ihnen weiter.
gone-authenticators = { $count ->
    [one] Ein Passkey oder eine Code-App, die seitdem dazukam, ist entfernt.
   *[other] { $count } Passkeys oder Code-Apps, die seitdem dazukamen, sind entfernt.
}
gone-identities = { $count ->
    [one] Ein verbundenes Konto, das seitdem dazukam, ist getrennt.
   *[other] { $count } verbundene Konten, die seitdem dazukamen, sind getrennt.
}
gone-addresses = { $count ->
    [one] Eine Adresse oder Nummer, die seitdem dazukam, ist entfernt.
   *[other] { $count } Adressen oder Nummern, die seitdem dazukamen, sind entfernt.
}
next-sign_in = Anmelden
next-account = Zu Ihrem Konto

## Was an dem nicht stimmt, was eingegeben wurde

mistakes = Manches davon geht nicht. Sehen Sie nach, was unter den Feldern steht.
mistake-required = Das wird gebraucht.
mistake-blank = Das wird gebraucht.
mistake-unknown_field = Das lässt sich hier nicht setzen.
mistake-wrong_type = Das ist nicht von der richtigen Art.
mistake-invalid_value = Das geht nicht.
mistake-too_long = Höchstens { $bound } Zeichen passen.
mistake-invalid_email = Das ist keine E-Mail-Adresse.
mistake-invalid_phone_number = Schreiben Sie die Nummer mit ihrem Land, etwa +31 6 12345678.
mistake-identity_not_allowed = Das kann hier nicht verwendet werden.
mistake-email_taken = Jemand hat ein Konto mit dieser Adresse.
mistake-phone_taken = Jemand hat ein Konto mit dieser Nummer.
mistake-username_taken = Dieser Name ist vergeben. Wählen Sie einen anderen.
mistake-password_too_short = Es braucht mindestens { $bound } Zeichen.
mistake-password_too_similar = Das ähnelt Ihrem Namen oder Ihrer Adresse zu sehr.
mistake-password_too_common = Das ist leicht zu erraten. Nehmen Sie mehrere Wörter, die nicht zusammengehören.
mistake-password_entirely_numeric = Ziffern allein sind leicht zu erraten.
mistake-password_breached = Dieses Passwort wurde anderswo gestohlen, und wer rät, versucht es zuerst.
mistake-password_unchecked = Passwörter lassen sich gerade nicht prüfen. Versuchen Sie es später noch einmal.
mistake-passwords_not_identical = Die beiden Passwörter sind verschieden.
mistake-verification_required = Das muss zuerst bestätigt werden.
mistake-wrong_code = Das ist nicht der Code, den wir geschickt haben.
mistake-code_attempts_exceeded = Das waren zu viele falsche Codes. Beginnen Sie von vorn.
mistake-code_recently_sent = Wir haben eben erst eine Nachricht geschickt. Warten Sie eine Minute, bevor Sie noch eine anfordern.
mistake-rate_limited = Das waren zu viele Anfragen. Warten Sie eine Minute und versuchen Sie es dann noch einmal.
mistake-too_many_attempts = Von dort, wo Sie sind, kam zu viel Falsches. Warten Sie ein paar Minuten und versuchen Sie es dann noch einmal.
mistake-code_expired = Der Code ist abgelaufen. Beginnen Sie von vorn.
mistake-registration_expired = Das hat zu lange gedauert. Beginnen Sie von vorn.
mistake-registration_invalid = Das gehört nicht mehr zu diesem Browser. Beginnen Sie von vorn.
mistake-already_verified = Das ist schon geschehen. Sie können sich anmelden.
mistake-flow_expired = Der Code ist abgelaufen. Beginnen Sie von vorn.
mistake-flow_invalid = Der Code wurde benutzt oder gehört nicht zu diesem Browser. Beginnen Sie von vorn.
mistake-signup_not_allowed = Zurzeit kann hier niemand ein Konto anlegen.
mistake-forbidden = Das ist von dort, wo Sie sind, nicht erlaubt.

## Die Kontoseite und wohin sie führt

console-profile = Profil
    .about = Ihr Name und was Apps sonst sehen können
console-contacts = E-Mail und Telefon
    .about = Adressen und Nummern, die Ihre sind
console-data = Ihre Daten
    .about = Nehmen Sie sie mit, oder löschen Sie das Konto
profile = Profil
profile-about = Apps sehen davon, was Sie ihnen erlauben.
profile-first_name = Vorname
profile-last_name = Nachname
profile-nickname = Spitzname
profile-website = Website
profile-birthdate = Geburtsdatum
picture = Bild
picture-shown = Ihr Bild
picture-new = Wählen Sie ein Bild
picture-help = Eine Datei in PNG, JPEG oder WebP, höchstens 1 MB. Behalten wird nur, was man sieht.
picture-submit = Dieses Bild nehmen
picture-remove = Entfernen
mistake-picture_too_large = Die Datei ist größer als 1 MB. Wählen Sie eine kleinere.
mistake-picture_unreadable = Das ist kein Bild, das wir lesen können. Wählen Sie eine Datei in PNG, JPEG oder WebP.
profile-kept = Gespeichert.
save = Speichern
contacts = E-Mail und Telefon
contacts-about = Mit jeder davon können Sie sich anmelden. Apps wird die erste genannt.
emails = E-Mail-Adressen
phones = Telefonnummern
contacts-none = Es gibt noch keine.
contact-primary = Erste
contact-unverified = Nicht bestätigt
contact-make-primary = Zur ersten machen
contact-remove = Entfernen
contact-new-email = Weitere E-Mail-Adresse
contact-new-phone = Weitere Telefonnummer
contact-add = Code schicken
contact-waiting = Wir haben einen Code an { $value } geschickt. Geben Sie ihn hier ein.
contact-confirm = Bestätigen
my-data = Ihre Daten
my-data-export = Mitnehmen
my-data-export-about = Wir sammeln Ihr Profil, Ihre Sitzungen, den Verlauf und die Apps, denen Sie etwas erlaubt haben, in einer Datei und schicken Ihnen einen Link dazu. Der Link gilt einmal.
my-data-export-do = Link schicken
my-data-asked = Die Datei wird gemacht. Eine Mail mit dem Link ist unterwegs.
my-data-delete = Konto löschen
my-data-delete-about = Sie sind sofort überall abgemeldet. { $days } Tage lang nimmt ein Link in einer Mail die Löschung zurück; dann ist alles fort.
my-data-delete-now = Alles davon ist sofort fort, und nichts bringt es zurück.
my-data-delete-sure = Ich möchte, dass mein Konto gelöscht wird
my-data-delete-do = Konto löschen
mistake-last_device = Das ist die letzte, unter der wir Sie erreichen. Fügen Sie zuerst eine andere hinzu.
mistake-not_found = Es ist nicht mehr da.
notice-title-deleted = Ihr Konto ist geschlossen
notice-about-deleted = Sehen Sie in Ihr Postfach: bis es endgültig gelöscht ist, nimmt ein Link dort das zurück.
next-home = Zur Startseite

## Ein neues Passwort

console-password = Passwort
    .about = Es ändern
change-password = Passwort ändern
change-password-about = Hier bleiben Sie angemeldet. Überall sonst müssen Sie sich neu anmelden.
first-password-about = Sie haben noch kein Passwort. Mit einem können Sie sich ohne Nachricht anmelden.
change-password-done = Ihr neues Passwort gilt.
password-current = Jetziges Passwort
password-confirm = Neues Passwort, noch einmal
password-keep-others = Auf meinen anderen Geräten angemeldet bleiben
live-password_too_short = Es fehlen noch Zeichen.
live-password_good = Dieses Passwort geht.
invitation = Sie sind eingeladen
invitation-about = Wählen Sie ein Passwort, dann ist Ihr Konto bereit.
invitation-address = Ihr Konto gilt für
invitation-submit = Konto anlegen

## Andere einladen

console-invitations = Einladungen
    .about = Laden Sie andere ein, und sehen Sie, wen Sie eingeladen haben
invitations = Einladungen
invitations-about = Wen Sie einladen, bekommt eine Nachricht mit einem Link und richtet ein eigenes Konto ein.
invitations-sent = Die Einladung ist unterwegs.
invitations-list = Wen Sie eingeladen haben
invitations-none = Sie haben noch niemanden eingeladen.
invite = Jemanden einladen
invite-contact = E-Mail-Adresse oder Telefonnummer der Person
invite-submit = Einladung schicken
invitation-sent-on = Geschickt am
invitation-until = gilt bis
invitation-revoke = Zurücknehmen
invitation-state-waiting = Wartet
invitation-state-accepted = Angenommen
invitation-state-revoked = Zurückgenommen
invitation-state-expired = Abgelaufen
mistake-invite_not_allowed = Sie dürfen hier niemanden einladen.
