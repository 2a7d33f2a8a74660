"""The test suite of Redis gets through the proxy what it gets without it. Needs redis-server, tclsh; fetches the tests with
apt. By itself, with the program built:

    python3 -m pytest -q -s test/conformance/redis/test_suite.py
"""
import contextlib
import functools
import os
import pathlib
import sys
import tempfile

import pytest

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
sys.path[:0] = [str(HERE), str(ROOT / "test" / "bench")]

import accepted  # noqa: E402
import programs  # noqa: E402
import suite_run  # noqa: E402

PRESETS = [os.environ.get("PRESET"), "asan", "dev", "release"]
# How many servers, and the most that may be on the list.
MODES = {"Failover": (1, 70)}


def program():
    found = next((path for preset in PRESETS if preset
                  for path in [ROOT / "build" / preset / "bin" / "ambassador-proxy"] if path.exists()), None)
    assert found, "build the target ambassador-proxy first"
    return found


@contextlib.contextmanager
def place():
    with tempfile.TemporaryDirectory(prefix="ambassador-redis-") as folder:
        yield pathlib.Path(folder)


@functools.cache
def direct():
    """What this machine's server has to say: what fails here is the machine's."""
    with place() as folder:
        @contextlib.contextmanager
        def stage():
            with programs.redis_server(folder) as server:
                yield server.port, ()

        return suite_run.run(stage, folder, "direct")


def through(mode, count):
    with place() as folder:
        @contextlib.contextmanager
        def stage():
            with contextlib.ExitStack() as stack:
                servers = [stack.enter_context(programs.redis_server(folder)) for _ in range(count)]
                listener = {"name": "conformance.redis", "protocol": "Redis", "redis": {"mode": mode},
                            "backends": [{"host": "127.0.0.1", "port": server.port} for server in servers]}
                proxy = stack.enter_context(programs.proxy(folder, program(), listener))
                yield proxy.port, [server.port for server in servers]
                proxy.process.terminate()
                assert proxy.process.wait(60) == 0, "the proxy did not end well"

        return suite_run.run(stage, folder, mode.lower())


@pytest.mark.parametrize("mode", MODES)
def test_what_the_suite_sees_through_the_proxy(mode):
    servers, most = MODES[mode]
    wrong = accepted.judge(mode, direct(), through(mode, servers)) + accepted.faults_of_list(mode)
    assert not wrong, f"{len(wrong)} in all; outputs are in {suite_run.SHOWN}\n" + "\n".join(wrong)
    assert len(accepted.accepted(mode)) <= most
