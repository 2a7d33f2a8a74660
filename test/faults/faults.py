"""What clients see, and what becomes of their writes, while servers fail behind the proxy: ./run test faults.

Every case starts real servers and the proxy on free loopback ports, lets clients work, breaks something, and holds what
the servers have in the end against what every client was told. Alone: python3 test/faults/faults.py [CASE...]
"""
import argparse
import dataclasses
import os
import pathlib
import shutil
import sys
import tempfile
import time

import stage  # first: it lets the others find test/bench

import postgresql_cases
import redis_cases

PROTOCOLS = {"PostgreSQL": postgresql_cases.CASES, "Redis": redis_cases.CASES}
DOCUMENT = stage.ROOT / "docs" / "faults.md"
BEGIN, END = "<!-- written by test/faults -->\n", "<!-- end of what test/faults wrote -->\n"
TRIES = 3  # a machine that is busy is late sometimes, a proxy that is late is so always


@dataclasses.dataclass
class Play:
    """What a case gets."""
    binary: pathlib.Path
    folder: pathlib.Path
    cancels: int


def row(protocol, name, outcome):
    v = outcome.verdict
    return (f"| {protocol} | {name} | {stage.seconds(outcome.gap)} | {stage.seconds(outcome.beyond)} | {v.ok:,} | {v.errors} | "
            f"{len(v.lost) + len(v.torn)} | {len(v.doubled) + len(v.foreign)} | {v.doubtful} | {outcome.remark} |")


HEAD = ("| | case | longest gap, s | beyond, s | ok | errors | lost | doubled | doubtful | |\n"
        "|---|---|---|---|---|---|---|---|---|---|")


def played(case, arguments):
    """Once; again when it was late and nothing else."""
    for left in range(TRIES - 1, -1, -1):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="faults-"))
        os.chmod(folder, 0o755)  # servers run as another user
        outcome = None
        try:
            outcome = case(Play(arguments.binary, folder, arguments.cancels))
        finally:
            if outcome is not None and not (outcome.failed() and arguments.keep):
                shutil.rmtree(folder)
            else:
                print(f"  kept: {folder}", file=sys.stderr)
        failed = outcome.failed()
        if not failed or not all(one.late for one in failed) or left == 0:
            return outcome
        print(f"  late, once more: {failed[0].what}: {failed[0].seen}", file=sys.stderr)
    raise AssertionError


def write(cases, rows):
    text = DOCUMENT.read_text()
    before, after = text[:text.index(BEGIN) + len(BEGIN)], text[text.index(END):]
    there = {line.split("|")[2].strip(): line for line in text[len(before):-len(after)].splitlines() if line.startswith("| ")}
    lines = [rows.get(name) or there.get(name) for name in cases]
    DOCUMENT.write_text(before + "\n" + "\n".join([HEAD, *filter(None, lines)]) + "\n\n" + after)


def main():
    cases = {name: (protocol, case) for protocol, some in PROTOCOLS.items() for name, case in some.items()}
    parser = argparse.ArgumentParser(prog="test/faults/faults.py", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("case", nargs="*", help=f"these only: {', '.join(cases)}")
    parser.add_argument("--binary", type=pathlib.Path, default=stage.ROOT / "build/release/bin/ambassador-proxy")
    parser.add_argument("--cancels", type=int, default=2000, help="so many cancels in the case about them")
    parser.add_argument("--keep", action="store_true", help="keep the folder of a case that failed, logs and all")
    parser.add_argument("--write", action="store_true", help=f"put the rows into {DOCUMENT.relative_to(stage.ROOT)}; those of other cases stay")
    arguments = parser.parse_args()
    if not arguments.binary.exists():
        raise SystemExit(f"{arguments.binary} is not there: run ./run build release")
    unknown = [name for name in arguments.case if name not in cases]
    if unknown:
        raise SystemExit(f"no such case: {', '.join(unknown)}")

    rows, wrong = {}, []
    for name in arguments.case or cases:
        protocol, case = cases[name]
        began = time.monotonic()
        outcome = played(case, arguments)
        rows[name] = row(protocol, name, outcome)
        print(f"{name} ({time.monotonic() - began:.0f} s)")
        for detail in outcome.details:
            print(f"  {detail}")
        for one in outcome.failed():
            print(f"  FAILED: {one.what}: {one.seen}")
            wrong.append(f"{name}: {one.what}: {one.seen}")
        sys.stdout.flush()
    print("\n" + "\n".join([HEAD, *rows.values()]))
    if arguments.write:
        write(cases, rows)
    if wrong:
        print("\nfailed:\n  " + "\n  ".join(wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
