"""What the cases of PostgreSQL are played with: servers, the proxy before them, and clients at work."""
import contextlib

import postgresql_client
import stage
from postgresql_server import DATABASE, PASSWORD, USER, Postgresql

CLIENTS = sum(stage.WORKERS.values())
CONNECTIONS = {"Transaction": 8, "Session": CLIENTS + 4}
QUEUE_SECONDS = 20  # a busy machine may take long to recover a server; cases about waiting set their own
NOT_SYNCHRONOUS = "synchronous_standby_names="


class Scene(stage.Scene):
    def __init__(self, play, stack):
        super().__init__(play, stack)
        self.servers = []

    def server(self, name):
        server = self.enter(Postgresql(self.folder, name))
        self.servers.append(server)
        return server

    def primary(self):
        server = self.server("first").make().start()
        server.sql(f"CREATE ROLE {USER} LOGIN PASSWORD '{PASSWORD}'")
        server.sql(f"CREATE DATABASE {DATABASE}")
        server.sql(postgresql_client.TABLE, DATABASE)
        return server

    def pair(self, synchronous=True):
        """A primary and a standby; if synchronous, nothing is acknowledged which the standby has not."""
        first = self.primary()
        second = self.server("second").follow(first).start()
        if not synchronous:
            return first, second
        # Not sooner: the standby would have it too, and hold every write up when it is promoted.
        first.sql("ALTER SYSTEM SET synchronous_standby_names = 'second'")
        first.sql("SELECT pg_reload_conf()")
        first.wait_for("SELECT EXISTS (SELECT FROM pg_stat_replication WHERE sync_state = 'sync')")
        return first, second

    def proxy(self, backends, pooling="Transaction", queue=QUEUE_SECONDS, connections=None, **more):
        secret = self.folder / "secret"
        secret.mkdir(exist_ok=True)
        (secret / "username").write_text(USER)
        (secret / "password").write_text(PASSWORD)
        listener = {
            "name": "faults.db", "protocol": "PostgreSQL", "timeouts": {"connect": "1s", "queue": f"{queue}s"},
            "sql": {"pooling": pooling, "authentication": "Proxy", "credentialsFolder": str(secret),
                    "database": DATABASE,  # its watch of the servers logs in there
                    "maxServerConnections": connections or CONNECTIONS[pooling], **more},
            "backends": [{"host": "127.0.0.1", "port": server.port} for server in backends]}
        return self.run_proxy(listener)

    def load(self, program, workers=None, reads=postgresql_client.READ):
        return self.run_load(lambda: postgresql_client.Client(program.port, reads), workers)


@contextlib.contextmanager
def scene(play):
    with contextlib.ExitStack() as stack:
        yield Scene(play, stack)
