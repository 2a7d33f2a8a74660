#!/usr/bin/env python3
"""await_address.py SERVER NAME OLD: asks a DNS server for NAME's A record until it is another address than OLD.

Prints {"at": when, in seconds since the epoch, "address": it} as JSON."""
import json
import os
import socket
import struct
import sys
import time

EVERY_SECONDS = 0.02


def query(server, name):
    """The first A record, or None."""
    number = os.urandom(2)
    question = b"".join(bytes([len(part)]) + part.encode() for part in name.split(".")) + b"\0"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
        link.settimeout(1)
        link.sendto(number + struct.pack(">HHHHH", 0x0100, 1, 0, 0, 0) + question + struct.pack(">HH", 1, 1), (server, 53))
        answer = link.recv(4096)
    count = struct.unpack(">H", answer[6:8])[0]
    at = 12 + len(question) + 4
    for _ in range(count):
        at += 2 if answer[at] >= 0xC0 else answer.index(b"\0", at) - at + 1
        kind, _, _, length = struct.unpack(">HHIH", answer[at:at + 10])
        at += 10
        if kind == 1:
            return socket.inet_ntoa(answer[at:at + length])
        at += length
    return None


def main():
    server, name, old = sys.argv[1:]
    while True:
        try:
            address = query(server, name)
        except OSError:
            address = None
        if address not in (None, old):
            print(json.dumps({"at": time.time(), "address": address}))
            return
        time.sleep(EVERY_SECONDS)


main()
