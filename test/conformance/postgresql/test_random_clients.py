"""Random programs of several clients at once get the same answers from the proxy as from the server, turn by turn and
message by message, and leave the same tables. What may differ is told, with its reason, in transcript.py; what the
programs do not do, because a pool of transactions can't hide it, in NOT_TRIED.

    CLIENTS_SECONDS=600 CLIENTS_SEED=7 python3 -m pytest -q -s test/conformance/postgresql/test_random_clients.py
"""
import concurrent.futures
import os
import pathlib
import random
import sys
import threading
import time

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import proxied  # noqa: E402
import random_program  # noqa: E402
import session_state  # noqa: E402
import transcript  # noqa: E402
import wire  # noqa: E402
from shrunk import shrunk  # noqa: E402

SECONDS = float(os.environ.get("CLIENTS_SECONDS", 60))
SEED = int(os.environ.get("CLIENTS_SEED", random.SystemRandom().randrange(1 << 32)))
CLIENTS, TURNS = 8, 30
CONNECTIONS = {"Transaction": 3, "Session": 3}  # fewer than clients: some wait, and are served by what others left

NOT_TRIED = """
currval and lastval in another transaction than nextval: a sequence's last value is the server connection's.
RESET and DISCARD ALL by clients whose StartupMessage set what is reset: it goes back to what the proxy logged in with.
SQL's EXECUTE of a statement that Parse made: it has another name at the server.
ALTER of a table below a prepared statement: the proxy prepares it anew after the first error, a server never does.
SHOW of a custom parameter that the client has not set: the server knows one that somebody has set for as long as the
connection lasts, without a value after DISCARD ALL, and says so in place of an error.
Statements of before in an aborted transaction: a server that lacks them can't be given them, and says that it is aborted
before it sees what else is wrong; pipelined behind what may abort it likewise.
"""


class Watch:
    """Sees what runs at the server."""

    def __init__(self, server):
        self.connection = wire.Connection(server.port)
        self.connection.login("admin", proxied.DATABASE)
        self.lock = threading.Lock()

    def ask(self, sql):
        with self.lock:
            return self.connection.rows(sql)

    def runs(self, tag):
        """It is there at the server, and so can be cancelled."""
        return self.ask("SELECT 1 FROM pg_stat_activity WHERE state = 'active' AND wait_event = 'PgSleep' AND "
                        f"query LIKE '%{tag} %'") != []


class Tables:
    """One for each client, always with the same number; the numbers are all that is told of tables."""

    def __init__(self, server, watch):
        self.watch = watch
        for number in range(CLIENTS):
            server.sql(f"CREATE TABLE own_{number} (id int PRIMARY KEY, word text, serial serial);"
                       f"ALTER TABLE own_{number} OWNER TO {proxied.USER};"
                       f"GRANT ALL ON own_{number}, own_{number}_serial_seq TO PUBLIC", proxied.DATABASE)
        self.numbers = {int(row[0]) for row in watch.ask("SELECT oid FROM pg_class WHERE relname LIKE 'own%'")}

    def empty(self):
        for number in range(CLIENTS):
            self.watch.ask(f"TRUNCATE own_{number} RESTART IDENTITY")

    def contents(self):
        return [self.watch.ask(f"SELECT * FROM own_{number} ORDER BY id") for number in range(CLIENTS)]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with proxied.server(proxied.readable(tmp_path_factory.mktemp("random"))) as one:
        yield one


def play_all(port, programs, watch, tables, chooses=False):
    """(what each of them heard, what is in the tables then)."""
    tables.empty()
    with concurrent.futures.ThreadPoolExecutor(len(programs)) as threads:
        heard = list(threads.map(
            lambda program: transcript.Player(port, watch, tables.numbers, chooses).play(program), programs))
    return heard, tables.contents()


def smallest(direct, pooled, programs, number, watch, tables):
    """The difference again, with as few turns of that client as show it."""
    program, last = programs[number], "not seen again"

    def fails(turns):
        nonlocal last
        program.turns = turns
        try:
            expected, _ = play_all(direct, programs, watch, tables, chooses=True)
            got, _ = play_all(pooled, programs, watch, tables)
        except AssertionError:  # a query that is to be cancelled does not run in what is left
            return False
        different = transcript.difference(expected[number], got[number])
        last = different or last
        return different != ""

    fails(program.turns)
    shrunk(program.turns, fails)
    return last


def test_pooled_clients_get_what_direct_ones_get(server, tmp_path, capsys):
    watch = Watch(server)
    tables = Tables(server, watch)
    print(f"CLIENTS_SEED={SEED}")  # of a run that fails for another reason than a difference
    played, turns, messages, end = 0, 0, 0, time.monotonic() + SECONDS
    # One worker, so that all connections are found.
    with (proxied.proxy(tmp_path, server, "Transaction", CONNECTIONS["Transaction"], threads=1) as transaction,
          proxied.proxy(tmp_path, server, "Session", CONNECTIONS["Session"], threads=1) as session):
        proxies = {"Transaction": transaction, "Session": session}
        states = {name: session_state.Defaults(server, program.port, CONNECTIONS[name]) for name, program in proxies.items()}
        while played == 0 or time.monotonic() < end:
            seed = f"{SEED}.{played}"
            programs = [random_program.made(number, seed, TURNS) for number in range(CLIENTS)]
            expected, left = play_all(server.port, programs, watch, tables, chooses=True)
            for pooling, program in proxies.items():
                where = f"seed {seed} (CLIENTS_SEED={SEED}), pooling {pooling}"
                got, contents = play_all(program.port, programs, watch, tables)
                for number in range(CLIENTS):
                    if transcript.difference(expected[number], got[number]):
                        pytest.fail(f"{where}, client {number}, {smallest(server.port, program.port, programs, number, watch, tables)}",
                                    pytrace=False)
                assert contents == left, f"{where}: the tables differ"
                states[pooling].hold(where)
            played += 1
            turns += sum(len(program.turns) for program in programs)
            messages += sum(len(heard) for one in expected for _, heard in one)
    with capsys.disabled():
        print(f"\nseed {SEED}: {played * CLIENTS} programs, {turns} turns, {messages} messages, in both ways of pooling")
