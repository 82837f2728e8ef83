#!/usr/bin/env python3
"""Lets a running suite of the OpenID Foundation judge a server that it can reach, and tells each module on a line.

    plan/judge.py https://localhost.emobix.co.uk:8443 https://login.example.com alice PASSWORD [PLAN …]

The token of the suite's API is read from CONFORMANCE_TOKEN (a suite in development mode needs none), an initial access token
for registration from INITIAL_ACCESS_TOKEN. CONFORMANCE_INSECURE=1 does without the suite's certificate.
"""

import json
import os
import ssl
import sys
import time
import urllib.parse
import urllib.request

import make

ENDED = {"FINISHED", "INTERRUPTED"}
# Seconds for a module to end, and to start by itself.
PATIENCE = 180
START = 10
# What the suite says, and what we say: REVIEW is a pass with a page that a person has to look at, CONFIGURED a module
# that a person has to start, after changing the signing keys.
VERDICTS = {"PASSED": "ok", "REVIEW": "ok", "SKIPPED": "skip", "CONFIGURED": "open"}


class Suite:
    """The API of a suite."""

    def __init__(self, url, token, context):
        self._url, self._context = url.rstrip("/"), context
        self._headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})

    def call(self, method, path, body=None, **query):
        """One request; the JSON of the answer."""
        url = f"{self._url}/api/{path}?{urllib.parse.urlencode(query)}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(url, data, self._headers, method=method)
        with urllib.request.urlopen(request, context=self._context, timeout=120) as answer:
            return json.loads(answer.read() or b"null")

    def modules(self, plan, configuration):
        """Makes a plan; its id and its modules."""
        variant = json.dumps(plan["variant"])
        made = self.call("POST", "plan", configuration, planName=plan["planName"], variant=variant)
        return made["id"], made["modules"]

    def result(self, plan, module):
        """Runs a module to its end; its result and what went wrong."""
        variant = json.dumps(module.get("variant") or {})
        test = self.call("POST", "runner", test=module["testModule"], plan=plan, variant=variant)["id"]
        until = time.monotonic() + PATIENCE
        while True:
            info = self.call("GET", f"info/{test}")
            if info["status"] in ENDED:
                return info["result"], self._complaints(test)
            waits = info["status"] == "CONFIGURED" and time.monotonic() > until - PATIENCE + START
            if waits or time.monotonic() > until:
                return info["status"], self._complaints(test)
            time.sleep(0.5)

    def _complaints(self, test):
        entries = self.call("GET", f"log/{test}")
        return [f"{entry['src']}: {entry['msg']}" for entry in entries if entry.get("result") in ("FAILURE", "WARNING")]


def judged(suite, name, server):
    """Runs one plan; how many modules did not pass."""
    plan = make.plan(name)
    identifier, modules = suite.modules(plan, make.configuration(plan, *server))
    failed = 0
    for module in modules:
        result, complaints = suite.result(identifier, module)
        told = VERDICTS.get(result, "FAIL")
        failed += told == "FAIL"
        why = {"REVIEW": " (a page to look at)", "CONFIGURED": " (waits to be started)"}.get(result, "")
        why = f": {result}; {' | '.join(complaints)[:800]}" if told == "FAIL" else why
        print(f"{told} {name}/{module['testModule']}{why}", flush=True)
    return failed


def main(suite_url, issuer, login, password, *plans):
    context = ssl.create_default_context()
    if os.environ.get("CONFORMANCE_INSECURE"):
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    suite = Suite(suite_url, os.environ.get("CONFORMANCE_TOKEN"), context)
    server = issuer, (login, password), os.environ.get("INITIAL_ACCESS_TOKEN")
    sys.exit(1 if sum(judged(suite, name, server) for name in plans or make.PLANS) else 0)


if __name__ == "__main__":
    if len(sys.argv) < 5:
        sys.exit(__doc__)
    main(*sys.argv[1:])
