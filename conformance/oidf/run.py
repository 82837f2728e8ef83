"""One run of one module: apps it registers, browsers it opens, and the code flow that most modules vary."""

import secrets
import urllib.parse

import claims as claims_rules
from app import App
from visitor import Left, Visitor

CODE_CHARACTERS = 22
NEEDS_A_PAGE = {"login_required", "interaction_required", "consent_required", "account_selection_required"}


class Skipped(Exception):
    """The module does not apply, and the plan accepts that."""


class NotOffered(Exception):
    """The plan demands what the metadata does not promise; without it there is no certification for that plan."""


class Flow:
    """One authorization: what was asked (`asked`), the app, the code, then tokens and ID token claims."""

    def __init__(self, app, asked, code):
        self.app, self.asked, self.code = app, asked, code
        self.tokens = self.claims = None

    def exchanged(self, **form):
        """The code becomes tokens, and the ID token is good."""
        self.tokens = self.app.tokens(self.code, **form)
        nonce, access_token = self.asked.get("nonce"), self.tokens["access_token"]
        self.claims = claims_rules.id_token(self.app, self.tokens["id_token"], nonce, access_token)
        return self

    def userinfo(self, how="header"):
        """What userinfo tells about the person of the ID token."""
        return claims_rules.userinfo(self.app.userinfo(self.tokens["access_token"], how), self.claims["sub"])


class Run:
    """What a module is given."""

    def __init__(self, provider, account, mode="query", auth="client_secret_basic"):
        self.provider, self.account, self.mode, self.auth = provider, account, mode, auth
        self.visitor = self.browser()
        self._apps = []

    def browser(self):
        """Another browser, where nobody is signed in."""
        return Visitor(self.provider["issuer"], self.account)

    def app(self, **metadata):
        """A client that is registered until the module ends."""
        app = App(self.provider, metadata.pop("auth", self.auth), **metadata).registers()
        self._apps.append(app)
        return app

    def refused_app(self, *codes, **metadata):
        """A registration that must fail with one of those codes."""
        App(self.provider, self.auth, **metadata).answer.error(*codes)

    def removes_apps(self):
        """RFC 7592 §2.3."""
        for app in self._apps:
            removed = app.configuration("DELETE")
            assert removed.status == 204, f"the client cannot be removed: {removed.status} {removed.text[:200]}"

    def request(self, app, **params):
        """The parameters of an authorization request; `None` leaves one out."""
        asked = {
            "client_id": app.id,
            "redirect_uri": app.redirect_uri,
            "scope": "openid",
            "state": secrets.token_urlsafe(12),
            "nonce": secrets.token_urlsafe(12),
            "response_type": "code",
            "response_mode": "form_post" if self.mode == "form_post" else None,
        } | params
        return {name: value for name, value in asked.items() if value is not None}

    def link(self, asked):
        """The URL of a request."""
        return f"{self.provider['authorization_endpoint']}?{urllib.parse.urlencode(asked)}"

    def returns(self, app, asked, step):
        """The app is answered at its redirect URI, in the right way, with `state` and `iss`; its parameters."""
        assert isinstance(step, Left), f"still at {step.url} ({step.status}): {step.text[:300]}"
        own = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(app.redirect_uri).query))
        if self.mode == "form_post":
            assert step.method == "POST" and step.url == app.redirect_uri, f"{step.method} {step.url}"
        else:
            assert step.method == "GET" and step.without_query() == app.redirect_uri.split("?")[0], step.url
            assert own.items() <= step.params.items(), f"the redirect URI lost {own}: {step.url}"
        params = {name: value for name, value in step.params.items() if name not in own}
        assert params.get("state") == asked.get("state"), f"state: {params}"
        assert params.pop("iss") == self.provider["issuer"], params
        return params

    def denied(self, app, asked, step, codes):
        """The app is told an error, and no code."""
        params = self.returns(app, asked, step)
        assert params["error"] in codes, f"{params} instead of {codes}"
        assert params.keys() <= {"error", "error_description", "error_uri", "state"}, params
        assert '"' not in params.get("error_description", "") and params.get("error_description", "").isprintable(), params
        return params

    def authorized(self, app, visitor=None, **params):
        """A person signs in and agrees; the app has its code."""
        asked = self.request(app, **params)
        visitor = visitor or self.visitor
        return self.lands(app, asked, visitor.walks(visitor.opens(self.link(asked))))

    def lands(self, app, asked, step):
        """The code at the end of an authorization."""
        params = self.returns(app, asked, step)
        assert params.keys() == {"code", "state"} & (params.keys() | {"code"}), f"code and state expected: {params}"
        assert len(params["code"]) >= CODE_CHARACTERS, params
        return Flow(app, asked, params["code"])

    def signed_in(self, app, **params):
        """The whole flow, to a userinfo answer."""
        flow = self.authorized(app, **params).exchanged()
        flow.userinfo()
        return flow

    def silent(self, app, **params):
        """A second authorization in the same browser that must come back without any page of ours."""
        asked = self.request(app, **params)
        pages = [ids for ids in self.visitor.seen if "form-post-submit" not in ids]
        step = self.visitor.walks(self.visitor.opens(self.link(asked)), {"login-submit", "consent-accept"})
        flow = self.lands(app, asked, step).exchanged()
        assert pages == [ids for ids in self.visitor.seen if "form-post-submit" not in ids], "a page came between"
        return flow

    def refused_on_page(self, asked):
        """The person sees the error page of ours, and nobody else is told."""
        step = self.visitor.opens(self.link(asked))
        assert not isinstance(step, Left), f"sent to {step.url}"
        assert "error-page" in step.ids and step.status == 400, f"{step.status} {step.text[:200]}"
        assert {"error-code", "trace-id"} <= step.ids, step.ids
        return step
