"""The test suite of Redis gets through the proxy what it gets without it. Needs redis-server, tclsh; fetches the tests with
apt. By itself, with the program built:

    python3 -m pytest -q -s test/conformance/redis/test_suite.py
"""
import contextlib
import pathlib
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
sys.path[:0] = [str(HERE), str(HERE.parent), str(ROOT / "test" / "bench")]

import programs  # noqa: E402
import suite_accepted as accepted  # noqa: E402
import suite_run  # noqa: E402
from built import built  # noqa: E402

# How many servers, and the most that may be on the list.
MODES = {"Failover": (1, 70)}


@pytest.fixture(scope="module")
def direct(tmp_path_factory):
    """What this machine's server has to say: what fails here is the machine's."""
    folder = tmp_path_factory.mktemp("direct")

    @contextlib.contextmanager
    def stage():
        with programs.redis_server(folder) as server:
            yield server.port, ()

    return suite_run.run(stage, folder, "direct")


def through(mode, count, folder):
    @contextlib.contextmanager
    def stage():
        with contextlib.ExitStack() as stack:
            servers = [stack.enter_context(programs.redis_server(folder)) for _ in range(count)]
            listener = {"name": "conformance.redis", "protocol": "Redis", "redis": {"mode": mode},
                        "backends": [{"host": "127.0.0.1", "port": server.port} for server in servers]}
            proxy = stack.enter_context(programs.proxy(folder, built("ambassador-proxy"), listener))
            yield proxy.port, [server.port for server in servers]
            proxy.process.terminate()
            assert proxy.process.wait(60) == 0, "the proxy did not end well"

    return suite_run.run(stage, folder, mode.lower())


@pytest.mark.parametrize("mode", MODES)
def test_what_the_suite_sees_through_the_proxy(mode, direct, tmp_path):
    servers, most = MODES[mode]
    wrong = accepted.judge(mode, direct, through(mode, servers, tmp_path)) + accepted.faults_of_list(mode)
    assert not wrong, f"{len(wrong)} in all; outputs are in {suite_run.SHOWN}\n" + "\n".join(wrong)
    assert len(accepted.accepted(mode)) <= most
