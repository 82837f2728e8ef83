# Making an account, and finding the way back into it.

## Fields

email = Email address
phone = Phone number
username = Username
username-optional = Username (optional)
field-optional = { $name } (optional)
password-new = New password
code = Code

## Attributes that an operator asks for: a theme adds theirs, by the names of the settings

attribute-company = Company

## Making an account

register = Create your account
register-client = to go on to
register-submit = Continue
register-have = You have an account?
register-none = New here?
register-link = Create an account
register-by-email = Use an email address
register-by-phone = Use a phone number
register-phone-help = With its country, such as +31 6 12345678. We send it a code.
register-connects-by_link = You come from { $provider } ({ $identity }). We only need an address that is yours: open the link that we send there in this browser, and the two are connected.
register-connects = You come from { $provider } ({ $identity }). We only need an address that is yours; then the two are connected.

## Codes

code-title-registration = Confirm your address
code-title-registration_phone = Confirm your number
code-title-reset = Set a new password
code-title-recovery = Enter the code
code-about-registration = We sent a code of six digits to { $address }. The message says how long it is good.
code-about-registration_phone = We sent a text message with a code of six digits to { $address }. Type the code here.
code-about-reset = If { $address } has an account, a code of six digits is on its way. The message says how long it is good.
code-about-recovery = If an account has the number { $address }, a code of six digits is on its way. The message says how long it is good.
code-submit-registration = Create account
code-submit-registration_phone = Create account
code-submit-reset = Set password
code-submit-recovery = Show my address
code-missing = Nothing arrived?
code-resend = Send it once more
code-resent = We sent another code. The last one counts.
code-again = Begin again

## The way back

forgot = Forgot your password?
recover-title-password = Forgot your password?
recover-title-email = Forgot your email address?
recover-about-password = Tell us how you sign in, and we send you what you need for a new one.
recover-about-email = If your account has a phone number that you confirmed, we can tell you its address.
recover-field-password = Email address, username or phone number
recover-field-email = Phone number
recover-link = Send me a link
recover-code = Send me a code by email
recover-text = Send me a code by text message
recover-sms = Send me a code
recover-other-password = Forgot your email address?
recover-other-email = Forgot your password?
new-password = Set a new password
new-password-about = After this you are signed out everywhere, and sign in with the new one.
new-password-submit = Set password

## Links of mails

mailed-title-activation = Activate your account
mailed-title-email_change = Confirm your new address
mailed-title-email_change_undo = Keep your old address
mailed-title-deletion_undo = Keep your account
mailed-title-export = Your data
mailed-title-not_me = Was this not you?
mailed-about-activation = One step is left: confirm that this address is yours.
mailed-about-email_change = From now on you sign in with this address, and our mail goes there.
mailed-about-email_change_undo = The change is taken back, you are signed out everywhere, and passkeys, code apps, connected accounts and addresses that were added since that sign-in are removed. Set a new password after that, if you did not ask for the change.
mailed-about-deletion_undo = The deletion is taken back. You can sign in again at once.
mailed-about-export = You can download the file once. It holds what we know of you: keep it safe.
mailed-about-not_me = Then somebody else can sign in as you. One press signs out everybody, you included, removes passkeys, code apps, connected accounts and addresses that were added since then, takes the password away, and lets you choose a new one.
mailed-confirm-activation = Activate account
mailed-confirm-email_change = Confirm address
mailed-confirm-email_change_undo = Take the change back
mailed-confirm-deletion_undo = Keep my account
mailed-confirm-export = Download
mailed-confirm-not_me = This was not me

## What is done

notice-title-activation_sent = Look into your mailbox
notice-title-reset_sent = Look into your mailbox
notice-title-activated = Your account is ready
notice-title-password_set = Your new password is set
notice-title-emails = Your account has these addresses
notice-title-email_changed = Your address is changed
notice-title-email_restored = Your old address is back
notice-title-restored = Your account stays
notice-title-denied = It was not you
notice-about-activation_sent = We sent a link to { $address }. Open it to activate your account.
notice-about-reset_sent = If { $address } has an account, a link is on its way. The mail says how long it is good.
notice-about-activated = You can sign in now.
notice-about-password_set = You are signed out everywhere. Sign in with the new one.
notice-about-emails = Parts are hidden, in case somebody looks over your shoulder.
notice-about-email_changed = You are signed out everywhere else.
notice-about-email_restored = You are signed out everywhere. If you did not ask for the change, set a new password now.
notice-about-restored = Nothing was lost. You can sign in again.
notice-about-denied = Everything of your account is signed out, and its password is void. Whoever runs this server helps you on.
gone-authenticators = { $count ->
    [one] One passkey or code app that was added since then is removed.
   *[other] { $count } passkeys or code apps that were added since then are removed.
}
gone-identities = { $count ->
    [one] One connected account that was added since then is cut off.
   *[other] { $count } connected accounts that were added since then are cut off.
}
gone-addresses = { $count ->
    [one] One address or number that was added since then is removed.
   *[other] { $count } addresses or numbers that were added since then are removed.
}
next-sign_in = Sign in
next-account = Go to your account

## What is wrong with what was typed

