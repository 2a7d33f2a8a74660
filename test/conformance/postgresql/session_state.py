"""What a session may have that another client must not find: asked on every connection of a pool at once."""
import contextlib

import wire
from proxied import DATABASE, USER

# Statements of the proxy's own are no client's.
STATE = {
    "settings": "SELECT name, setting FROM pg_settings WHERE name NOT IN ('transaction_deferrable', 'transaction_isolation',"
                " 'transaction_read_only') ORDER BY name",
    "custom settings": "SELECT coalesce(current_setting('no_such.parameter', true), '')",
    "role": "SELECT current_user, session_user, current_setting('role')",
    "temporary": "SELECT relname FROM pg_class WHERE relnamespace = pg_my_temp_schema()",
    "prepared": "SELECT name, statement FROM pg_prepared_statements WHERE name !~ '^amb_[0-9]+$'",
    "cursors": "SELECT name FROM pg_cursors",
    "channels": "SELECT pg_listening_channels()",
    "locks": "SELECT locktype, mode FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'advisory'",
    "transaction": "SELECT transaction_timestamp() = statement_timestamp()",
}


def state(connection):
    """Of a connection that is in no transaction; it is in one afterwards, so that it keeps its server."""
    first = {"transaction": connection.rows("BEGIN; " + STATE["transaction"])}
    found = {name: connection.rows(sql) for name, sql in STATE.items() if name != "transaction"}
    return {**found, **first, "server": connection.rows("SELECT pg_backend_pid()")}


class Defaults:
    """What a client finds that is alone with a server, as the measure for those of a proxy's pool."""

    def __init__(self, server, port, connections):
        self.port, self.connections = port, connections
        with wire.Connection(server.port) as direct:
            direct.login(USER, DATABASE)
            self.expected = state(direct)

    def hold(self, where):
        with contextlib.ExitStack() as stack:
            servers = set()
            for number in range(self.connections):
                client = stack.enter_context(wire.Connection(self.port))
                assert client.login(USER, DATABASE)[-1][0] == "Z", where
                found = state(client)
                servers.add(found["server"][0][0])
                for name, value in self.expected.items():
                    if name != "server":
                        assert found[name] == value, f"{where}: {name}: {found[name]}, not {value}"
            assert len(servers) == self.connections, f"{where}: {len(servers)} servers"
