"""Faults that PostgreSQL or its proxies had and that a proxy could repeat, each tried here or named with the test that
does. docs/security.md has the table.
"""
import contextlib
import os
import pathlib
import re
import struct
import subprocess
import sys
import time

import psycopg2
import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import proxied  # noqa: E402
import scripted_server  # noqa: E402
import session_state  # noqa: E402
import wire  # noqa: E402

USER, DATABASE, PASSWORD = proxied.USER, proxied.DATABASE, proxied.PASSWORD
HBA = (f"local all all trust\nhost all admin 127.0.0.1/32 trust\nhost {DATABASE} {USER} 127.0.0.1/32 trust\n"
       f"host {DATABASE} expired,withdrawn,scram 127.0.0.1/32 scram-sha-256\nhost {DATABASE} md5 127.0.0.1/32 md5\n")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with proxied.server(proxied.readable(tmp_path_factory.mktemp("known")), hba=HBA) as one:
        one.sql(f"CREATE ROLE scram LOGIN PASSWORD '{PASSWORD}'; CREATE ROLE expired LOGIN PASSWORD '{PASSWORD}' VALID UNTIL '2001-01-01';"
                f"SET password_encryption = md5; CREATE ROLE md5 LOGIN PASSWORD '{PASSWORD}'")
        yield one


def by_libpq(port, user, password):
    return psycopg2.connect(host="127.0.0.1", port=port, user=user, password=password, dbname=DATABASE, sslmode="disable",
                            connect_timeout=wire.BOUND)


def login(port, **parameters):
    client = wire.Connection(port)
    assert client.login(USER, DATABASE, **parameters)[-1][0] == "Z"
    return client


def last_words(connection):
    """(SQLSTATE or None, message) of the last error before the end."""
    rest, found = connection.closed_by_peer(), {}
    while len(rest) >= 5:
        size = 1 + struct.unpack_from("!I", rest, 1)[0]
        if rest[:1] == b"E":
            found = wire.fields(rest[5:size])
        rest = rest[size:]
    return found.get("C"), found.get("M", "")


# Clients ------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("code", [wire.SSL_REQUEST, wire.GSS_REQUEST])
@pytest.mark.parametrize("behind", [b"x", wire.startup(USER, DATABASE), wire.startup(USER, DATABASE) + wire.query("SELECT 1")])
def test_cve_2021_23214_2021_3935_2021_43766_bytes_behind_a_wish_for_encryption_are_not_used(server, tmp_path, code, behind):
    """With a certificate: 'bytes behind a wish for encryption end the connection' in session_test.cpp, and
    pooled_tls_test.cpp over sockets."""
    with proxied.proxy(tmp_path, server, "Transaction", 1, threads=1) as program:
        with wire.Connection(program.port) as client:
            client.send(wire.first_packet(code) + behind)
            assert last_words(client)[0] == "08P01"


def test_cve_2026_6664_lengths_that_overflow_before_the_login_are_refused(server, tmp_path):
    with proxied.proxy(tmp_path, server, "Transaction", 1, threads=1) as program:
        for length in [(1 << 32) - n for n in range(1, 12)] + [(1 << 31) + n for n in range(-3, 12)]:
            for code in (wire.PROTOCOL_3_0, wire.CANCEL_REQUEST, wire.SSL_REQUEST):
                with wire.Connection(program.port) as client:
                    client.send(struct.pack("!II", length, code) + b"user\0app\0" * 200)
                    client.closed_by_peer()
        login(program.port).end()


