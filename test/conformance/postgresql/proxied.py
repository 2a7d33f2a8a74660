"""A PostgreSQL 15 with a database for clients that are let in without a password, and the proxy before it."""
import contextlib
import os
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / "test" / folder) for folder in ("faults", "bench", "conformance")]

import stage  # noqa: E402
from built import built  # noqa: E402
from postgresql_server import Postgresql  # noqa: E402

USER, DATABASE, PASSWORD = "app", "shop", "of the conformance tests"
HBA = f"local all all trust\nhost all admin,{USER} 127.0.0.1/32 trust\n"


def binary(*presets):
    return built("ambassador-proxy", *presets)


def readable(folder):
    """The server runs as another user."""
    for one in (folder, *folder.parents[:2]):
        os.chmod(one, 0o755)
    return folder


@contextlib.contextmanager
def server(folder, *settings, hba=HBA):
    one = Postgresql(folder, "server").make()
    (one.data / "pg_hba.conf").write_text(hba)
    with stage.ended(one):
        one.start("jit=off", "autovacuum=off", *settings)
        one.sql(f"CREATE ROLE {USER} LOGIN PASSWORD '{PASSWORD}'; CREATE ROLE another; GRANT another TO {USER}")
        one.sql(f"CREATE DATABASE {DATABASE}")
        one.sql("GRANT ALL ON SCHEMA public TO PUBLIC", DATABASE)
        yield one


def listener(folder, server, pooling, connections, queue="120s", backend=None, secret=None, **more):
    """As the configuration document has it."""
    if secret is None:
        secret = folder / "secret"
        if not secret.exists():
            secret.mkdir()
            (secret / "username").write_text(USER)
            (secret / "password").write_text(PASSWORD)
    sql = {"authentication": "Proxy", "credentialsFolder": str(secret), "database": DATABASE, "pooling": pooling}
    if pooling == "Passthrough":
        sql = {"authentication": "Passthrough", "database": DATABASE}
    return {"name": "conformance.db", "protocol": "PostgreSQL", "timeouts": {"connect": "10s", "queue": queue},
            "sql": {**sql, "maxServerConnections": connections},
            "backends": [backend or {"host": "127.0.0.1", "port": server.port}], **more}


@contextlib.contextmanager
def proxy(folder, server, pooling, connections, program=None, threads=2, **more):
    """Ends as it should: with status 0, and with nothing to say from its sanitizers."""
    made = stage.proxy(folder, program or binary(), listener(folder, server, pooling, connections, **more), threads)
    try:
        yield made
    finally:
        made.process.terminate()
        status = made.process.wait(60)
    log = log_of(folder, made)
    assert status == 0, f"it ended with {status}: {log[-4000:]}"
    assert "Sanitizer" not in log and "runtime error" not in log, log[-4000:]


def log_of(folder, program):
    return (folder / f"{program.name}-{program.port}.log").read_text()
