"""Access tokens at a resource server that verifies with PyJWT: a good one opens it, each other thing is refused."""

import base64
import hashlib
import hmac
import json
import time
import urllib.error
import urllib.parse
import urllib.request

import jwt
from cases import client, facts, finish, test, user
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from person import Person
from resource_server import ResourceServer

API = "https://api.example.com"
CALLBACK = "http://localhost:47114/cb"
server = facts()
issuer = server["issuer"]


def sends(url, form=None, body=None, **headers):
    """Gives status, JSON body and headers of a GET, or of a POST of a form or of JSON."""
    data = urllib.parse.urlencode(form).encode() if form else json.dumps(body).encode() if body else None
    if body:
        headers["Content-Type"] = "application/json"
    try:
        answer = urllib.request.urlopen(urllib.request.Request(url, data=data, headers=headers), timeout=10)
    except urllib.error.HTTPError as error:
        answer = error
    with answer:
        text = answer.read()
        return answer.status, json.loads(text) if text else None, answer.headers


def basic(client_id, secret):
    pair = ":".join(urllib.parse.quote(part, safe="") for part in (client_id, secret))
    return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}


def code_flow_tokens(metadata):
    """Alice signs in at an app: its tokens, whose access token is not for the API, and its client_id."""
    registration = {"redirect_uris": [CALLBACK], "grant_types": ["authorization_code"], "response_types": ["code"], "scope": "openid email"}
    status, app, _ = sends(metadata["registration_endpoint"], body=registration)
    assert status == 201, app
    verifier = "a-verifier-of-at-least-forty-three-characters-0123"
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    query = {
        "response_type": "code", "client_id": app["client_id"], "redirect_uri": CALLBACK, "scope": "openid email",
        "state": "s", "nonce": "n", "code_challenge": challenge, "code_challenge_method": "S256",
    }
    landed = Person(user(server, "alice"), lands=CALLBACK).visits(f"{metadata['authorization_endpoint']}?{urllib.parse.urlencode(query)}", CALLBACK)
    code = urllib.parse.parse_qs(urllib.parse.urlsplit(landed.url).query)["code"][0]
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": verifier}
    status, tokens, _ = sends(metadata["token_endpoint"], form, **basic(app["client_id"], app["client_secret"]))
    assert status == 200, tokens
    return tokens, app["client_id"]


def part(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def calls(resource, token):
    return sends(resource.url, **({"Authorization": f"Bearer {token}"} if token is not None else {}))


def is_refused(resource, token):
    status, body, headers = calls(resource, token)
    assert status == 401, f"{status} {body}"
    assert headers["WWW-Authenticate"].startswith("Bearer"), headers["WWW-Authenticate"]


status, metadata, _ = sends(f"{issuer}/.well-known/openid-configuration")
seeded = client(server, "demo-api")
status, answer, _ = sends(metadata["token_endpoint"], {"grant_type": "client_credentials"}, **basic(seeded["client_id"], seeded["client_secret"]))
assert status == 200, answer
good = answer["access_token"]
header, claims = jwt.get_unverified_header(good), jwt.decode(good, options={"verify_signature": False})
signature = good.split(".")[2]
tokens, app_id = code_flow_tokens(metadata)
orders = ResourceServer(issuer, API)
foreign = rsa.generate_private_key(public_exponent=65537, key_size=2048)


@test("an access token for the API opens it")
def _():
    status, body, _ = calls(orders, good)
    assert status == 200, body
    assert body["client_id"] == seeded["client_id"] and body["iss"] == issuer, body
    assert body["aud"] in (API, [API]), body
    assert header["typ"] == "at+jwt" and header["kid"], header
    assert 0 < body["exp"] - body["iat"] <= 3600, body


@test("no token: a challenge without an error code")
def _():
    status, _, headers = calls(orders, None)
    assert (status, headers["WWW-Authenticate"]) == (401, "Bearer")


@test("an access token for another audience is refused")
def _():
    is_refused(orders, tokens["access_token"])
    is_refused(ResourceServer(issuer, "https://other.example.com"), good)


@test("an expired access token is refused")
def _():
    late = ResourceServer(issuer, API, ahead=claims["exp"] - int(time.time()) + 1)
    is_refused(late, good)
    early = ResourceServer(issuer, API, ahead=30)
    assert calls(early, good)[0] == 200


@test("a token signed by another key is refused, under a known kid and under its own")
def _():
    is_refused(orders, jwt.encode(claims, foreign, "RS256", headers={"typ": "at+jwt", "kid": header["kid"]}))
    is_refused(orders, jwt.encode(claims, foreign, "RS256", headers={"typ": "at+jwt", "kid": "mine"}))
    own = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(foreign.public_key()))
    is_refused(orders, jwt.encode(claims, foreign, "RS256", headers={"typ": "at+jwt", "kid": header["kid"], "jwk": own}))


@test("an ID token used as access token is refused, even where its aud is expected")
def _():
    is_refused(orders, tokens["id_token"])
    is_refused(ResourceServer(issuer, app_id), tokens["id_token"])


@test("alg none is refused")
def _():
    for alg in ("none", "None", "NONE"):
        unsigned = f"{part({**header, 'alg': alg})}.{part(claims)}."
        is_refused(orders, unsigned)
        is_refused(orders, unsigned + signature)


@test("HS256 with the public key as secret is refused")
def _():
    keys = sends(metadata["jwks_uri"])[1]["keys"]
    public = jwt.PyJWK(next(key for key in keys if key.get("kid") == header["kid"])).key
    pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    signed = f"{part({**header, 'alg': 'HS256'})}.{part(claims)}"
    digest = hmac.digest(pem, signed.encode(), "sha256")
    is_refused(orders, f"{signed}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}")


@test("an altered payload is refused, and so is an altered signature")
def _():
    is_refused(orders, f"{good.split('.')[0]}.{part({**claims, 'sub': 'admin', 'exp': claims['exp'] + 86400})}.{signature}")
    is_refused(orders, good[:-8] + ("AAAAAAAA" if not good.endswith("AAAAAAAA") else "BBBBBBBB"))
    is_refused(orders, "not.a.token")


finish()
