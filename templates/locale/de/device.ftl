# Geräte, die auf jemanden warten: der Code, das Bild und die Entscheidung.

## Anmelden mit einem Bild

method-qr = Mit dem Telefon anmelden
event-method-qr = mit einem Bild, das ein Telefon gelesen hat
qr-title = Mit dem Telefon anmelden
qr-start = Ein Telefon, auf dem Sie hier angemeldet sind, liest ein Bild und lässt diesen Browser ein.
qr-pending = Lesen Sie dieses Bild mit einem Telefon, auf dem Sie hier angemeldet sind.
qr-seen = Ihr Telefon hat das Bild gelesen. Sagen Sie dort Ja.
qr-denied = Die Antwort auf dem Telefon war Nein. Sie sind nicht angemeldet.
qr-over = Das Bild ist abgelaufen. Lassen Sie sich ein neues zeigen.
qr-picture = Ein Bild für die Kamera Ihres Telefons
qr-by-hand = Keine Kamera? Öffnen Sie { $page } auf dem Telefon und geben Sie diesen Code ein:
qr-number = Ihr Telefon muss diese Zahl zeigen:
qr-begin = Bild zeigen
qr-again = Neues Bild zeigen
qr-check = Ich habe Ja gesagt

## Auf dem Telefon

device-title = Gerät verbinden
device-about = Geben Sie den Code ein, den Ihr Gerät zeigt.
device-code = Code
device-careful = Fahren Sie nur fort, wenn das Gerät vor Ihnen steht. Niemand von hier fragt Sie am Telefon oder per E-Mail nach einem Code.
device-error-unknown = Auf diesen Code wartet kein Gerät. Vergleichen Sie ihn mit Ihrem Gerät; ein Code gilt einmal und läuft nach einigen Minuten ab.
device-error-too_many = Zu viele Codes waren falsch. Warten Sie eine Minute und versuchen Sie es dann noch einmal.
device-error-late = Dieser Code wurde schon benutzt oder ist abgelaufen. Lassen Sie sich vom Gerät einen neuen zeigen.
device-error-forbidden = Sie dürfen dieser App nicht geben, was sie möchte. Fragen Sie, wer diesen Dienst betreibt.
device-sign-in-title = Auf einem anderen Gerät anmelden?
device-sign-in-about = Jemand möchte dort als Sie angemeldet werden. Das Gerät muss diesen Code zeigen:
device-app-about = Das Gerät muss diesen Code zeigen:
device-number = Und diese Zahl:
device-what = Gerät
device-where = Adresse
device-when = Gefragt
device-elsewhere = Das Gerät ist in einem anderen Netz als dieses hier. Fahren Sie nur fort, wenn Sie seinen Bildschirm sehen.
device-sign-in-accept = Ja, dort anmelden
device-sign-in-deny = Nein
device-approved = Fertig
device-approved-about = Gehen Sie zurück zum Gerät; dort geht es von selbst weiter.
device-denied = Es wurde nichts erlaubt
device-denied-about = Dem Gerät wurde Nein gesagt. Wenn jemand Sie nach dem Code gefragt hat, wollte er in Ihr Konto.
device-sessions = Sehen, wo Sie angemeldet sind
event-device-approved = Gerät eingelassen
event-logout-not_delivered = App erfuhr nichts von einer Abmeldung
event-device-denied = Gerät abgewiesen
