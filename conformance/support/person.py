"""A person at a browser without JavaScript: cookies, forms and redirects, found by the stable ids of the pages."""

import urllib.error
import urllib.parse
import urllib.request
from html.parser import HTMLParser
from http.cookiejar import CookieJar


class Person:
    """`account` is one of the `users` of the facts; `answer` is the button pressed when an app asks for consent.

    `lands` is a redirect URI where nothing listens: the person stops there, on a page without text.
    """

    def __init__(self, account, answer="consent-accept", lands=None):
        self.account = account
        self.answer = answer
        self._opener = urllib.request.build_opener(_SeenRedirects(lands), urllib.request.HTTPCookieProcessor(CookieJar()))
        self._opener.addheaders = [("Accept", "text/html"), ("Accept-Language", "en")]

    def visits(self, url, app):
        """Follows a link through sign-in and consent to a page whose URL begins with `app`."""
        page = self.opens(url)
        for _ in range(6):
            if page.url.startswith(app):
                return page
            if "password" in page.ids:
                values = {"login": self.account["username"], "password": self.account["password"]}
                page = self.submits(page, "login-submit", values)
                assert "login-submit" not in page.ids, f"sign-in was refused ({page.status}): {page.text[:300]}"
            elif "consent-accept" in page.ids:
                page = self.submits(page, self.answer, {})
            else:
                raise AssertionError(f"no way on from {page.url} ({page.status}): {page.text[:300]}")
        raise AssertionError("six pages and not back at the app")

    def opens(self, url):
        """Opens a URL and follows redirects to a page."""
        return self._sends(urllib.request.Request(url))

    def submits(self, page, button, values):
        """Fills a form by the ids of its inputs, keeps what is hidden, presses the button of that id."""
        form = next(form for form in page.forms if any(control.get("id") == button for control in form["controls"]))
        fields = [
            (control["name"], _fills(control, values))
            for control in form["controls"]
            if control.get("name") and "disabled" not in control and _is_sent(control, button)
        ]
        target = urllib.parse.urljoin(page.url, form["action"])
        data = urllib.parse.urlencode(fields).encode()
        request = urllib.request.Request(target, data=data, method="POST")
        origin = "{0.scheme}://{0.netloc}".format(urllib.parse.urlsplit(page.url))
        request.add_unredirected_header("Origin", origin)
        return self._sends(request)

    def _sends(self, request):
        try:
            answer = self._opener.open(request, timeout=30)
        except _Landed as landed:
            return Page(landed.url, 0, "")
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            return Page(answer.url, answer.status, answer.read().decode("utf-8"))


class Page(HTMLParser):
    """A page as far as forms go: `url`, `status`, `text`, `ids`, and `forms` with their controls in order."""

    def __init__(self, url, status, html):
        super().__init__()
        self.url, self.status, self.html = url, status, html
        self.ids, self.forms, self._words = set(), [], []
        self._open, self._hidden = None, 0
        self.feed(html)
        self.text = " ".join(" ".join(self._words).split())

    def handle_starttag(self, tag, attrs):
        found = {name: value or "" for name, value in attrs}
        if "id" in found:
            self.ids.add(found["id"])
        if tag in ("script", "style"):
            self._hidden += 1
        elif tag == "form":
            self._open = {"action": found.get("action", ""), "controls": []}
            self.forms.append(self._open)
        elif tag in ("input", "button") and self._open is not None:
            found.setdefault("type", "text" if tag == "input" else "submit")
            self._open["controls"].append(found)

    def handle_endtag(self, tag):
        if tag == "form":
            self._open = None
        elif tag in ("script", "style"):
            self._hidden -= 1

    def handle_data(self, data):
        if not self._hidden:
            self._words.append(data)


class _Landed(Exception):
    def __init__(self, url):
        super().__init__(url)
        self.url = url


class _SeenRedirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects as a browser does, and refuses the ones that would repeat a POST (RFC 9700 §4.12)."""

    def __init__(self, lands):
        self._lands = lands

    def redirect_request(self, req, fp, code, msg, headers, newurl):
        if self._lands and newurl.startswith(f"{self._lands}?"):
            raise _Landed(newurl)
        assert code in (301, 302, 303), f"{req.full_url} redirects with {code}"
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _fills(control, values):
    own = control.get("value", "")
    return own if "readonly" in control else values.get(control.get("id"), own)


def _is_sent(control, button):
    kind = control["type"].lower()
    if kind in ("submit", "button", "image", "reset"):
        return control.get("id") == button
    return kind not in ("checkbox", "radio") or "checked" in control
