"""Random programs of PostgreSQL clients: what one client says, turn by turn, made of a seed. A program touches its own
table, locks, channels and names alone, so that its answers do not depend on who else is there."""
import dataclasses
import random

import wire

FIRST_PARAMETERS = {  # what a client may wish for in its StartupMessage
    "application_name": ["reports", "a 'quoted' one", "shop"],
    "DateStyle": ["ISO, DMY", "German", "SQL, MDY"],
    "TimeZone": ["UTC", "Europe/Rome", "America/New_York"],
    "IntervalStyle": ["iso_8601", "postgres_verbose"],
    "client_encoding": ["LATIN1", "UTF8"],
    "extra_float_digits": ["0"],  # not reported, so that servers are kept apart by it
    "options": ["-c geqo=off"],
}
SHOWN = ["application_name", "DateStyle", "TimeZone", "IntervalStyle", "client_encoding", "extra_float_digits", "work_mem",
         "search_path", "geqo", "is_superuser", "transaction_isolation"]
RESTORED = {"application_name", "DateStyle", "TimeZone", "IntervalStyle", "client_encoding"}
DEALLOCATED = ["DEALLOCATE s0", 'DEALLOCATE PREPARE "Strange name";', "DEALLOCATE s1"]  # what Parse made
WORDS = ["", "one", "two words", "it''s", "ümlaut", "tab\there", "NULL", "\\\\N", "x" * 300]
VALUES = ["1", "7", "42", "-3", "2147483647", "not a number", "", None]
NAMES = ["", "", "s0", "s1", "s2", "Strange name"]
PORTALS = ["", "", "", "p0", "p1"]
INT4, TEXT = 23, 25
SUM, QUOTIENT = 177, 154  # int4pl, int4div: functions by their numbers
LOCKS_OF_CLIENT = 1000  # advisory ones: client 3 has those from 3000 on


@dataclasses.dataclass
class Say:
    """Bytes, in pieces of some size, and how many ReadyForQuery they bring. With `statements` it uses some that were prepared
    before: an aborted transaction is ended first, as a server that lacks them can't be given them in one."""
    data: bytes
    readies: int
    piece: int = 1 << 30
    statements: bool = False
    rollback: bool = False


@dataclasses.dataclass
class Cancelled:
    """A query that runs until it is cancelled; `tag` is a part of its text."""
    data: bytes
    tag: str


@dataclasses.dataclass
class Leave:
    """Says something that it does not wait for, leaves and comes back."""
    data: bytes
    how: str  # "terminate", "close", "reset"
    parameters: dict


@dataclasses.dataclass
class Program:
    number: int
    parameters: dict
    turns: list


