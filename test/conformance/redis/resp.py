"""RESP as a client writes and reads it: bytes of requests, replies as they came, and a connection that hides nothing."""
import socket
import time

BOUND = 30  # seconds for an answer: the machine may be busy
AGGREGATES = {b"*": 1, b"~": 1, b">": 1, b"%": 2, b"|": 2}
BODIES = b"$=!"


def encoded(word):
    return word if isinstance(word, bytes) else str(word).encode()


def request(*words):
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in map(encoded, words))


def inline(*words):
    """As one types it: each word in quotes, with escapes for what is no letter."""
    return b" ".join(b'"' + b"".join(b"\\x%02x" % byte if byte < 33 or byte > 126 or byte in b'"\\' else bytes([byte])
                                     for byte in encoded(word)) + b'"' for word in words) + b"\r\n"


class Incomplete(Exception):
    """More bytes have to come."""


def tree(data, at=0):
    """((type, value), where it ends) of the reply at `at`: bytes, None for a null, or a list; a map's is flat."""
    root, open_ones = [], []  # of aggregates that are not whole: (what they have, how many are missing)
    while True:
        line = data.find(b"\r\n", at)
        if line < 0:
            raise Incomplete
        kind, head = bytes(data[at:at + 1]), bytes(data[at + 1:line])
        at = line + 2
        missing = 0
        if kind in AGGREGATES and head != b"-1":
            missing = int(head) * AGGREGATES[kind]
            value = []
        elif kind in AGGREGATES or (kind in BODIES and head == b"-1"):
            value = None
        elif kind in BODIES:
            end = at + int(head)
            if len(data) < end + 2:
                raise Incomplete
            value, at = bytes(data[at:end]), end + 2
        else:
            value = head
        (open_ones[-1][0] if open_ones else root).append((kind, value))
        if open_ones:
            open_ones[-1][1] -= 1
        if missing:
            open_ones.append([value, missing])
        while open_ones and open_ones[-1][1] == 0:
            open_ones.pop()
        if not open_ones:
            return root[0], at


def plain(reply):
    """Without types: bytes, numbers, None, lists."""
    kind, value = reply
    if kind == b"-":
        raise AssertionError(value)
    if isinstance(value, list):
        return [plain(one) for one in value]
    return int(value) if kind == b":" else value


class Closed(Exception):
    """The other side ended the connection."""


class Connection:
    """What is read is kept until it is taken. Every wait has an end."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), BOUND)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.input = bytearray()
        self.closed = False

    def send(self, pieces):
        """Reads meanwhile, so that the other side never waits for it."""
        for piece in pieces:
            piece = memoryview(piece)
            end = time.monotonic() + BOUND
            while len(piece) and not self.closed:
                self.socket.settimeout(0.01)
                try:
                    piece = piece[self.socket.send(piece):]
                except TimeoutError:
                    assert time.monotonic() < end, "nobody reads"
                    self.read(0.01)
                except (ConnectionResetError, BrokenPipeError):
                    return  # what was said before is to be read first

    def read(self, bound=BOUND):
        """What comes next; False when nothing came in time."""
        self.socket.settimeout(bound)
        try:
            some = self.socket.recv(1 << 18)
        except TimeoutError:
            return False
        except ConnectionResetError:
            some = b""
        self.input += some
        self.closed = self.closed or not some
        return True

    def reply(self, bound=BOUND):
        """(the bytes of the next one, its tree)."""
        while True:
            try:
                found, end = tree(self.input)
                data = bytes(self.input[:end])
                del self.input[:end]
                return data, found
            except Incomplete:
                if self.closed:
                    raise Closed from None
                if not self.read(bound):
                    raise TimeoutError from None

    def ask(self, *words):
        """The plain reply to one command; an error is raised."""
        self.send([request(*words)])
        return plain(self.reply()[1])

    def end(self):
        self.socket.close()
