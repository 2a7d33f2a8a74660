"""A RESP2 client of the standard library alone: replies are Python values, an error reply is an Error value."""
import socket


class Error(str):
    """An error reply. A value, not an exception: a test counts them."""


class Connection:
    """One connection. Not for threads."""

    def __init__(self, host="127.0.0.1", port=6380, timeout=10.0):
        self.socket = socket.create_connection((host, port), timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.reader = self.socket.makefile("rb")

    def send(self, *words):
        self.socket.sendall(encode(*words))

    def ask(self, *words):
        self.send(*words)
        return self.read()

    def pipeline(self, commands):
        self.socket.sendall(b"".join(encode(*command) for command in commands))
        return [self.read() for _ in commands]

    def read(self):
        line = self.reader.readline()
        if not line.endswith(b"\r\n"):
            raise ConnectionError("closed by the other side")
        kind, rest = line[:1], line[1:-2]
        if kind == b"+":
            return rest.decode()
        if kind == b"-":
            return Error(rest.decode())
        if kind == b":":
            return int(rest)
        if kind == b"$":
            return None if rest == b"-1" else self._exactly(int(rest) + 2)[:-2]
        if kind == b"*":
            return None if rest == b"-1" else [self.read() for _ in range(int(rest))]
        raise ValueError(f"not RESP2: {line!r}")

    def _exactly(self, size):
        data = self.reader.read(size)
        if len(data) != size:
            raise ConnectionError("closed in the middle of a reply")
        return data

    def close(self):
        self.reader.close()
        self.socket.close()


def encode(*words):
    parts = [word if isinstance(word, bytes) else str(word).encode() for word in words]
    return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts)
