"""A resource server (RFC 6750, RFC 9068): it knows the issuer and its own audience, and verifies with PyJWT by JWKS."""

import json
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import jwt

ALGORITHMS = ["RS256", "ES256", "EdDSA", "PS256", "ES384", "ES512"]
REQUIRED = ["iss", "exp", "aud", "sub", "client_id", "iat", "jti"]  # RFC 9068 §2.2


class ResourceServer:
    """Listens on a loopback port of its own; `ahead` is how many seconds its clock is ahead."""

    def __init__(self, issuer, audience, ahead=0):
        with urllib.request.urlopen(f"{issuer}/.well-known/oauth-authorization-server", timeout=10) as answer:
            metadata = json.load(answer)
        assert metadata["issuer"] == issuer, metadata["issuer"]
        self._issuer, self._audience, self._ahead = issuer, audience, ahead
        self._keys = jwt.PyJWKClient(metadata["jwks_uri"])
        server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{server.server_port}/orders"
        Thread(target=server.serve_forever, daemon=True).start()

    def verifies(self, token):
        """Gives the claims of an access token.

        Raises a `jwt.PyJWTError` for anything else.
        """
        if jwt.get_unverified_header(token).get("typ", "").lower() not in ("at+jwt", "application/at+jwt"):
            raise jwt.InvalidTokenError("not an access token")  # RFC 9068 §4
        options = {"require": REQUIRED}
        if self._ahead:
            options |= {"verify_iat": False, "verify_nbf": False}  # PyJWT has no clock to set: only `exp` is judged then
        return jwt.decode(
            token,
            self._keys.get_signing_key_from_jwt(token),
            algorithms=ALGORITHMS,
            issuer=self._issuer,
            audience=self._audience,
            leeway=-self._ahead,
            options=options,
        )

    def _handler(self):
        verifies = self.verifies

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                scheme, _, token = self.headers.get("Authorization", "").partition(" ")
                if scheme.lower() != "bearer":
                    return self._answers(401, {}, "Bearer")
                try:
                    return self._answers(200, verifies(token))
                except jwt.PyJWTError as error:
                    return self._answers(401, {"why": str(error)}, 'Bearer error="invalid_token"')

            def _answers(self, status, body, challenge=None):
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                if challenge:
                    self.send_header("WWW-Authenticate", challenge)
                self.end_headers()
                self.wfile.write(json.dumps(body).encode())

            def log_message(self, *_):
                pass

        return Handler
