# New passwords and captchas, in English.

password-change = Change password
password-change-why = You stay signed in here. Everywhere else you will have to sign in again.
password-current = Current password
password-current-wrong = This is not your current password.
password-new = New password
password-new-help = At least { $min } characters. A few random words are easy to remember and hard to guess.
password-confirm = New password, once more
password-confirm-differs = The two entries differ.
password-keep-others = Stay signed in on my other devices
weakness-password_too_short = It needs at least { $min } characters.
weakness-password_too_long = It is too long; 1024 bytes are the most.
weakness-password_too_similar = It is too much like your name or your address.
weakness-password_too_common = It is too easy to guess: many people use it, or one like it.
weakness-password_entirely_numeric = It has digits only; add some letters.
weakness-password_breached = It was stolen from another site before, so attackers will try it.
weakness-password_unchecked = It cannot be checked at the moment. Please try again later.
captcha-working = One moment: your browser is showing that it is not a robot.
captcha-done = Done.

error-rate_limited = Not so fast
    .cause = There were too many requests from your connection in a short time.
    .cure = Wait a minute, then try again.
error-too_many_attempts = Too many attempts failed
    .cause = Somebody at your connection got it wrong too often, so we stopped listening for a while.
    .cure = Wait a few minutes, then try again.
error-captcha_required = Are you a robot?
    .cause = After several attempts we ask browsers for a little work that needs JavaScript, and yours did not do it.
    .cure = Switch JavaScript on and try again, wait a few minutes, or sign in with a code by email.
error-captcha_invalid = The proof had grown old
    .cause = What your browser sent to show that you are no robot was used, wrong or older than twenty minutes.
    .cure = Go back to a fresh form and try again.
