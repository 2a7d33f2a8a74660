"""What a client got, turn by turn, and what of it may differ between a client of the server and one of the proxy."""
import re
import time

import random_program
import wire
from proxied import DATABASE, USER

FIRST_OID_OF_USERS = 16384


class Player:
    """Plays a program over one port; `watch` is an administrator's connection that sees what runs at the server."""

    def __init__(self, port, watch, known_tables, chooses):
        """`chooses`: how the program goes on, where that depends on what it hears; else it is played as it was then."""
        self.port, self.watch, self.known_tables, self.chooses = port, watch, known_tables, chooses
        self.connection, self.status, self.number = None, b"I", None

    def play(self, program):
        """[(what was said, what was heard)]."""
        self.number = program.number
        heard = [("login", self.login(program.parameters))]
        try:
            for turn in program.turns:
                try:
                    heard.append((turn, self.take(turn)))
                except TimeoutError:
                    heard.append((turn, [("nothing more", b"in time")]))
                    break
                if heard[-1][1] and heard[-1][1][-1][0] == "closed":
                    break
        finally:
            self.connection.end()
        return heard

    def login(self, parameters):
        self.connection = wire.Connection(self.port)
        return self.comparable(self.connection.login(USER, DATABASE, **parameters))

    def take(self, turn):
        if isinstance(turn, random_program.Say):
            if self.chooses:
                turn.rollback = turn.statements and self.status == b"E"
            data = (wire.query("ROLLBACK") if turn.rollback else b"") + turn.data
            for at in range(0, len(data), turn.piece):
                self.connection.send(data[at:at + turn.piece])
            return self.comparable(self.connection.until_ready(turn.readies + turn.rollback))
        if isinstance(turn, random_program.Cancelled):
            return self.cancelled(turn)
        self.connection.send(turn.data)
        if turn.how == "reset":
            self.connection.reset()
        else:
            self.connection.end()
        self.wait_for_locks()
        return self.login(turn.parameters)

    def wait_for_locks(self):
        """Until the server has released what the client held: it does so when it gets to it, also without a proxy."""
        end = time.monotonic() + wire.BOUND
        first = random_program.LOCKS_OF_CLIENT * self.number
        while self.watch.ask(f"SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND objid >= {first} AND "
                             f"objid < {first + random_program.LOCKS_OF_CLIENT}"):
            assert time.monotonic() < end, "advisory locks of a client that has left are still held"
            time.sleep(0.001)

    def cancelled(self, turn):
        """Cancelled once and when it runs; in an aborted transaction it does not."""
        self.connection.send(turn.data)
        self.connection.socket.settimeout(0.02)
        heard, end, asked = [], time.monotonic() + wire.BOUND, False
        while not heard or heard[-1][0] not in ("Z", "closed"):
            try:
                heard.append(self.connection.receive())
            except TimeoutError:
                if not asked and self.watch.runs(turn.tag):
                    wire.cancel(self.port, *self.connection.key)
                    asked = True
                assert time.monotonic() < end, f"{turn.tag} is not cancelled"
            except wire.Closed:
                heard.append(("closed", b""))
        self.connection.socket.settimeout(wire.BOUND)
        return self.comparable(heard)

    def comparable(self, heard):
        """Without what may differ, and why."""
        out, told, reported = [], [], []
        for kind, body in heard:
            if kind == "Z":
                self.status = body
            if kind == "A":  # the server's number of who notified, and it comes when the server gets to it
                told.append((kind, body[4:]))
                continue
            if kind == "S":  # in the order in which the server or the proxy keeps them
                reported.append((kind, body))
                continue
            out += sorted(reported)
            reported = []
            if kind == "K":  # chosen anew for every client
                body = b"%d bytes" % len(body)
            if kind == "T":  # temporary tables have another number each time
                body = self.without_numbers_of_temporary_tables(body)
            if kind in "EN":  # the name that a prepared statement has at the server is the proxy's
                body = re.sub(rb'prepared statement "[^"]*"', b"prepared statement", body)
            out.append((kind, body))
        return out + sorted(reported) + told

    def without_numbers_of_temporary_tables(self, body):
        out, at = bytearray(body), 2
        for _ in range(int.from_bytes(body[:2], "big")):
            at = body.index(b"\0", at) + 1
            table = int.from_bytes(body[at:at + 4], "big")
            if table >= FIRST_OID_OF_USERS and table not in self.known_tables:
                out[at:at + 4] = b"temp"
            at += 18
        return bytes(out)


def shown(messages):
    out = []
    for kind, body in messages:
        if kind in "EN" and kind != "closed":
            found = wire.fields(body)
            body = f"{found.get('S')} {found.get('C')} {found.get('M')}"
        else:
            body = repr(body[:200])
        out.append(f"    {kind} {body}")
    return "\n".join(out)


def difference(expected, got):
    """In words: the first turn that was answered in another way, and those before it; "" if there is none."""
    for number, ((turn, right), (_, other)) in enumerate(zip(expected, got)):
        if right != other:
            before = "".join(f"  before: {said!r:.1600}\n" for said, _ in expected[max(0, number - 8):number])
            same = next((i for i, (a, b) in enumerate(zip(right, other)) if a != b), min(len(right), len(other)))
            return (f"turn {number}\n{before}  said: {turn!r:.3000}\n  after {same} equal messages the server answers\n"
                    f"{shown(right[same:same + 12])}\n  the proxy\n{shown(other[same:same + 12])}")
    if len(expected) != len(got):
        return f"{len(expected)} turns with the server, {len(got)} with the proxy"
    return ""
