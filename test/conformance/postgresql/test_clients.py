"""The drivers that applications have, through the proxy: each client program in clients/ says the same as with the server
alone, also when several run at once on fewer server connections. And each way to log in, at the server and through it.

    python3 -m pytest -q -s test/conformance/postgresql/test_clients.py -k jdbc
"""
import contextlib
import os
import pathlib
import subprocess
import sys
import threading

import psycopg2
import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import client_programs  # noqa: E402
import proxied  # noqa: E402
import wire  # noqa: E402

USER, DATABASE, PASSWORD = proxied.USER, proxied.DATABASE, proxied.PASSWORD
CLIENTS = HERE / "clients"
DRIVER = pathlib.Path("/usr/share/java/postgresql.jar")


def python(name):
    return lambda _: [sys.executable, CLIENTS / f"{name}.py"]


def jdbc(folder):
    """Debian's driver."""
    return client_programs.java(CLIENTS / "JdbcClient.java", [DRIVER], folder)


def node(_):
    return client_programs.node(CLIENTS / "node")


PROGRAMS = {"psycopg": python("psycopg_client"), "libpq": python("libpq_client"), "odbc": python("odbc_client"),
            "jdbc": jdbc, "node": node}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    hba = f"local all all trust\nhost all admin,{USER} 127.0.0.1/32 trust\n"
    with proxied.server(proxied.readable(tmp_path_factory.mktemp("clients")), hba=hba) as one:
        yield one


@pytest.fixture(scope="module", params=PROGRAMS)
def program(request, tmp_path_factory):
    return request.param, PROGRAMS[request.param](tmp_path_factory.mktemp("program"))


def name_of(number):
    """Of a program's tables and channels: nothing else that it says looks like it."""
    return f"its{number}own"


