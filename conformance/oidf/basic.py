"""Basic OP, and with `form_post` Form Post OP: the code flow with client_secret_basic."""

import base64
import hashlib
import json
import secrets
import time
import urllib.parse

import claims
from app import granted
from run import NEEDS_A_PAGE, NotOffered, Skipped


def server(run):
    run.signed_in(run.app())


def response_type_missing(run):
    app = run.app()
    asked = run.request(app, response_type=None)
    step = run.visitor.opens(run.link(asked))
    run.denied(app, asked, run.visitor.walks(step), {"invalid_request", "unsupported_response_type"})


def idtoken_signature(run):
    app = run.app()
    assert app.registered["id_token_signed_response_alg"] == "RS256", app.registered
    run.signed_in(app)


def idtoken_unsigned(run):
    if not run.provider.supports("id_token_signing_alg_values_supported", "none"):
        raise Skipped("nobody is offered an ID token without a signature")
    raise AssertionError("alg none must not be offered")


def userinfo_get(run):
    run.authorized(run.app()).exchanged().userinfo()


def userinfo_post_header(run):
    run.authorized(run.app()).exchanged().userinfo("post")


def userinfo_post_body(run):
    run.authorized(run.app()).exchanged().userinfo("body")


def ensure_request_without_nonce_succeeds_for_code_flow(run):
    run.authorized(run.app(), nonce=None).exchanged()


def scope(words):
    """Each claim of the scope is in userinfo."""

    def module(run):
        flow = run.authorized(run.app(), scope=words).exchanged()
        claims.of_scope(flow.userinfo(), words)

    return module


def alternate_happy_flow(run):
    app = run.app()
    asked = run.request(app, scope="email openid")
    backwards = dict(sorted(asked.items(), reverse=True))
    step = run.visitor.walks(run.visitor.opens(run.link(backwards)))
    claims.of_scope(run.lands(app, asked, step).exchanged().userinfo(), "openid email")


def succeeds_with(**params):
    """The parameters must not disturb a sign-in."""

    def module(run):
        run.signed_in(run.app(), **params)

    return module


def prompt_login(run):
    app = run.app()
    first = run.signed_in(app)
    time.sleep(1.1)
    second = run.signed_in(app, prompt="login")
    assert run.visitor.saw("login-submit") == 2, "nobody was asked to sign in again"
    assert second.claims["auth_time"] > first.claims["auth_time"], (first.claims, second.claims)
    assert second.claims["sub"] == first.claims["sub"]


def prompt_none_not_logged_in(run):
    app = run.app()
    asked = run.request(app, prompt="none", state=secrets.token_hex(64))
    step = run.visitor.opens(run.link(asked))
    run.denied(app, asked, run.visitor.walks(step, {"login-submit"}), NEEDS_A_PAGE)


def same_sign_in(first, second):
    """Both ID tokens speak of one sign-in of one person."""
    for name in ("sub", "auth_time"):
        assert first.claims.get(name) == second.claims.get(name), (name, first.claims, second.claims)


def prompt_none_logged_in(run):
    app = run.app()
    same_sign_in(run.signed_in(app), run.silent(app, prompt="none"))


def max_age_1(run):
    app = run.app()
    first = run.signed_in(app)
    time.sleep(2.1)
    second = run.signed_in(app, max_age=1)
    assert run.visitor.saw("login-submit") == 2, "nobody was asked to sign in again"
    assert first.claims.get("auth_time", 0) < second.claims["auth_time"], (first.claims, second.claims)
    assert time.time() - second.claims["auth_time"] < 60, second.claims


def max_age_10000(run):
    app = run.app()
    first = run.signed_in(app, max_age=15000)
    assert "auth_time" in first.claims, first.claims
    same_sign_in(first, run.silent(app, max_age=10000))


def id_token_hint(run):
    app = run.app()
    first = run.signed_in(app)
    same_sign_in(first, run.silent(app, prompt="none", id_token_hint=first.tokens["id_token"]))


def login_hint(run):
    host = urllib.parse.urlsplit(run.provider["issuer"]).hostname
    run.signed_in(run.app(), login_hint=f"buffy@{host}")


def acr_values(run):
    wanted = run.provider.metadata.get("acr_values_supported", ["1", "2"])
    flow = run.signed_in(run.app(), acr_values=" ".join(wanted))
    assert flow.claims["acr"] in wanted, flow.claims


