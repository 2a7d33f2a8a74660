"""The libraries that applications have, with their default options: each program in clients/ says the same through the
ambassador in every mode as with the server alone, also after all its connections were ended, by a restart of the ambassador.
What has several keys has them in one slot, and of a Redis Cluster the one database. What libraries have for Redis Cluster is
not tried: they are told that this is none.

    python3 -m pytest -q -s test/conformance/redis/test_libraries.py -k redis_py
"""
import contextlib
import os
import pathlib
import subprocess
import sys
import threading

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent), str(HERE.parents[1] / "bench")]

import backing  # noqa: E402
import client_programs  # noqa: E402
import programs  # noqa: E402
import resp  # noqa: E402
from built import built  # noqa: E402

CLIENTS = HERE / "clients"
SEVERAL, ONE = (), ("one",)  # databases that there are, as the programs are told


def redis_py(_):
    """Python's: RESP3."""
    packages = client_programs.python_packages((CLIENTS / "requirements.txt").read_text())
    return ["env", f"PYTHONPATH={packages}", sys.executable, CLIENTS / "redis_py_client.py"]


def ioredis(_):
    """Node's: it asks INFO before it begins, and subscribes again by itself."""
    return client_programs.node(CLIENTS / "node")


def jedis(folder):
    """Java's."""
    jars = client_programs.maven_jars(CLIENTS / "java" / "pom.xml", CLIENTS / "java" / "sha256")
    return client_programs.java(CLIENTS / "java" / "JedisClient.java", jars, folder)


def hiredis(folder):
    """Debian's, for C: RESP2."""
    program = folder / "hiredis_client"
    subprocess.run(["cc", "-std=c17", "-Wall", "-Wextra", "-Werror", "-o", program, CLIENTS / "hiredis_client.c", "-lhiredis"],
                   check=True)
    return [program]


PROGRAMS = {one.__name__: one for one in (redis_py, ioredis, jedis, hiredis)}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with programs.redis_server(tmp_path_factory.mktemp("server")) as one:
        yield one


@pytest.fixture(scope="module", params=PROGRAMS)
def program(request, tmp_path_factory):
    return PROGRAMS[request.param](tmp_path_factory.mktemp("program"))


def transcript(command, port, databases, restart):
    """What the program says; when it says so, all its connections are ended."""
    with subprocess.Popen([*map(str, command), str(port), *databases], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True) as process:
        late = threading.Timer(client_programs.BOUND, process.kill)
        late.start()
        said = []
        try:
            for line in process.stdout:
                if line == "restart\n":
                    restart()
                    with contextlib.suppress(BrokenPipeError):  # it ended, and says why
                        os.write(process.stdin.fileno(), b"done\n")
                said.append(line)
            wrong = process.stderr.read()
        finally:
            late.cancel()
    assert process.returncode == 0, f"{''.join(said)[-1000:]}\n{wrong[-3000:]}"
    return said


@pytest.fixture(scope="module")
def expected(server, program):
    administrator = resp.Connection(server.port)

    def end_all():
        for kind in ("normal", "pubsub"):
            administrator.ask("CLIENT", "KILL", "TYPE", kind)

    said = {databases: transcript(program, server.port, databases, end_all) for databases in (SEVERAL, ONE)}
    assert all("restart\n" in one for one in said.values())
    return said


@pytest.mark.parametrize("mode", backing.MODES)
def test_a_library_gets_what_it_gets_from_the_server(tmp_path, program, expected, mode):
    with contextlib.ExitStack() as stack:
        behind = backing.MODES[mode][0](backing.Stage(tmp_path, stack))
        one = programs.proxy(tmp_path, built("ambassador-proxy"), behind.listener(mode))
        stack.callback(lambda: one.end())

        def restart():
            nonlocal one
            one.process.terminate()
            assert one.process.wait(60) == 0, "the proxy did not end well"
            one = programs.Program("ambassador again", one.process.args, one.port, tmp_path)

        databases = ONE if mode == "Cluster" else SEVERAL
        assert transcript(program, one.port, databases, restart) == expected[databases]