def run_at_once(command, port, count):
    said = {}

    def one(number):
        try:
            said[number] = client_programs.run(command, port, name_of(number))
        except (AssertionError, subprocess.TimeoutExpired) as problem:
            said[number] = f"failed: {problem}"

    threads = [threading.Thread(target=one, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return said


@pytest.fixture(scope="module")
def expected(server, program):
    return client_programs.run(program[1], server.port, name_of(0))


# Connections to the server, and programs at once. A program that sleeps is woken up by another connection of its own, so that
# there is one more than programs; in turn they are served by one server and another.
CONNECTIONS = {"Transaction": (4, 3), "Session": (14, 1), "Passthrough": (14, 1)}


@pytest.mark.parametrize("pooling", CONNECTIONS)
def test_a_driver_gets_what_it_gets_from_the_server(server, tmp_path, program, expected, pooling):
    name, command = program
    connections, at_once = CONNECTIONS[pooling]
    if pooling == "Transaction" and name == "odbc":
        # It sets extra_float_digits, which no server reports: each of its connections keeps its server.
        connections = 6
    with proxied.proxy(tmp_path, server, pooling, connections) as one:
        said = run_at_once(command, one.port, at_once)
    for number, text in said.items():
        assert text.replace(name_of(number), name_of(0)) == expected


# Ways to log in -----------------------------------------------------------------------------------------------

ROLES = {  # method of pg_hba.conf: how the password is kept
    "trust": "", "password": "scram-sha-256", "md5": "md5", "scram-sha-256": "scram-sha-256", "cert": ""}


def role(method):
    return "by_" + method.replace("-", "_")


@pytest.fixture(scope="module")
def secured(tmp_path_factory):
    """A server that asks each role in another way, and a CA that vouches for it and for the role that shows a certificate."""
    folder = proxied.readable(tmp_path_factory.mktemp("secured"))
    lines = ["local all all trust", "host all admin 127.0.0.1/32 trust"]
    for method in ROLES:
        lines.append(f"hostssl {DATABASE} {role(method)} 127.0.0.1/32 {method}")
        if method != "cert":
            lines.append(f"hostnossl {DATABASE} {role(method)} 127.0.0.1/32 {method}")
    certificates(folder)
    with proxied.server(folder, hba="\n".join(lines) + "\n") as one:
        for file in ("server.key", "server.crt", "ca.crt"):
            copy = one.data / file
            copy.write_bytes((folder / file).read_bytes())
            copy.chmod(0o600)
            os.chown(copy, one.data.stat().st_uid, one.data.stat().st_gid)
        for setting in ("ssl_ca_file = 'ca.crt'", "ssl = on"):
            one.sql(f"ALTER SYSTEM SET {setting}")
        one.sql("SELECT pg_reload_conf()")
        one.wait_for("SELECT current_setting('ssl') = 'on'")
        for method, kept in ROLES.items():
            if kept:
                one.sql(f"SET password_encryption = '{kept}'; CREATE ROLE {role(method)} LOGIN PASSWORD '{PASSWORD}'")
            else:
                one.sql(f"CREATE ROLE {role(method)} LOGIN")
        yield one, folder


def certificates(folder):
    def openssl(*arguments):
        subprocess.run(["openssl", *map(str, arguments)], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder)

    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2")
    openssl("req", "-x509", *key, "-subj", "/CN=CA", "-keyout", "ca.key", "-out", "ca.crt")
    openssl("req", "-x509", *key, "-subj", "/CN=Another CA", "-keyout", "other.key", "-out", "other.crt")
    for name, subject, extension in (("server", "localhost", "subjectAltName=DNS:localhost"), ("tls", role("cert"), "keyUsage=digitalSignature")):
        openssl("req", "-x509", *key, "-CA", "ca.crt", "-CAkey", "ca.key", "-subj", f"/CN={subject}", "-addext", extension,
                "-addext", "basicConstraints=critical,CA:FALSE", "-keyout", f"{name}.key", "-out", f"{name}.crt")


def asked_through(port, user, password=None, sslmode="prefer"):
    """(who one is there, whether the server's connection is encrypted)."""
    with contextlib.closing(psycopg2.connect(host="127.0.0.1", port=port, user=user, password=password, dbname=DATABASE,
                                             sslmode=sslmode, connect_timeout=wire.BOUND)) as connection:
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_user, (SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid())")
            return cursor.fetchone()


def account(folder, tmp_path, method):
    secret = tmp_path / "account"
    secret.mkdir()
    (secret / "username").write_text(role(method))
    (secret / "password").write_text(PASSWORD)
    if method == "cert":
        return secret, {"certificateFile": str(folder / "tls.crt"), "keyFile": str(folder / "tls.key")}
    return secret, {}


@pytest.mark.parametrize("mode", ["Disabled", "Require", "VerifyCA", "VerifyFull"])
@pytest.mark.parametrize("method", ROLES)
@pytest.mark.parametrize("pooling", ["Session", "Transaction"])
def test_the_proxy_logs_in_in_every_way(secured, tmp_path, pooling, method, mode):
    server, folder = secured
    secret, shown = account(folder, tmp_path, method)
    tls = {} if mode == "Disabled" else {"mode": mode, **shown}
    if mode.startswith("Verify"):
        tls["caFile"] = str(folder / "ca.crt")
    more = {"serverTLS": tls} if tls else {}
    with proxied.proxy(tmp_path, server, pooling, 2, threads=1, queue="5s", secret=secret,
                       backend={"host": "localhost", "port": server.port}, **more) as program:
        if mode == "Disabled" and method in ("password", "cert"):
            # Nothing is said in the clear that others could use, and no certificate can be shown.
            with pytest.raises(psycopg2.OperationalError):
                asked_through(program.port, "anybody")
            return
        for sslmode in ("disable", "allow", "prefer"):
            assert asked_through(program.port, "anybody", sslmode=sslmode) == (role(method), mode != "Disabled")
        with pytest.raises(psycopg2.OperationalError, match="server does not support SSL"):
            asked_through(program.port, "anybody", sslmode="require")


@pytest.mark.parametrize("mode", ["VerifyCA", "VerifyFull"])
def test_the_proxy_does_not_log_in_where_another_ca_vouches(secured, tmp_path, mode):
    server, folder = secured
    secret, _ = account(folder, tmp_path, "scram-sha-256")
    with proxied.proxy(tmp_path, server, "Session", 2, threads=1, queue="2s", secret=secret,
                       backend={"host": "localhost", "port": server.port},
                       serverTLS={"mode": mode, "caFile": str(folder / "other.crt")}) as program:
        with pytest.raises(psycopg2.OperationalError):
            asked_through(program.port, "anybody")


@pytest.mark.parametrize("mode, host, good", [("VerifyCA", "127.0.0.1", True), ("VerifyFull", "127.0.0.1", False),
                                              ("VerifyFull", "localhost", True)])
def test_the_certificate_s_name_counts_where_all_is_verified(secured, tmp_path, mode, host, good):
    server, folder = secured
    secret, _ = account(folder, tmp_path, "scram-sha-256")
    with proxied.proxy(tmp_path, server, "Session", 2, threads=1, queue="5s", secret=secret, backend={"host": host, "port": server.port},
                       serverTLS={"mode": mode, "caFile": str(folder / "ca.crt")}) as program:
        if good:
            assert asked_through(program.port, "anybody") == (role("scram-sha-256"), True)
            return
        with pytest.raises(psycopg2.OperationalError):
            asked_through(program.port, "anybody")


@pytest.mark.parametrize("mode", ["Disabled", "Require"])
@pytest.mark.parametrize("method", [method for method in ROLES if method != "cert"])
def test_a_client_logs_in_itself_in_every_way(secured, tmp_path, method, mode):
    server, _ = secured
    more = {} if mode == "Disabled" else {"serverTLS": {"mode": mode}}
    with proxied.proxy(tmp_path, server, "Passthrough", 2, threads=1, **more) as program:
        for _ in range(2):
            assert asked_through(program.port, role(method), PASSWORD) == (role(method), mode != "Disabled")
        if method != "trust":
            with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
                asked_through(program.port, role(method), "wrong")
