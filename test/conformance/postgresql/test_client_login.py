"""Clients that have to log in at the proxy (clientCredentialsFolder), and TLS on its listener (listenerTLS): with libpq,
and by the bytes where libpq does not tell the SQLSTATE. What is refused is refused in PostgreSQL's own words.
"""
import base64
import contextlib
import hashlib
import hmac
import itertools
import os
import pathlib
import socket
import ssl
import struct
import subprocess
import sys
import time

import psycopg2
import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import proxied  # noqa: E402
import wire  # noqa: E402

DATABASE = proxied.DATABASE
CLIENT, SHOWN, NEXT = "shopkeeper", "what clients show", "what they show then"
HBA = (f"local all all trust\nhost all admin,{proxied.USER} 127.0.0.1/32 trust\n"
       f"host {DATABASE} all 127.0.0.1/32 scram-sha-256\n")
POOLINGS = ["Session", "Transaction"]
BOUND = 60  # seconds for a file to be seen: the machine may be busy


class Secret:
    """A volume of the kubelet: files are links into ..data, which is replaced as a whole."""

    def __init__(self, folder, **files):
        self.folder, self.versions = folder, itertools.count()
        folder.mkdir()
        self.replace(**files)

    def replace(self, **files):
        """By name, with _ for the dot."""
        version = f"..version{next(self.versions)}"
        (self.folder / version).mkdir()
        names = {name.replace("_", "."): text for name, text in files.items()}
        for name, text in names.items():
            (self.folder / version / name).write_text(text)
        os.symlink(version, self.folder / "..data_tmp")
        os.replace(self.folder / "..data_tmp", self.folder / "..data")
        for link in self.folder.iterdir():
            if not link.name.startswith("..") and link.name not in names:
                link.unlink()
        for name in names:
            if not (self.folder / name).is_symlink():
                os.symlink(f"..data/{name}", self.folder / name)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with proxied.server(proxied.readable(tmp_path_factory.mktemp("login")), hba=HBA) as one:
        one.sql(f"CREATE ROLE {CLIENT} LOGIN PASSWORD '{SHOWN}'")
        yield one


def certificate(folder, name):
    """Signed by itself, for localhost."""
    paths = folder / f"{name}.crt", folder / f"{name}.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-sha256",
                    "-nodes", "-days", "2", "-subj", f"/CN={name}", "-addext", "subjectAltName=DNS:localhost",
                    "-out", paths[0], "-keyout", paths[1]], check=True, stderr=subprocess.DEVNULL)
    return {"tls_crt": paths[0].read_text(), "tls_key": paths[1].read_text()}


@contextlib.contextmanager
def proxy(folder, server, clients, pooling="Transaction", own=None, connections=4):
    """`clients`, `own`: Secrets, of what clients show and of what they are shown."""
    listener = proxied.listener(folder, server, pooling, connections)
    listener["sql"]["clientCredentialsFolder"] = str(clients.folder)
    more = {"sql": listener["sql"]}
    if own:
        more["listenerTLS"] = {"certificateFile": str(own.folder / "tls.crt"), "keyFile": str(own.folder / "tls.key")}
    with proxied.proxy(folder, server, pooling, connections, **more) as program:
        yield program


def connect(port, user=CLIENT, password=SHOWN, **options):
    return psycopg2.connect(**{"host": "127.0.0.1", "port": port, "user": user, "password": password, "dbname": DATABASE,
                               "sslmode": "disable", "connect_timeout": wire.BOUND, **options})


def who(connection):
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        return cursor.fetchone()[0]


def refusal(port, user, password, **options):
    """What libpq tells, behind the address."""
    with pytest.raises(psycopg2.OperationalError) as caught:
        connect(port, user, password, **options).close()
    return str(caught.value).split("FATAL:", 1)[-1].strip()


def eventually(holds):
    end = time.monotonic() + BOUND
    while not holds():
        assert time.monotonic() < end, f"not within {BOUND} s"
        time.sleep(0.05)


def is_let_in(port, user, password):
    try:
        connect(port, user, password).close()
        return True
    except psycopg2.OperationalError:
        return False


def says(folder, program, text):
    return text in proxied.log_of(folder, program)


