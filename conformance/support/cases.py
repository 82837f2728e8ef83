"""The cases of one folder: each prints `ok <case>` or `FAIL <case>: why`, and a failure sets the exit code."""

import json
import os
import sys
import traceback

_failed = []


def facts():
    """The facts that `symbolon dev --json` printed: issuer, users with passwords, clients with secrets."""
    path = os.environ.get("SYMBOLON_FACTS")
    if not path:
        sys.exit("SYMBOLON_FACTS must name the JSON file that `symbolon dev --json` printed; `tests/all <name>` does that")
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def user(facts, username):
    """The seeded user of that name, with the password generated for it."""
    return next(user for user in facts["users"] if user["username"] == username)


def client(facts, name):
    """The seeded client of that name."""
    return next(client for client in facts["clients"] if client["name"] == name)


def test(name):
    """Runs the decorated story at once and reports it; its name then stands for what the story gave."""

    def run(story):
        try:
            value = story()
        except Exception as error:  # a story may fail in any way; each way is a failed case
            _failed.append(name)
            last = traceback.extract_tb(error.__traceback__)[-1]
            why = " | ".join(str(error).split("\n")) or f"{last.line} at line {last.lineno}"
            print(f"FAIL {name}: {type(error).__name__} {why[:800]}", flush=True)
            if os.environ.get("SYMBOLON_TRACE"):
                traceback.print_exc()
            return None
        print(f"ok {name}", flush=True)
        return value

    return run


def finish():
    """Ends the program, with 1 when a case failed."""
    sys.exit(1 if _failed else 0)
