"""PostgreSQL's own regression and isolation tests get through the proxy what they get without it. Needs postgresql-15;
fetches the tests with apt. By itself, with the program built:

    python3 -m pytest -q -s test/conformance/postgresql/test_suites.py
"""
import functools
import pathlib
import re
import subprocess
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import accepted  # noqa: E402
import suites_run as suites  # noqa: E402
from built import built  # noqa: E402

SESSION = {"pooling": "Session", "maxServerConnections": 64}
TRANSACTION = {"pooling": "Transaction", "maxServerConnections": suites.MOST_CLIENTS}
LEAST_UNPINNED = 0.2  # seen: 0.27. A test that sets anything for its session is pinned to its end
BENCH_CLIENTS, BENCH_CONNECTIONS, BENCH_TRANSACTIONS = 64, 4, 100


def program():
    return built("ambassador-proxy")


@functools.cache
def direct(suite):
    """What this machine's server has to say: what PostgreSQL itself did not expect is the machine's."""
    with suites.place() as where, suites.server(where) as server:
        return suites.run(suite, where, server.port, "direct")


def check(mode, suite, proxied):
    name = f"{mode}-{suite}"
    wrong = accepted.judge(name, direct(suite), proxied, suites.ignored(suite)) + accepted.faults_of_list(name)
    assert not wrong, f"{len(wrong)} in all; outputs are in {suites.SHOWN}\n" + "\n\n".join(wrong)


@pytest.mark.parametrize("suite", ["regress", "isolation"])
def test_a_session_through_the_proxy_is_as_one_without(suite):
    with suites.place() as where, suites.server(where) as server:
        with suites.proxy(where, server, program(), 2, SESSION) as proxy:
            proxied = suites.run(suite, where, proxy.port, "session")
    check("session", suite, proxied)


def test_transactions_get_the_same_or_an_error_on_whatever_server(capsys):
    with suites.place() as where, suites.server(where) as server:
        # One worker: else nobody can say which servers have been somebody's before.
        with suites.proxy(where, server, program(), 1, TRANSACTION) as proxy:
            suites.use_all(proxy.port, suites.MOST_CLIENTS)
            before, unpinned_before = proxy.transactions()
            proxied = suites.run("regress", where, proxy.port, "transaction")
            pins = proxy.pins()
            transactions, unpinned = proxy.transactions()
    share = (unpinned - unpinned_before) / (transactions - before)
    with capsys.disabled():
        print(f"\n{transactions - before} transactions, {share:.1%} of them unpinned; clients pinned by "
              + ", ".join(f"{reason} {count}" for reason, count in pins.items() if count))
    check("transaction", "regress", proxied)
    assert share >= LEAST_UNPINNED


@pytest.mark.parametrize("script", ["select-only", "tpcb-like"])
def test_prepared_statements_of_many_clients_pin_nobody(script):
    def pgbench(port, *arguments):
        done = subprocess.run([suites.suites_source.SERVER / "bin" / "pgbench", "-h", "127.0.0.1", "-p", str(port), "-U",
                               suites.ADMIN, *arguments, suites.DATABASES["regress"]], check=False, text=True,
                              timeout=suites.BOUND, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        assert done.returncode == 0, done.stdout[-2000:]
        return done.stdout

    with suites.place() as where, suites.server(where) as server:
        pgbench(server.port, "-i", "-s", "10", "-q")
        with suites.proxy(where, server, program(), 1,
                          {"pooling": "Transaction", "maxServerConnections": BENCH_CONNECTIONS}) as proxy:
            # A thread for each: while pgbench prepares for one client its thread lets all others of it stand still,
            # in transactions too, and so with the server that the one waits for.
            said = pgbench(proxy.port, "-M", "prepared", "-b", script, "-c", str(BENCH_CLIENTS), "-j",
                           str(BENCH_CLIENTS), "-t", str(BENCH_TRANSACTIONS))
            pins, metrics = proxy.pins(), proxy.metrics()
            transactions, unpinned = proxy.transactions()
    done = int(re.search(r"actually processed: (\d+)", said)[1])
    assert done == BENCH_CLIENTS * BENCH_TRANSACTIONS and "failed transactions: 0 " in said
    assert len(pins) > 5 and not any(pins.values()), pins
    assert transactions == unpinned >= done
    assert 1 <= metrics["connections", "in_use"] + metrics["connections", "idle"] <= BENCH_CONNECTIONS