def sasl(port, user, password):
    """All messages up to the last one of a login by SCRAM-SHA-256 without TLS, as (type, body)."""
    with wire.Connection(port) as client:
        client.send(wire.startup(user, DATABASE))
        found = [client.receive()]
        if found[0][0] != "R":
            return found
        first = "n=,r=not-guessed"
        data = f"n,,{first}".encode()
        client.send(wire.message("p", wire.text("SCRAM-SHA-256"), struct.pack("!i", len(data)), data))
        found.append(client.receive())
        if found[-1][0] != "R":
            return found
        challenge = found[-1][1][4:].decode()
        nonce, salt, rounds = (part[2:] for part in challenge.split(","))
        salted = hashlib.pbkdf2_hmac("sha256", password.encode(), base64.b64decode(salt), int(rounds))
        key = hmac.digest(salted, b"Client Key", "sha256")
        final = f"c=biws,r={nonce}"
        signature = hmac.digest(hashlib.sha256(key).digest(), f"{first},{challenge},{final}".encode(), "sha256")
        proof = base64.b64encode(bytes(a ^ b for a, b in zip(key, signature))).decode()
        client.send(wire.message("p", f"{final},p={proof}".encode()))
        return found + client.until_ready()


def last_error(messages):
    found = [wire.fields(body) for kind, body in messages if kind == "E"]
    return (found[-1]["S"], found[-1]["C"], found[-1]["M"]) if found else None


