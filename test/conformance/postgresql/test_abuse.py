"""What nobody says who speaks the protocol: no client gets anything by it, others go on, nothing crashes, leaks or grows.
Servers that misbehave are in test_hostile_servers.py, and what is known of other proxies by a number in test_known_faults.py.
"""
import pathlib
import random
import socket
import struct
import sys
import threading
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import proxied  # noqa: E402
import session_state  # noqa: E402
import wire  # noqa: E402

USER, DATABASE = proxied.USER, proxied.DATABASE
PROTOCOL_VIOLATION = "08P01"
SEED = random.SystemRandom().randrange(1 << 32)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with proxied.server(proxied.readable(tmp_path_factory.mktemp("abuse"))) as one:
        yield one


@pytest.fixture(scope="module")
def program(server, tmp_path_factory):
    """With one server connection, so that what is held or spoilt is seen by the next client."""
    with proxied.proxy(tmp_path_factory.mktemp("program"), server, "Transaction", 1, threads=1) as one:
        yield one


def login(port, **parameters):
    client = wire.Connection(port)
    assert client.login(USER, DATABASE, **parameters)[-1][0] == "Z"
    return client


def works(port):
    with login(port) as client:
        assert client.rows("SELECT 7") == [["7"]]


def refused(client):
    """The SQLSTATE of the last words, "" if there are none; the connection is closed then."""
    code = ""
    rest = client.closed_by_peer()
    while rest:
        size = 1 + struct.unpack_from("!I", rest, 1)[0]
        assert rest[:1] in b"ERSKZv", f"it goes on: {rest!r:.300}"
        if rest[:1] == b"E":
            found = wire.fields(rest[5:size])
            assert found["S"] == "FATAL", found
            code = found["C"]
        rest = rest[size:]
    return code


# Before the login ---------------------------------------------------------------------------------------------

@pytest.mark.parametrize("code", [wire.SSL_REQUEST, wire.GSS_REQUEST])
def test_a_wish_for_encryption_is_declined_once_and_no_second_time(program, code):
    with wire.Connection(program.port) as client:
        client.send(wire.first_packet(code))
        assert client.socket.recv(1) == b"N"
        client.send(wire.first_packet(code))
        assert refused(client) == PROTOCOL_VIOLATION
    works(program.port)


def test_who_is_declined_gss_may_ask_for_tls_and_then_log_in_without(program):
    with wire.Connection(program.port) as client:
        for code in (wire.GSS_REQUEST, wire.SSL_REQUEST):
            client.send(wire.first_packet(code))
            assert client.socket.recv(1) == b"N"
        assert client.login(USER, DATABASE)[-1][0] == "Z"


def test_tls_without_a_wish_for_it_is_closed_at_once(program):
    with wire.Connection(program.port) as client:
        client.send(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 200)
        assert client.closed_by_peer() == b""
    works(program.port)


@pytest.mark.parametrize("version", [wire.PROTOCOL_3_2, wire.PROTOCOL_3_2 + 1, 0x30000 + 0xFFFF])
def test_newer_minor_versions_are_3_2_with_a_longer_key_that_cancels(program, version):
    """PostgreSQL 15 speaks 3.0, so that the proxy itself is who speaks 3.2 here."""
    with wire.Connection(program.port) as client, login(program.port) as asker:
        client.send(wire.startup(USER, DATABASE, version))
        greeting = client.until_ready()
        negotiated = [body for kind, body in greeting if kind == "v"]
        assert [body[:4] for body in negotiated] == ([] if version == wire.PROTOCOL_3_2 else [struct.pack("!I", wire.PROTOCOL_3_2)])
        process, secret = next((struct.unpack_from("!I", body)[0], body[4:]) for kind, body in greeting if kind == "K")
        assert 4 < len(secret) <= 256
        client.send(wire.query("SELECT pg_sleep(600)"))
        for wrong in (secret[:4], secret[:-1], secret + b"\0", secret[:-1] + bytes([secret[-1] ^ 1])):
            wire.cancel(program.port, process, wrong)
        client.socket.settimeout(0.3)
        with pytest.raises(TimeoutError):
            client.receive()
        client.socket.settimeout(wire.BOUND)
        wire.cancel(program.port, process, secret)
        answer = client.until_ready()
        assert [wire.fields(body)["C"] for kind, body in answer if kind == "E"] == ["57014"]
        assert asker.rows("SELECT 7") == [["7"]]


