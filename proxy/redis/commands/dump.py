#!/usr/bin/env python3
"""Writes commands.json: what a Redis server says of its own commands (COMMAND and COMMAND DOCS).

Run by hand when a newer server is to be the source:  dump.py > commands.json
Starts Debian's redis-server on a Unix socket of its own and ends it. generate.py makes the C++ table from the file.
"""
import json
import pathlib
import socket
import subprocess
import sys
import tempfile
import time


class Reader:
    """Just enough RESP2 to read a reply."""

    def __init__(self, stream):
        self.stream = stream

    def reply(self):
        line = self.stream.readline().rstrip(b"\r\n")
        kind, rest = line[:1], line[1:]
        if kind == b"+":
            return rest.decode()
        if kind == b"-":
            raise RuntimeError(rest.decode())
        if kind == b":":
            return int(rest)
        if kind == b"$":
            if int(rest) < 0:
                return None
            return self.stream.read(int(rest) + 2)[:-2].decode()
        if kind == b"*":
            return None if int(rest) < 0 else [self.reply() for _ in range(int(rest))]
        raise RuntimeError(f"unexpected reply {line!r}")


def pairs(flat):
    return dict(zip(flat[::2], flat[1::2]))


def key_spec(flat):
    spec = pairs(flat)
    begin, find = pairs(spec["begin_search"]), pairs(spec["find_keys"])
    return {"flags": spec["flags"], "begin": {"type": begin["type"], **pairs(begin["spec"])},
            "find": {"type": find["type"], **pairs(find["spec"])}}


def command(info):
    name, arity, flags, first, last, step, categories, tips, specs, subcommands = info
    out = {"arity": arity, "flags": flags, "first": first, "last": last, "step": step, "categories": categories,
           "tips": tips, "key_specs": [key_spec(s) for s in specs]}
    if subcommands:
        out["subcommands"] = {sub[0].split("|")[1]: command(sub) for sub in sorted(subcommands)}
    return out


def main():
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "socket")
        server = subprocess.Popen(["redis-server", "--port", "0", "--unixsocket", str(path), "--save", "",
                                   "--dir", folder], stdout=subprocess.DEVNULL)
        try:
            client = socket.socket(socket.AF_UNIX)
            for _ in range(100):
                try:
                    client.connect(str(path))
                    break
                except OSError:
                    time.sleep(0.05)
            reader = Reader(client.makefile("rb"))
            client.sendall(b"INFO server\r\nCOMMAND\r\nCOMMAND DOCS\r\n")
            version = [line.split(":")[1] for line in reader.reply().splitlines() if line.startswith("redis_version")][0]
            commands = {info[0]: command(info) for info in reader.reply()}
            for name, flat in pairs(reader.reply()).items():
                docs = pairs(flat)
                commands[name]["docs"] = {key: docs[key] for key in ("summary", "since", "group", "complexity")
                                          if key in docs}
        finally:
            server.terminate()
            server.wait()
    # One line per command, so that a newer server's differences can be read.
    lines = [f"  {json.dumps(name)}: {json.dumps(commands[name], sort_keys=True)}" for name in sorted(commands)]
    sys.stdout.write('{"source": "COMMAND and COMMAND DOCS of redis-server %s",\n"commands": {\n%s\n}}\n'
                     % (version, ",\n".join(lines)))


main()
