"""The list of what may be different through the proxy: in accepted/MODE-SUITE, a file TEST.diff for each test, with the
reason and then the difference itself. Where it is one of several, as chance has it, the others are TEST_1.diff and so on,
as PostgreSQL calls expected results; one of them may be none at all. TEST.ignored says why a test is not judged."""
import collections
import difflib
import pathlib
import re

FOLDER = pathlib.Path(__file__).resolve().parent / "accepted"
CONTEXT = 2
REASON = "# "
NO_ERROR = "# No error, "
# What psql and isolationtester show of an error; the first of several lines is the error itself.
ERROR = re.compile(r"(ERROR|FATAL): ")
OF_ERROR = re.compile(r"(ERROR|FATAL|DETAIL|HINT|CONTEXT|LINE \d+): |\s*\^$")


def difference(direct, proxied):
    """A unified diff without line numbers, which other versions of a test have other ones of."""
    lines = list(difflib.unified_diff(direct.splitlines(), proxied.splitlines(), n=CONTEXT, lineterm=""))[2:]
    return ["@@" if line.startswith("@@ ") else line for line in lines]


def accepted(name):
    """{test: [(the reason, a difference)]} of MODE-SUITE."""
    found = collections.defaultdict(list)
    for path in sorted((FOLDER / name).glob("*.diff")):
        lines = path.read_text().splitlines()
        reason = [line for line in lines if line.startswith(REASON)]
        found[re.sub(r"_\d+$", "", path.stem)].append((reason, lines[len(reason):]))
    return found


def ignored(name):
    """{test: the reason}"""
    return {path.stem: path.read_text().splitlines() for path in (FOLDER / name).glob("*.ignored")}


def faults_of_list(name):
    """Every one has a reason, and is an explicit error, or says why it is none."""
    wrong = []
    listed = [(test, *one) for test, several in accepted(name).items() for one in several]
    for test, reason, lines in listed:
        if not reason:
            wrong.append(f"{test}: no reason")
        if not lines or any(line.startswith(NO_ERROR) for line in reason):
            continue
        added = [line[1:] for line in lines if line.startswith("+")]
        if not any(ERROR.match(line) for line in added) or not all(OF_ERROR.match(line) for line in added):
            wrong.append(f"{test}: what the client gets instead is no error")
    wrong += [f"{test}: no reason" for test, reason in ignored(name).items() if not reason]
    return wrong


def judge(name, direct, proxied, left_to_chance=frozenset()):
    """What is not as the list has it."""
    wrong = []
    known = accepted(name)
    unjudged = ignored(name)
    if direct.keys() != proxied.keys():
        wrong.append(f"other tests: {sorted(direct.keys() ^ proxied.keys())}")
    for test in sorted(direct.keys() & proxied.keys() - left_to_chance - unjudged.keys()):
        found = difference(direct[test], proxied[test])
        expected = [lines for _, lines in known.pop(test, [(None, [])])]
        if found not in expected:
            what = "is not an accepted one" if found else "does not occur any more"
            wrong.append(f"{test}: this difference {what}:\n" + "\n".join((found or expected[0])[:60]))
    wrong += [f"{test}: on the list, and no test" for test in known.keys() | unjudged.keys() - direct.keys()]
    return wrong