def test_cve_2025_12819_a_search_path_of_the_client_does_not_reach_what_the_proxy_asks_itself(server, tmp_path):
    """What the proxy says for itself on a client's server (settings, standing) names pg_catalog."""
    server.sql("CREATE SCHEMA evil; CREATE TABLE evil.called (what text); GRANT ALL ON SCHEMA evil TO PUBLIC;"
               "GRANT ALL ON evil.called TO PUBLIC;"
               "CREATE FUNCTION evil.set_config(text, text, boolean) RETURNS text LANGUAGE sql AS "
               "$$INSERT INTO evil.called VALUES ('set_config') RETURNING what$$;"
               "CREATE FUNCTION evil.pg_is_in_recovery() RETURNS boolean LANGUAGE sql AS "
               "$$INSERT INTO evil.called VALUES ('recovery') RETURNING true$$", DATABASE)
    with proxied.proxy(tmp_path, server, "Transaction", 1, threads=1) as program:
        for path in ("evil, pg_catalog", "evil"):
            for parameters in ({"search_path": path}, {"options": f"-c search_path={path.replace(' ', '')}"}):
                with login(program.port, **parameters, DateStyle="German", application_name="evil") as one, \
                        login(program.port, **parameters, DateStyle="ISO, DMY") as other:
                    for client in (one, other, one, other):  # each time with other settings on the same server
                        assert client.rows("SHOW search_path") in ([[path]], [[path.replace(" ", "")]])
        assert server.sql("SELECT what FROM evil.called", DATABASE) == []
        # It would be seen: called without the schema's name it is the evil one.
        with login(program.port, search_path="evil, pg_catalog") as client:
            client.rows("SELECT set_config('a.b', 'c', false)")
    assert server.sql("SELECT what FROM evil.called", DATABASE) == [("set_config",)]


def test_cve_2025_2291_a_password_that_is_no_longer_valid_lets_nobody_in(server, tmp_path):
    with proxied.proxy(tmp_path, server, "Passthrough", 4) as program:
        for port in (server.port, program.port):
            with pytest.raises(psycopg2.OperationalError, match='password authentication failed for user "expired"'):
                by_libpq(port, "expired", PASSWORD)
    # Nor when it ends while connections are warm: the next login is asked of the server.
    server.sql(f"CREATE ROLE withdrawn LOGIN PASSWORD '{PASSWORD}'")
    with proxied.proxy(tmp_path, server, "Passthrough", 4) as program:
        by_libpq(program.port, "withdrawn", PASSWORD).close()
        server.sql("ALTER ROLE withdrawn VALID UNTIL '2001-01-01'")
        with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
            by_libpq(program.port, "withdrawn", PASSWORD)


@pytest.mark.parametrize("user", ["scram", "md5"])
def test_cve_2025_46801_a_wrong_password_is_refused_also_when_connections_are_warm(server, tmp_path, user):
    with proxied.proxy(tmp_path, server, "Passthrough", 8) as program:
        warm = [by_libpq(program.port, user, PASSWORD) for _ in range(3)]
        warm.pop().close()
        for wrong in ("wrong", PASSWORD + "x", PASSWORD[:-1], " "):
            with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
                by_libpq(program.port, user, wrong)
        by_libpq(program.port, user, PASSWORD).close()
        for one in warm:
            one.close()


def test_cve_2026_6667_no_client_is_an_administrator_of_the_proxy(server, tmp_path):
    with proxied.proxy(tmp_path, server, "Transaction", 1, threads=1) as program:
        with login(program.port) as victim:
            for database in ("pgbouncer", "pgcat", "pgdog", "console", "odyssey", "admin"):
                with wire.Connection(program.port) as client:
                    answer = client.login("admin", database)
                    assert [wire.fields(body)["C"] for kind, body in answer if kind == "E"] == ["28000"], database
            with login(program.port) as client:
                for command in ("SHOW CLIENTS", f"KILL {DATABASE}", "KILL_CLIENT 1", "PAUSE", "RELOAD", "SHUTDOWN", "SHOW HELP"):
                    answer = client.ask(wire.query(command))
                    assert [kind for kind, _ in answer] == ["E", "Z"], command
            assert victim.rows("SELECT 7") == [["7"]]


def test_cve_2025_62409_what_comes_while_the_connection_closes_meets_nobody(server, tmp_path):
    """The server's side is cut, or the proxy ends it, while the client goes on sending."""
    with proxied.proxy(tmp_path, server, "Session", 1, threads=1) as program:
        defaults = session_state.Defaults(server, program.port, 1)
        for ending in (wire.query("SELECT pg_terminate_backend(pg_backend_pid())"), wire.message("?", b"what"), wire.TERMINATE):
            for more in (wire.query("SELECT 1") * 1000, wire.query("SELECT '" + "x" * 1_000_000 + "'"), wire.SYNC * 3,
                         wire.query("SELECT '" + "x" * 1_000_000 + "'")[:500_000]):
                client = login(program.port)
                client.send(ending + more)
                client.send(more)
                client.reset()
                defaults.hold(f"{ending[:40]!r}")


