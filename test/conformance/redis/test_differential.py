"""Random pipelines of several clients, over all commands that the ambassador takes, get the same answers through it as from
the server, byte by byte, and leave the same data, in every mode. What may differ, and why, is in differences.py; what a mode
can't do as one server, and is left out, in random_pipeline.py (Ground). Reads from replicas are not compared: what they give
may be older.

    DIFFERENTIAL_SECONDS=600 DIFFERENTIAL_SEED=7 python3 -m pytest -q -s test/conformance/redis/test_differential.py
"""
import contextlib
import os
import pathlib
import random
import sys
import time

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent), str(HERE.parents[1] / "bench")]

import backing  # noqa: E402
import grammar  # noqa: E402
import pipeline_player  # noqa: E402
import programs  # noqa: E402
import random_pipeline  # noqa: E402
import resp  # noqa: E402
from built import built  # noqa: E402
from shrunk import shrunk  # noqa: E402

SECONDS = float(os.environ.get("DIFFERENTIAL_SECONDS", 60))
SEED = int(os.environ.get("DIFFERENTIAL_SEED", random.SystemRandom().randrange(1 << 32)))
TURNS = 25
GROUNDS = {"Sharded": random_pipeline.Ground(parted=True), "Cluster": random_pipeline.Ground(parted=True, clustered=True)}
# "Cached": a client's own writes and, by one thread, those of others are known before their answers are.
BACKINGS = {**backing.MODES, "Cached": (backing.Stage.cached, backing.Stage.one)}
MODES = os.environ.get("DIFFERENTIAL_MODES", " ".join(BACKINGS)).split()
THREADS = {"Cached": 1}
DATABASES = 4  # that the programs use, where there are several


@pytest.fixture(params=MODES)
def mode(request):
    return request.param


@pytest.fixture
def servers(mode, tmp_path):
    """What is behind the proxy, and what is asked without one."""
    with contextlib.ExitStack() as stack:
        stage = backing.Stage(tmp_path, stack)
        yield [start(stage) for start in BACKINGS[mode]]


@pytest.fixture
def said(servers):
    """What there is to be said."""
    server = resp.Connection(servers[1].primaries[0].port)
    return grammar.commands(server), grammar.payloads(server)


def fault(said, direct, proxied, ground, seed):
    """A difference with as few commands as show it; or nothing, and how many were played. `direct` and `proxied`: a port, and
    the servers behind it."""
    program = random_pipeline.made(*said, seed, TURNS, ground)
    last = ""

    def differs(program):
        nonlocal last
        expected = pipeline_player.play(*direct, program, seed)
        got = pipeline_player.play(*proxied, program, seed, [len(one) for one in expected.messages])
        found = pipeline_player.difference(expected, got, ground.parted)
        last = found or last
        return found != ""

    if not differs(program):
        return "", len(program)
    left = shrunk(program, differs)
    return "".join(f"{one!r}\n" for one in left) + last, len(program)


def test_clients_get_through_the_proxy_what_a_server_says(servers, said, mode, tmp_path, capsys):
    behind, alone = servers
    ground = GROUNDS.get(mode, random_pipeline.Ground())
    databases = 1 if ground.clustered else DATABASES
    direct = alone.primaries[0].port, pipeline_player.Servers(alone, databases)
    played, commands, end = 0, 0, time.monotonic() + SECONDS / len(MODES)
    with programs.proxy(tmp_path, built("ambassador-proxy"), behind.listener(mode), threads=THREADS.get(mode, 2)) as proxy:
        proxied = proxy.port, pipeline_player.Servers(behind, databases)
        while played == 0 or time.monotonic() < end:
            seed = f"{SEED}.{mode}.{played}"
            found, count = fault(said, direct, proxied, ground, seed)
            if found:
                pytest.fail(f"seed {seed} (DIFFERENTIAL_SEED={SEED}):\n{found}", pytrace=False)
            played += 1
            commands += count
        proxy.process.terminate()
        assert proxy.process.wait(60) == 0, "the proxy did not end well"
    with capsys.disabled():
        print(f"\nmode {mode}, seed {SEED}: {played} programs, {commands} commands")
