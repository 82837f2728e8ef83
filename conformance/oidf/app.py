"""A provider as its metadata tells it, and an app that registers there and uses it; each answer is held against the RFCs."""

import base64
import json
import secrets
import time
import urllib.error
import urllib.parse
import urllib.request

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

ERROR_CHARACTERS = {chr(code) for code in range(0x20, 0x7F)} - {'"', "\\"}


class Answer:
    """An HTTP answer: `status`, `headers`, `text`."""

    def __init__(self, status, headers, text):
        self.status, self.headers, self.text = status, headers, text

    def json(self, status=200):
        """The JSON object of an answer with that status."""
        assert self.status == status, f"HTTP {self.status} instead of {status}: {self.text[:300]}"
        kind = self.headers.get_content_type()
        assert kind == "application/json", f"content type {kind}"
        return json.loads(self.text)

    def error(self, *codes, status=(400,)):
        """The answer is an OAuth error with one of those codes, spelled as RFC 6749 §5.2 allows."""
        assert self.status in status, f"HTTP {self.status} instead of {status}: {self.text[:300]}"
        error = self.json(self.status)
        assert error.get("error") in codes, f"error {error} instead of {codes}"
        assert set(error.get("error_description", "")) <= ERROR_CHARACTERS, error
        return error


def call(url, data=None, headers=None, method=None):
    """One request, no redirects expected."""
    request = urllib.request.Request(url, data=data, headers={"Accept": "application/json"} | (headers or {}), method=method)
    try:
        answer = urllib.request.urlopen(request, timeout=30)
    except urllib.error.HTTPError as error:
        answer = error
    with answer:
        return Answer(answer.status, answer.headers, answer.read().decode("utf-8"))


class Provider:
    """What discovery says, and the keys."""

    def __init__(self, issuer):
        self.discovery = call(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
        self.metadata = self.discovery.json()

    def __getitem__(self, name):
        return self.metadata[name]

    def supports(self, member, value):
        """Whether a list of the metadata holds a value."""
        return value in self.metadata.get(member, [])

    def key(self, kid):
        """The public key of that id."""
        found = [key for key in call(self["jwks_uri"]).json()["keys"] if key.get("kid") == kid]
        assert len(found) == 1, f"{len(found)} keys with kid {kid}"
        return jwt.PyJWK(found[0])


class App:
    """A client that registered itself, with an RSA key of its own under `kid`."""

    def __init__(self, provider, auth, **metadata):
        self.provider, self.auth = provider, auth
        self.new_key(None)
        wish = {
            "client_name": "OIDF plan",
            "contacts": ["certification@app.example"],
            "redirect_uris": ["https://app.example/callback"],
            "grant_types": ["authorization_code"],
            "response_types": ["code"],
            "token_endpoint_auth_method": auth,
            "jwks": self.jwks(),
        } | metadata
        self.wish = {name: value for name, value in wish.items() if value is not None}
        self.redirect_uri = self.wish["redirect_uris"][0]
        self.answer = call(
            provider["registration_endpoint"], json.dumps(self.wish).encode(), {"Content-Type": "application/json"}
        )
        self.registered = None

    def registers(self):
        """The registration succeeded, with all that RFC 7591 §3.2.1 and RFC 7592 §3 ask for."""
        self.registered = self.answer.json(201)
        assert ("client_secret" in self.registered) <= ("client_secret_expires_at" in self.registered), self.registered
        assert self.registered["registration_client_uri"].startswith(self.provider["issuer"]), self.registered
        assert self.registered["registration_access_token"], self.registered
        return self

    @property
    def id(self):
        """`client_id`."""
        return self.registered["client_id"]

    def configuration(self, method="GET"):
        """The client configuration endpoint."""
        bearer = {"Authorization": f"Bearer {self.registered['registration_access_token']}"}
        return call(self.registered["registration_client_uri"], headers=bearer, method=method)

    def new_key(self, kid):
        """Signs with a new key from now on."""
        self._key, self._kid = rsa.generate_private_key(public_exponent=65537, key_size=2048), kid

    def jwks(self):
        """The public key in a set."""
        key = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self._key.public_key())) | {"use": "sig", "alg": "RS256"}
        key.pop("key_ops", None)
        return {"keys": [key | ({"kid": self._kid} if self._kid else {})]}

    def signs(self, claims):
        """A JWT under the app's key."""
        return jwt.encode(claims, self._key, "RS256", {"kid": self._kid} if self._kid else None)

    def token(self, aud=None, **form):
        """A token request; the app proves itself by its method."""
        headers = {}
        if self.auth == "client_secret_basic":
            pair = ":".join(urllib.parse.quote_plus(self.registered[name]) for name in ("client_id", "client_secret"))
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        elif self.auth == "client_secret_post":
            form |= {"client_id": self.id, "client_secret": self.registered["client_secret"]}
        else:
            form |= {"client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}
            form["client_assertion"] = self._assertion(aud or self.provider["token_endpoint"])
        return call(self.provider["token_endpoint"], urllib.parse.urlencode(form).encode(), headers)

    def _assertion(self, aud):
        now = int(time.time())
        claims = {"iss": self.id, "sub": self.id, "aud": aud, "jti": secrets.token_urlsafe(16)}
        return self.signs(claims | {"nbf": now, "iat": now, "exp": now + 60})

    def tokens(self, code, **form):
        """The tokens for a code, after RFC 6749 §5.1."""
        return granted(self.token(grant_type="authorization_code", code=code, redirect_uri=self.redirect_uri, **form))

    def userinfo(self, access_token, how="header"):
        """The userinfo endpoint: `header` (GET), `post` (POST, token in the header) or `body`."""
        bearer = {"Authorization": f"Bearer {access_token}"}
        form = urllib.parse.urlencode({"access_token": access_token}).encode()
        endpoint = self.provider["userinfo_endpoint"]
        match how:
            case "header":
                return call(endpoint, headers=bearer)
            case "post":
                return call(endpoint, headers=bearer, method="POST")
            case "body":
                return call(endpoint, form)


def granted(answer):
    """A token answer: JSON, never cached, a bearer token of at least 128 bits, its lifetime told."""
    tokens = answer.json()
    assert "no-store" in answer.headers.get("Cache-Control", ""), answer.headers.as_string()
    assert tokens["token_type"].lower() == "bearer", tokens
    assert isinstance(tokens["expires_in"], int) and tokens["expires_in"] > 0, tokens
    assert len(tokens["access_token"]) >= 22 and tokens["access_token"].isprintable(), tokens
    return tokens
