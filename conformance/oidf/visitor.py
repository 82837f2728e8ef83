"""A browser without JavaScript that knows the pages by their ids, writes down what it saw, and stops where it leaves the provider."""

import urllib.error
import urllib.parse
import urllib.request
from http.cookiejar import CookieJar

from person import Page


class Left:
    """The browser was sent to another site: `url`, what the app reads there as `params`, and how it came (GET or POST)."""

    def __init__(self, url, method, params):
        self.url, self.method, self.params = url, method, params

    def without_query(self):
        """The URL as registered, if it was registered without a query."""
        return self.url.split("?")[0].split("#")[0]


class Visitor:
    """One person at one browser; cookies live as long as the object. `seen` holds the ids of each page, in order."""

    def __init__(self, issuer, account):
        self.account, self.seen = account, []
        self._origin = "{0.scheme}://{0.netloc}".format(urllib.parse.urlsplit(issuer))
        self._opener = urllib.request.build_opener(_Unfollowed, urllib.request.HTTPCookieProcessor(CookieJar()))
        self._opener.addheaders = [("Accept", "text/html"), ("Accept-Language", "en")]

    def opens(self, url, form=None):
        """Follows a link, or sends a form, to a page of the provider or away from it."""
        request = urllib.request.Request(url, data=form and urllib.parse.urlencode(form).encode())
        for _ in range(10):
            try:
                answer = self._opener.open(request, timeout=30)
            except urllib.error.HTTPError as error:
                answer = error
            with answer:
                target = answer.headers.get("Location")
                if target is None:
                    return self._at(Page(request.full_url, answer.status, answer.read().decode("utf-8")))
                assert answer.status in (302, 303), f"{request.full_url} redirects with {answer.status}"
            target = urllib.parse.urljoin(request.full_url, target)
            if not target.startswith((f"{self._origin}/", f"{self._origin}?")):
                parts = urllib.parse.urlsplit(target)
                return Left(target, "GET", _pairs(parts.query))
            request = urllib.request.Request(target)
        raise AssertionError("ten redirects in a row")

    def submits(self, page, button, values=None):
        """Presses the button of that id; `values` go by the ids of the inputs, hidden and readonly ones stay."""
        form = next(form for form in page.forms if any(control.get("id") == button for control in form["controls"]))
        fields = [
            (control["name"], (values or {}).get(control.get("id"), control.get("value", "")))
            for control in form["controls"]
            if control.get("name") and (control["type"] not in ("submit", "checkbox") or control.get("id") == button)
        ]
        target = urllib.parse.urljoin(page.url, form["action"])
        if not target.startswith(f"{self._origin}/"):
            return Left(target, "POST", dict(fields))
        return self.opens(target, fields)

    def walks(self, step, until=()):
        """Goes on through sign-in and consent until the provider is left, or a page with an id of `until` comes."""
        for _ in range(8):
            if isinstance(step, Left) or step.ids.intersection(until):
                return step
            if "form-post-submit" in step.ids:
                step = self.submits(step, "form-post-submit")
            elif "login-submit" in step.ids:
                assert "sign-in-error" not in step.ids, f"sign-in was refused: {step.text[:200]}"
                step = self.submits(step, "login-submit", self._credentials(step))
            elif "consent-accept" in step.ids:
                step = self.submits(step, "consent-accept")
            else:
                raise AssertionError(f"no way on from {step.url} ({step.status}): {step.text[:300]}")
        raise AssertionError("eight pages and still at the provider")

    def saw(self, page_id):
        """How many pages with that id came by."""
        return sum(page_id in ids for ids in self.seen)

    def _credentials(self, page):
        locked = any("readonly" in control for form in page.forms for control in form["controls"] if control.get("id") == "login")
        values = {"password": self.account["password"]}
        return values if locked else values | {"login": self.account["username"]}

    def _at(self, page):
        self.seen.append(page.ids)
        return page


def _pairs(query):
    pairs = urllib.parse.parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query))
    names = [name for name, _ in pairs]
    assert len(names) == len(set(names)), f"a parameter comes twice: {query}"
    return dict(pairs)


class _Unfollowed(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, req, fp, code, msg, headers, newurl):
        return None
