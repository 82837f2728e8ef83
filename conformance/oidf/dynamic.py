"""Dynamic OP with response type code: clients that register themselves and prove themselves with private_key_jwt."""

import html
import json
import secrets
import time

import claims
from app import App, granted
from basic import (
    answered_as_unsupported,
    ensure_request_object_with_redirect_uri,
    idtoken_unsigned,
    reads_no_unsigned_objects,
    refresh_token,
    refreshes,
    server,
    unsigned_object,
)
from discovery import verification_dynamic
from listener import Listener
from run import NotOffered, Skipped


def idtoken_rs256(run):
    flow = run.signed_in(run.app(id_token_signed_response_alg="RS256"))
    assert claims.jwt.get_unverified_header(flow.tokens["id_token"])["alg"] == "RS256"


def userinfo_rs256(run):
    assert run.provider.supports("userinfo_signing_alg_values_supported", "RS256")
    app = run.app(userinfo_signed_response_alg="RS256")
    flow = run.authorized(app).exchanged()
    answer = app.userinfo(flow.tokens["access_token"])
    assert answer.status == 200 and answer.headers.get_content_type() == "application/jwt", answer.headers.as_string()
    header = claims.jwt.get_unverified_header(answer.text)
    assert header["alg"] == "RS256", header
    key = run.provider.key(header["kid"])
    told = claims.jwt.decode(answer.text, key, ["RS256"], audience=app.id, issuer=run.provider["issuer"])
    assert told["sub"] == flow.claims["sub"] and "nonce" not in told, told
    claims.standard({name: value for name, value in told.items() if name not in claims.ID_TOKEN - {"sub"}})


def ensure_redirect_uri_in_authorization_request(run):
    app = run.app(redirect_uris=["https://app.example/callback", "https://example.org/redirect"])
    run.refused_on_page(run.request(app, redirect_uri=None))


WITH_QUERY = ["https://app.example/callback?bar=foo"]


def redirect_uri_query_ok(run):
    run.signed_in(run.app(redirect_uris=WITH_QUERY))


def redirect_uri_query_mismatch(run):
    app = run.app(redirect_uris=WITH_QUERY)
    run.refused_on_page(run.request(app, redirect_uri="https://app.example/callback?foo=bar"))


def redirect_uri_query_added(run):
    app = run.app()
    run.refused_on_page(run.request(app, redirect_uri=f"{app.redirect_uri}?foo=bar"))


def redirect_uri_regfrag(run):
    run.refused_app("invalid_redirect_uri", redirect_uris=["https://app.example/callback#foobar"])


def shown_at_sign_in(member, url, element):
    """The sign-in page shows what the app registered."""

    def module(run):
        app = run.app(**{member: url})
        page = run.visitor.opens(run.link(run.request(app)))
        assert "login-submit" in page.ids, page.text[:200]
        assert element in page.ids and f'"{url}"' in html.unescape(page.html), f"#{element} with {url} is not on the page"

    return module


def registration_jwks_uri(run):
    with Listener() as site:
        app = rotating(run, site)
        run.signed_in(app)
        assert site.asked.get("/keys"), "nobody asked for the keys"


def rotating(run, site, **metadata):
    """An app whose keys are at a URL."""
    url = f"{site.url}/keys"
    app = run.app(jwks=None, jwks_uri=url, **metadata)
    next_key(app, site)
    return app


def next_key(app, site):
    """The app changes its key, and the document with it."""
    app.new_key(secrets.token_hex(6))
    site.serves("/keys", json.dumps(app.jwks()))


def refresh_token_rp_key_rotation(run):
    with Listener() as site:
        app = rotating(run, site, grant_types=["authorization_code", "refresh_token"])
        flow = run.authorized(app, scope="openid offline_access", prompt="consent").exchanged()
        next_key(app, site)
        # The suite waits as long, for servers that bound how often they fetch.
        time.sleep(60)
        refreshes(flow)


def of_sector(run, site, listed):
    """Metadata of a pairwise client whose sector document lists those URIs."""
    if not run.provider.supports("subject_types_supported", "pairwise"):
        raise Skipped("subject_types_supported has no pairwise")
    uri = site.serves("/redirect_uris.json", json.dumps(listed))
    return {"subject_type": "pairwise", "sector_identifier_uri": uri}


def registration_sector_uri(run):
    with Listener() as site:
        app = run.app(**of_sector(run, site, ["https://app.example/callback"]))
        assert site.asked.get("/redirect_uris.json") and app.registered["subject_type"] == "pairwise", app.registered


