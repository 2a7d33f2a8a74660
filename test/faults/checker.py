"""What became of every operation: counts what was acknowledged and is gone, what is there twice, and what nobody was told.

Knows no protocol and no clock: a load gives Operations, a store gives how often it holds each id.
"""
import dataclasses
import math


@dataclasses.dataclass
class Operation:
    worker: int
    kind: str
    ids: tuple  # what it writes, all or nothing
    began: float  # seconds of a monotonic clock
    ended: float | None = None  # None: never answered
    error: str | None = None  # its code, and the text
    at_rest: bool = False  # its connection had lain idle while the fault came

    @property
    def ok(self):
        return self.ended is not None and self.error is None


@dataclasses.dataclass
class Verdict:
    ok: int = 0
    errors: int = 0
    unanswered: int = 0
    lost: list = dataclasses.field(default_factory=list)  # acknowledged, and not there
    doubled: list = dataclasses.field(default_factory=list)  # there more than once
    torn: list = dataclasses.field(default_factory=list)  # of one transaction, and not all there
    foreign: list = dataclasses.field(default_factory=list)  # there, and nobody's
    doubtful_there: list = dataclasses.field(default_factory=list)  # an error was said, and it is there
    doubtful_gone: list = dataclasses.field(default_factory=list)  # an error was said, and it is not

    @property
    def doubtful(self):
        return len(self.doubtful_there) + len(self.doubtful_gone)


def judge(operations, store):
    """`store`: {id: how often it is there}."""
    verdict = Verdict()
    known = set()
    for one in operations:
        known.update(one.ids)
        there = [id for id in one.ids if store.get(id, 0) > 0]
        if one.ok:
            verdict.ok += 1
            verdict.lost += [id for id in one.ids if store.get(id, 0) == 0]
            continue
        if one.ended is None:
            verdict.unanswered += 1
        verdict.errors += 1
        if not one.ids:
            continue
        if there and len(there) < len(one.ids):
            verdict.torn.append(one.ids)
        elif there:
            verdict.doubtful_there += one.ids
        else:
            verdict.doubtful_gone += one.ids
    verdict.doubled = [id for id, count in store.items() if count > 1]
    verdict.foreign = [id for id in store if id not in known]
    return verdict


def longest_gap(operations, kind):
    """The longest time in which no operation of that kind succeeded, in seconds."""
    ends = sorted(one.ended for one in operations if one.ok and one.kind == kind)
    if len(ends) < 2:
        return math.inf
    return max(later - earlier for earlier, later in zip(ends, ends[1:]))


def beyond(operations, event):
    """How long after `event` the last of the workers had its first success."""
    first = {}
    for one in operations:
        first.setdefault(one.worker, math.inf)
        if one.ok and one.ended >= event:
            first[one.worker] = min(first[one.worker], one.ended)
    return max(first.values(), default=math.inf) - event


def errors_of_workers(operations):
    """{worker: its operations that failed}"""
    failed = {}
    for one in operations:
        if not one.ok:
            failed.setdefault(one.worker, []).append(one)
    return failed
