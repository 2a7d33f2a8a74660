"""redis-py's own tests get through the proxy, in each mode, what they get without it.

    python3 -m pytest -q -s test/conformance/redis/test_redis_py.py
"""
import contextlib
import pathlib
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent), str(HERE.parents[1] / "bench")]

import backing  # noqa: E402
import programs  # noqa: E402
import redis_py_run  # noqa: E402
import suite_accepted as accepted  # noqa: E402
from built import built  # noqa: E402

# The lists of what is accepted, and the most tests that may make use of them.
MODES = {
    "Failover": (["redis-py"], 30),
    "Spread": (["redis-py"], 30),
    "Sharded": (["redis-py-Sharded", "redis-py"], 45),
    "Replicated": (["redis-py"], 30),
    "Sentinel": (["redis-py"], 30),
    "Cluster": (["redis-py-Cluster", "redis-py"], 110),
}


@pytest.fixture(scope="module")
def direct(tmp_path_factory):
    """What this machine's server has to say: what fails here is the machine's."""
    folder = tmp_path_factory.mktemp("direct")
    with contextlib.ExitStack() as stack:
        return redis_py_run.run(backing.Stage(folder, stack).one().primaries[0].port, folder)


@pytest.mark.parametrize("mode", MODES)
def test_redis_py_sees_through_the_proxy_what_a_server_shows(mode, direct, tmp_path):
    lists, most = MODES[mode]
    with contextlib.ExitStack() as stack:
        behind = backing.MODES[mode][0](backing.Stage(tmp_path, stack))
        proxy = stack.enter_context(programs.proxy(tmp_path, built("ambassador-proxy"), behind.listener(mode)))
        proxied = redis_py_run.run(proxy.port, tmp_path)
        proxy.process.terminate()
        assert proxy.process.wait(60) == 0, "the proxy did not end well"
    wrong = accepted.judge(accepted.accepted(*lists), direct, proxied, most)
    assert not wrong, f"{len(wrong)} in all; what was printed is in {tmp_path}\n" + "\n".join(wrong)
