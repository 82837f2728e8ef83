# Mails and text messages. Each kind of mail has a title and, below it: the subject; what happened or is asked for; the words on
# the button; what to do when it was not you. Text messages (sms-) keep to the letters of old phones: no typographic quotes.

message-hello = Hello { $name },
message-hello-nameless = Hello,
message-link = Or copy this address into your browser:
message-valid-minutes = { $count ->
    [one] This is good for one minute and works once.
   *[other] This is good for { $count } minutes and works once.
}
message-valid-hours = { $count ->
    [one] This is good for one hour and works once.
   *[other] This is good for { $count } hours and works once.
}
message-valid-days = { $count ->
    [one] This is good for one day and works once.
   *[other] This is good for { $count } days and works once.
}
message-request = The request came from { $address } ({ $device }) on { $date }.
message-device-unknown = unknown device

mail-activate = Activate your account
    .subject = Activate your account at { $app }
    .lead = You registered at { $app } with this address. Confirm that it is yours, and your account is ready.
    .action = Activate account
    .note = If this was not you, do nothing: without this step there is no account.
mail-registration_code = Confirm your address
    .subject = { $code } is your code for { $app }
    .lead = Enter this code where you are registering at { $app }.
    .action = Confirm address
    .note = If this was not you, do nothing: without the code there is no account. Never tell it to anybody.
mail-sign_in_code = Your code to sign in
    .subject = { $code } is your code for { $app }
    .lead = Enter this code to sign in to { $app }.
    .action = Sign in
    .note = If this was not you, somebody typed your address. Without the code they get no further. Never tell it to anybody.
mail-magic_link = Your link to sign in
    .subject = Sign in to { $app }
    .lead = Open this link to sign in to { $app }.
    .action = Sign in
    .note = If this was not you, somebody typed your address. Do not open the link, and pass it on to nobody.
mail-password_reset = Set a new password
    .subject = Set a new password for { $app }
    .lead = You asked for a new password for your account at { $app }.
    .action = Set a new password
    .note = If this was not you, do nothing: your password stays as it is.
mail-password_reset_code = Set a new password
    .subject = { $code } is your code for { $app }
    .lead = Enter this code to set a new password for your account at { $app }.
    .action = Set a new password
    .note = If this was not you, do nothing: your password stays as it is. Never tell the code to anybody.
mail-set_password = Your account is ready
    .subject = Your account at { $app }: set your password
    .lead = An account at { $app } was made for you. Set your password to begin.
    .action = Set your password
    .note = If you do not know what this is about, do nothing: without a password nobody can use the account.
mail-password_changed = Your password was changed
    .subject = Your password for { $app } was changed
    .lead = The password of your account at { $app } was changed just now.
    .action = This was not me
    .note = If it was you, there is nothing to do. If it was not, set a new password at once.
mail-email_change = Confirm your new address
    .subject = { $code ->
        [none] Confirm your new address for { $app }
       *[other] { $code } is your code for { $app }
    }
    .lead = You want to use this address for your account at { $app }.
    .action = Confirm address
    .note = If this was not you, do nothing: the account keeps its address.
mail-email_change_notice = Your address is changing
    .subject = The address of your account at { $app } is changing
    .lead = The address of your account at { $app } is to be changed to { $address }.
    .action = Keep this address
    .note = If it was you, there is nothing to do. If it was not, keep this address and set a new password.
mail-contact_code = Confirm this address
    .subject = { $code } is your code for { $app }
    .lead = Enter this code to add this address to your account at { $app }.
    .action = Confirm address
    .note = If this was not you, do nothing: the address is not added. Never tell the code to anybody.
mail-contact_added = Your account has a new address or number
    .subject = A new address or number for your account at { $app }
    .lead = { $address } was added to your account at { $app }: whoever reads it can find the way into the account.
    .action = See your account
    .note = If it was you, there is nothing to do. If it was not, remove it, sign out everywhere and set a new password.
mail-contact_primary = Another address or number comes first
    .subject = Another address or number comes first in your account at { $app }
    .lead = { $address } is from now on the first address or number of your account at { $app }.
    .action = See your account
    .note = If it was you, there is nothing to do. If it was not, sign out everywhere and set a new password.
mail-contact_removed = An address or number was removed
    .subject = An address or number was removed from your account at { $app }
    .lead = { $address } was removed from your account at { $app }.
    .action = See your account
    .note = If it was you, there is nothing to do. If it was not, sign out everywhere and set a new password.
mail-step_up_code = Show that it is you
    .subject = { $code } is your code for { $app }
    .lead = Enter this code to go on with a change to your account at { $app }.
    .action = Go on
    .note = If this was not you, somebody is signed in to your account: sign them out and set a new password. Never tell the code to anybody.
mail-recovery_code = Find your account
    .subject = { $code } is your code for { $app }
    .lead = Enter this code to see with which address you are registered at { $app }.
    .action = Find account
    .note = If this was not you, do nothing. Never tell the code to anybody.
