"""The list of what may be different through the proxy: accepted/MODE.txt has, for each reason, the tests of the suite that
fail for it and how:

    # the reason
    unit/NAME: the test | the error, * for anything

What the client gets is an error reply, or the reason begins with "No error, " and says what it is instead."""
import dataclasses
import fnmatch
import pathlib
import re

FOLDER = pathlib.Path(__file__).resolve().parent / "accepted"
NO_ERROR = "No error, "
ERROR_REPLY = re.compile(r"\b(ERR|CROSSSLOT|NOPROTO|EXECABORT|WRONGPASS|NOAUTH) ")


@dataclasses.dataclass
class Difference:
    test: str
    problem: str  # a pattern
    reason: str
    seen: bool = False


def accepted(mode):
    found, reason, last = [], "", ""
    for line in (FOLDER / f"{mode}.txt").read_text().splitlines():
        if line.startswith("#"):
            reason = (reason + " " if last.startswith("#") else "") + line[1:].strip()
        elif line:
            test, _, problem = line.rpartition(" | ")
            found.append(Difference(test, problem, reason))
        last = line
    return found


def faults_of_list(mode):
    wrong = []
    for one in accepted(mode):
        if not one.reason:
            wrong.append(f"{one.test}: no reason")
        elif not one.reason.startswith(NO_ERROR) and not ERROR_REPLY.search(one.problem):
            wrong.append(f"{one.test}: what the client gets instead is no error reply: {one.problem}")
    return wrong


def matches(text, pattern):
    return fnmatch.fnmatchcase(text, pattern.replace("[", "[[]"))


def judge(mode, direct, proxied):
    """What is not as the list has it. Not judged: what this machine's server fails at, too."""
    known = {one.test: one for one in accepted(mode)}
    wrong = [f"{test}: on the list, and no test" for test in known if test not in direct]
    for test, problem in direct.items():
        if problem:  # this machine's, or chance
            continue
        found = proxied.get(test, "it has not run")
        listed = known.get(test)
        if found and not listed:
            wrong.append(f"{test} | {found}")
        elif found and not matches(found, listed.problem):
            wrong.append(f"{test}: another difference than is accepted: {found}")
        elif not found and listed:
            wrong.append(f"{test}: this difference does not occur any more: {listed.problem}")
    return wrong