def replayed(run, pause):
    """A code is good once; the second use fails and takes back what the first gave (RFC 6749 §4.1.2)."""
    flow = run.signed_in(run.app())
    time.sleep(pause)
    form = {"grant_type": "authorization_code", "code": flow.code, "redirect_uri": flow.app.redirect_uri}
    flow.app.token(**form).error("invalid_grant")
    refused = flow.app.userinfo(flow.tokens["access_token"])
    assert refused.status == 401, f"the access token of a replayed code still opens userinfo: {refused.status}"


def codereuse(run):
    replayed(run, 0)


def codereuse_30seconds(run):
    replayed(run, 30)


def ensure_registered_redirect_uri(run):
    app = run.app()
    run.refused_on_page(run.request(app, redirect_uri=f"{app.redirect_uri}/{secrets.token_hex(5)}"))


def ensure_post_request_succeeds(run):
    app = run.app()
    asked = run.request(app)
    step = run.visitor.opens(run.provider["authorization_endpoint"], asked)
    run.lands(app, asked, run.visitor.walks(step)).exchanged().userinfo()


def server_client_secret_post(run):
    run.signed_in(run.app(auth="client_secret_post"))


def unsigned_object(asked):
    """A request object without a signature."""

    def part(value):
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    return f"{part({'alg': 'none'})}.{part(asked)}."


def outside(asked):
    """What the suite repeats beside a request object."""
    return {name: asked[name] for name in ("client_id", "redirect_uri", "response_type", "scope")}


def reads_no_unsigned_objects(run):
    """The suite sends unsigned request objects unless discovery names algorithms, and `none` is not among them."""
    algorithms = run.provider.metadata.get("request_object_signing_alg_values_supported")
    if algorithms is not None and "none" not in algorithms:
        raise Skipped("request objects must be signed")


def answered_as_unsupported(run, parameter, value, code):
    """The app is told that request objects are not spoken; `state` was inside and is unknown."""
    reads_no_unsigned_objects(run)
    app = run.app()
    asked = run.request(app)
    step = run.visitor.opens(run.link(outside(asked) | {parameter: value(asked)}))
    step = run.visitor.walks(step, {"login-submit"})
    # Outside the object nothing says form_post, so the answer comes by query; the suite wants to see it posted.
    wanted, run.mode = run.mode, "query"
    run.denied(app, outside(asked), step, {code})
    if wanted == "form_post":
        raise NotOffered(f"response_mode is inside the object of {parameter}, which has to be read to answer by form_post")
    raise Skipped(f"{parameter} is answered with {code}")


def request_uri_unsigned_or_unsupported(run):
    answered_as_unsupported(
        run, "request_uri", lambda _: f"https://app.example/{secrets.token_hex(8)}#{secrets.token_hex(8)}", "request_uri_not_supported"
    )


def unsigned_request_object_or_unsupported(run):
    answered_as_unsupported(run, "request", unsigned_object, "request_not_supported")


def claims_essential(run):
    wanted = '{"userinfo":{"name":{"essential":true}}}'
    flow = run.authorized(run.app(), claims=wanted).exchanged()
    assert flow.userinfo().get("name"), "the essential claim name is missing"


def ensure_request_object_with_redirect_uri(run):
    reads_no_unsigned_objects(run)
    app = run.app()
    asked = run.request(app)
    params = outside(asked) | {"redirect_uri": f"{app.redirect_uri}_invalid", "request": unsigned_object(asked)}
    run.refused_on_page(params)


def refresh_token(run):
    """Two clients; each refreshes its own, and neither the other's."""
    apps = [run.app(grant_types=["authorization_code", "refresh_token"]) for _ in range(2)]
    words = "openid offline_access"
    for app, narrowed in zip(apps, ({"scope": words}, {})):
        nonce = secrets.token_urlsafe(32)
        flow = run.authorized(app, scope=words, prompt="consent", nonce=nonce).exchanged()
        time.sleep(1.1)
        app.refreshed = refreshes(flow, **narrowed)
    stolen = apps[0].token(grant_type="refresh_token", refresh_token=apps[1].refreshed["refresh_token"], scope=words)
    stolen.error("invalid_grant")
    granted(apps[1].token(grant_type="refresh_token", refresh_token=apps[1].refreshed["refresh_token"]))