# Servers ------------------------------------------------------------------------------------------------------

TLS = {"serverTLS": {"mode": "Require"}}


@contextlib.contextmanager
def before(folder, say, pooling="Transaction", **more):
    """The proxy before a server that says that."""
    with scripted_server.serving(say) as port:
        with proxied.proxy(folder, None, pooling, 2, threads=1, queue="2s", backend={"host": "127.0.0.1", "port": port},
                           **more) as program:
            yield program


def first_words(program):
    with wire.Connection(program.port) as client:
        client.send(wire.startup(USER, DATABASE))
        return last_words(client)


@pytest.mark.parametrize("behind", [b"x", scripted_server.WELCOME, scripted_server.error(S="FATAL", C="28000", M="injected")])
@pytest.mark.parametrize("pooling", ["Transaction", "Passthrough"])
def test_cve_2021_23222_2021_43767_bytes_behind_the_server_s_consent_are_not_used(tmp_path, behind, pooling):
    began = []

    def say(connection, _):
        assert scripted_server.first_packet(connection)[0] == wire.SSL_REQUEST
        connection.sendall(b"S" + behind)
        began.append(connection.recv(1))  # neither TLS nor a login follows

    with before(tmp_path, say, pooling, **TLS) as program:
        assert "injected" not in first_words(program)[1]
    assert began and set(began) == {b""}


def scram_with(server_first):
    """A server that asks for SCRAM and goes on with what server_first makes of the client's nonce."""
    def say(connection, _):
        scripted_server.first_packet(connection)
        connection.sendall(wire.message("R", struct.pack("!I", 10), b"SCRAM-SHA-256\0\0"))
        _, body = scripted_server.next_message(connection)
        nonce = body.split(b"r=")[1].decode()
        connection.sendall(wire.message("R", struct.pack("!I", 11), server_first(nonce).encode("latin1")))
        connection.recv(4096)
        connection.sendall(wire.message("R", struct.pack("!I", 12), b"v=" + b"A" * 44) + scripted_server.WELCOME)
        connection.recv(1)
    return say


@pytest.mark.parametrize("server_first", [
    lambda nonce: f"r={nonce}{'n' * 20000},s=c2FsdA==,i=4096",
    lambda nonce: f"r={nonce}more,s={'c2FsdA==' * 3000},i=4096",
    lambda nonce: f"r={nonce}more,s={'A' * 30000},i=4096",
    lambda nonce: f"r={nonce}more,s=c2FsdA==,i={'9' * 5000}",
    lambda nonce: f"r={nonce}more,s=c2FsdA==,i=2147483647",
    lambda nonce: f"r={nonce}more,s=c2FsdA==,i=-1",
    lambda nonce: "r=another,s=c2FsdA==,i=4096",
    lambda nonce: f"r={nonce}more,s=c2FsdA==,i=4096,{'x' * 30000}",
    lambda nonce: "e=" + "other-error" * 2000,
    lambda nonce: "",
    lambda nonce: f"r={nonce}\0,s=\0,i=1",
], ids=["nonce", "salt", "no base64", "digits", "rounds", "negative", "another nonce", "extension", "error", "empty", "zeros"])
def test_cve_2026_6665_a_server_s_part_of_scram_may_have_any_length_and_is_not_trusted(tmp_path, server_first):
    began = time.monotonic()
    with before(tmp_path, scram_with(server_first)) as program:
        code, _ = first_words(program)
        assert code in ("57P03", "08006", "28000", "08P01"), code
    assert time.monotonic() - began < wire.BOUND


@pytest.mark.parametrize("fields", [{}, {"M": "no code"}, {"S": "FATAL", "M": "no code"}, {"C": ""}, {"S": "", "C": "", "M": ""},
                                    {"Z": "unknown"}, {"S": "FATAL", "C": "2", "M": "short"}, {"S": "FATAL", "C": "x" * 2000}])
