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

import backing  # noqa: E402
import programs  # noqa: E402
import suite_accepted as accepted  # noqa: E402
import suite_run  # noqa: E402
from built import built  # noqa: E402

# The lists of what is accepted, and the most tests that may make use of them.
MODES = {
    "Failover": (["Failover"], 75),
    "Sharded": (["Sharded", "Failover"], 110),
    "Replicated": (["Replicated", "Failover"], 75),
    "Sentinel": (["Replicated", "Failover"], 75),
    "Cluster": (["Cluster", "Failover"], 150),
}


@pytest.fixture(scope="module")
def direct(tmp_path_factory):
    """What this machine's server has to say: what fails here is the machine's."""
    folder = tmp_path_factory.mktemp("direct")

    @contextlib.contextmanager
    def stage():
        with contextlib.ExitStack() as stack:
            yield backing.Stage(folder, stack).one().primaries[0].port, ()

    return suite_run.run(stage, folder, "direct")


def through(mode, folder):
    @contextlib.contextmanager
    def stage():
        with contextlib.ExitStack() as stack:
            behind = backing.MODES[mode][0](backing.Stage(folder, stack))
            proxy = stack.enter_context(programs.proxy(folder, built("ambassador-proxy"), behind.listener(mode)))
            yield proxy.port, [server.port for server in behind.primaries]
            proxy.process.terminate()
            assert proxy.process.wait(60) == 0, "the proxy did not end well"

    return suite_run.run(stage, folder, mode.lower())


@pytest.mark.parametrize("mode", MODES)
def test_what_the_suite_sees_through_the_proxy(mode, direct, tmp_path):
    lists, most = MODES[mode]
    wrong = accepted.judge(accepted.accepted(*lists), direct, through(mode, tmp_path), most)
    assert not wrong, f"{len(wrong)} in all; outputs are in {suite_run.SHOWN}\n" + "\n".join(wrong)
