"""Runs the suite of Redis against a port, unit by unit, and says what became of each test."""
import os
import pathlib
import re
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
sys.path.insert(0, str(HERE))

import suite_source  # noqa: E402

SHOWN = ROOT / "build" / "suites"  # what was printed, to look at
SILENCE = 180  # seconds without a word after which a test hangs; a busy machine takes long for 50,000 commands
# Its processes talk on one of the 32 ports below the one that it is told, which has to have another 10,000 above it. Runs at
# the same time have others.
BASE_PORT = 20000 + 64 * (os.getpid() % 150)
BOUND = 1200  # for a unit; a busy machine takes long
# What needs another server than one that is there, or hours.
LEFT_OUT = "-needs:repl -needs:debug -needs:save -needs:reset -needs:other-server -slow -large-memory"
# Units that break off at what is refused outside of their tests.
BROKEN_OFF = {"unit/tracking", "unit/latency-monitor"}
# Tests in which a script goes on for ever, since they wait for PING to be refused, which the ambassador answers itself.
SKIPPED = "/^FUNCTION - test (function|script) kill|^Timedout |SCRIPT KILL"
LINE = re.compile(r"^\[(ok|err|ignore|skip|exception|TIMEOUT)\]: (.*)$")
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def run(stage, folder, mode):
    """{"UNIT: TEST": what went wrong, empty: nothing}. `stage()` is a server, or some behind the proxy, for as long as a unit
    takes: where clients connect, and the ports of those behind it."""
    tree = folder / f"suite-{mode}"
    shutil.copytree(suite_source.fetched(), tree)
    with open(tree / "tests" / "support" / "redis.tcl", "a") as client:
        client.write(f"\nsource {HERE / 'shim.tcl'}\n")
    shown = SHOWN / f"{mode}-redis"
    shutil.rmtree(shown, ignore_errors=True)
    shown.mkdir(parents=True)
    outcomes = {}
    for unit in suite_source.units():
        if unit in BROKEN_OFF:
            continue
        with stage() as (port, servers):
            text = _run_unit(unit, tree, port, servers)
        (shown / (unit.replace("/", "-") + ".log")).write_text(text)
        outcomes |= {f"{unit}: {name}": problem for name, problem in outcomes_in(text).items()}
    assert len(outcomes) > 1000, f"only {len(outcomes)} tests have run, see {shown}"
    return outcomes


def _run_unit(unit, tree, port, servers):
    environment = {**os.environ, "TERM": "dumb"}
    if servers:
        environment["AMBASSADOR_SERVERS"] = " ".join(map(str, servers))
    command = ["tclsh", "tests/test_helper.tcl", "--host", "127.0.0.1", "--port", str(port), "--single", unit, "--durable",
               "--singledb", "--ignore-encoding", "--ignore-digest", "--dont-clean", "--timeout", str(SILENCE), "--tags",
               LEFT_OUT, "--skiptest", SKIPPED, "--baseport", str(BASE_PORT)]
    try:
        done = subprocess.run(command, cwd=tree, env=environment, check=False, timeout=BOUND, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        printed = done.stdout
    except subprocess.TimeoutExpired as late:
        printed = late.stdout + b"\n[TIMEOUT]: the unit\n"
    return COLOUR.sub("", printed.decode(errors="replace"))


def outcomes_in(text):
    """{test: the error, or nothing}. Tests with one name are numbered."""
    found = {}
    text = text.split("\n                   The End")[0]
    lines = text.split("\n")
    for at, line in enumerate(lines):
        match = LINE.match(line)
        if not match or match[1] in ("ignore", "skip"):
            continue
        name, problem = match[2], ""
        if match[1] == "ok":
            name = re.sub(r" \(\d+ ms\)$", "", name)
        else:
            if match[1] == "err":
                name = re.sub(r" in tests/unit/\S+\.tcl$", "", name)
            said = []
            for more in lines[at + 1:]:
                if LINE.match(more) or more.startswith("["):
                    break
                said.append(more)
            # Of an error that no test had expected the first ten bytes are missing; the stack behind it has them.
            stack = next((i for i, one in enumerate(said) if one.startswith("    while executing")), None)
            problem = (said[stack - 1] if stack else said[0] if said else match[1]).strip() or match[1]
        number = 2
        unique = name
        while unique in found:
            unique = f"{name} #{number}"
            number += 1
        found[unique] = problem
    return found
