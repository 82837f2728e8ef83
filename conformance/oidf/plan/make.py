#!/usr/bin/env python3
"""Writes the configuration of one plan of the OpenID Foundation's suite for a server that the suite can reach.

    plan/make.py basic https://login.example.com alice PASSWORD [INITIAL_ACCESS_TOKEN] > basic-config.json

`basic.json` beside this file names the plan, its variants and what single modules need; `browser.json` the steps that the
suite's browser takes on our pages. The person must be one who can sign in with a password.
"""

import json
import pathlib
import sys

HERE = pathlib.Path(__file__).parent
PLANS = [
    "config",
    "basic",
    "formpost-basic",
    "dynamic",
    "3rdparty-init-login",
    "rp-initiated-logout",
    "backchannel-rp-initiated-logout",
    "frontchannel-rp-initiated-logout",
]


def plan(name):
    """What is said of a plan beside this file."""
    return {"name": name} | json.loads((HERE / f"{name}.json").read_text())


def filled(value, facts):
    """`value` with each `{name}` of its texts replaced."""
    if isinstance(value, str):
        for name, text in facts.items():
            value = value.replace(f"{{{name}}}", text)
        return value
    if isinstance(value, list):
        return [filled(item, facts) for item in value]
    if isinstance(value, dict):
        return {name: filled(item, facts) for name, item in value.items()}
    return value


def tasks(named, steps):
    """Spells out the tasks that a list names; a task that is spelled out stays."""
    return [steps["tasks"][task] if isinstance(task, str) else task for task in named]


def browser(visits, steps):
    """The `browser` member: what to do at the URLs that a plan opens."""
    return [{"match": steps["matches"][match], "tasks": tasks(named, steps)} for match, named in visits.items()]


def configuration(plan, issuer, person, initial_access_token=None):
    """What the suite is given for a plan."""
    steps = json.loads((HERE / "browser.json").read_text())
    made = {
        "alias": f"symbolon-{plan['name']}",
        "description": f"Symbolon, {plan['planName']}",
        "server": {"discoveryUrl": "{issuer}/.well-known/openid-configuration", "login_hint": "{login}"},
        "client": {"client_name": "First client"},
        "client2": {"client_name": "Second client"},
        "browser": browser(plan["browser"], steps),
        "override": {module: {"browser": browser(visits, steps)} for module, visits in plan["override"].items()},
    }
    if initial_access_token:
        for client in ("client", "client2"):
            made[client]["initial_access_token"] = initial_access_token
    return filled(made, {"issuer": issuer.rstrip("/"), "login": person[0], "password": person[1]})


def main(name, issuer, login, password, initial_access_token=None):
    print(json.dumps(configuration(plan(name), issuer, (login, password), initial_access_token), indent=2))


if __name__ == "__main__":
    if not 5 <= len(sys.argv) <= 6:
        sys.exit(__doc__)
    main(*sys.argv[1:])
