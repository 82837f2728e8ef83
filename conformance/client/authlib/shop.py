"""A Flask web app that signs people in through Authlib: /login, /callback, and the home page that tells who is here."""

import logging
from threading import Thread

from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.flask_client import OAuth
from flask import Flask, jsonify, redirect, request, session, url_for
from werkzeug.serving import make_server


class Shop:
    """A running web app; `register(redirect_uri)` gives its client at the server: id, secret, authentication method."""

    def __init__(self, issuer, register):
        self.tokens = {}
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self._flask = Flask("shop")
        self._flask.secret_key = "only for the cookies of this test"
        self._flask.config["SESSION_COOKIE_NAME"] = "shop"
        self._server = make_server("127.0.0.1", 0, self._flask, threaded=True)
        self.origin = f"http://localhost:{self._server.server_port}"
        self.client = register(f"{self.origin}/callback")
        oauth = OAuth(self._flask)
        self.symbolon = oauth.register(
            "symbolon",
            client_id=self.client["client_id"],
            client_secret=self.client["client_secret"],
            server_metadata_url=f"{issuer}/.well-known/openid-configuration",
            client_kwargs={"scope": "openid profile email offline_access", "code_challenge_method": "S256", "token_endpoint_auth_method": self.client["token_endpoint_auth_method"]},
        )
        self._flask.add_url_rule("/login", "login", self._login)
        self._flask.add_url_rule("/callback", "callback", self._callback)
        self._flask.add_url_rule("/", "home", self._home)
        Thread(target=self._server.serve_forever, daemon=True).start()

    def _login(self):
        return self.symbolon.authorize_redirect(url_for("callback", _external=True), **request.args)

    def _callback(self):
        try:
            # Checks state, redeems the code with its verifier, and the ID token by JWKS: iss, aud, nonce, at_hash, exp.
            tokens = self.symbolon.authorize_access_token()
        except OAuthError as error:
            return jsonify(error=error.error, error_description=error.description), 400
        self.tokens = tokens
        session["claims"] = dict(tokens["userinfo"])
        return redirect("/")

    def _home(self):
        return jsonify(session.get("claims", {}))
