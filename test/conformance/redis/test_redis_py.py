"""redis-py's own tests get through the proxy what they get without it, in mode Failover.

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

MOST = 30  # that may be on the list


@pytest.fixture(scope="module")
def direct(tmp_path_factory):
    """What this machine's server has to say: what fails here is the machine's."""
    folder = tmp_path_factory.mktemp("direct")
    with contextlib.ExitStack() as stack:
        return redis_py_run.run(backing.Stage(folder, stack).one().primaries[0].port, folder)


def test_redis_py_sees_through_the_proxy_what_a_server_shows(direct, tmp_path):
    with contextlib.ExitStack() as stack:
        behind = backing.Stage(tmp_path, stack).one()
        proxy = stack.enter_context(programs.proxy(tmp_path, built("ambassador-proxy"), behind.listener("Failover")))
        proxied = redis_py_run.run(proxy.port, tmp_path)
        proxy.process.terminate()
        assert proxy.process.wait(60) == 0, "the proxy did not end well"
    wrong = accepted.judge(accepted.accepted("redis-py"), direct, proxied, MOST)
    assert not wrong, f"{len(wrong)} in all; what was printed is in {tmp_path}\n" + "\n".join(wrong)
