#!/usr/bin/env python3
"""Writes startup.ld beside it: the functions that a start runs, for the linker to lay side by side.

A start runs one function in twenty, strewn over the whole program; of each the kernel maps the 64 kB around it. Side by side they are
some 7 MB of memory in place of 22. `build.rs` hands the list to the linker of a release; a name that is gone matches nothing, and a list
that is old costs memory and nothing else: each function that it lacks costs 64 kB or more. What is a function of its own and what is made
part of another differs from build to build, so what was in the list stays there, if it still names something. Write it anew before a
release, and when `cargo bench --bench load` says that an idle server has grown:

    tests/bench/order.py                builds the program with its symbols (twenty minutes), then runs a start of it under valgrind
    tests/bench/order.py PROGRAM        runs this build, which must not be stripped

It needs Linux, valgrind and nm (Debian: valgrind, binutils).
"""

import bisect
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from pathlib import Path

HERE = Path(__file__).resolve().parent
LIST = HERE / "startup.ld"
# What the compiler puts behind a name to tell instances of it apart: seventeen letters, h and a hash, then what LLVM adds.
HASH = re.compile(r"17h[0-9a-f]{16}E.*$")
# Names that a linker script can hold as they are.
PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_.$]*")
# Instances of one name are named together when those that run are half of their bytes, or the others are small.
SMALL = 5_000


def build():
    """The release program with its symbols. *Why not by the setting of the profile:* the names of functions hold a hash of it."""
    command = ["cargo", "rustc", "--release", "--bin", "symbolon", "--", "-C", "strip=none"]
    subprocess.run(command, cwd=HERE.parents[1], check=True)
    return Path(os.environ.get("CARGO_TARGET_DIR", HERE.parents[1] / "target")) / "release" / "symbolon"


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def answers(url, patience):
    end = time.monotonic() + patience
    while time.monotonic() < end:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                return answer.status == 200
        except OSError:
            time.sleep(0.2)
    return False


def profile(program, folder):
    """Runs a start on an existing database, its first pages, and the jobs of its first seconds; returns the file of what ran."""
    data = folder / "data"
    dev = [program, "dev", "--json", "--port", "0", "--demo-port", "0", "--data", data]
    with subprocess.Popen(dev, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as first:
        json.loads(first.stdout.readline())
        first.send_signal(signal.SIGTERM)
    port, operations = free_port(), free_port()
    settings = folder / "symbolon.toml"
    settings.write_text(
        f'issuer = "http://localhost:{port}"\n'
        f'[server]\nlisten = "127.0.0.1:{port}"\noperations = "127.0.0.1:{operations}"\n'
        f'[database]\npath = "{data}/symbolon.db"\n[keys]\nmaster_key_file = "{data}/master.key"\n'
    )
    ran = folder / "ran"
    tool = ["valgrind", "--tool=callgrind", "--demangle=no", f"--callgrind-out-file={ran}"]
    with subprocess.Popen([*tool, program, "serve", "--config", settings], stderr=subprocess.DEVNULL) as server:
        if not answers(f"http://127.0.0.1:{port}/.well-known/openid-configuration", 300):
            sys.exit("the server did not answer under valgrind")
        # Nobody calls a server idle that has not shown a page yet.
        if not all(answers(f"http://127.0.0.1:{port}{page}", 60) for page in ["/", "/sign-in"]):
            sys.exit("the server showed no page under valgrind")
        time.sleep(60)
        server.send_signal(signal.SIGTERM)
    return ran


def executed(ran, known):
    """The names in callgrind's file (https://valgrind.org/docs/manual/cl-format.html) that the program itself has, in its order."""
    functions, names = {}, {}
    for line in ran.read_text().splitlines():
        if found := re.match(r"c?fn=\((\d+)\)(?: (.*))?", line):
            number, name = found.groups()
            functions.setdefault(number, name)
            # A function that calls itself has a mark behind its name.
            names[re.sub(r"'\d+$", "", functions[number])] = True
    return [name for name in names if name in known and PLAIN.fullmatch(name)]


def sizes(program):
    """Bytes of each function."""
    listed = subprocess.run(["nm", "-S", program], capture_output=True, text=True, check=True).stdout
    for line in listed.splitlines():
        parts = line.split()
        if len(parts) == 4 and parts[2] in "tTwW":
            yield parts[3], int(parts[1], 16)


def patterns(ran, program):
    all_bytes, used, runs = Counter(), Counter(), set(ran)
    for name, size in program.items():
        family = HASH.sub("17h", name)
        all_bytes[family] += size
        used[family] += size if name in runs else 0
    for name in ran:
        family = HASH.sub("17h", name)
        if family == name:
            yield name
        elif used[family] * 2 >= all_bytes[family] or all_bytes[family] - used[family] < SMALL:
            yield family + "*"
        else:
            yield re.sub(r"\.llvm\..*$", "", name) + "*"


def still(program):
    """What the list holds already and the program still has: the next build may have run it again."""
    known = sorted(program)
    for name in re.findall(r"\*\(\.text\.(\S+) ", LIST.read_text()) if LIST.exists() else []:
        start = name.rstrip("*")
        place = bisect.bisect_left(known, start)
        if place < len(known) and (known[place].startswith(start) if name.endswith("*") else known[place] == start):
            yield name


def main():
    program = Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else build()
    with tempfile.TemporaryDirectory() as folder:
        known = dict(sizes(program))
        ran = executed(profile(program, Path(folder)), known)
    wanted = list(dict.fromkeys([*patterns(ran, known), *still(known)]))
    # What the compiler holds to be seldom run stands in a section of its own.
    lines = [f"    *(.text.{name} .text.unlikely.{name})" for name in wanted]
    text = "/* The functions that a start runs, side by side. order.py writes this file and says why. */\n"
    text += "SECTIONS\n{\n  .text.start :\n  {\n" + "\n".join(lines) + "\n  }\n}\nINSERT BEFORE .text;\n"
    LIST.write_text(text)
    print(f"{len(wanted)} names of functions in {LIST}")


if __name__ == "__main__":
    main()