mail-account_exists = You already have an account
    .subject = You already have an account at { $app }
    .lead = Somebody, perhaps you, tried to register at { $app } with this address. It already has an account.
    .action = Sign in
    .note = If you forgot your password, you can set a new one where you sign in. If this was not you, there is nothing to do.
mail-new_device = A new sign-in
    .subject = New sign-in to your account at { $app }
    .lead = Somebody signed in to your account at { $app } from a browser that we had not seen before.
    .action = This was not me
    .note = If it was you, there is nothing to do.
mail-mfa_changed = Your second step was changed
    .subject = The second step of your account at { $app } was changed
    .lead = The second step for signing in to your account at { $app } was changed just now.
    .action = See your account
    .note = If it was you, there is nothing to do. If it was not, set a new password at once.
mail-backup_code_used = A backup code was used
    .subject = A backup code of your account at { $app } was used
    .lead = { $remaining ->
        [0] Somebody signed in to your account at { $app } with a backup code. It was the last one.
        [one] Somebody signed in to your account at { $app } with a backup code. One is left.
       *[other] Somebody signed in to your account at { $app } with a backup code. { $remaining } are left.
    }
    .action = See your account
    .note = If it was you, make new codes before they run out. If it was not, set a new password at once.
mail-identity_linked = A new way to sign in
    .subject = A new way to sign in to your account at { $app }
    .lead = An account at { $provider } was connected to your account at { $app }: whoever has it can sign in.
    .action = See your account
    .note = If it was you, there is nothing to do. If it was not, cut the connection, sign out everywhere and set a new password.
mail-identity_unlinked = A way to sign in was cut
    .subject = A way to sign in to your account at { $app } was cut
    .lead = Your account at { $provider } was cut from your account at { $app }: it no longer signs you in.
    .action = See your account
    .note = If it was you, there is nothing to do. If it was not, set a new password at once.
mail-account_deletion = Your account will be deleted
    .subject = Your account at { $app } will be deleted
    .lead = You asked us to delete your account at { $app } with everything in it. Until then you can still change your mind.
    .action = Keep my account
    .note = If this was not you, keep the account and set a new password.
mail-export_ready = Your data is ready
    .subject = Your data from { $app } is ready
    .lead = You asked for a copy of what { $app } knows about you. It is ready.
    .action = Download
    .note = If this was not you, sign out everywhere and set a new password.
mail-invitation = You are invited
    .subject = You are invited to { $app }
    .lead = You are invited to join { $app }.
    .action = Accept the invitation
    .note = If you do not know what this is about, do nothing.
mail-test = Messages arrive
    .subject = A message from { $app } arrives
    .lead = An operator of { $app } wanted to see whether messages arrive. This one did.
    .action = Open
    .note = There is nothing to do.

sms-activate = { $app }: activate your account here
sms-registration_code = { $code } is your code to register at { $app }. Never tell it to anybody.
sms-sign_in_code = { $code } is your code to sign in to { $app }. Never tell it to anybody.
sms-magic_link = { $app }: sign in here
sms-password_reset = { $app }: set a new password here
sms-password_reset_code = { $code } is your code to set a new password for { $app }. Never tell it to anybody.
sms-set_password = { $app }: an account was made for you, set your password here
sms-password_changed = { $app }: your password was changed. If it was not you, set a new one at once.
sms-email_change = { $code } is your code for the new address at { $app }.
sms-email_change_notice = { $app }: your address is to be changed. Not by you? Keep it.
sms-contact_code = { $code } is your code to add this number to your account at { $app }. Never tell it to anybody.
sms-contact_added = { $app }: { $address } was added to your account. If it was not you, remove it and set a new password.
sms-contact_primary = { $app }: { $address } now comes first in your account. If it was not you, set a new password.
sms-contact_removed = { $app }: { $address } was removed from your account. If it was not you, set a new password.
sms-step_up_code = { $code } is your code to go on at { $app }. Never tell it to anybody.
sms-recovery_code = { $code } is your code to find your account at { $app }. Never tell it to anybody.
sms-account_exists = { $app }: this number already has an account. Sign in, or set a new password there.
sms-new_device = { $app }: new sign-in to your account. Not you? Tell us.
sms-mfa_changed = { $app }: the second step of your account was changed. If it was not you, set a new password.
sms-backup_code_used = { $app }: a backup code was used, { $remaining } left. If it was not you, set a new password.
sms-identity_linked = { $app }: an account elsewhere now signs in to your account. If it was not you, sign out everywhere and set a new password.
sms-identity_unlinked = { $app }: an account elsewhere no longer signs in to your account. If it was not you, set a new password.
sms-account_deletion = { $app }: your account will be deleted. Not by you? Keep it.
sms-export_ready = { $app }: your data is ready. Sign in to get it.
sms-invitation = You are invited to { $app }:
sms-test = { $app }: messages arrive.