class Maker:
    """One program."""

    # What leaves something in the session is in few programs, or all would soon keep their servers.
    FAMILIES = ("settings", "temporary", "channels", "locks", "prepared", "cursors", "roles", "discards")

    def __init__(self, number, seed, turns):
        self.chance = random.Random(seed)
        self.number, self.table = number, f"own_{number}"
        self.families = {one for one in self.FAMILIES if self.chance.random() < 0.2}
        self.parameters = self.first_parameters()
        self.before = False  # a unit uses statements that were prepared before it
        self.parsed = set()  # by the batch
        self.program = Program(number, self.parameters, [])
        for turn in range(turns):
            self.program.turns += self.turn(turn)
        # What comes late comes before this.
        self.program.turns.append(Say(wire.query("ROLLBACK") + wire.query("SELECT 'end'"), 2))

    def first_parameters(self):
        wished = self.chance.sample(sorted(FIRST_PARAMETERS), self.chance.choice([0, 0, 1, 2]))
        return {name: self.chance.choice(FIRST_PARAMETERS[name]) for name in wished}

    # Turns. -------------------------------------------------------------------------------------------------

    def turn(self, number):
        kind = self.chance.random()
        if kind < 0.03:
            tag = f"cancelled {self.number} {number}"
            return [Cancelled(wire.query(f"SELECT pg_sleep(600) /* {tag} */"), tag)]
        if kind < 0.07:
            return self.leave()
        self.before = False
        units = [self.unit()]
        first = self.before
        for _ in range(self.chance.choice([0, 0, 0, 1, 2])):
            self.before = False
            unit = self.unit()
            if not self.before:  # what is known of the transaction then is not known now
                units.append(unit)
        piece = self.chance.choice([1 << 30] * 6 + [1000, 7, 1])
        data = b"".join(data for data, _ in units)
        return [Say(data, sum(readies for _, readies in units), piece if len(data) < 3000 else 1 << 30, first)]

    def leave(self):
        """In a transaction that is open, so that what comes of it does not depend on who was faster."""
        self.parameters = self.first_parameters()
        how = self.chance.choice(["terminate", "close", "reset"])
        begin = Say(wire.query("ROLLBACK") + wire.query("BEGIN") + wire.query(self.write()) + wire.query("SELECT 1"), 4)
        said = wire.TERMINATE if how == "terminate" else wire.query(self.read()) + wire.parse("s1", self.read()) + wire.SYNC
        if how != "terminate":
            said = said[:self.chance.randrange(len(said) + 1)]
        return [begin, Leave(said, how, self.parameters)]

    def unit(self):
        """(bytes, ReadyForQuery that they bring)."""
        kind = self.chance.random()
        if kind < 0.40:
            return wire.query(self.statement()), 1
        if kind < 0.45:
            several = [self.statement() for _ in range(self.chance.randint(2, 4))]
            self.before |= not set(several).isdisjoint(DEALLOCATED)
            return wire.query("; ".join(several)), 1
        if kind < 0.52:
            return self.copy()
        if kind < 0.54:
            function = self.chance.choice([SUM, QUOTIENT, 1])
            return wire.function_call(function, self.chance.choice(["7", "x"]), self.chance.choice(["2", "0"])), 1
        return self.batch()

    # Extended queries. --------------------------------------------------------------------------------------

    def batch(self):
        out, self.parsed = b"", set()
        for _ in range(self.chance.randint(1, 4)):
            out += self.extended()
        return out + wire.SYNC, 1

    def parse(self, name, *more):
        self.parsed.add(name)
        return wire.parse(name, *more)

    def bind(self, portal, name, *more):
        self.before |= name not in self.parsed
        return wire.bind(portal, name, *more)

    def extended(self):
        kind, name, portal = self.chance.random(), self.chance.choice(NAMES), self.chance.choice(PORTALS)
        if kind < 0.35:
            sql, values = self.parameterized()
            # What is said wrong is said wrong now and then.
            given = values if self.chance.random() < 0.9 else values[1:] + ["surplus"]
            return (self.parse(name, sql) + self.bind(portal, name, given, self.chance.random() < 0.2)
                    + (wire.describe("P", portal) if self.chance.random() < 0.7 else b"")
                    + wire.execute(portal, self.chance.choice([0, 0, 0, 2])))
        if kind < 0.55:
            values = [self.chance.choice(VALUES) for _ in range(self.chance.choice([0, 1, 1, 2]))]
            return self.bind(portal, name, values) + wire.execute(portal)
        if kind < 0.65:
            return self.parse(name, self.parameterized()[0], [INT4] if self.chance.random() < 0.2 else [])
        if kind < 0.75:
            self.before |= name not in self.parsed
            return wire.describe("S", name)
        if kind < 0.80:
            return wire.describe("P", portal)
        if kind < 0.87:
            return wire.close("S", name)
        if kind < 0.90:
            return wire.close("P", portal)
        if kind < 0.93:
            # Not the unnamed one: where a simple query has failed in a transaction, PostgreSQL 15 finds that query's portal
            # there, whose text it has freed, and may crash.
            return wire.execute(self.chance.choice(["p0", "p1"]), 3)
        if kind < 0.96:
            return wire.FLUSH
        if "prepared" in self.families:
            return self.bind("", "sql0", ["1"]) + wire.execute("")
        # Not FETCH: PostgreSQL 15 may crash by the ROLLBACK of a transaction in which its portal was executed twice.
        sql = next(sql for sql in iter(self.statement, None) if not sql.startswith("FETCH"))
        return self.parse(name, sql) + self.bind(portal, name) + wire.execute(portal)

    def parameterized(self):
        number, word = self.chance.choice(VALUES), self.chance.choice(WORDS)
        return self.chance.choice([
            ("SELECT $1::int + 1", [number]),
            ("SELECT $1::text || 'x', $2::int", [word, number]),
            (f"SELECT id, word FROM {self.table} WHERE id > $1 ORDER BY id", [number]),
            (f"INSERT INTO {self.table} (id, word) VALUES ($1, $2)", [number, word]),
            (f"INSERT INTO {self.table} (id) VALUES ($1) RETURNING serial", [number]),
            (f"UPDATE {self.table} SET word = $1 WHERE id = $2", [word, number]),
            (f"DELETE FROM {self.table} WHERE id = $1", [number]),
            ("SELECT * FROM generate_series(1, least($1, 500))", [self.chance.choice(["3", "10", "500"])]),
            ("SELECT repeat($1, 20000)", ["ab"]),
            ("SELECT timestamptz '2024-01-15 12:00+00', $1::int", [number]),
            ("SELECT no_such_column, $1", [number]),
            ("", []),
        ])

    # COPY. --------------------------------------------------------------------------------------------------

    def copy(self):
        if self.chance.random() < 0.3:
            return wire.query(f"COPY (SELECT id, word FROM {self.table} ORDER BY id) TO STDOUT"), 1
        wrong = self.chance.random() < 0.3
        rows = [f"{self.chance.randint(1, 60)}\tcopied\n" for _ in range(self.chance.randint(0, 5))]
        data = b"".join(wire.copy_data(row) for row in rows + (["not a row\n"] if wrong else []))
        data += wire.COPY_DONE if self.chance.random() < 0.8 else wire.copy_fail("I changed my mind")
        sql = f"COPY {self.table} (id, word) FROM STDIN"
        if self.chance.random() < 0.5:
            return wire.query(sql) + data, 1
        # Without Sync in the midst of the data, which the server would pass over or not, as it comes.
        # Nor is the statement left: who executes it without data and says something else is cut off by a server, while the
        # proxy, which answers some messages itself, waits for the data with it.
        copied = wire.parse("", sql) + wire.bind("", "") + wire.execute("") + data + wire.SYNC
        return copied + wire.close("S", "") + wire.SYNC, 2

    # Statements. --------------------------------------------------------------------------------------------

    def statement(self):
        kind = self.chance.random()
        if self.families and kind < 0.3:
            return getattr(self, self.chance.choice(sorted(self.families)))()
        if kind < 0.55:
            return self.read()
        if kind < 0.75:
            return self.write()
        if kind < 0.92:
            return self.control()
        return self.chance.choice(["SELECT 1/0", "SELEC", "SELECT * FROM no_such_table", "SELECT 'x'::int", "",
                                   "SELECT no_such_function()", ";", "SELECT '\\x41'::bytea, 'a\\b'"])

    def read(self):
        return self.chance.choice([
            f"SELECT {self.chance.randint(1, 9)} AS a, '{self.chance.choice(WORDS)}' AS b",
            f"SELECT id, word FROM {self.table} ORDER BY id LIMIT {self.chance.randint(1, 30)}",
            f"SELECT count(*), sum(serial) FROM {self.table}",
            f"SELECT generate_series(1, {self.chance.randint(0, 50)})",
            f"SELECT repeat('long ', {self.chance.choice([10, 1000, 60000])})",
            f"SELECT length('{'y' * self.chance.choice([10, 5000, 70000])}')",
            "SELECT current_user, session_user, current_setting('role')",
            "SELECT timestamptz '2024-01-15 12:00+00', interval '1 day 2 hours', 1.1::float8 / 3",
            f"SHOW {self.chance.choice(SHOWN)}",
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()",
            "SELECT name FROM pg_prepared_statements WHERE from_sql ORDER BY name",
            "SELECT name, is_holdable FROM pg_cursors WHERE name !~ '^p?[0-9]?$' ORDER BY name",
            "SELECT pg_listening_channels()",
            "SELECT transaction_timestamp() = statement_timestamp() WHERE false",
        ])

    def write(self):
        number = self.chance.randint(1, 60)
        return self.chance.choice([
            f"INSERT INTO {self.table} (id, word) VALUES ({number}, '{self.chance.choice(WORDS)}')",
            f"INSERT INTO {self.table} (id) VALUES ({number}) RETURNING id, serial",
            f"INSERT INTO {self.table} (id) SELECT g FROM generate_series({number}, {number + 5}) g ON CONFLICT DO NOTHING",
            f"UPDATE {self.table} SET word = word || '!' WHERE id < {number}",
            f"DELETE FROM {self.table} WHERE id = {number}",
            f"TRUNCATE {self.table}",
        ])

    def control(self):
        return self.chance.choice([
            "BEGIN", "BEGIN", "BEGIN ISOLATION LEVEL REPEATABLE READ", "START TRANSACTION READ ONLY", "COMMIT", "COMMIT",
            "END", "ROLLBACK", "ROLLBACK", "SAVEPOINT a", "ROLLBACK TO a", "RELEASE a", "COMMIT AND CHAIN", "ABORT",
            "SET TRANSACTION READ ONLY", "SET LOCAL work_mem = '3MB'", "SET LOCAL TimeZone = 'Asia/Tokyo'",
            "SET CONSTRAINTS ALL DEFERRED", f"SELECT pg_advisory_xact_lock({LOCKS_OF_CLIENT * self.number})"])

    def settings(self):
        return self.chance.choice([
            "SET DateStyle = 'SQL, DMY'", "SET TIME ZONE 'Asia/Tokyo'", "SET NAMES 'LATIN1'", "SET client_encoding = 'UTF8'",
            "SET application_name = 'another'", "SET IntervalStyle TO sql_standard", "SET standard_conforming_strings = off",
            "SET work_mem = '5MB'", "SET search_path = pg_catalog, public", "SET bytea_output = 'escape'",
            "SELECT set_config('TimeZone', 'UTC', false)", "SELECT set_config('work_mem', '6MB', false)",
            "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL REPEATABLE READ", "SET SESSION work_mem = '7MB'",
            "SET no_such.parameter = 'mine'", "SELECT coalesce(current_setting('no_such.parameter', true), '')",
            "SET no_such_parameter = 1",
            *self.resets("work_mem")])

    def resets(self, *more):
        """Whoever logs in for the client has other values to go back to."""
        names = [name for name in sorted(RESTORED) if name not in self.parameters]
        some = [f"RESET {name}" for name in (*more, *names)]
        return some if RESTORED & self.parameters.keys() else [*some, "RESET ALL"]

    def temporary(self):
        return self.chance.choice([
            "CREATE TEMP TABLE scratch (n int)", "CREATE TEMPORARY TABLE scratch AS SELECT 1 AS n", "DROP TABLE scratch",
            "INSERT INTO scratch VALUES (1)", "SELECT n FROM scratch", "SELECT 5 AS n INTO TEMP scratch", "DISCARD TEMP",
            "CREATE TEMP TABLE scratch (n int) ON COMMIT DROP", "CREATE TABLE pg_temp.scratch (n int)",
            "CREATE TEMP VIEW scratch AS SELECT 2 AS n"])

    def channels(self):
        channel = f"channel_{self.number}"
        return self.chance.choice([f"LISTEN {channel}", f"LISTEN {channel}", f"NOTIFY {channel}, 'mine'", f"NOTIFY {channel}",
                                   f"UNLISTEN {channel}", "UNLISTEN *", f"SELECT pg_notify('{channel}', 'by function')"])

    def locks(self):
        lock = LOCKS_OF_CLIENT * self.number + self.chance.randint(1, 3)
        return self.chance.choice([f"SELECT pg_advisory_lock({lock})", f"SELECT pg_try_advisory_lock_shared({lock})",
                                   f"SELECT pg_advisory_unlock({lock})", "SELECT pg_advisory_unlock_all()"])

    def prepared(self):
        return self.chance.choice(["PREPARE sql0 (int) AS SELECT $1 + 1", "EXECUTE sql0 (1)", "DEALLOCATE sql0",
                                   *DEALLOCATED,
                                   f"PREPARE sql1 AS SELECT count(*) FROM {self.table}", "EXECUTE sql1", "DEALLOCATE ALL"])

    def cursors(self):
        return self.chance.choice([
            "DECLARE held CURSOR WITH HOLD FOR SELECT generate_series(1, 20)", "FETCH 3 FROM held", "MOVE 2 IN held",
            "DECLARE brief CURSOR FOR SELECT generate_series(1, 20)", "FETCH ALL FROM brief", "CLOSE held", "CLOSE ALL",
            f"DECLARE scrolls SCROLL CURSOR FOR SELECT id FROM {self.table} ORDER BY id", "FETCH LAST FROM scrolls"])

    def roles(self):
        return self.chance.choice(["SET ROLE another", "SET ROLE NONE", "RESET ROLE", "SET LOCAL ROLE another",
                                   "SET SESSION AUTHORIZATION DEFAULT", "SET ROLE nobody_known"])

    def discards(self):
        some = ["DISCARD PLANS", "DISCARD SEQUENCES", "DEALLOCATE ALL", "CLOSE ALL", "UNLISTEN *"]
        return self.chance.choice(some if RESTORED & self.parameters.keys() else [*some, "DISCARD ALL", "DISCARD ALL"])


def made(number, seed, turns):
    return Maker(number, f"{seed} {number}", turns).program