@pytest.mark.parametrize("version", [0, 1, 131072, 262144, 0x04D21631, 0xFFFFFFFF])
def test_other_versions_are_refused(program, version):
    with wire.Connection(program.port) as client:
        client.send(wire.startup(USER, DATABASE, version))
        assert refused(client) in ("0A000", PROTOCOL_VIOLATION)
    works(program.port)


def test_first_packets_of_impossible_lengths_are_refused(program):
    codes = (wire.PROTOCOL_3_0, wire.SSL_REQUEST, wire.GSS_REQUEST, wire.CANCEL_REQUEST)
    for length in (0, 1, 3, 4, 5, 7, 10009, 65536, 1 << 24, (1 << 31) - 1, 1 << 31, (1 << 32) - 8, (1 << 32) - 1):
        for code in codes:
            with wire.Connection(program.port) as client:
                client.send(struct.pack("!II", length, code) + b"user\0me\0\0")
                assert refused(client) in (PROTOCOL_VIOLATION, ""), (length, code)
    works(program.port)


@pytest.mark.parametrize("body", [b"", b"\0", b"user", b"user\0", b"user\0me", b"user\0me\0", b"user\0me\0\0more", b"\0\0",
                                  b"database\0shop\0\0", b"user\0\0\0"])
def test_startup_messages_that_are_none_are_refused(program, body):
    with wire.Connection(program.port) as client:
        client.send(wire.first_packet(wire.PROTOCOL_3_0, body))
        assert refused(client) in (PROTOCOL_VIOLATION, "28000")
    works(program.port)


def test_a_startup_message_of_the_largest_size_is_taken_and_a_larger_one_is_not(program):
    def with_size(size):
        empty = len(wire.startup(USER, DATABASE, application_name=""))
        return wire.startup(USER, DATABASE, application_name="x" * (size - empty))

    with wire.Connection(program.port) as client:
        client.send(with_size(10004))
        assert client.until_ready()[-1][0] == "Z"
        assert client.rows("SHOW application_name") == [["x" * 63]]
    with wire.Connection(program.port) as client:
        client.send(with_size(10005))
        assert refused(client) == PROTOCOL_VIOLATION


# After the login ----------------------------------------------------------------------------------------------

def test_a_second_startup_message_ends_the_connection(program):
    for second in (wire.startup("admin", "postgres"), wire.first_packet(wire.SSL_REQUEST), wire.cancel_request(1, b"keys")):
        for before in (b"", wire.query("BEGIN")):
            with login(program.port) as client:
                if before:
                    client.ask(before)
                client.send(second)
                assert refused(client) == PROTOCOL_VIOLATION
            works(program.port)


@pytest.mark.parametrize("before", [b"", wire.query("BEGIN"), wire.parse("", "SELECT 1")])
def test_messages_of_impossible_lengths_end_the_connection(program, before):
    for kind in "QPBDECFSHdcfXp":
        for length in (0, 1, 3, 1 << 31, (1 << 32) - 1):
            with login(program.port) as client:
                client.send(before + kind.encode() + struct.pack("!I", length) + b"some more of it")
                answer = client.closed_by_peer()
                assert b"C" + PROTOCOL_VIOLATION.encode() in answer, (kind, length, answer)
    works(program.port)


def test_messages_of_unknown_types_end_the_connection(program):
    for kind in set(range(256)) - set(b"QPBDECFSHdcfX"):
        with login(program.port) as client:
            client.send(bytes([kind]) + struct.pack("!I", 8) + b"what")
            assert refused(client) == PROTOCOL_VIOLATION, kind
    works(program.port)


def test_halves_of_messages_hold_no_server(program):
    """For as long as they like: nobody waits for the rest but who sent the half."""
    whole = {"Q": wire.query("SELECT 1"), "P": wire.parse("s", "SELECT 1"), "B": wire.bind("", "s"), "D": wire.describe("S", "s"),
             "F": wire.function_call(177, "1", "2")}
    halves = [login(program.port) for _ in range(40)]
    for number, client in enumerate(halves):
        message = list(whole.values())[number % len(whole)]
        client.send(message[:1 + number % (len(message) - 1)])
    works(program.port)
    with login(program.port) as client:
        for _ in range(50):
            assert client.rows("SELECT 7") == [["7"]]
    # It is a message still when the rest comes.
    halves[0].send(whole["Q"][1:])
    assert [kind for kind, _ in halves[0].until_ready()] == ["T", "D", "C", "Z"]
    for client in halves:
        client.end()


