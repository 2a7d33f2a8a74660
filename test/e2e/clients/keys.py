#!/usr/bin/env python3
"""keys.py PORT write|read COUNT [PREFIX]: SETs or GETs that many keys, pipelined; prints {"right", "wrong"} as JSON."""
import json
import sys

import resp

BATCH = 100


def main():
    port, verb, count = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    prefix = sys.argv[4] if len(sys.argv) > 4 else "key:"
    pairs = [(f"{prefix}{i}", f"value {i}".encode()) for i in range(count)]
    connection = resp.Connection(port=port)
    right, wrong = 0, []
    for start in range(0, count, BATCH):
        batch = pairs[start:start + BATCH]
        if verb == "write":
            replies = connection.pipeline([("SET", key, value) for key, value in batch])
            wanted = ["OK"] * len(batch)
        else:
            replies = connection.pipeline([("GET", key) for key, _ in batch])
            wanted = [value for _, value in batch]
        for (key, _), reply, expected in zip(batch, replies, wanted):
            if reply == expected:
                right += 1
            else:
                wrong.append(f"{key}: {reply!r}")
    print(json.dumps({"right": right, "wrong": wrong[:10], "wrong_count": len(wrong)}))


main()
