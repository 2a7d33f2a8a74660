"""What RouteScan calls a read is one to PostgreSQL's own parser, over PostgreSQL's regression suite and what can be made
of it. Needs libpg-query-dev and postgresql-15; fetches the suite from PyPI. By itself, with the program built:

    python3 -m pytest -q -s test/conformance/postgresql
"""
import pathlib
import random
import re
import subprocess
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
NAMES = ROOT / "proxy" / "postgresql" / "names"
sys.path[:0] = [str(HERE), str(HERE.parent), str(NAMES)]

import corpus  # noqa: E402
import generate  # noqa: E402
import mutants  # noqa: E402
import oracle as parser  # noqa: E402
from built import built  # noqa: E402
from scratch_server import scratch_server  # noqa: E402

LEAST_SHARE = 0.95  # of the reads that are seen to be reads: else "all are writes" would pass
MUTANTS = 400_000  # one in seven is SQL
SEED = 15
CONTROL = "pg_walfile_name"  # immutable to PostgreSQL, and refused by a replica


@pytest.fixture(scope="module")
def rows():
    """What this machine's PostgreSQL 15 says of its names, after its version."""
    with scratch_server() as psql:
        return psql("-c", "show server_version", "-f", str(NAMES / "names.sql"))


@pytest.fixture(scope="module")
def oracle(rows):
    return parser.Oracle([row.split(" ") for row in rows.split("\n")[1:] if row])


@pytest.fixture(scope="module")
def statements():
    return corpus.statements()


def test_a_replica_runs_the_functions_of_the_list(oracle):
    with scratch_server(replica=True) as psql:
        functions = "{" + ",".join(sorted(oracle.functions | {CONTROL})) + "}"
        calls = psql("-v", f"names={functions}", "-f", str(HERE / "calls.sql"))
        # Most have nothing to say to such arguments; what they must not say is that this is a replica.
        answers = psql(text=calls)
    refused = re.findall("^ERROR:.*(?:recovery|read-only|standby).*(?:\\nHINT:.*)?", answers, re.M)
    assert len(refused) == 1 and CONTROL in refused[0], "\n".join(refused)
    assert len(calls.splitlines()) > 2000 and answers.count("ERROR") < 500


def routes(texts):
    out = subprocess.run([built("conformance_postgresql_route")], input=b"".join(text + b"\0" for text in texts), check=True, stdout=subprocess.PIPE)
    answers = out.stdout.decode().split()
    assert len(answers) == len(texts)
    assert "sent_elsewhere" not in answers, texts[answers.index("sent_elsewhere")]
    return answers


def begins_read_only(tree):
    """BEGIN or START TRANSACTION that may run on a replica."""
    statement = tree["stmts"][0]["stmt"].get("TransactionStmt", {})
    options = [option["DefElem"] for option in statement.get("options", [])]
    modes = [option["arg"]["A_Const"] for option in options if option["defname"] == "transaction_read_only"]
    return (statement.get("kind") in ("TRANS_STMT_BEGIN", "TRANS_STMT_START") and bool(modes)
            and all(mode.get("ival", {}).get("ival", 0) == 1 for mode in modes)
            and not any(option["arg"]["A_Const"].get("sval", {}).get("sval") == "serializable" for option in options))


def violations(oracle, statements):
    """Those that a replica would be given though they may write, and how many reads there are and are seen."""
    wrong, reads, seen = [], 0, 0
    for (text, tree), route in zip(statements, routes([text for text, _ in statements])):
        why = oracle.why_no_read(tree)
        if route == "replica_transaction" and begins_read_only(tree):
            rest = tree["stmts"][1:]
            why = oracle.why_no_read({"stmts": rest}) if rest else None
        elif route == "replica_transaction":
            why = why or "begins no transaction that is read only"
        elif why is None:
            reads += 1
            seen += route == "replica"
        if why and route != "primary":
            wrong.append(f"{why}: {text.decode(errors='replace')}")
    return wrong, reads, seen


def show(wrong):
    return f"{len(wrong)} in all\n" + "\n\n".join(sorted(wrong, key=len)[:20])


def test_the_names_are_what_a_server_says(rows):
    made = (NAMES.parent / "sql_names_data.hpp").read_text()
    source = made.split("Source: PostgreSQL ")[1].split(".\n")[0]
    wanted = generate.generated(rows).replace(rows.split()[0], source, 1)
    assert made == wanted, "run proxy/postgresql/names/generate.py as it says"


def test_no_write_of_the_regression_suite_is_taken_for_a_read_and_most_reads_are_seen(oracle, statements, capsys):
    wrong, reads, seen = violations(oracle, statements)
    with capsys.disabled():
        print(f"\n{len(statements)} statements, {reads} reads, {seen / reads:.1%} of them seen")
    assert not wrong, show(wrong)
    assert reads > 5000 and seen / reads >= LEAST_SHARE


def test_no_write_among_several_statements_is_taken_for_a_read(oracle, statements):
    chance = random.Random(SEED)
    reads = [item for item in statements if oracle.why_no_read(item[1]) is None]
    pairs = []
    for text, tree in statements:
        other, other_tree = chance.choice(reads)
        both = [(text, tree), (other, other_tree)]
        chance.shuffle(both)
        pairs.append((b"\n;".join(text for text, _ in both), {"stmts": both[0][1]["stmts"] + both[1][1]["stmts"]}))
    wrong, _, seen = violations(oracle, pairs)
    assert not wrong, show(wrong)
    assert seen


def test_no_write_is_taken_for_a_read_in_what_can_be_made_of_reads(oracle, statements, capsys):
    texts = [text for text, tree in statements if next(iter(tree["stmts"][0]["stmt"])) == "SelectStmt" and len(text) < 600]
    made = []
    for text in mutants.mutants(texts, MUTANTS, SEED):
        try:
            tree = parser.parse(text)
        except ValueError:  # not UTF-8
            continue
        if tree:
            made.append((text, tree))
    wrong, reads, seen = violations(oracle, made)
    with capsys.disabled():
        print(f"\n{len(made)} mutants that are SQL, {reads} reads, {seen / reads:.1%} of them seen")
    assert not wrong, show(wrong)
    assert len(made) > MUTANTS / 20 and seen
