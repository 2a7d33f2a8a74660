#!/usr/bin/env python3
"""Holds one connection under SET/GET load until standard input ends; then prints what it saw as JSON.

load.py PORT [KEYS [PREFIX]]: so many keys are written in turn and read back at once. Their names are digests: names
that only count up hash to neighbours on the ring (fnv1a), and a third server may get none of 200. An error
reply (to a GET: a failed read, too), a wrong value and a lost connection are counted; after a loss it connects anew
and goes on. A line on standard input gets the counts so far as an answer.
"""
import hashlib
import json
import select
import sys
import time

import resp


def main():
    port, keys = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 200
    prefix = sys.argv[3] if len(sys.argv) > 3 else "load:"
    seen = {"operations": 0, "errors": 0, "failed_reads": 0, "reconnects": 0, "wrong": 0, "slowest_ms": 0.0, "first_errors": []}
    names = [prefix + hashlib.md5(str(n).encode()).hexdigest()[:12] for n in range(keys)]
    connection, number = resp.Connection(port=port, timeout=40), 0
    print(json.dumps({"connected": True}), flush=True)
    while True:
        number += 1
        key, value = names[number % keys], str(number).encode()
        try:
            if connection is None:
                connection = resp.Connection(port=port, timeout=40)
            for wanted, *command in (("OK", "SET", key, value), (value, "GET", key)):
                started = time.monotonic()
                try:
                    reply = connection.ask(*command)
                finally:
                    seen["slowest_ms"] = max(seen["slowest_ms"], round((time.monotonic() - started) * 1000, 1))
                seen["operations"] += 1
                if isinstance(reply, resp.Error):
                    seen["failed_reads"] += command[0] == "GET"
                    note(seen, "errors", f"{command[0]}: {reply}")
                elif reply != wanted:
                    note(seen, "wrong", f"{key}: {reply!r} instead of {wanted!r}")
        except (OSError, ValueError) as problem:
            note(seen, "reconnects", str(problem))
            connection = None
            time.sleep(0.05)
        if select.select([sys.stdin], [], [], 0.001)[0]:
            if not sys.stdin.readline():
                break
            print(json.dumps(seen), flush=True)
    print(json.dumps(seen), flush=True)


def note(seen, what, text):
    seen[what] += 1
    if len(seen["first_errors"]) < 10:
        seen["first_errors"].append(f"{what}: {text}")


main()
