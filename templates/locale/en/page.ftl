# The pages, in English. A text may hold simple HTML; arguments are escaped before they enter.
# A text must not hold a straight double quote: some stand in attributes.

product = Symbolon
skip = Skip to content
nav-label = Account
title-error = Error:
development-mark = Development server
back = Go back
back-to = Back to { $client }
continue = Continue
copy = Copy
copied = Copied
or = or
date = { $day } { $month ->
    [1] January
    [2] February
    [3] March
    [4] April
    [5] May
    [6] June
    [7] July
    [8] August
    [9] September
    [10] October
    [11] November
   *[12] December
} { $year }, { $time } UTC

## Signing in

sign-in = Sign in
sign-in-again = Sign in again
sign-in-again-why = Please show that it is still you.
sign-in-client = You will continue to
login = Email or username
login-any = Email or username
login-email = Email
login-username = Username
login-phone = Phone number
login-email-username = Email or username
login-email-phone = Email or phone number
login-username-phone = Username or phone number
password = Password
password-show = Show password
password-caps-lock = Caps Lock is on.
remember = Keep me signed in on this device
client-self-registered = This app registered itself and nobody has checked it. Continue only if you trust <strong>{ $host }</strong>.
client-policy = Privacy policy
client-tos = Terms
sign-in-error-sign_in_failed = That name and password do not match an account. Check both and try again. If you are sure of them, use a browser you have signed in with before, or ask whoever runs this service for a sign-in link.
sign-in-error-account_disabled = This account is switched off. Please ask whoever runs this service.
sign-in-error-account_not_activated = This account is not activated yet. Please open the link in the mail that we sent you.
sign-in-error-too_many_attempts = Too many attempts. Wait a few minutes, then try again.
sign-in-error-too_many_failures = There were too many wrong passwords in a row, so passwords are heard no longer. Ask whoever runs this service for a sign-in link.
sign-in-error-session_expired = You were away for a while. Please sign in again.
sign-in-error-missing = Enter your name and your password.
sign-in-error-busy = Many people are signing in right now. Please try again in a moment.
sign-in-error-form_expired = The form had grown old, so nothing was sent on. Please try again.
sign-in-error-other_account = Please sign in with the account shown here.
method-passkey = Sign in with a passkey
method-other = Continue with { $name }
provider-last = Last used
sign-in-connects = To connect { $provider } ({ $identity }), sign in to your account here once.
connect = Connect { $provider }?
connect-why = From then on you can sign in here by { $provider }. You can cut the connection at any time in your account.
connect-account = Account here
connect-submit = Connect
connect-skip = Not now
development-users = Sign in with one click
development-users-why = Only a development server offers this.
development-sign-in = Sign in as
select-account = Choose an account
account-other = Use another account
account-switch = Not you?

## Consent

consent-title = Allow { $client }?
consent-asks = This app would like to:
consent-accept = Allow
consent-deny = Don’t allow
consent-revoke = You can take this back at any time in { $page }.
consent-answer = The answer goes to <strong>{ $host }</strong>.
scope-openid = Know who you are here
scope-profile = See your profile: name, picture, language and the like
scope-email = See your email address
scope-phone = See your phone number
scope-address = See your postal address
scope-offline_access = Stay connected while you are away
scope-groups = See the groups that you are in
scope-roles = See your roles
scope-permissions = See what you may do in apps
scope-other = Use <code>{ $name }</code> on your behalf
scope-new = New
scope-short-openid = Identity
scope-short-profile = Profile
scope-short-email = Email address
scope-short-phone = Phone number
scope-short-address = Postal address
scope-short-offline_access = While you are away
scope-short-groups = Groups
scope-short-roles = Roles
scope-short-permissions = Permissions
claim-name = See your full name
claim-given_name = See your first name
claim-family_name = See your last name
claim-middle_name = See your middle name
claim-nickname = See your nickname
claim-preferred_username = See your username
claim-profile = See the address of your profile page
claim-picture = See your picture
claim-website = See your website
claim-email = See your email address
claim-email_verified = See whether your email address is verified
claim-gender = See your gender
claim-birthdate = See your date of birth
claim-zoneinfo = See your time zone
claim-locale = See your language
claim-phone_number = See your phone number
claim-phone_number_verified = See whether your phone number is verified
claim-address = See your postal address
claim-updated_at = See when your profile last changed
claim-other = See <code>{ $name }</code>

## Between pages

form-post = One moment
form-post-why = Taking you back to the app.

## Signing out

logout-title = Sign out?
logout-why = You will have to sign in again to come back.
logout-client = { $client } asks to sign you out here, too.
logout-confirm = Sign out
logout-stay = Stay signed in
signed-out = You are signed out
signed-out-why = On a shared computer, close the browser as well.
signed-out-apps = The apps that you used with this account are told as well. This takes a moment.

## For operators

admin = Overview
issuer = Issuer
version = Version
refusals = Refused requests
refusals-why = What apps got wrong lately, newest first, with what helps.
refusals-none = Nothing was refused lately.
undelivered = Messages that never went out
undelivered-why = What was given up on, the latest first. Once the cause is mended, send them again; what they say stays sealed.
undelivered-none = Every message went out, or waits for its turn.
undelivered-mail = Email
undelivered-sms = Text message
undelivered-tried = { $count ->
    [one] tried once
   *[other] tried { $count } times
}
undelivered-retry = Send again
undelivered-discard = Discard
client-unknown = unknown client
clients = Clients
clients-none = No client is registered.
client-name = Name
client-id = Client ID
client-kind = Kind
client-kind-web = Web app
client-kind-spa = Browser app
client-kind-native = Native app
client-kind-service = Service
client-kind-confidential = Confidential
client-kind-public = Public
redirect-uris = Redirect URIs
users = People
users-none = There are no accounts.
user-name = Name
user-email = Email
keys = Signing keys
key-id = Key ID
key-algorithm = Algorithm
key-state = State
key-state-next = Next
key-state-active = Active
key-state-retiring = Retiring
key-state-gone = Gone

## The start page

home = Welcome
home-why = One account for every app here.
home-signed-in = Signed in as { $name }
link-sign_in = Sign in
    .about = See your account
link-account = Your account
    .about = Apps you allowed, and where you are signed in
link-sign_out = Sign out
    .about = End your session in this browser
link-admin = Overview
    .about = Clients, people and keys of this server
link-discovery = Discovery document
    .about = What an app needs to connect
link-jwks = Signing keys
    .about = To verify tokens without asking us
link-demo = Demo app
    .about = Walk through every exchange, step by step
link-mailbox = Mailbox
    .about = Every message this development server sent

## The development mailbox

mailbox = Mailbox
mailbox-why = Nothing leaves a development server. What it would have sent is here.
mailbox-none = Nothing was sent yet.
mailbox-refresh = Refresh
mailbox-no-subject = Message to { $to }
mailbox-html = HTML source
channel-mail = Email
channel-sms = Text message

## A link that signs in once

link-title = Sign in by link
link-about = This link signs you in once. Go on only if you asked for it yourself.
link-confirm = Sign in

## Captcha

captcha-working = One moment: your browser is showing that it is not a robot.
captcha-done = Done.
