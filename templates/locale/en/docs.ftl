# What a developer reads about the code of an OAuth error: what it says, its usual causes, and the cure of each. One entry for
# each code that the server answers; a test holds this list against that of the code.

error-docs = Error codes
error-docs-why = What each code of this server means, why it comes, and what to do about it.
error-docs-all = All error codes

docs-invalid_request = The request is malformed
    .cause = A required parameter is missing, a parameter came twice, has an impossible value, or the body is not application/x-www-form-urlencoded. PKCE belongs here too: a missing code_challenge, or a method other than S256.
    .cure = Read error_description: it names the parameter. Send each parameter once, and form parameters in the body of a POST, never in the query.
docs-invalid_client = The client did not prove who it is
    .cause = There is no client of this client_id, its secret is wrong, it was switched off, or it authenticates in another way than it is registered for: Basic in place of a form parameter, or two ways at once. With an assertion, aud, exp or the key may be wrong, or its jti was used before.
    .cure = Compare client_id, secret and token_endpoint_auth_method with the registration. In HTTP Basic, percent-encode both before you join them with a colon (RFC 6749, section 2.3.1). After many failures wait a few seconds. The operator sees the exact reason in the log and under the last refused requests of the admin page.
docs-invalid_grant = The code or the refresh token is not good any more
    .cause = A code lives for a minute and works once; a refresh token works once when it rotates. Either may be expired, used, revoked, or of another client; redirect_uri may differ from the one the code was asked with; code_verifier may not belong to its code_challenge; or the person left, was disabled, or took their consent back.
    .cure = Begin a new sign-in. Redeem a code at once and only once, with the same redirect_uri; keep the newest refresh token and never use an older one again, since that revokes the whole family.
docs-unauthorized_client = The client may not do this
    .cause = The client is registered, but not for this grant type or response type.
    .cure = Add it to grant_types or response_types of the registration, or use one that is there.
docs-unsupported_grant_type = No such grant type
    .cause = The server does not know the value of grant_type.
    .cure = Use one of grant_types_supported in the discovery document; look for a typing mistake first.
docs-unsupported_response_type = No such response type
    .cause = The server does not answer with what response_type asks for.
    .cure = Use response_type=code with PKCE; response_types_supported in the discovery document has the list.
docs-invalid_scope = A scope cannot be granted
    .cause = The scope is unknown, malformed, not registered for this client, or wider than what was granted when it came with a refresh token.
    .cure = Ask for scopes out of scopes_supported and of the registration; a refresh may ask for less, never for more.
docs-authorization_pending = Nobody has decided yet
    .cause = A device asks with its device code, and the person has not said yes or no so far.
    .cure = Wait for the seconds of interval and ask again; stop after expires_in. This is no failure.
docs-slow_down = The device asks too often
    .cause = Two requests with one device code came closer together than the interval, or too many devices began from one address.
    .cure = Wait five seconds longer between two requests, now and from then on. After a 429 wait for the seconds in Retry-After.
docs-expired_token = The device code has run out
    .cause = Nobody decided within expires_in.
    .cure = Begin again at the device authorization endpoint and show the new code.
docs-access_denied = The answer was no
    .cause = The person, or the policy of the server, refused the request.
    .cure = Nothing is broken. Let the person try again if they want to.
docs-server_error = The server met an unexpected condition
    .cause = The mistake is on the side of the server.
    .cure = Try again in a moment. Tell the operator the x-request-id of the answer, or its time: the log has the cause under it.
docs-temporarily_unavailable = The server cannot do this at the moment
    .cause = A part of the server is overloaded or away.
    .cure = Try again after the seconds in Retry-After. The request changed nothing that you would have to undo.
docs-invalid_token = The token is not good
    .cause = The access token is missing, malformed, expired or revoked, is of another issuer, or is not an access token at all: an ID token opens nothing. At the registration endpoint it is the registration access token.
    .cure = Get a new access token by the refresh token or by a new sign-in, and send it as Authorization: Bearer.
docs-insufficient_scope = The token allows less than this
    .cause = The token is good, but lacks the scope that the resource asks for; userinfo asks for openid.
    .cure = Ask for that scope in the authorization request.
docs-interaction_required = The person has to do something
    .cause = The request had prompt=none, but cannot be answered without a page.
    .cure = Repeat it in the whole window, without prompt=none.
docs-login_required = The person has to sign in
    .cause = The request had prompt=none, but nobody is signed in, the sign-in is older than max_age, it is another person than id_token_hint names, the key that signed id_token_hint is gone, or the browser did not send the cookie: in a frame of another site it never does.
    .cure = Repeat the request in the whole window, without prompt=none and without a hint that is out of date.
docs-account_selection_required = The person has to choose an account
    .cause = The request had prompt=none, but it is not clear which account is meant.
    .cure = Repeat it in the whole window, without prompt=none, or name the account by id_token_hint.
docs-consent_required = The person has to agree
    .cause = The request had prompt=none, but asks for more than the person has allowed the app so far.
    .cure = Repeat it in the whole window, without prompt=none.
docs-request_not_supported = Request objects are not taken
    .cause = The request has the parameter request, which this server does not take.
    .cure = Send the parameters themselves.
docs-request_uri_not_supported = Request objects are not fetched
    .cause = The request has the parameter request_uri, which this server does not take.
    .cure = Send the parameters themselves.
docs-registration_not_supported = Clients do not describe themselves in a request
    .cause = The request has the parameter registration, which this server does not take.
    .cure = Register the client beforehand.
docs-unmet_authentication_requirements = The sign-in is not strong enough
    .cause = acr_values or claims ask for a strength that the person cannot reach here.
    .cure = Ask for it as voluntary, or have the person set up what it takes.
docs-invalid_target = No such resource
    .cause = The parameter resource or audience names a resource that the client may not use, or that is no absolute URI.
    .cure = Name a resource that is registered for this client.
docs-unsupported_token_type = This token cannot be revoked
    .cause = The server does not revoke tokens of this type.
    .cure = Revoke the refresh token or the access token.
docs-invalid_redirect_uri = A redirect URI cannot be used
    .cause = A redirect URI of the registration is no absolute URI, has a fragment, is plain http outside of this machine, or has a scheme that runs scripts; or the one of the request is not registered.
    .cure = Redirect URIs are compared character by character: look for a slash at the end, http in place of https, another port, upper and lower case. Only the port of a loopback address may differ.
docs-invalid_client_metadata = The registration cannot be used
    .cause = A member of the client metadata has the wrong type, an unknown value, or does not fit another member.
    .cure = Read error_description: it names the member.
docs-invalid_software_statement = The software statement is not good
    .cause = Its signature or its claims cannot be verified.
    .cure = Leave it out, or ask who issued it.
docs-unapproved_software_statement = The software statement is not accepted
    .cause = The server does not trust who issued it.
    .cure = Leave it out, or ask the operator of the server.
docs-insufficient_authorization = The sign-in on the app’s own screen needs more
    .cause = The authorization challenge endpoint wants an answer to one of its challenges, or the answer that came was wrong; the member code says which.
    .cure = Ask the person for what challenges names and send it with the auth_session of the answer.
docs-invalid_session = The sign-in on the app’s own screen is over
    .cause = auth_session is unknown here, has expired, was used to its end, or was begun by another client.
    .cure = Begin again without auth_session.
