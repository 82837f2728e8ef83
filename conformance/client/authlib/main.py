"""Authlib as a web client with client_secret_basic, and as a plain OAuth 2.0 session, against a running server."""

import json

import requests
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from cases import client, facts, finish, test, user
from person import Person
from shop import Shop

server = facts()
alice = user(server, "alice")
metadata = requests.get(f"{server['issuer']}/.well-known/openid-configuration", timeout=10).json()


def register(redirect_uri, method="client_secret_basic"):
    answer = requests.post(
        metadata["registration_endpoint"],
        json={
            "client_name": "A flower shop",
            "redirect_uris": [redirect_uri],
            "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"],
            "token_endpoint_auth_method": method,
            "scope": "openid profile email offline_access",
        },
        timeout=10,
    )
    assert answer.status_code == 201, answer.text
    return answer.json()


def session_of(registered, **options):
    return OAuth2Session(
        registered["client_id"],
        registered["client_secret"],
        token_endpoint_auth_method=registered["token_endpoint_auth_method"],
        revocation_endpoint_auth_method=registered["token_endpoint_auth_method"],
        **options,
    )


def refused(call, code):
    try:
        value = call()
    except OAuthError as error:
        assert error.error == code, f"expected {code}, was {error.error}: {error.description}"
        return
    raise AssertionError(f"expected {code}, was accepted: {value}")


shop = Shop(server["issuer"], register)
person = Person(alice)


@test("a Flask app signs alice in: code with PKCE, client_secret_basic, ID token by JWKS with nonce and at_hash")
def signed_in():
    home = person.visits(f"{shop.origin}/login?prompt=consent", f"{shop.origin}/")
    claims = json.loads(home.html)
    assert claims["iss"] == server["issuer"], claims
    assert claims["aud"] in (shop.client["client_id"], [shop.client["client_id"]]), claims
    assert claims["nonce"] and claims["at_hash"] and claims["auth_time"], claims
    return claims


@test("userinfo is for the same person, with the claims of the scopes")
def _():
    info = shop.symbolon.userinfo(token=shop.tokens)
    assert info["sub"] == signed_in["sub"]
    assert info["email"] == alice["email"] and info["name"], info


@test("a second sign-in of the session asks nothing")
def _():
    home = person.opens(f"{shop.origin}/login")
    assert home.url == f"{shop.origin}/", home.url
    assert json.loads(home.html)["sub"] == signed_in["sub"]


@test("a denial reaches the app as access_denied")
def _():
    page = Person(alice, answer="consent-deny").visits(f"{shop.origin}/login?prompt=consent", f"{shop.origin}/callback")
    assert json.loads(page.html)["error"] == "access_denied", page.html


@test("prompt=none of a stranger reaches the app as login_required")
def _():
    page = Person(alice).opens(f"{shop.origin}/login?prompt=none")
    assert json.loads(page.html)["error"] == "login_required", page.html


for method in ("client_secret_basic", "client_secret_post"):

    @test(f"OAuth2Session with {method}: refresh rotates, introspection, revocation")
    def _():
        registered = register(f"{shop.origin}/session", method)
        session = session_of(registered, scope="openid email offline_access", redirect_uri=f"{shop.origin}/session", code_challenge_method="S256")
        verifier = "a-verifier-of-at-least-forty-three-characters-0123"
        url, state = session.create_authorization_url(metadata["authorization_endpoint"], code_verifier=verifier, prompt="consent", nonce="n")
        landed = Person(alice).visits(url, f"{shop.origin}/session")
        token = session.fetch_token(metadata["token_endpoint"], authorization_response=landed.url, state=state, code_verifier=verifier)
        rotated = session.refresh_token(metadata["token_endpoint"], refresh_token=token["refresh_token"])
        assert rotated["refresh_token"] != token["refresh_token"], "was not rotated"

        told = session.introspect_token(metadata["introspection_endpoint"], token=rotated["access_token"], token_type_hint="access_token").json()
        assert told["active"] is True and told["client_id"] == registered["client_id"], told

        answer = session.revoke_token(metadata["revocation_endpoint"], token=rotated["refresh_token"], token_type_hint="refresh_token")
        assert answer.status_code == 200, answer.text
        refused(lambda: session.refresh_token(metadata["token_endpoint"], refresh_token=rotated["refresh_token"]), "invalid_grant")
        told = session.introspect_token(metadata["introspection_endpoint"], token=rotated["access_token"]).json()
        assert told == {"active": False}, told


@test("a client_id and secret percent-encoded in the Basic header are decoded (RFC 6749 §2.3.1)")
def _():
    # Every octet may be sent as %XX; a server that only splits the header sees another secret.
    registered = register(f"{shop.origin}/session")
    every = lambda value: "".join(f"%{octet:02X}" for octet in value.encode())
    answer = requests.post(
        metadata["introspection_endpoint"],
        auth=(every(registered["client_id"]), every(registered["client_secret"])),
        data={"token": "not-a-token"},
        timeout=10,
    )
    assert answer.status_code == 200, answer.text
    assert answer.json() == {"active": False}, answer.text


@test("client_credentials of demo-api, and a scope it may not have")
def _():
    seeded = client(server, "demo-api")
    session = OAuth2Session(seeded["client_id"], seeded["client_secret"], token_endpoint_auth_method="client_secret_basic")
    token = session.fetch_token(metadata["token_endpoint"], grant_type="client_credentials")
    assert token["access_token"] and "refresh_token" not in token and "id_token" not in token, token
    try:  # RFC 6749 §3.3 lets a server refuse such a scope, or leave it out and say so
        less = session.fetch_token(metadata["token_endpoint"], grant_type="client_credentials", scope="no-such-scope")
    except OAuthError as error:
        assert error.error == "invalid_scope", error
    else:
        assert "scope" in less and "no-such-scope" not in less["scope"].split(), less


@test("a wrong secret is invalid_client")
def _():
    seeded = client(server, "demo-api")
    session = OAuth2Session(seeded["client_id"], "wrong", token_endpoint_auth_method="client_secret_basic")
    refused(lambda: session.fetch_token(metadata["token_endpoint"], grant_type="client_credentials"), "invalid_client")


finish()
