"""PostgreSQL's protocol as a client writes and reads it: bytes of messages, and a connection that hides nothing."""
import socket
import struct

SSL_REQUEST, GSS_REQUEST, CANCEL_REQUEST = 80877103, 80877104, 80877102
PROTOCOL_3_0, PROTOCOL_3_2 = 196608, 196610
BOUND = 30  # seconds for an answer: the machine may be busy


def text(value):
    return value.encode() + b"\0"


def message(kind, *parts):
    body = b"".join(parts)
    return kind.encode() + struct.pack("!I", len(body) + 4) + body


def first_packet(code, body=b""):
    return struct.pack("!II", 8 + len(body), code) + body


def startup(user, database, version=PROTOCOL_3_0, **parameters):
    pairs = {"user": user, "database": database, **parameters}
    return first_packet(version, b"".join(text(name) + text(value) for name, value in pairs.items()) + b"\0")


def cancel_request(process, key):
    return first_packet(CANCEL_REQUEST, struct.pack("!I", process) + key)


def query(sql):
    return message("Q", text(sql))


def parse(name, sql, types=()):
    return message("P", text(name), text(sql), struct.pack(f"!H{len(types)}I", len(types), *types))


def bind(portal, statement, values=(), binary=False):
    """Values as text, or None; the results as text, or binary."""
    sent = b"".join(struct.pack("!i", -1) if value is None else struct.pack("!i", len(value.encode())) + value.encode()
                    for value in values)
    return message("B", text(portal), text(statement), struct.pack("!HH", 0, len(values)), sent,
                   struct.pack("!HH", 1, 1) if binary else struct.pack("!H", 0))


def describe(kind, name):
    return message("D", kind.encode(), text(name))


def close(kind, name):
    return message("C", kind.encode(), text(name))


def execute(portal, rows=0):
    return message("E", text(portal), struct.pack("!I", rows))


def function_call(oid, *arguments):
    """With arguments and result as text."""
    values = b"".join(struct.pack("!i", len(value.encode())) + value.encode() for value in arguments)
    return message("F", struct.pack("!IHH", oid, 0, len(arguments)), values, struct.pack("!H", 0))


SYNC, FLUSH, TERMINATE, COPY_DONE = message("S"), message("H"), message("X"), message("c")


def copy_data(data):
    return message("d", data.encode())


def copy_fail(why):
    return message("f", text(why))


def fields(body):
    """Of an error or a notice."""
    return {part[:1].decode(): part[1:].decode(errors="replace") for part in body.split(b"\0") if part}


def columns(body):
    """Of a row, as text."""
    at, out = 2, []
    for _ in range(struct.unpack_from("!H", body)[0]):
        size, = struct.unpack_from("!i", body, at)
        at += 4
        out.append(None if size < 0 else body[at:at + size].decode(errors="replace"))
        at += max(size, 0)
    return out


class Closed(Exception):
    """The other side ended the connection."""


class Connection:
    """Blocking, without TLS. Every wait has an end."""

    def __init__(self, port, bound=BOUND):
        self.port = port
        self.socket = socket.create_connection(("127.0.0.1", port), bound)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.input = bytearray()
        self.key = None  # process, secret

    def login(self, user, database, **parameters):
        """The messages of the greeting; Refused if there is none. The server asks for no password."""
        self.send(startup(user, database, **parameters))
        greeting = self.until_ready()
        for kind, body in greeting:
            if kind == "K":
                self.key = struct.unpack_from("!I", body)[0], body[4:]
        return greeting

    def send(self, data):
        try:
            self.socket.sendall(data)
        except (ConnectionResetError, BrokenPipeError):
            pass  # what it said before is to be read first

    def receive(self):
        """(type, body) of the next message."""
        while len(self.input) < 5 or len(self.input) < self._size():
            try:
                some = self.socket.recv(65536)
            except ConnectionResetError:
                some = b""
            if not some:
                raise Closed(bytes(self.input))
            self.input += some
        size = self._size()
        kind, body = chr(self.input[0]), bytes(self.input[5:size])
        del self.input[:size]
        return kind, body

    def _size(self):
        return 1 + struct.unpack_from("!I", self.input, 1)[0]

    def until_ready(self, count=1):
        """All messages up to so many ReadyForQuery; ("closed", b"") is the last one if the connection ended."""
        found = []
        while count > 0:
            try:
                found.append(self.receive())
            except Closed:
                return found + [("closed", b"")]
            count -= found[-1][0] == "Z"
        return found

    def ask(self, data, count=1):
        self.send(data)
        return self.until_ready(count)

    def rows(self, sql):
        """Of one simple query; an error is raised."""
        answer = self.ask(query(sql))
        for kind, body in answer:
            if kind == "E":
                raise AssertionError(f"{sql}: {fields(body)}")
        if answer[-1][0] == "closed":
            raise AssertionError(f"{sql}: the connection ended")
        return [columns(body) for kind, body in answer if kind == "D"]

    def closed_by_peer(self):
        """Waits for the end; whatever comes before it is returned."""
        rest = bytes(self.input)
        while True:
            try:
                some = self.socket.recv(65536)
            except ConnectionResetError:
                some = b""
            if not some:
                return rest
            rest += some

    def reset(self):
        """Ends it at once, as a client that was killed does with unread input."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def end(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()


def cancel(port, process, key):
    """Returns when the other side has closed, so that it is done."""
    with Connection(port) as asker:
        asker.send(cancel_request(process, key))
        asker.closed_by_peer()
