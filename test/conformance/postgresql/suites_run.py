"""PostgreSQL's suites run against a server of their own, which clients reach directly or through the proxy."""
import contextlib
import dataclasses
import os
import pathlib
import pwd
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path += [str(ROOT / "test" / "faults"), str(ROOT / "test" / "bench")]

import programs  # noqa: E402
import psycopg2  # noqa: E402
import suites_source  # noqa: E402
from postgresql_server import ADMIN, Postgresql  # noqa: E402

PGXS = suites_source.SERVER / "lib" / "pgxs" / "src" / "test"
RUNNERS = {"regress": PGXS / "regress" / "pg_regress", "isolation": PGXS / "isolation" / "pg_isolation_regress"}
SCHEDULES = {"regress": "parallel_schedule", "isolation": "isolation_schedule"}
MOST_CLIENTS = 20  # at once, as the schedule is made for
DATABASES = {"regress": "regression", "isolation": "isolation_regression"}
OPTIONS = "-c intervalstyle=postgres_verbose"  # as pg_regress has them
HBA = "local all all trust\nhost all all 127.0.0.1/32 trust\n"
SETTINGS = ("max_prepared_transactions=10",)
# As pg_regress makes them; here they are made before, so that a pool can be used before.
MADE = """lc_messages TO 'C', lc_monetary TO 'C', lc_numeric TO 'C', lc_time TO 'C', bytea_output TO 'hex',
timezone_abbreviations TO 'Default'"""
BOUND = 3600  # seconds; a busy machine takes long
SHOWN = ROOT / "build" / "suites"  # what was printed, to look at


@dataclasses.dataclass
class Place:
    """A folder that a server and the programs of a suite, which are not root, can write to."""
    folder: pathlib.Path
    user: str | None = "postgres" if os.getuid() == 0 else None

    def own(self, *paths):
        if self.user:
            account = pwd.getpwnam(self.user)
            for path in paths:
                os.chown(path, account.pw_uid, account.pw_gid)


@contextlib.contextmanager
def place():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="ambassador-suites-"))
    folder.chmod(0o755)
    one = Place(folder)
    one.own(folder)
    try:
        yield one
    finally:
        shutil.rmtree(folder)


@contextlib.contextmanager
def server(where):
    """With the suites' databases."""
    one = Postgresql(where.folder, "server").make()
    (one.data / "pg_hba.conf").write_text(HBA)
    try:
        one.start(*SETTINGS)
        for database in DATABASES.values():
            one.sql(f"CREATE DATABASE {database} TEMPLATE template0")
            for setting in MADE.split(","):
                one.sql(f"ALTER DATABASE {database} SET {setting}")
        yield one
    finally:
        one.end()


class Proxy:
    def __init__(self, where, backend, binary, threads, sql):
        secret = where.folder / "secret"
        secret.mkdir()
        (secret / "username").write_text(ADMIN)
        (secret / "password").write_text("any: it is trusted")
        self.health = programs.free_port()
        listener = {"name": "db", "protocol": "PostgreSQL", "timeouts": {"connect": "10s", "queue": "600s"},
                    "sql": {"authentication": "Proxy", "credentialsFolder": str(secret), **sql},
                    "backends": [{"host": "127.0.0.1", "port": backend.port}]}
        self.program = programs.proxy(where.folder, binary, listener, threads, health=self.health)
        self.port = self.program.port

    def metrics(self):
        """Of the pool: {(name, label besides the listener): number}."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.health}/metrics", timeout=60) as answer:
            text = answer.read().decode()
        return {(name, label or ""): float(number) for name, label, number in re.findall(
            r'(?m)^ambassador_proxy_pool_(\w+)\{listener="db"(?:,\w+="(\w+)")?\} (\S+)$', text)}

    def pins(self):
        return {reason: int(count) for (name, reason), count in self.metrics().items() if name == "pins_total"}

    def transactions(self):
        """(all, those after which the client did not keep its server)"""
        metrics = self.metrics()
        unpinned = int(metrics["transactions_total", "no"])
        return unpinned + int(metrics["transactions_total", "yes"]), unpinned

    def end(self):
        self.program.end()
        assert self.program.process.returncode == 0, "the proxy did not end well"


@contextlib.contextmanager
def proxy(where, backend, binary, threads, sql):
    one = Proxy(where, backend, binary, threads, sql)
    try:
        yield one
    except BaseException:
        one.program.end()
        raise
    one.end()


def use_all(port, count):
    """So many servers are opened, and each has been somebody's before, which is what clients of a pool get."""
    clients = [psycopg2.connect(host="127.0.0.1", port=port, user=ADMIN, dbname=DATABASES["regress"], options=OPTIONS)
               for _ in range(count)]
    for client in clients:  # each in a transaction, and so on a server of its own
        client.cursor().execute("DO $$BEGIN END$$; CREATE TEMP TABLE used (n int) ON COMMIT DROP")
    for client in clients:
        client.commit()
        client.close()


def run(suite, where, port, mode):
    """What each test printed."""
    source = suites_source.fetched()
    folder = where.folder / "suite"
    shutil.copytree(source / suite, folder)
    shutil.copytree(source / "lib", where.folder / "lib")
    where.own(folder, *folder.rglob("*"))
    command = [RUNNERS[suite], f"--inputdir={folder}", f"--outputdir={folder}", f"--bindir={suites_source.SERVER}/bin",
               f"--dlpath={where.folder}/lib", f"--schedule={folder / SCHEDULES[suite]}", "--host=127.0.0.1",
               f"--port={port}", f"--user={ADMIN}", f"--dbname={DATABASES[suite]}", "--use-existing"]
    if suite == "regress":
        command.append(f"--max-concurrent-tests={MOST_CLIENTS}")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    done = subprocess.run(command, user=where.user, cwd=folder, env=environment, check=False, text=True, timeout=BOUND,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    shown = SHOWN / f"{mode}-{suite}"
    shutil.rmtree(shown, ignore_errors=True)
    shown.mkdir(parents=True)
    (shown / "log").write_text(done.stdout)
    # Where files lie is another one each time.
    outputs = {path.stem: path.read_text(errors="surrogateescape").replace(str(where.folder), "FOLDER")
               for path in (folder / "results").glob("*.out")}
    for name, text in outputs.items():
        (shown / f"{name}.out").write_text(text, errors="surrogateescape")
    assert done.returncode in (0, 1) and len(outputs) > 100, done.stdout[-2000:]
    return outputs


def ignored(suite):
    """Tests that PostgreSQL's own schedule lets fail by chance."""
    schedule = suites_source.fetched() / suite / SCHEDULES[suite]
    return set(re.findall(r"(?m)^ignore:\s*(\S+)", schedule.read_text()))
