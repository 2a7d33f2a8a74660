"""A client that vanishes at any byte of what it says leaves nothing behind: the next one on the same server connection
finds a new session, nobody's transaction stays open, and of a transaction that was not committed nothing is there."""
import os
import pathlib
import sys
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import proxied  # noqa: E402
import session_state  # noqa: E402
import wire  # noqa: E402

USER, DATABASE = proxied.USER, proxied.DATABASE
BEGIN_ROWS, ALL_ROWS = "INSERT INTO kept VALUES (1)", "INSERT INTO kept VALUES (2)"

# What leaves as much as can be left, one way after the other: {name: (bytes, ReadyForQuery that they bring)}.
SCRIPTS = {
    "session state": (
        wire.query("SET work_mem = '7MB'") + wire.query("SET application_name = 'gone'") + wire.query("SET ROLE another")
        + wire.query("LISTEN gone") + wire.query("CREATE TEMP TABLE gone (n int)") + wire.query("SELECT pg_advisory_lock(7)")
        + wire.query("PREPARE gone AS SELECT 1") + wire.query("DECLARE gone CURSOR WITH HOLD FOR SELECT 1"), 8),
    "transaction": (
        wire.query("BEGIN") + wire.query(BEGIN_ROWS) + wire.query("SAVEPOINT a") + wire.query("SELECT 1/0")
        + wire.query("ROLLBACK TO a") + wire.query(ALL_ROWS) + wire.query("COMMIT"), 7),
    "extended": (
        wire.parse("named", "SELECT $1::int") + wire.parse("", "BEGIN") + wire.bind("", "") + wire.execute("") + wire.SYNC
        + wire.parse("", "SELECT generate_series(1, $1::int)") + wire.bind("portal", "", ["50"]) + wire.describe("P", "portal")
        + wire.execute("portal", 5) + wire.FLUSH + wire.bind("", "named", ["x"]) + wire.execute("") + wire.SYNC
        + wire.query("ROLLBACK") + wire.close("S", "named") + wire.SYNC, 4),
    "copy": (
        wire.query("BEGIN") + wire.query("COPY kept FROM STDIN") + wire.copy_data("1\n") + wire.copy_data("2\n") + wire.COPY_DONE
        + wire.query("COPY kept TO STDOUT") + wire.query("COMMIT"), 4),
}
LOGIN = wire.startup(USER, DATABASE, DateStyle="German", work_mem="9MB")
FIRST = {"TLS": wire.first_packet(wire.SSL_REQUEST) + LOGIN, "GSS": wire.first_packet(wire.GSS_REQUEST) + LOGIN,
         "cancel": wire.cancel_request(1234, b"nobody's")}
WAYS = ("close", "reset", "close when answered", "reset when answered")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = proxied.readable(tmp_path_factory.mktemp("disconnects"))
    with proxied.server(folder) as one:
        one.sql(f"CREATE TABLE kept (n int); ALTER TABLE kept OWNER TO {USER}; GRANT ALL ON kept TO PUBLIC", DATABASE)
        yield one


def vanish(client, said, way):
    """Says that much, and is gone; when answered: after a moment for the answers, so that they are unread."""
    client.send(said)
    if "answered" in way:
        client.socket.settimeout(0.005)
        try:
            client.socket.recv(1)
        except TimeoutError:
            pass
    client.reset() if way.startswith("reset") else client.end()


def wait_for(holds, what):
    end = time.monotonic() + wire.BOUND
    while not holds():
        assert time.monotonic() < end, what
        time.sleep(0.005)


@pytest.mark.parametrize("pooling", ["Transaction", "Session"])
@pytest.mark.parametrize("script", SCRIPTS)
def test_nothing_is_left_of_a_client_that_vanishes(server, tmp_path, pooling, script):
    said, _ = SCRIPTS[script]
    with proxied.proxy(tmp_path, server, pooling, 1, threads=1) as program, wire.Connection(server.port) as watch:
        watch.login("admin", DATABASE)
        defaults = session_state.Defaults(server, program.port, 1)
        for cut in range(len(said) + 1):
            way = WAYS[cut % len(WAYS)]
            where = f"{script}, {pooling}, {way} at {cut} of {len(said)}: {said[max(0, cut - 40):cut]!r}"
            watch.rows("TRUNCATE kept")
            client = wire.Connection(program.port)
            client.login(USER, DATABASE)
            vanish(client, said[:cut], way)
            defaults.hold(where)
            wait_for(lambda: watch.rows("SELECT 1 FROM pg_stat_activity WHERE state LIKE 'idle in transaction%' OR "
                                        "query LIKE '%gone%' AND state = 'active' AND pid <> pg_backend_pid()") == [],
                     f"{where}: its transaction stays open")
            rows = watch.rows("SELECT n FROM kept ORDER BY n")
            assert rows in ([], [["1"], ["2"]]), f"{where}: {rows}"
            assert cut == len(said) or b"COMMIT" in said[:cut] or rows == [], f"{where}: {rows}"
        assert len(watch.rows(f"SELECT 1 FROM pg_stat_activity WHERE usename = '{USER}'")) <= 1


@pytest.mark.parametrize("first", FIRST)
def test_nothing_is_left_of_a_client_that_vanishes_before_it_is_let_in(server, tmp_path, first):
    said = FIRST[first]
    with proxied.proxy(tmp_path, server, "Transaction", 1, threads=1) as program:
        defaults = session_state.Defaults(server, program.port, 1)
        for cut in range(len(said) + 1):
            vanish(wire.Connection(program.port), said[:cut], WAYS[cut % len(WAYS)])
            if cut % 16 == 0 or cut == len(said):
                defaults.hold(f"{first}, at {cut} of {len(said)}")
        descriptors = pathlib.Path(f"/proc/{program.process.pid}/fd")
        wait_for(lambda: len(os.listdir(descriptors)) < 40, "descriptors are left open")
