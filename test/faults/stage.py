"""What a case is played with: the proxy before some servers, and what it must have shown in the end."""
import contextlib
import dataclasses
import math
import pathlib
import sys

import checker
from load import Load

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path += [str(ROOT / "test" / "bench"), str(ROOT / "test" / "conformance" / "redis")]

import programs  # noqa: E402


@dataclasses.dataclass
class Expectation:
    what: str
    holds: bool
    seen: str
    late: bool = False  # it is about time: a busy machine may be late once


@dataclasses.dataclass
class Outcome:
    """One row of the table."""
    gap: float | None = None  # the longest time without a success, of the kind that had the longest
    beyond: float | None = None  # how long after the event's end the last client went on
    verdict: checker.Verdict = dataclasses.field(default_factory=checker.Verdict)
    remark: str = ""
    expectations: list = dataclasses.field(default_factory=list)
    details: list = dataclasses.field(default_factory=list)

    def expect(self, what, holds, seen=""):
        self.expectations.append(Expectation(what, bool(holds), str(seen)))

    def within(self, what, seconds, bound):
        """`bound`: of a machine that does nothing else."""
        self.expectations.append(Expectation(f"{what} within {bound} s", seconds is not None and seconds <= bound,
                                             "never" if seconds in (None, math.inf) else f"{seconds:.3f} s", late=True))

    def failed(self):
        return [one for one in self.expectations if not one.holds]

    def nothing_is_lost(self):
        v = self.verdict
        for what in ("lost", "doubled", "torn", "foreign"):
            some = getattr(v, what)
            self.expect(f"nothing is {what}", not some, f"{len(some)}: {some[:5]}")
        self.expect("every operation was answered", v.unanswered == 0, v.unanswered)

    def judge(self, load, store):
        """Fills the row in from what a load did and what the store has."""
        operations = list(load.operations)
        self.verdict = checker.judge(operations, store)
        kinds = [kind for kind in dict.fromkeys(load.kinds) if kind != "rest"]
        gaps = {kind: checker.longest_gap(operations, kind) for kind in kinds}
        self.gap = max(gaps.values())
        for kind in dict.fromkeys(load.kinds):
            mine = [one for one in operations if one.kind == kind]
            failed = [one for one in mine if not one.ok]
            gap = f", longest gap {gaps[kind]:.3f} s" if kind in gaps else ""
            self.details.append(f"{kind}: {len(mine) - len(failed)} ok, {len(failed)} errors{gap}")
        texts = {}
        for one in operations:
            if not one.ok:
                key = f"{one.kind}: {one.error or 'never answered'}"
                texts[key] = texts.get(key, 0) + 1
        self.details += [f"{count} x {text}" for text, count in sorted(texts.items())]
        if self.verdict.doubtful:
            self.details.append(f"doubtful: {len(self.verdict.doubtful_there)} were committed, "
                                f"{len(self.verdict.doubtful_gone)} were not")
        self.nothing_is_lost()
        return operations

    def goes_on_beyond(self, operations, end):
        """How long after `end` the last client went on; those at rest do so when they are woken."""
        self.beyond = checker.beyond([one for one in operations if one.kind != "rest"], end)

    def everybody_goes_on(self, load, since, bound=30):
        load.wake()
        self.expect("everybody goes on", load.every_worker_did(10, since, bound), f"not within {bound} s")

    def rests_without_error(self, operations):
        failed = [one.error for one in operations if one.at_rest and not one.ok]
        self.expect("who was at rest notices nothing", not failed, failed)

    def at_most_one_error_each(self, operations, since, until):
        """Who had something on its way when it happened is told so, once; nobody else is told anything."""
        failed = checker.errors_of_workers(operations)
        often = {worker: [one.error for one in some] for worker, some in failed.items() if len(some) > 1}
        self.expect("nobody is told more than one error", not often, often)
        outside = [f"{one.kind} begun {one.began - until:+.3f} s after it, ended {one.ended - until:+.3f}: {one.error}"
                   for some in failed.values() for one in some
                   if one.ended is not None and (one.began > until or one.ended < since)]
        self.expect("only what was in flight is told an error", not outside, outside[:5])


def seconds(value):
    return "-" if value is None else "never" if value == math.inf else f"{value:.2f}"


def proxy(folder, binary, listener, threads=2, name="ambassador"):
    """The proxy with one listener, as the configuration document has it."""
    return programs.proxy(folder, binary, listener, threads, name)


WORKERS = {"write": 6, "transaction": 3, "read": 4, "rest": 3}


class Scene:
    """Servers, the proxy before them, and clients at work; all ended with the stack. A protocol's own says what they are."""

    def __init__(self, play, stack):
        self.play, self.stack, self.folder = play, stack, play.folder

    def enter(self, server):
        self.stack.enter_context(ended(server))
        return server

    def run_proxy(self, listener):
        return self.stack.enter_context(proxy(self.folder, self.play.binary, listener))

    def run_load(self, connect, workers=None):
        load = self.stack.enter_context(Load(connect, workers or WORKERS))
        if not load.every_worker_did(20):
            raise SystemExit(f"the load does not run: {sorted({one.error for one in load.operations} - {None})[:3]}")
        return load


@contextlib.contextmanager
def ended(*servers):
    try:
        yield servers
    finally:
        for server in servers:
            server.end()