def rest_meets_nobody(client, rest, other):
    """Of a CopyData that `client` has begun and whose COPY failed: the server says that it is ready before it comes."""
    assert [kind for kind, _ in client.until_ready()] == ["E", "Z"]
    other.send(wire.query("SELECT 7"))
    client.send(rest + wire.COPY_DONE)
    assert [kind for kind, _ in other.until_ready()] == ["T", "D", "C", "Z"]


def test_the_rest_of_data_whose_copy_failed_meets_no_other_client(program):
    data = wire.copy_data("7\n" * 300_000)
    half = len(data) // 2
    with login(program.port) as client, login(program.port) as other:
        client.rows("CREATE TABLE numbers (number int)")
        for _ in range(3):
            client.send(wire.query("COPY numbers FROM STDIN"))
            assert client.receive()[0] == "G"
            client.send(wire.copy_data("no number\n") + data[:half])
            rest_meets_nobody(client, data[half:], other)
            assert client.rows("SELECT count(*) FROM numbers") == [["0"]]


def test_data_that_is_sent_before_its_copy_is_refused_meets_no_other_client(program):
    data = wire.copy_data("7\n" * 300_000)
    half = len(data) // 2
    with login(program.port) as client, login(program.port) as other:
        for _ in range(3):
            client.send(wire.query("COPY nowhere FROM STDIN") + data[:half])
            rest_meets_nobody(client, data[half:], other)
            assert client.rows("SELECT 8") == [["8"]]


def test_a_client_that_pipelines_without_reading_is_stopped_and_others_go_on(server, tmp_path):
    binary = proxied.binary("release")
    with proxied.proxy(tmp_path, server, "Transaction", 2, program=binary, threads=1) as program:
        works(program.port)
        before = program.resident_kib()
        with login(program.port) as client:
            client.socket.settimeout(2)
            with pytest.raises(TimeoutError):
                for _ in range(40_000):  # more than the kernel takes of what nobody reads
                    client.socket.sendall(wire.query("SELECT repeat('x', 100000)") * 20)
            works(program.port)
            assert program.resident_kib() - before < 16 << 10
        works(program.port)


def test_a_large_query_and_its_large_result_come_whole_through_little_memory(server, tmp_path):
    size = 48 << 20
    with proxied.proxy(tmp_path, server, "Transaction", 1, program=proxied.binary("release"), threads=1) as program:
        works(program.port)
        before, most = program.resident_kib(), 0
        ended = threading.Event()

        def watch():
            nonlocal most
            while not ended.wait(0.01):
                most = max(most, program.resident_kib())

        watching = threading.Thread(target=watch)
        watching.start()
        try:
            with login(program.port) as client:
                assert client.rows("SELECT '" + "y" * size + "'") == [["y" * size]]
        finally:
            ended.set()
            watching.join()
        assert 0 < most - before < 16 << 10


# Cancels ------------------------------------------------------------------------------------------------------

def test_a_query_is_cancelled_by_its_own_key_alone(program):
    chance = random.Random(SEED)
    with login(program.port) as client:
        process, secret = client.key
        client.send(wire.query("SELECT pg_sleep(600)"))
        wrong = [(process, bytes(chance.randrange(256) for _ in range(4))) for _ in range(200)]
        wrong += [(other, secret) for other in range(process + 200) if other != process]
        wrong += [(process, key) for key in (secret + b"\0", secret * 2, secret * 64, b"\0" * 256) if key != secret]
        for other, key in wrong:
            if (other, key) != (process, secret):
                wire.cancel(program.port, other, key)
        for short in (b"", secret[:1], secret[:3], b"x" * 257, b"x" * 5000):
            wire.cancel(program.port, process, short)
        client.socket.settimeout(0.3)
        with pytest.raises(TimeoutError):
            client.receive()
        client.socket.settimeout(wire.BOUND)
        wire.cancel(program.port, process, secret)
        assert [wire.fields(body)["C"] for kind, body in client.until_ready() if kind == "E"] == ["57014"]
        assert client.rows("SELECT 7") == [["7"]], f"seed {SEED}"


