"""The lists of what may be different through the proxy: accepted/NAME.txt has, for each reason, the tests of a suite that
fail for it and how:

    # the reason
    unit/NAME: the test | the error, * for anything
    unit/NAME: * | the error of several tests

What the client gets is an error reply, or the reason begins with "No error, " and says what it is instead; "No error, by
chance: " is what need not occur. A mode has a list of its own, and those of modes that it does as; of two lines about one test
the first that fits counts."""
import dataclasses
import fnmatch
import pathlib
import re

FOLDER = pathlib.Path(__file__).resolve().parent / "accepted"
NO_ERROR = "No error, "
BY_CHANCE = NO_ERROR + "by chance: "
ERROR_REPLY = re.compile(r"\b(ERR|OOM|CROSSSLOT|NOPROTO|EXECABORT|WRONGPASS|NOAUTH) |(Response|ClusterCrossSlot)Error: ")


@dataclasses.dataclass
class Difference:
    test: str  # a pattern
    problem: str  # a pattern
    reason: str
    tests: set = dataclasses.field(default_factory=set)  # that were found to fail so


def accepted(*names):
    return [one for name in names for one in _listed((FOLDER / f"{name}.txt").read_text().splitlines())]


def _listed(lines):
    found, reason, last = [], "", ""
    for line in lines:
        if line.startswith("#"):
            reason = (reason + " " if last.startswith("#") else "") + line[1:].strip()
        elif line:
            test, _, problem = line.rpartition(" | ")
            found.append(Difference(test, problem, reason))
        last = line
    return found


def faults_of(differences):
    wrong = []
    for one in differences:
        if not one.reason:
            wrong.append(f"{one.test}: no reason")
        elif not one.reason.startswith(NO_ERROR) and not ERROR_REPLY.search(one.problem):
            wrong.append(f"{one.test}: what the client gets instead is no error reply: {one.problem}")
    return wrong


def matches(text, pattern):
    return fnmatch.fnmatchcase(text, pattern.replace("[", "[[]"))


def judge(differences, direct, proxied, most):
    """What is not as the lists have it, of which `most` tests may make use. Not judged: what this machine's server fails at,
    too."""
    wrong, used = faults_of(differences), set()
    for test, problem in direct.items():
        found = proxied.get(test, "it has not run")
        if problem or not found:  # this machine's, or chance
            continue
        fitting = next((one for one in differences if matches(test, one.test) and matches(found, one.problem)), None)
        if fitting is None:
            wrong.append(f"{test} | {found}")
        else:
            fitting.tests.add(test)
            used.add(test)
    for one in differences:
        if not (one.tests or one.test in used or direct.get(one.test) or one.reason.startswith(BY_CHANCE)):
            wrong.append(f"on the list, and does not occur any more: {one.test} | {one.problem}")
    if len(used) > most:
        wrong.append(f"{len(used)} tests are different, of which {most} may be")
    return wrong
