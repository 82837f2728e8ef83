# Devices that wait for a person: the code, the picture, and the decision.

## Signing in by a picture

method-qr = Sign in with your phone
event-method-qr = by a picture that a phone read
qr-title = Sign in with your phone
qr-start = A phone on which you are signed in here reads a picture and lets this browser in.
qr-pending = Read this picture with a phone on which you are signed in here.
qr-seen = Your phone has read the picture. Say yes there.
qr-denied = The answer on the phone was no. You are not signed in.
qr-over = The picture has run out. Ask for a new one.
qr-picture = A picture for the camera of your phone
qr-by-hand = No camera? Go to { $page } on your phone and enter this code:
qr-number = Your phone must show this number:
qr-begin = Show the picture
qr-again = Show a new picture
qr-check = I have said yes

## On the phone

device-title = Connect a device
device-about = Enter the code that your device shows.
device-code = Code
device-careful = Go on only if the device is in front of you. Nobody from here asks you for a code by phone or by mail.
device-error-unknown = That is not a code that waits. Compare it with your device; a code works once and runs out after some minutes.
device-error-too_many = Too many codes were wrong. Wait a minute, then try again.
device-error-late = This code was used already, or has run out. Ask the device for a new one.
device-error-forbidden = You may not give this app what it asks for. Ask whoever runs this service.
device-sign-in-title = Sign in on another device?
device-sign-in-about = Somebody wants to be signed in as you there. The device must show this code:
device-app-about = The device must show this code:
device-number = And this number:
device-what = Device
device-where = Address
device-when = Asked
device-elsewhere = That device is on another network than this one. Go on only if you can see its screen.
device-sign-in-accept = Yes, sign me in there
device-sign-in-deny = No
device-approved = Done
device-approved-about = Go back to the device; it goes on by itself.
device-denied = Nothing was allowed
device-denied-about = The device was told no. If somebody asked you for the code, they wanted to get into your account.
device-sessions = See where you are signed in
event-device-approved = Device let in
event-device-denied = Device turned away
event-logout-not_delivered = App not told of a sign-out
