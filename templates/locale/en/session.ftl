# The account console: where a person is signed in, what happened, which apps they let in; and proving again who one is.

account-page = Your account
sign-out = Sign out
console-label = Pages of your account
console-overview = Overview
    .about = Everything about your account
console-sessions = Where you are signed in
    .about = See your browsers, and sign out of those you do not recognise
console-history = History
    .about = Sign-ins and changes, with time and place
console-apps = Apps you allowed
    .about = See what they may see, and take it back

apps = Apps you allowed
apps-why = These apps may see something of yours. Taking it back signs them out of your account.
apps-none = No app has asked for anything yet.
app-since = Allowed on
app-revoke = Take back

sessions = Where you are signed in
sessions-why = End whatever you do not recognise. Apps that were let in there are signed out, too.
sessions-end-others = Sign out everywhere else
session-current = This browser
session-device-unknown = An unknown browser
session-seen = Last seen on
session-began = Signed in on
session-end = Sign out

history = History
history-why = If something here was not you, change your password and sign out everywhere else.
history-none = Nothing has happened yet.
history-failed = Refused
history-older = Older
event-sign_in = Sign-in
event-session-ended = Signed out
event-session-step_up = Proved again that it was you
event-user-created = Account made
event-user-activated = Account activated
event-user-updated = Profile changed
event-user-deactivated = Account switched off
event-user-deletion_requested = Deletion of the account asked for
event-user-deletion_undone = Deletion of the account taken back
event-user-deleted = Account deleted
event-password-reset_requested = New password asked for
event-password-reset = Password set anew
event-password-changed = Password changed
event-email-change_requested = Change of email address asked for
event-email-changed = Email addresses changed
event-phone-changed = Phone numbers changed
event-mfa-changed = Second factor changed
event-data-exported = Data exported
event-security-blocked = Guesses were shut out for a while
event-token-reuse_detected = A used token of an app came back, and the app was signed out
event-consent-granted = App allowed
event-consent-withdrawn = App’s permission taken back
event-method-password = by password
event-method-link = by link

again = Is it still you?
again-why = Before this can be changed, please enter your password once more.
again-account = Account
again-stay = Go back to your account
again-error-wrong_password = That is not the password of this account. Try again.
again-error-too_many_attempts = Too many attempts. Wait a few minutes, then try again.
again-error-too_many_failures = Too many wrong passwords in a row. Ask those who run this service for a sign-in link.

not-me = Was this not you?
not-me-why = Then somebody knows your password. One press signs out everybody, you included, makes the password useless, and lets you choose a new one.
not-me-confirm = This was not me
new-password = New password
new-password-why = All browsers and apps are signed out. Choose a password that you use nowhere else.
new-password-set = Set the password