def test_who_waits_for_a_server_is_cancelled_too(program):
    with login(program.port) as holder, login(program.port) as client:
        holder.ask(wire.query("BEGIN"))
        for said in (wire.query("SELECT 1"), wire.parse("", "SELECT 1") + wire.bind("", "") + wire.execute("") + wire.SYNC):
            client.send(said)
            client.socket.settimeout(0.3)
            with pytest.raises(TimeoutError):
                client.receive()
            client.socket.settimeout(wire.BOUND)
            wire.cancel(program.port, *client.key)
            answer = client.until_ready()
            assert [kind for kind, _ in answer] == ["E", "Z"]
            assert wire.fields(answer[0][1])["C"] == "57014"
        assert holder.rows("SELECT 7") == [["7"]]
        holder.ask(wire.query("COMMIT"))
        assert client.rows("SELECT 8") == [["8"]]


# Many ---------------------------------------------------------------------------------------------------------

def attempt(port, chance):
    """One of the ways to come and go."""
    kind = chance.randrange(8)
    with wire.Connection(port) as client:
        if kind == 1:
            client.send(bytes(chance.randrange(256) for _ in range(chance.randrange(64))))
        elif kind == 2:
            client.send(wire.first_packet(wire.SSL_REQUEST))
        elif kind == 3:
            client.send(wire.startup(USER, DATABASE)[:chance.randrange(60)])
        elif kind == 4:
            client.send(wire.cancel_request(chance.randrange(1 << 31), b"keys"))
        elif kind == 5:
            client.send(wire.startup(USER, DATABASE))
        elif kind == 6:
            client.login(USER, DATABASE)
            client.send(wire.query("SELECT 1"))
        elif kind == 7:
            client.login(USER, DATABASE, application_name=f"attempt {chance.random()}")
            client.ask(wire.parse("", "SELECT 1") + wire.SYNC)
        if chance.random() < 0.3:
            client.reset()


def test_ten_thousand_attempts_leave_neither_memory_nor_descriptors(server, tmp_path, capsys):
    chance = random.Random(SEED)
    with proxied.proxy(tmp_path, server, "Transaction", 4, program=proxied.binary("release")) as program:
        descriptors = pathlib.Path(f"/proc/{program.process.pid}/fd")
        sizes = []
        for _ in range(4):
            for _ in range(2500):
                attempt(program.port, chance)
            works(program.port)
            end = time.monotonic() + wire.BOUND
            while len(list(descriptors.iterdir())) > 60 and time.monotonic() < end:
                time.sleep(0.01)
            assert len(list(descriptors.iterdir())) <= 60
            sizes.append(program.resident_kib())
        assert sizes[-1] - sizes[0] < 2048, f"KiB: {sizes}, seed {SEED}"
    with capsys.disabled():
        print(f"\nresident KiB after 2,500, 5,000, 7,500 and 10,000 attempts: {sizes}")


def test_whatever_bytes_are_wrong_the_next_client_finds_a_new_session(server, tmp_path):
    """Good conversations with some bytes changed, taken out or put in."""
    said = (wire.query("SET work_mem = '7MB'") + wire.query("BEGIN") + wire.parse("s", "SELECT $1::int")
            + wire.bind("p", "s", ["1"]) + wire.describe("P", "p") + wire.execute("p") + wire.close("S", "s") + wire.SYNC
            + wire.query("COPY (SELECT 1) TO STDOUT") + wire.function_call(177, "1", "2") + wire.query("COMMIT"))
    for pooling in ("Transaction", "Session"):
        with proxied.proxy(tmp_path, server, pooling, 1, threads=1) as program:
            defaults = session_state.Defaults(server, program.port, 1)
            for number in range(300):
                chance = random.Random(f"{SEED} {number}")
                wrong = bytearray(said)
                for _ in range(chance.choice([1, 1, 2, 5])):
                    at = chance.randrange(len(wrong))
                    wrong[at:at + chance.choice([0, 1, 1, 1, 4])] = bytes(
                        chance.choice([0, 255, chance.randrange(256)]) for _ in range(chance.choice([0, 1, 1, 1, 4])))
                with login(program.port) as client:
                    client.send(bytes(wrong))
                    client.socket.settimeout(0.01)
                    try:
                        while client.socket.recv(65536):
                            pass
                    except (TimeoutError, ConnectionResetError):
                        pass
                defaults.hold(f"{pooling}, seed {SEED}, number {number}: {bytes(wrong)!r}")