def shown_certificate(port):
    """In DER, to a client that asks for TLS."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection(("127.0.0.1", port), wire.BOUND) as plain:
        plain.sendall(wire.first_packet(wire.SSL_REQUEST))
        assert plain.recv(1) == b"S"
        with context.wrap_socket(plain) as secured:
            return secured.getpeercert(binary_form=True)


# Who is let in ------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("pooling", POOLINGS)
def test_who_shows_the_password_is_let_in_as_the_proxy_s_own_user(server, tmp_path, pooling):
    clients = Secret(tmp_path / "clients", username=CLIENT, password=SHOWN)
    with proxy(tmp_path, server, clients, pooling) as program:
        for _ in range(3):  # also where a server is there and warm
            with contextlib.closing(connect(program.port)) as one:
                assert who(one) == proxied.USER
                assert not one.info.ssl_in_use


@pytest.mark.parametrize("pooling", POOLINGS)
def test_a_wrong_user_is_told_what_a_wrong_password_is_told_and_what_postgresql_says(server, tmp_path, pooling):
    clients = Secret(tmp_path / "clients", username=CLIENT, password=SHOWN)
    wrong = [(CLIENT, "another"), ("nobody", SHOWN), ("nobody", "another"), (proxied.USER, proxied.PASSWORD)]
    with proxy(tmp_path, server, clients, pooling) as program:
        connect(program.port).close()
        for user, password in wrong:
            expected = ("FATAL", "28P01", f'password authentication failed for user "{user}"')
            messages = sasl(program.port, user, password)
            assert last_error(messages) == expected
            # As many messages, of the same kinds: nothing before the end tells one from the other.
            assert [kind for kind, _ in messages] == ["R", "R", "E", "closed"]
            assert refusal(program.port, user, password) == expected[2]
        for user, password in wrong[:3]:  # the oracle; the fourth is trusted there
            assert last_error(sasl(server.port, user, password)) == last_error(sasl(program.port, user, password))
        assert sasl(program.port, CLIENT, SHOWN)[-1][0] == "Z"
    log = proxied.log_of(tmp_path, program)
    assert SHOWN not in log and proxied.PASSWORD not in log


def test_who_shows_nothing_is_not_let_in(server, tmp_path):
    clients = Secret(tmp_path / "clients", username=CLIENT, password=SHOWN)
    with proxy(tmp_path, server, clients) as program:
        with pytest.raises(psycopg2.OperationalError, match="no password supplied"):
            connect(program.port, password="", passfile="/dev/null")
        with wire.Connection(program.port) as client:  # goes on as if it had been let in
            client.send(wire.startup(CLIENT, DATABASE) + wire.query("SELECT 1"))
            messages = client.until_ready()
            assert [kind for kind, _ in messages] == ["R", "E", "closed"]
            assert last_error(messages)[0] == "FATAL"


def test_a_password_kept_as_postgresql_keeps_it_will_do(server, tmp_path):
    verifier = server.sql(f"SELECT rolpassword FROM pg_authid WHERE rolname = '{CLIENT}'")[0][0]
    assert verifier.startswith("SCRAM-SHA-256$")
    clients = Secret(tmp_path / "clients", username=CLIENT, password=verifier)
    with proxy(tmp_path, server, clients) as program:
        connect(program.port).close()
        assert refusal(program.port, CLIENT, verifier) == f'password authentication failed for user "{CLIENT}"'


# TLS ----------------------------------------------------------------------------------------------------------

def test_over_tls_the_login_is_bound_to_the_certificate(server, tmp_path):
    clients = Secret(tmp_path / "clients", username=CLIENT, password=SHOWN)
    own = Secret(tmp_path / "own", **certificate(tmp_path, "one"))
    with proxy(tmp_path, server, clients, own=own) as program:
        bound = {"sslmode": "require", "channel_binding": "require"}
        with contextlib.closing(connect(program.port, **bound)) as one:
            assert one.info.ssl_in_use and who(one) == proxied.USER
        with contextlib.closing(connect(program.port, host="localhost", sslmode="verify-full",
                                        sslrootcert=str(tmp_path / "one.crt"))) as one:
            assert one.info.ssl_in_use
        for user, password in ((CLIENT, "another"), ("nobody", SHOWN)):
            assert refusal(program.port, user, password, **bound) == f'password authentication failed for user "{user}"'
        # TLS is for those who ask; libpq can't bind without it.
        with contextlib.closing(connect(program.port)) as one:
            assert not one.info.ssl_in_use
        with pytest.raises(psycopg2.OperationalError, match="channel binding"):
            connect(program.port, channel_binding="require")


def test_without_a_certificate_there_is_no_tls(server, tmp_path):
    clients = Secret(tmp_path / "clients", username=CLIENT, password=SHOWN)
    with proxy(tmp_path, server, clients) as program:
        with pytest.raises(psycopg2.OperationalError, match="server does not support SSL"):
            connect(program.port, sslmode="require")


def test_a_certificate_that_is_replaced_is_shown_to_who_comes_then(server, tmp_path):
    clients = Secret(tmp_path / "clients", username=CLIENT, password=SHOWN)
    own = Secret(tmp_path / "own", **certificate(tmp_path, "one"))
    second = certificate(tmp_path, "two")
    with proxy(tmp_path, server, clients, own=own) as program:
        assert shown_certificate(program.port) == ssl.PEM_cert_to_DER_cert((tmp_path / "one.crt").read_text())
        with contextlib.closing(connect(program.port, sslmode="require", channel_binding="require")) as before:
            own.replace(**second)
            wanted = ssl.PEM_cert_to_DER_cert(second["tls_crt"])
            eventually(lambda: shown_certificate(program.port) == wanted)
            connect(program.port, sslmode="require", channel_binding="require").close()
            assert who(before) == proxied.USER
            # A pair that is none changes nothing, and is told.
            own.replace(tls_crt=second["tls_crt"], tls_key="none")
            eventually(lambda: says(tmp_path, program, "TLS files refused"))
            assert shown_certificate(program.port) == wanted


# Secrets that change ------------------------------------------------------------------------------------------

@pytest.mark.parametrize("pooling", POOLINGS)
def test_a_password_that_is_replaced_counts_for_who_comes_then(server, tmp_path, pooling):
    clients = Secret(tmp_path / "clients", username=CLIENT, password=SHOWN)
    with proxy(tmp_path, server, clients, pooling) as program:
        with contextlib.closing(connect(program.port)) as before:
            assert who(before) == proxied.USER
            clients.replace(username=CLIENT, password=NEXT)
            eventually(lambda: is_let_in(program.port, CLIENT, NEXT))
            assert last_error(sasl(program.port, CLIENT, SHOWN))[1] == "28P01"
            assert who(before) == proxied.USER
            clients.replace(username="cashier", password=NEXT)
            eventually(lambda: is_let_in(program.port, "cashier", NEXT))
            assert last_error(sasl(program.port, CLIENT, NEXT))[1] == "28P01"
            assert who(before) == proxied.USER
    log = proxied.log_of(tmp_path, program)
    assert SHOWN not in log and NEXT not in log


WANTING = [{}, {"username": CLIENT}, {"password": SHOWN}, {"username": CLIENT, "password": ""},
           {"username": CLIENT, "password": "\n"}, {"username": "", "password": SHOWN}]


@pytest.mark.parametrize("files", WANTING, ids=str)
def test_without_a_password_to_hold_it_against_nobody_is_let_in_until_there_is_one(server, tmp_path, files):
    clients = Secret(tmp_path / "clients", **files)
    with proxy(tmp_path, server, clients) as program:
        for user, password in ((CLIENT, SHOWN), (CLIENT, ""), ("", SHOWN)):
            assert not is_let_in(program.port, user, password)
        with wire.Connection(program.port) as client:  # and none is trusted
            client.send(wire.startup(CLIENT, DATABASE))
            assert last_error(client.until_ready())[0] == "FATAL"
        lacking = "username" if not files.get("username") else "password"
        eventually(lambda: says(tmp_path, program, str(clients.folder / lacking)))
        clients.replace(username=CLIENT, password=SHOWN)
        eventually(lambda: is_let_in(program.port, CLIENT, SHOWN))