def test_cve_2026_6666_an_error_without_sqlstate_is_told_and_nothing_breaks(tmp_path, fields):
    """At the login, in a query, and at rest."""
    error = scripted_server.error(**fields)

    def at_login(connection, _):
        scripted_server.first_packet(connection)
        connection.sendall(error)

    with before(tmp_path, at_login) as program:
        assert first_words(program)[0]  # the proxy says one of its own then

    def in_query(connection, _):
        scripted_server.first_packet(connection)
        connection.sendall(scripted_server.WELCOME)
        while scripted_server.next_message(connection)[0] != "X":
            connection.sendall(error + scripted_server.READY)

    with before(tmp_path, in_query) as program, login(program.port) as client:
        for _ in range(3):
            assert client.ask(wire.query("SELECT 1")) == [("E", error[5:]), ("Z", b"I")]
            answer = client.ask(wire.parse("s", "SELECT 1") + wire.SYNC)
            assert ("E", error[5:]) in answer
            if fields.get("S") == "FATAL":  # the server's last word, though this one goes on
                break
            assert answer[-1] == ("Z", b"I")

    def at_rest(connection, _):
        scripted_server.first_packet(connection)
        connection.sendall(scripted_server.WELCOME + error)
        connection.recv(4096)

    with before(tmp_path, at_rest) as program, wire.Connection(program.port) as client:
        client.send(wire.startup(USER, DATABASE))
        client.closed_by_peer() if client.until_ready()[-1][0] == "closed" else None


def certificate(folder, name, alternative):
    """Key and certificate that vouches for itself, with that as its subjectAltName."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-sha256", "-nodes",
                    "-days", "2", "-subj", "/CN=stranger", "-addext", f"subjectAltName={alternative}",
                    "-keyout", folder / f"{name}.key", "-out", folder / f"{name}.crt"],
                   check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def der_names(*names):
    """A subjectAltName of DNS names, which may have any bytes in them."""
    entries = b"".join(bytes([0x82, len(name)]) + name for name in names)
    return "DER:" + (bytes([0x30, len(entries)]) + entries).hex(":")


@pytest.mark.parametrize("names, good", [
    ((b"localhost",), True), ((b"localhost\0.evil.example",), False), ((b"localhost\0",), False),
    ((b"evil.example\0localhost",), False), ((b"*",), False), ((b"",), False), ((b"localhos",), False),
    ((b"evil.example", b"localhost"), True)])
def test_cve_2026_47778_a_name_with_a_zero_in_a_certificate_is_not_the_part_before_it(server, tmp_path, names, good):
    certificate(tmp_path, "server", der_names(*names))
    for end in ("crt", "key"):
        (server.data / f"abuse.{end}").write_bytes((tmp_path / f"server.{end}").read_bytes())
        os.chmod(server.data / f"abuse.{end}", 0o600)
        os.chown(server.data / f"abuse.{end}", server.data.stat().st_uid, -1)
    for setting in ("ssl_cert_file = 'abuse.crt'", "ssl_key_file = 'abuse.key'", "ssl = on"):
        server.sql(f"ALTER SYSTEM SET {setting}")
    server.sql("SELECT pg_reload_conf()")
    server.wait_for("SELECT current_setting('ssl') = 'on' AND current_setting('ssl_cert_file') = 'abuse.crt'")
    tls = {"mode": "VerifyFull", "caFile": str(tmp_path / "server.crt")}
    with proxied.proxy(tmp_path, server, "Transaction", 1, threads=1, queue="3s", serverTLS=tls,
                       backend={"host": "localhost", "port": server.port}) as program:
        with wire.Connection(program.port) as client:
            end = client.login(USER, DATABASE)[-1][0]
            assert end == ("Z" if good else "closed")


# The table ----------------------------------------------------------------------------------------------------

def test_every_number_of_the_table_is_in_a_test_that_is_there():
    """docs/security.md says for each fault where it is tried."""
    table = (proxied.ROOT / "docs" / "security.md").read_text()
    rows = re.findall(r"^\| ((?:CVE|[a-z]+#)[^|]*) \|[^|]*\| `([^`]+)` in `([^`]+)` \|$", table, re.M)
    assert len(rows) >= 12
    for number, test, file in rows:
        assert test in (proxied.ROOT / file).read_text(), (number, test, file)
