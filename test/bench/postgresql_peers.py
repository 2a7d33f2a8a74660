"""What ./run bench postgresql measures: one PostgreSQL 15, the proxy before it, pgbouncer, HAProxy, a bare relay."""
import os
import pathlib
import shutil
import subprocess
import sys

import programs

ROOT = programs.ROOT
sys.path.append(str(ROOT / "test/faults"))

from postgresql_server import Postgresql  # noqa: E402

PGBENCH = pathlib.Path("/usr/lib/postgresql/15/bin/pgbench")
USER = DATABASE = "bench"
PASSWORD = "of the benchmark"
POOL = 10  # connections to the server of those that have a pool
SERVER_CONNECTIONS = 300  # what the server takes: who has no pool needs one for each client
HBA = f"local all all trust\nhost all admin 127.0.0.1/32 trust\nhost {DATABASE} {USER} 127.0.0.1/32 scram-sha-256\n"


def server(made):
    """Starts it, with TLS for those who ask for it, and a database with pgbench's tables."""
    made.make()
    (made.data / "pg_hba.conf").write_text(HBA)
    key, certificate = made.data / "server.key", made.data / "server.crt"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                    "-keyout", key, "-out", certificate], check=True, capture_output=True)
    if made.user:
        shutil.chown(key, made.user)
    made.start(f"max_connections={SERVER_CONNECTIONS}", "ssl=on", "log_min_messages=fatal")
    made.sql(f"CREATE ROLE {USER} LOGIN PASSWORD '{PASSWORD}'")
    made.sql(f"CREATE DATABASE {DATABASE} OWNER {USER}")
    subprocess.run([PGBENCH, "-i", "-q", "-p", str(made.port), DATABASE], check=True, capture_output=True,
                   env=environment(False))


def ambassador(folder, database, binary, tls=False, name="ambassador"):
    secret = folder / "secret"
    secret.mkdir(exist_ok=True)
    (secret / "username").write_text(USER)
    (secret / "password").write_text(PASSWORD)
    listener = {"name": "bench.db", "protocol": "PostgreSQL", "timeouts": {"connect": "5s", "queue": "60s"},
                "sql": {"pooling": "Transaction", "authentication": "Proxy", "credentialsFolder": str(secret),
                        "database": DATABASE, "maxServerConnections": POOL},
                "backends": [{"host": "127.0.0.1", "port": database.port}]}
    if tls:
        listener["serverTLS"] = {"mode": "Require"}
    return programs.proxy(folder, binary, listener, 1, name)


def pgbouncer(folder, database, tls=False):
    port = programs.free_port()
    path = folder / f"pgbouncer-{port}.ini"
    options = {"listen_addr": "127.0.0.1", "listen_port": port, "unix_socket_dir": "", "auth_type": "any",
               "pool_mode": "transaction", "default_pool_size": POOL, "max_client_conn": 2000, "log_connections": 0,
               "log_disconnections": 0, "server_tls_sslmode": "require" if tls else "disable"}
    path.write_text(f"[databases]\n{DATABASE} = host=127.0.0.1 port={database.port} user={USER} password='{PASSWORD}'\n"
                    "[pgbouncer]\n" + "".join(f"{name} = {value}\n" for name, value in options.items()))
    command = ["pgbouncer", "-q", str(path)]
    if database.user:  # it refuses to run as root
        command = ["setpriv", f"--reuid={database.user}", f"--regid={database.user}", "--clear-groups", *command]
    return programs.Program("pgbouncer", command, port, folder)


def relay(folder, database):
    """A bare one: relay.cpp."""
    binary = ROOT / "build/bench/relay"
    source = ROOT / "test/bench/relay.cpp"
    if not binary.exists() or binary.stat().st_mtime < source.stat().st_mtime:
        binary.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["c++", "-std=c++20", "-O2", "-o", binary, source], check=True)
    port = programs.free_port()
    return programs.Program("bare relay", [str(binary), str(port), str(database.port)], port, folder)


def environment(tls):
    """Of pgbench. Only the way to the server is encrypted, whoever goes it."""
    return {**os.environ, "PGHOST": "127.0.0.1", "PGUSER": USER, "PGPASSWORD": PASSWORD,
            "PGSSLMODE": "require" if tls else "disable"}


def require():
    programs.require("haproxy", "pgbouncer", "openssl", "setpriv")
    if not PGBENCH.exists():
        raise SystemExit(f"missing: {PGBENCH}; run ./run setup")
