#!/usr/bin/env python3
"""attack.py WHAT SECONDS HOST PORT tls|plain: is a bad client for that long.

Prints "under way" once it has begun, and at the end {"bounded": bool, ...} as JSON: bounded means that the other side
answered with an error, closed in the end, or kept waiting without being hurt, whatever is right for the attack.
"""
import json
import os
import socket
import ssl
import sys
import time

MANY = 1000  # idle connections
GIB = 1 << 30


class Target:
    def __init__(self, host, port, tls):
        self.host, self.port, self.tls = host, port, tls

    def plain(self, timeout=10.0):
        return socket.create_connection((self.host, self.port), timeout)

    def connect(self, timeout=10.0):
        link = self.plain(timeout)
        if not self.tls:
            return link
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return context.wrap_socket(link)


def head(*lines):
    return "\r\n".join(["POST /mutate--v1-pod HTTP/1.1", "Host: operator", "Content-Type: application/json",
                        *lines, "", ""]).encode()


def answer(link, seconds=15.0):
    """The first line of what comes back; "closed" when the connection ended; "silence" otherwise."""
    link.settimeout(seconds)
    try:
        data = link.recv(4096)
    except (TimeoutError, ssl.SSLWantReadError):
        return "silence"
    except OSError:
        return "closed"
    return data.split(b"\r\n")[0].decode(errors="replace") if data else "closed"


def refused(said):
    return said == "closed" or " 4" in said[:14] or said.startswith("-")


def drip(link, data, until, every=0.2):
    """Sends a byte now and then; True when the other side gave up first."""
    for byte in data:
        if time.monotonic() > until:
            return False
        try:
            link.sendall(bytes([byte]))
        except OSError:
            return True
        time.sleep(every)
    return False


def repeat(target, until, once, pause=0.05):
    """Does it again and again on new connections; what each was told."""
    told = {}
    while time.monotonic() < until:
        try:
            said = once(target)
        except OSError as problem:
            said = "closed" if isinstance(problem, (ConnectionError, ssl.SSLError)) else f"{type(problem).__name__}"
        told[said] = told.get(said, 0) + 1
        time.sleep(pause)
    return told


def one_shot(data, then_answer=True):
    def once(target):
        with target.connect() as link:
            link.sendall(data)
            return answer(link) if then_answer else "sent"
    return once


def slow(data, close_expected):
    def run(target, until):
        links = [target.connect() for _ in range(20)]
        gone = 0
        position = 0
        while time.monotonic() < until:
            for link in list(links):
                try:
                    link.sendall(data[position % len(data):position % len(data) + 1])
                except OSError:
                    links.remove(link)
                    gone += 1
            position += 1
            time.sleep(0.3)
        # Whoever must not wait for ever closes within its limit; we look a little longer than we dripped.
        waited = time.monotonic() + 30
        while close_expected and links and time.monotonic() < waited:
            for link in list(links):
                if answer(link, 0.2) != "silence":
                    links.remove(link)
                    gone += 1
        return {"bounded": not close_expected or not links, "closed": gone, "open": len(links)}
    return run


def shots(data):
    def run(target, until):
        told = repeat(target, until, one_shot(data))
        return {"bounded": all(refused(said) for said in told), "told": told}
    return run


def huge_body(target, until):
    """Announces 1 GiB and sends as much of it as is taken."""
    sent = 0
    link = target.connect()
    block = b"x" * (1 << 20)
    try:
        link.sendall(head(f"Content-Length: {GIB}"))
        while sent < GIB and time.monotonic() < until + 30:
            link.sendall(block)
            sent += len(block)
        said = "taken whole"
    except OSError:
        said = "closed"
    return {"bounded": said == "closed" and sent < 64 << 20, "sent": sent, "said": said}


def idle(target, until):
    links = []
    for _ in range(MANY):
        try:
            links.append(target.plain(5))
        except OSError:
            break
    time.sleep(max(0.0, until - time.monotonic()))
    return {"bounded": len(links) > 0, "connections": len(links)}


def half_close(target, until):
    def once(target):
        with target.plain() as link:
            link.sendall(b"*1\r\n$4\r\nPI")
            link.shutdown(socket.SHUT_WR)
            return answer(link)
    told = repeat(target, until, once)
    return {"bounded": "silence" not in told, "told": told}


def garbage(target, until):
    def once(target):
        with target.plain() as link:
            link.sendall(os.urandom(2000))
            return answer(link)
    told = repeat(target, until, once)
    return {"bounded": "silence" not in told, "told": told}


def no_end_of_headers(target, until):
    """Headers without end."""
    link, sent = target.connect(), 0
    try:
        link.sendall(b"POST /mutate--v1-pod HTTP/1.1\r\n")
        while time.monotonic() < until:
            link.sendall(b"X-Padding: " + b"y" * 1000 + b"\r\n")
            sent += 1013
    except OSError:
        pass
    return {"bounded": sent < 8 << 20, "sent": sent}


def deep_pipeline(target, until):
    """Asks for far more than it reads."""
    link, sent = target.connect(), 0
    link.settimeout(1)
    value = b"v" * 10_000
    link.sendall(b"*3\r\n$3\r\nSET\r\n$4\r\ndeep\r\n$%d\r\n%s\r\n" % (len(value), value))
    batch = b"*2\r\n$3\r\nGET\r\n$4\r\ndeep\r\n" * 1000
    try:
        while time.monotonic() < until:
            link.sendall(batch)
            sent += len(batch)
    except OSError:
        pass  # it stopped reading, or closed: either bounds what it holds for us
    time.sleep(max(0.0, until - time.monotonic()))
    return {"bounded": True, "sent": sent}


ATTACKS = {
    "slow_headers": slow(head("Content-Length: 100")[:-2], close_expected=True),
    "slow_body": slow(head("Content-Length: 100000") + b" " * 100000, close_expected=True),
    "huge_body": huge_body,
    "negative_chunk": shots(head("Transfer-Encoding: chunked") + b"-2\r\nab\r\n0\r\n\r\n"),
    "huge_chunk": shots(head("Transfer-Encoding: chunked") + b"7ffffff0\r\n" + b"z" * 20_000_000),
    "garbage": garbage,
    "garbage_in_tls": shots(os.urandom(2000) + b"\r\n\r\n"),
    "idle": idle,
    "half_close": half_close,
    "no_end_of_headers": no_end_of_headers,
    "slow_command": slow(b"*2\r\n$3\r\nGET\r\n$100000\r\n" + b"k" * 100000, close_expected=False),
    "resp_garbage": shots(b"\xff\x13 garbage that is no command \r\n" * 20),
    "resp_negative_length": shots(b"*2\r\n$3\r\nGET\r\n$-5\r\nkey\r\n"),
    "resp_huge_array": shots(b"*2147483647\r\n$3\r\nGET\r\n"),
    "resp_huge_bulk": shots(b"*2\r\n$3\r\nGET\r\n$99999999999\r\n"),
    "resp_deep_pipeline": deep_pipeline,
    "huge_inline": shots(b"A" * 4_000_000),
}


def main():
    what, seconds, host, port, kind = sys.argv[1:]
    target = Target(host, int(port), kind == "tls")
    print("under way", flush=True)
    until = time.monotonic() + float(seconds)
    print(json.dumps(ATTACKS[what](target, until)), flush=True)


main()