mistakes = Some of this cannot be taken. Look at what stands below the fields.
mistake-required = This is needed.
mistake-blank = This is needed.
mistake-unknown_field = This cannot be set here.
mistake-wrong_type = This is not of the right kind.
mistake-invalid_value = This cannot be taken.
mistake-too_long = At most { $bound } characters fit.
mistake-invalid_email = This is no email address.
mistake-invalid_phone_number = Write the number with its country, such as +31 6 12345678.
mistake-identity_not_allowed = This cannot be used here.
mistake-email_taken = Somebody has an account with this address.
mistake-phone_taken = Somebody has an account with this number.
mistake-username_taken = This name is taken. Choose another one.
mistake-password_too_short = At least { $bound } characters are needed.
mistake-password_too_similar = This is too much like your name or address.
mistake-password_too_common = This is easy to guess. Take several words that do not belong together.
mistake-password_entirely_numeric = Digits alone are easy to guess.
mistake-password_breached = This password was stolen elsewhere, and whoever guesses tries it first.
mistake-password_unchecked = Passwords cannot be checked at the moment. Try again later.
mistake-passwords_not_identical = The two passwords differ.
mistake-verification_required = This has to be confirmed first.
mistake-wrong_code = This is not the code that we sent.
mistake-code_attempts_exceeded = That were too many wrong codes. Begin again.
mistake-code_recently_sent = We sent a message a moment ago. Wait a minute before you ask for another one.
mistake-rate_limited = That were too many requests. Wait a minute, then try again.
mistake-too_many_attempts = Too much of what came from where you are was wrong. Wait a few minutes, then try again.
mistake-code_expired = The code has run out. Begin again.
mistake-registration_expired = That took too long. Begin again.
mistake-registration_invalid = This does not belong to this browser any more. Begin again.
mistake-already_verified = This was done before. You can sign in.
mistake-flow_expired = The code has run out. Begin again.
mistake-flow_invalid = The code was used, or does not belong to this browser. Begin again.
mistake-signup_not_allowed = Nobody can create an account here at the moment.
mistake-forbidden = This is not allowed from where you are.

## The account page and what it leads to

console-profile = Profile
    .about = Your name and what else apps may see
console-contacts = Email and phone
    .about = Addresses and numbers that are yours
console-data = Your data
    .about = Take it along, or delete the account
profile = Profile
profile-about = Apps see of this what you allow them.
profile-first_name = First name
profile-last_name = Last name
profile-nickname = Nickname
profile-website = Website
profile-birthdate = Date of birth
picture = Picture
picture-shown = Your picture
picture-new = Choose a picture
picture-help = A PNG, JPEG or WebP file of at most 1 MB. Nothing of it is kept but what one sees.
picture-submit = Use this picture
picture-remove = Take it away
mistake-picture_too_large = The file is larger than 1 MB. Choose a smaller one.
mistake-picture_unreadable = This is no picture that we can read. Choose a PNG, JPEG or WebP file.
profile-kept = Kept.
save = Save
contacts = Email and phone
contacts-about = You can sign in with each of them. Apps are told the first one.
emails = Email addresses
phones = Phone numbers
contacts-none = There is none yet.
contact-primary = First
contact-unverified = Not confirmed
contact-make-primary = Make it the first
contact-remove = Remove
contact-new-email = Another email address
contact-new-phone = Another phone number
contact-add = Send a code
contact-waiting = We sent a code to { $value }. Enter it here.
contact-confirm = Confirm
my-data = Your data
my-data-export = Take it along
my-data-export-about = We gather your profile, sessions, history and the apps you allowed in a file, and send you a link to it. The link works once.
my-data-export-do = Send me a link
my-data-asked = The file is being made. A mail with the link is on its way.
my-data-delete = Delete your account
my-data-delete-about = You are signed out everywhere at once. For { $days } days a link in a mail takes the deletion back; then everything is gone.
my-data-delete-now = Everything of it is gone at once, and nothing brings it back.
my-data-delete-sure = I want my account to be deleted
my-data-delete-do = Delete account
mistake-last_device = This is the last one by which we can reach you. Add another one first.
mistake-not_found = It is not there any more.
notice-title-deleted = Your account is closed
notice-about-deleted = Look into your mailbox: until it is deleted for good, a link there takes it back.
next-home = Go to the start page

## A new password

console-password = Password
    .about = Change it
change-password = Change password
change-password-about = You stay signed in here. Everywhere else you will have to sign in again.
first-password-about = You have no password yet. With one you can sign in without a message.
change-password-done = Your new password is set.
password-current = Current password
password-confirm = New password, once more
password-keep-others = Stay signed in on my other devices
live-password_too_short = More characters are needed.
live-password_good = This password can be used.
invitation = You are invited
invitation-about = Choose a password, and your account is ready.
invitation-address = Your account is for
invitation-submit = Create the account

## Inviting others

console-invitations = Invitations
    .about = Ask others in, and see whom you have asked
invitations = Invitations
invitations-about = Whoever you invite gets a message with a link, and sets up an account of their own.
invitations-sent = The invitation is on its way.
invitations-list = Whom you have invited
invitations-none = You have not invited anybody yet.
invite = Invite somebody
invite-contact = Their email address or phone number
invite-submit = Send invitation
invitation-sent-on = Sent on
invitation-until = good until
invitation-revoke = Take back
invitation-state-waiting = Waiting
invitation-state-accepted = Accepted
invitation-state-revoked = Taken back
invitation-state-expired = Run out
mistake-invite_not_allowed = You may not invite others here.
