"""RP-Initiated, Back-Channel and Front-Channel Logout OP: what ends a session, what asks first, where people land, and who is told."""

import base64
import html
import re
import secrets
import time
import urllib.parse

import jwt

from discovery import end_session
from listener import Listener
from run import NEEDS_A_PAGE
from visitor import Left

LANDING = "https://app.example/post_logout_redirect"
# Every kind of character that state may hold (RFC 6749 appendix A.5), those that URLs and HTML give a meaning included.
STATE = "~!\"#$%&'()*,-./:<=>?@[\\]^_`{|}" + secrets.token_urlsafe(12)


class Session:
    """A person who signed in at an app, and the logout request of that app."""

    def __init__(self, run, **metadata):
        self.run, self.app = run, run.app(post_logout_redirect_uris=[LANDING], **metadata)
        self.flow = run.signed_in(self.app, state=secrets.token_hex(64))
        self.asked = {"id_token_hint": self.flow.tokens["id_token"], "post_logout_redirect_uri": LANDING, "state": STATE}

    def leaves(self, **changes):
        """Follows the app's link; `None` leaves a parameter out."""
        asked = {name: value for name, value in (self.asked | changes).items() if value is not None}
        return self.run.visitor.opens(f"{self.run.provider['end_session_endpoint']}?{urllib.parse.urlencode(asked)}")

    def confirmed(self, step):
        """The person agrees where they are asked."""
        if not isinstance(step, Left) and "logout-confirm" in step.ids:
            return self.run.visitor.submits(step, "logout-confirm")
        return step

    def is_over(self):
        """`prompt=none` finds nobody."""
        asked = self.run.request(self.app, prompt="none", state=secrets.token_hex(64))
        step = self.run.visitor.opens(self.run.link(asked))
        self.run.denied(self.app, asked, self.run.visitor.walks(step, {"login-submit"}), NEEDS_A_PAGE)

    def is_shown(self, step):
        """An error page or a question, never a way to the app; the session lives."""
        assert not isinstance(step, Left), f"sent to {step.url}"
        assert step.ids & {"error-page", "logout-confirm"}, step.text[:200]
        end = self.confirmed(step)
        assert not isinstance(end, Left), f"sent to {end.url} after the question"

    def ends_here(self, **changes):
        """The person is signed out and told so on a page of ours."""
        end = self.confirmed(self.leaves(**changes))
        assert not isinstance(end, Left), f"sent to {end.url}"
        assert "logged-out" in end.ids and end.status == 200, end.text[:200]
        self.is_over()


def rp_initiated_logout(run):
    session = Session(run)
    step = session.confirmed(session.leaves())
    assert isinstance(step, Left) and step.without_query() == LANDING, step.url
    assert step.params == {"state": STATE}, step.url
    session.is_over()


def no_state(run):
    session = Session(run)
    step = session.confirmed(session.leaves(state=None))
    assert isinstance(step, Left) and step.url == LANDING, step.url
    session.is_over()


def bad_post_logout_redirect_uri(run):
    session = Session(run)
    session.is_shown(session.leaves(post_logout_redirect_uri="https://app.example/bad_post_logout_redirect_uri"))


def query_added(run):
    session = Session(run)
    session.is_shown(session.leaves(post_logout_redirect_uri=f"{LANDING}?foo=bar"))


def modified_id_token_hint(run):
    session = Session(run)
    header = base64.urlsafe_b64encode(b'{"alg": "none"}').rstrip(b"=").decode()
    body = session.flow.tokens["id_token"].split(".")[1]
    session.is_shown(session.leaves(id_token_hint=f"{header}.{body}."))


def bad_id_token_hint(run):
    session = Session(run)
    now = int(time.time())
    fake = {"iss": session.app.id, "sub": "SubjectID", "aud": run.provider["issuer"], "iat": now, "exp": now + 300}
    session.is_shown(session.leaves(id_token_hint=session.app.signs(fake)))


def no_id_token_hint(run):
    session = Session(run)
    session.is_shown(session.leaves(id_token_hint=None))


def no_params(run):
    Session(run).ends_here(id_token_hint=None, post_logout_redirect_uri=None, state=None)


def no_post_logout_redirect_uri(run):
    Session(run).ends_here(post_logout_redirect_uri=None)


