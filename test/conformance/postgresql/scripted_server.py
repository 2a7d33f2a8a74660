"""A PostgreSQL server that says what a test tells it to, for what no real one says."""
import contextlib
import socket
import struct
import threading

import wire

AUTHENTICATION_OK = wire.message("R", struct.pack("!I", 0))
READY = wire.message("Z", b"I")
PARAMETERS = b"".join(wire.message("S", wire.text(name), wire.text(value)) for name, value in {
    "server_version": "15.0", "client_encoding": "UTF8", "DateStyle": "ISO, MDY", "TimeZone": "UTC",
    "IntervalStyle": "postgres", "standard_conforming_strings": "on", "application_name": "", "in_hot_standby": "off",
    "server_encoding": "UTF8", "integer_datetimes": "on", "is_superuser": "off", "session_authorization": "app"}.items())


def error(**fields):
    return wire.message("E", b"".join(name.encode() + wire.text(value) for name, value in fields.items()), b"\0")


def key(secret=b"keys"):
    return wire.message("K", struct.pack("!I", 4711), secret)


WELCOME = AUTHENTICATION_OK + PARAMETERS + key() + READY


def receive(connection, size):
    data = b""
    while len(data) < size:
        some = connection.recv(size - len(data))
        if not some:
            raise ConnectionError("the other side has closed")
        data += some
    return data


def first_packet(connection):
    """(code, the rest)."""
    size, code = struct.unpack("!II", receive(connection, 8))
    return code, receive(connection, size - 8)


def next_message(connection):
    kind, size = struct.unpack("!cI", receive(connection, 5))
    return kind.decode(), receive(connection, size - 4)


@contextlib.contextmanager
def serving(say):
    """Gives the port. `say(connection, number)` has each connection to itself; an end in its midst is none of its business."""
    listening = socket.create_server(("127.0.0.1", 0), backlog=128)
    connections, failed = [], []

    def one(connection, number):
        with connection, contextlib.suppress(ConnectionError, TimeoutError):
            try:
                say(connection, number)
            except (ConnectionError, TimeoutError):
                raise
            except Exception as problem:  # told in the test's thread
                failed.append(problem)

    def accept():
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listening.accept()
                connection.settimeout(wire.BOUND)
                connections.append(connection)
                threading.Thread(target=one, args=(connection, len(connections)), daemon=True).start()

    accepting = threading.Thread(target=accept, daemon=True)
    accepting.start()
    try:
        yield listening.getsockname()[1]
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        accepting.join()
    if failed:
        raise failed[0]
