"""Random pipelines of several clients, over all commands that the ambassador takes, get the same answers through it as from
the server, byte by byte, and leave the same data, in mode Failover before one server. What may differ, and why, is in
differences.py.

    DIFFERENTIAL_SECONDS=600 DIFFERENTIAL_SEED=7 python3 -m pytest -q -s test/conformance/redis/test_differential.py
"""
import os
import pathlib
import random
import sys
import time

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent), str(HERE.parents[1] / "bench")]

import grammar  # noqa: E402
import pipeline_player  # noqa: E402
import programs  # noqa: E402
import random_pipeline  # noqa: E402
import resp  # noqa: E402
from built import built  # noqa: E402
from shrunk import shrunk  # noqa: E402

SECONDS = float(os.environ.get("DIFFERENTIAL_SECONDS", 30))
SEED = int(os.environ.get("DIFFERENTIAL_SEED", random.SystemRandom().randrange(1 << 32)))
TURNS = 25
SERVERS = {"Failover": 1, "Sharded": 2}
# Sharded: programs still meet what two servers can't answer as one (a transaction over both); see what is shown before it
# is believed.
MODES = os.environ.get("DIFFERENTIAL_MODES", "Failover").split()


@pytest.fixture(scope="module")
def servers(tmp_path_factory):
    folder = tmp_path_factory.mktemp("servers")
    with programs.redis_server(folder) as one, programs.redis_server(folder) as other:
        yield one, other


@pytest.fixture(scope="module")
def said(servers):
    """What there is to be said."""
    server = resp.Connection(servers[0].port)
    return grammar.commands(server), grammar.payloads(server)


def fault(said, direct, proxied, proxy, mode, seed):
    """A difference with as few commands as show it; or nothing, and how many were played."""
    sharded = mode == "Sharded"
    program = random_pipeline.made(*said, seed, TURNS, sharded)
    last = ""

    def differs(program):
        nonlocal last
        expected = pipeline_player.play(direct[0], direct[1], program, seed)
        got = pipeline_player.play(proxy.port, proxied, program, seed, [len(one) for one in expected.messages])
        found = pipeline_player.difference(expected, got, sharded)
        last = found or last
        return found != ""

    if not differs(program):
        return "", len(program)
    left = shrunk(program, differs)
    return "".join(f"{one!r}\n" for one in left) + last, len(program)


@pytest.mark.parametrize("mode", MODES)
def test_clients_get_through_the_proxy_what_a_server_says(servers, said, mode, tmp_path, capsys):
    behind = servers[:SERVERS[mode]]
    listener = {"name": "differential.redis", "protocol": "Redis", "redis": {"mode": mode, "hashTag": "{}"},
                "backends": [{"name": f"server-{number}", "host": "127.0.0.1", "port": server.port}
                             for number, server in enumerate(behind)]}
    direct = servers[0].port, pipeline_player.Servers(servers[0].port)
    proxied = pipeline_player.Servers(*(server.port for server in behind))
    played, commands, end = 0, 0, time.monotonic() + SECONDS / len(MODES)
    with programs.proxy(tmp_path, built("ambassador-proxy"), listener, threads=2) as proxy:
        while played == 0 or time.monotonic() < end:
            seed = f"{SEED}.{mode}.{played}"
            found, count = fault(said, direct, proxied, proxy, mode, seed)
            if found:
                pytest.fail(f"seed {seed} (DIFFERENTIAL_SEED={SEED}):\n{found}", pytrace=False)
            played += 1
            commands += count
        proxy.process.terminate()
        assert proxy.process.wait(60) == 0, "the proxy did not end well"
    with capsys.disabled():
        print(f"\nmode {mode}, seed {SEED}: {played} programs, {commands} commands")
