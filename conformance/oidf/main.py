"""Runs the modules of each plan, several at a time, and tells each on a line: `ok`, `FAIL`, `skip` or `open`.

`skip` is what the suite itself skips; `open` is what the plan demands and the metadata does not promise.
"""

import os
import sys
import traceback
from concurrent.futures import ThreadPoolExecutor

import basic
import cases
import discovery
import dynamic
import logout
from app import Provider
from run import NotOffered, Run, Skipped

PLANS = {
    "config": (discovery.MODULES, {}),
    "basic": (basic.MODULES, {}),
    "formpost-basic": (basic.MODULES, {"mode": "form_post"}),
    "dynamic": (dynamic.MODULES, {"auth": "private_key_jwt"}),
    "3rdparty-init-login": (dynamic.THIRD_PARTY_MODULES, {}),
    "rp-initiated-logout": (logout.MODULES, {}),
    "backchannel-rp-initiated-logout": (logout.BACKCHANNEL_MODULES, {}),
    "frontchannel-rp-initiated-logout": (logout.FRONTCHANNEL_MODULES, {}),
}
AT_ONCE = 12


def verdict(provider, account, module, variant):
    """One module in a run of its own."""
    run = Run(provider, account, **variant)
    try:
        module(run)
        run.removes_apps()
        return "ok", ""
    except Skipped as reason:
        return "skip", str(reason)
    except NotOffered as reason:
        return "open", str(reason)
    except Exception as error:  # a module may fail in any way; each way is a failed module
        if os.environ.get("SYMBOLON_TRACE"):
            traceback.print_exc()
        last = traceback.extract_tb(error.__traceback__)[-1]
        why = " | ".join(str(error).split("\n")) or f"{last.line} ({last.filename.rsplit('/', 1)[-1]}:{last.lineno})"
        return "FAIL", f"{type(error).__name__} {why[:800]}"


def main(wanted):
    facts = cases.facts()
    provider, account = Provider(facts["issuer"]), cases.user(facts, "alice")
    chosen = [
        (f"{plan}/{name}", module, variant)
        for plan, (modules, variant) in PLANS.items()
        for name, module in modules.items()
        if not wanted or plan in wanted or name in wanted
    ]
    if not chosen:
        sys.exit(f"no plan or module is called {', '.join(wanted)}; the plans are {', '.join(PLANS)}")
    with ThreadPoolExecutor(AT_ONCE) as pool:
        tasks = [(name, pool.submit(verdict, provider, account, module, variant)) for name, module, variant in chosen]
        failed = 0
        for name, task in tasks:
            told, why = task.result()
            failed += told == "FAIL"
            print(f"{told} {name}{': ' if why else ''}{why}", flush=True)
    sys.exit(1 if failed else 0)


main(sys.argv[1:])