def only_state(run):
    Session(run).ends_here(id_token_hint=None, post_logout_redirect_uri=None)


MODULES = {
    "oidcc-rp-initiated-logout-discovery-endpoint-verification": end_session,
    "oidcc-rp-initiated-logout": rp_initiated_logout,
    "oidcc-rp-initiated-logout-bad-post-logout-redirect-uri": bad_post_logout_redirect_uri,
    "oidcc-rp-initiated-logout-modified-id-token-hint": modified_id_token_hint,
    "oidcc-rp-initiated-logout-no-id-token-hint": no_id_token_hint,
    "oidcc-rp-initiated-logout-no-params": no_params,
    "oidcc-rp-initiated-logout-no-post-logout-redirect-uri": no_post_logout_redirect_uri,
    "oidcc-rp-initiated-logout-no-state": no_state,
    "oidcc-rp-initiated-logout-only-state": only_state,
    "oidcc-rp-initiated-logout-query-added-to-post-logout-redirect-uri": query_added,
    "oidcc-rp-initiated-logout-bad-id-token-hint": bad_id_token_hint,
}


EVENT = "http://schemas.openid.net/event/backchannel-logout"
# Seconds that a server may take to tell an app.
TOLD_WITHIN = 15


def offers(member):
    """The metadata promises a way to tell apps, with sessions."""

    def module(run):
        end_session(run)
        assert run.provider.metadata.get(f"{member}_supported") is True, member
        assert run.provider.metadata.get(f"{member}_session_supported") is True, member

    return module


def backchannel(run):
    with Listener() as site:
        session = Session(run, backchannel_logout_uri=f"{site.url}/backchannel_logout", backchannel_logout_session_required=True)
        assert session.app.registered["backchannel_logout_session_required"] is True, session.app.registered
        step = session.confirmed(session.leaves())
        assert isinstance(step, Left) and step.params == {"state": STATE}, step.url
        until = time.monotonic() + TOLD_WITHIN
        while not site.posted and time.monotonic() < until:
            time.sleep(0.05)
        ((path, kind, form),) = site.posted
        assert (path, kind) == ("/backchannel_logout", "application/x-www-form-urlencoded"), (path, kind)
        ((name, token),) = form
        assert name == "logout_token", name
        header = jwt.get_unverified_header(token)
        assert header["alg"] == "RS256" and header["typ"] == "logout+jwt", header
        key = run.provider.key(header["kid"])
        told = jwt.decode(token, key, ["RS256"], audience=session.app.id, issuer=run.provider["issuer"])
        assert told["sub"] == session.flow.claims["sub"] and told["sid"] == session.flow.claims["sid"], told
        assert told["events"] == {EVENT: {}} and told["jti"] and "nonce" not in told, told
        assert 0 < told["exp"] - told["iat"] <= 120, told
    session.is_over()


def frontchannel(run):
    uri = "https://app.example/frontchannel_logout"
    session = Session(run, frontchannel_logout_uri=uri, frontchannel_logout_session_required=True)
    page = session.confirmed(session.leaves())
    assert not isinstance(page, Left), f"sent to {page.url} before the app was told"
    (frame,) = re.findall(r'<iframe src="([^"]+)"', page.html)
    frame = urllib.parse.urlsplit(html.unescape(frame))
    assert frame._replace(query="").geturl() == uri, frame
    asked = dict(urllib.parse.parse_qsl(frame.query, strict_parsing=True))
    assert asked == {"iss": run.provider["issuer"], "sid": session.flow.claims["sid"]}, asked
    (onward,) = re.findall(r'<meta http-equiv="refresh" content="2;url=([^"]+)"', page.html)
    onward = urllib.parse.urlsplit(html.unescape(onward))
    assert onward._replace(query="").geturl() == LANDING, onward
    assert urllib.parse.parse_qs(onward.query) == {"state": [STATE]}, onward
    session.is_over()


BACKCHANNEL_MODULES = {
    "oidcc-backchannel-logout-discovery-endpoint-verification": offers("backchannel_logout"),
    "oidcc-backchannel-rp-initiated-logout": backchannel,
}
FRONTCHANNEL_MODULES = {
    "oidcc-frontchannel-logout-discovery-endpoint-verification": offers("frontchannel_logout"),
    "oidcc-frontchannel-rp-initiated-logout": frontchannel,
}