def refreshes(flow, **form):
    """A refresh that gives new tokens for the same person (OIDC Core §12.2)."""
    assert flow.app.provider.supports("grant_types_supported", "refresh_token"), "grant_types_supported lacks refresh_token"
    token = flow.tokens["refresh_token"]
    assert len(token) >= 22 and token.isascii() and token.isprintable(), token
    tokens = granted(flow.app.token(grant_type="refresh_token", refresh_token=token, **form))
    assert tokens["access_token"] != flow.tokens["access_token"]
    # §12.2: without a nonce, or with the one of the first.
    bare = claims.jwt.decode(tokens["id_token"], options={"verify_signature": False}).get("nonce")
    assert bare in (None, flow.asked["nonce"]), bare
    second = claims.id_token(flow.app, tokens["id_token"], bare, tokens["access_token"])
    for name in ("iss", "sub", "aud", "auth_time", "azp"):
        assert second.get(name) == flow.claims.get(name), (name, flow.claims, second)
    assert second["iat"] > flow.claims["iat"], (flow.claims, second)
    claims.userinfo(flow.app.userinfo(tokens["access_token"]), second["sub"])
    return tokens


def ensure_request_with_valid_pkce_succeeds(run):
    verifier = secrets.token_urlsafe(48)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    app = run.app()
    params = {"code_challenge": challenge, "code_challenge_method": "S256"}
    run.authorized(app, **params).exchanged(code_verifier=verifier).userinfo()
    # The challenge is not for show: another verifier, or none, must not do.
    for form in ({"code_verifier": secrets.token_urlsafe(48)}, {}):
        flow = run.authorized(app, **params)
        body = {"grant_type": "authorization_code", "code": flow.code, "redirect_uri": app.redirect_uri}
        app.token(**body, **form).error("invalid_grant", "invalid_request")


ALL = "openid email phone address profile"
MODULES = {
    "oidcc-server": server,
    "oidcc-response-type-missing": response_type_missing,
    "oidcc-idtoken-signature": idtoken_signature,
    "oidcc-idtoken-unsigned": idtoken_unsigned,
    "oidcc-userinfo-get": userinfo_get,
    "oidcc-userinfo-post-header": userinfo_post_header,
    "oidcc-userinfo-post-body": userinfo_post_body,
    "oidcc-ensure-request-without-nonce-succeeds-for-code-flow": ensure_request_without_nonce_succeeds_for_code_flow,
    "oidcc-scope-profile": scope("openid profile"),
    "oidcc-scope-email": scope("openid email"),
    "oidcc-scope-address": scope("openid address"),
    "oidcc-scope-phone": scope("openid phone"),
    "oidcc-scope-all": scope(ALL),
    "oidcc-alternate-happy-flow": alternate_happy_flow,
    "oidcc-display-page": succeeds_with(display="page"),
    "oidcc-display-popup": succeeds_with(display="popup"),
    "oidcc-prompt-login": prompt_login,
    "oidcc-prompt-none-not-logged-in": prompt_none_not_logged_in,
    "oidcc-prompt-none-logged-in": prompt_none_logged_in,
    "oidcc-max-age-1": max_age_1,
    "oidcc-max-age-10000": max_age_10000,
    "oidcc-ensure-request-with-unknown-parameter-succeeds": succeeds_with(extra="foobar"),
    "oidcc-id-token-hint": id_token_hint,
    "oidcc-login-hint": login_hint,
    "oidcc-ui-locales": succeeds_with(ui_locales="se"),
    "oidcc-claims-locales": succeeds_with(claims_locales="se"),
    "oidcc-ensure-request-with-acr-values-succeeds": acr_values,
    "oidcc-codereuse": codereuse,
    "oidcc-codereuse-30seconds": codereuse_30seconds,
    "oidcc-ensure-registered-redirect-uri": ensure_registered_redirect_uri,
    "oidcc-ensure-post-request-succeeds": ensure_post_request_succeeds,
    "oidcc-server-client-secret-post": server_client_secret_post,
    "oidcc-request-uri-unsigned-supported-correctly-or-rejected-as-unsupported": request_uri_unsigned_or_unsupported,
    "oidcc-unsigned-request-object-supported-correctly-or-rejected-as-unsupported": unsigned_request_object_or_unsupported,
    "oidcc-claims-essential": claims_essential,
    "oidcc-ensure-request-object-with-redirect-uri": ensure_request_object_with_redirect_uri,
    "oidcc-refresh-token": refresh_token,
    "oidcc-ensure-request-with-valid-pkce-succeeds": ensure_request_with_valid_pkce_succeeds,
}
