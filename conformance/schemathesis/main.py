"""The account API as its own OpenAPI document describes it: no server error, nothing undescribed, nothing wrong taken.

Three visitors try every operation: a stranger, a browser that is not signed in, and a person who is. Loopback only.
"""

import http.cookiejar
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import urllib.request

from cases import facts, finish, test, user

facts = facts()
issuer = facts["issuer"]
base = f"{issuer}/api/v1"

# What a document cannot say: that a password fits, or that a code is the right one. Everything else is checked.
LEFT_OUT = "positive_data_acceptance"
# A person who has signed out, or is no more, proves nothing about the rest.
ENDS = ["DELETE"]


class Browser:
    """Keeps cookies, and the CSRF token of the last answer."""

    def __init__(self):
        self.jar = http.cookiejar.CookieJar()
        self.opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(self.jar)
        )
        self.csrf = None

    def call(self, method, path, body=None):
        headers = {"Content-Type": "application/json", "Origin": issuer}
        if self.csrf:
            headers["X-CSRF-Token"] = self.csrf
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(base + path, data, headers, method=method)
        with self.opener.open(request) as answer:
            said = json.load(answer)
        self.csrf = said.get("csrf_token", self.csrf)
        return said

    def headers(self):
        cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in self.jar)
        return [f"Cookie: {cookies}", f"X-CSRF-Token: {self.csrf}"]


# What it makes up may be larger than any body: 413 refuses it as well as what the tool expects by itself.
REFUSED = ["400", "401", "403", "404", "405", "406", "409", "413", "415", "422", "428", "429", "5xx"]
SETTINGS = f"[checks]\nnegative_data_rejection.expected-statuses = {json.dumps(REFUSED)}\n"


def schemathesis(headers, leaving_out):
    program = pathlib.Path(sys.executable).with_name("schemathesis")
    command = [str(program), "run", f"{base}/openapi.json", "--url", issuer, "--no-color"]
    command += ["--phases", "examples,coverage,fuzzing", "--checks", "all", "--exclude-checks", LEFT_OUT]
    command += ["--max-examples", os.environ.get("SYMBOLON_EXAMPLES", "25"), "--seed", "1", "--workers", "1"]
    command += ["--request-timeout", "10", "--suppress-health-check", "all", "--warnings", "off"]
    for header in headers:
        command += ["--header", header]
    for method in leaving_out:
        command += ["--exclude-method", method]
    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder, "schemathesis.toml").write_text(SETTINGS)
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        print(done.stdout[-6000:], file=sys.stderr)
        print(done.stderr[-2000:], file=sys.stderr)
        raise AssertionError(f"schemathesis ended with {done.returncode}")


@test("a stranger finds what the document describes")
def _():
    schemathesis([], [])


@test("a browser that is not signed in finds what the document describes")
def _():
    browser = Browser()
    browser.call("GET", "/session")
    schemathesis(browser.headers(), ENDS)


@test("a person who is signed in finds what the document describes")
def _():
    alice = user(facts, "alice")
    browser = Browser()
    browser.call("GET", "/session")
    said = browser.call(
        "POST", "/sign-in", {"method": "password", "identifier": alice["username"], "password": alice["password"]}
    )
    assert said["status"] == "complete", said
    schemathesis(browser.headers(), ENDS)


finish()
