"""The account API as its own OpenAPI document describes it: no server error, nothing undescribed, nothing wrong taken.

Three visitors try every operation: a stranger, a browser that is not signed in, and a person who is; the owner tries the administration
for a minute, of a server of their own, since not much is left of it. Loopback only.
"""

import base64
import contextlib
import hashlib
import http.cookiejar
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import urllib.parse
import urllib.request

from cases import facts, finish, test, user
from person import Person

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


def schemathesis(headers, leaving_out, more=(), issuer=issuer):
    program = pathlib.Path(sys.executable).with_name("schemathesis")
    command = [str(program), "run", f"{issuer}/api/v1/openapi.json", "--url", issuer, "--no-color"]
    command += ["--phases", "examples,coverage,fuzzing", "--checks", "all", "--exclude-checks", LEFT_OUT]
    command += ["--max-examples", os.environ.get("SYMBOLON_EXAMPLES", "25"), "--seed", "1", "--workers", "1"]
    command += ["--request-timeout", "10", "--suppress-health-check", "all", "--warnings", "off"]
    for header in headers:
        command += ["--header", header]
    for method in leaving_out:
        command += ["--exclude-method", method]
    command += more
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


LANDING = "http://127.0.0.1:9/landing"


@contextlib.contextmanager
def server():
    """A development server of its own: what it says of itself, and its data folder."""
    with tempfile.TemporaryDirectory() as data:
        command = [os.environ["SYMBOLON_PROGRAM"], "dev", "--json", "--data", data, "--port", "0"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as running:
            try:
                yield json.loads(running.stdout.readline()), data
            finally:
                running.terminate()


def operates(issuer, data, *words):
    """What an operator says on the command line, on the data folder of a server."""
    settings = {
        "SYMBOLON__ISSUER": issuer,
        "SYMBOLON__DATABASE__PATH": f"{data}/symbolon.db",
        "SYMBOLON__KEYS__MASTER_KEY_FILE": f"{data}/master.key",
    }
    command = [os.environ["SYMBOLON_PROGRAM"], *words, "--json"]
    done = subprocess.run(command, env={**os.environ, **settings}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def token_of(issuer, data, account, scope):
    """An access token by which somebody administers, from a client that is registered for it."""
    made = operates(issuer, data, "client", "create", "Console", "--scope", scope, "--redirect-uri", LANDING, "--development")
    verifier = base64.urlsafe_b64encode(os.urandom(32)).rstrip(b"=").decode()
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    asked = {
        "response_type": "code",
        "client_id": made["client_id"],
        "redirect_uri": LANDING,
        "scope": scope,
        "state": "x",
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    page = Person(account, lands=LANDING).visits(f"{issuer}/oauth2/authorize?{urllib.parse.urlencode(asked)}", LANDING)
    said = urllib.parse.parse_qs(urllib.parse.urlsplit(page.url).query)
    form = {
        "grant_type": "authorization_code",
        "code": said["code"][0],
        "redirect_uri": LANDING,
        "code_verifier": verifier,
        "client_id": made["client_id"],
        "client_secret": made["client_secret"],
    }
    basic = base64.b64encode(f"{form.pop('client_id')}:{form.pop('client_secret')}".encode()).decode()
    request = urllib.request.Request(f"{issuer}/oauth2/token", urllib.parse.urlencode(form).encode())
    request.add_header("Authorization", f"Basic {basic}")
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)["access_token"]


# Only an operator registers a client for the administration.
if os.environ.get("SYMBOLON_PROGRAM"):

    @test("the owner finds the administration as the document describes it")
    def _():
        with server() as (own, data):
            token = token_of(own["issuer"], data, user(own, "admin"), "openid admin")
            only = ["--include-path-regex", "^/api/v1/(admin|applications)", "--max-time", "60"]
            schemathesis([f"Authorization: Bearer {token}"], [], only, own["issuer"])
else:
    print("skip the administration: SYMBOLON_PROGRAM is not set")


finish()