def registration_sector_bad(run):
    with Listener() as site:
        run.refused_app("invalid_client_metadata", **of_sector(run, site, ["https://example.com/op"]))
        assert site.asked.get("/redirect_uris.json"), "refused without reading the document"


def server_rotate_keys(run):
    raise NotOffered("no command changes the signing keys of a running server yet")


def by_reference(run, wrap, **metadata):
    """An authorization whose parameters are behind request_uri, for a provider that says it reads them."""
    if run.provider.metadata.get("request_uri_parameter_supported", True) is False:
        try:
            answered_as_unsupported(run, "request_uri", lambda _: "https://app.example/r#1", "request_uri_not_supported")
        except Skipped:
            raise NotOffered("a dynamic OP must read request_uri; here it is answered with request_uri_not_supported") from None
    with Listener() as site:
        url = f"{site.url}/request#{secrets.token_hex(8)}"
        app = run.app(request_uris=[url], **metadata)
        asked = run.request(app)
        site.serves("/request", wrap(app, asked), "application/oauth-authz-req+jwt")
        outside = {name: asked[name] for name in ("client_id", "redirect_uri", "response_type", "scope")}
        step = run.visitor.walks(run.visitor.opens(run.link(outside | {"request_uri": url})))
        run.lands(app, asked, step).exchanged().userinfo()


def request_uri_unsigned(run):
    reads_no_unsigned_objects(run)
    by_reference(run, lambda _, asked: unsigned_object(asked))


def request_uri_signed_rs256(run):
    def signed(app, asked):
        return app.signs(asked | {"iss": app.id, "aud": run.provider["issuer"]})

    by_reference(run, signed, request_object_signing_alg="RS256")


def ensure_client_assertion_with_iss_aud_succeeds(run):
    app = run.app()
    flow = run.authorized(app)
    form = {"grant_type": "authorization_code", "code": flow.code, "redirect_uri": app.redirect_uri}
    granted(app.token(aud=run.provider["issuer"], **form))


def third_party_initiated_login(run):
    uri = "https://app.example/initiate_login"
    app = run.app(initiate_login_uri=uri)
    assert app.registered.get("initiate_login_uri") == uri, app.registered
    kept = app.configuration().json()
    assert kept.get("initiate_login_uri") == uri and kept["client_id"] == app.id, kept


def third_party_initiated_login_without_https(run):
    refused = App(run.provider, run.auth, initiate_login_uri="http://app.example/initiate_login").answer
    refused.error("invalid_client_metadata")


THIRD_PARTY_MODULES = {
    "oidcc-3rd_party-init-login": third_party_initiated_login,
    "oidcc-3rd_party-init-login-nohttps": third_party_initiated_login_without_https,
}
MODULES = {
    "oidcc-idtoken-rs256": idtoken_rs256,
    "oidcc-idtoken-unsigned": idtoken_unsigned,
    "oidcc-userinfo-rs256": userinfo_rs256,
    "oidcc-ensure-redirect-uri-in-authorization-request": ensure_redirect_uri_in_authorization_request,
    "oidcc-redirect-uri-query-OK": redirect_uri_query_ok,
    "oidcc-redirect-uri-query-mismatch": redirect_uri_query_mismatch,
    "oidcc-redirect-uri-query-added": redirect_uri_query_added,
    "oidcc-redirect-uri-regfrag": redirect_uri_regfrag,
    "oidcc-discovery-endpoint-verification": verification_dynamic,
    "oidcc-server": server,
    "oidcc-registration-logo-uri": shown_at_sign_in("logo_uri", "https://app.example/images/logo.png", "client-logo"),
    "oidcc-registration-policy-uri": shown_at_sign_in("policy_uri", "https://app.example/policy.html", "client-policy"),
    "oidcc-registration-tos-uri": shown_at_sign_in("tos_uri", "https://app.example/tos.html", "client-tos"),
    "oidcc-registration-jwks-uri": registration_jwks_uri,
    "oidcc-registration-sector-uri": registration_sector_uri,
    "oidcc-registration-sector-bad": registration_sector_bad,
    "oidcc-server-rotate-keys": server_rotate_keys,
    "oidcc-refresh-token-rp-key-rotation": refresh_token_rp_key_rotation,
    "oidcc-request-uri-unsigned": request_uri_unsigned,
    "oidcc-request-uri-signed-rs256": request_uri_signed_rs256,
    "oidcc-ensure-request-object-with-redirect-uri": ensure_request_object_with_redirect_uri,
    "oidcc-refresh-token": refresh_token,
    "oidcc-ensure-client-assertion-with-iss-aud-succeeds": ensure_client_assertion_with_iss_aud_succeeds,
}
