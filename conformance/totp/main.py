"""A code app that is not ours: zbarimg reads the picture, oathtool makes the codes, a person signs in with them."""

import base64
import json
import subprocess
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from http.cookiejar import CookieJar

from cases import facts, finish, test, user

ISSUER = facts()["issuer"]


class Browser:
    """A page of the server's own origin that calls the account API."""

    def __init__(self):
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
        self.csrf = None
        self.call("GET", "/session")

    def call(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{ISSUER}/api/v1{path}", data=data, method=method)
        request.add_header("Origin", ISSUER)
        request.add_header("Content-Type", "application/json")
        if self.csrf:
            request.add_header("X-CSRF-Token", self.csrf)
        try:
            with self.opener.open(request) as answer:
                status, text = answer.status, answer.read()
        except urllib.error.HTTPError as error:
            status, text = error.code, error.read()
        answer = json.loads(text) if text else {}
        self.csrf = answer.get("csrf_token", self.csrf)
        return status, answer

    def signs_in(self, person):
        body = {"method": "password", "identifier": person["username"], "password": person["password"]}
        return self.call("POST", "/sign-in", body)


def reads(picture):
    """What a phone's camera would read."""
    with tempfile.NamedTemporaryFile(suffix=".png") as file:
        file.write(base64.b64decode(picture))
        file.flush()
        found = subprocess.run(["zbarimg", "--quiet", "--raw", file.name], check=True, capture_output=True, text=True)
    return found.stdout.strip()


def code(secret):
    made = subprocess.run(["oathtool", "--totp", "--base32", secret], check=True, capture_output=True, text=True)
    return made.stdout.strip()


def fresh(secret, used):
    """The next code that was not used: each is good once."""
    while (now := code(secret)) == used:
        time.sleep(1)
    return now


def main():
    bob = user(facts(), "bob")
    browser = Browser()
    setup = {}

    @test("the picture holds the URI")
    def _():
        status, answer = browser.signs_in(bob)
        assert (status, answer["status"]) == (200, "complete"), answer
        status, answer = browser.call("POST", "/me/authenticators", {"type": "totp"})
        assert status == 201, answer
        setup.update(answer)
        uri = reads(answer["qr_png_base64"])
        assert uri == answer["otpauth_uri"], uri
        query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(uri).query))
        assert query["secret"] == answer["secret"] and query["period"] == "30", query

    @test("a code of oathtool switches it on")
    def _():
        setup["used"] = code(setup["secret"])
        status, answer = browser.call("POST", f"/me/authenticators/{setup['id']}/confirm", {"code": setup["used"]})
        assert status == 200 and len(answer["backup_codes"]) == 10, answer
        setup["backup"] = answer["backup_codes"]

    @test("a code of oathtool signs in, once")
    def _():
        other = Browser()
        status, answer = other.signs_in(bob)
        assert answer["code"] == "2fa_required", answer
        now = fresh(setup["secret"], setup["used"])
        reply = {"flow": answer["flow"], "type": "totp", "value": now}
        status, done = other.call("POST", "/sign-in/challenge", reply)
        assert (status, done["status"]) == (200, "complete"), done
        again = Browser()
        _, answer = again.signs_in(bob)
        status, refused = again.call("POST", "/sign-in/challenge", {**reply, "flow": answer["flow"]})
        assert (status, refused["code"]) == (401, "wrong_code"), refused

    @test("it is switched off again")
    def _():
        body = {"required": False, "password": bob["password"], "code": setup["backup"][0]}
        status, answer = browser.call("PATCH", "/me/mfa", body)
        assert status == 200 and not answer["required"], answer

    finish()


main()
