"""`./run demo` does what it says, and again."""
import subprocess

import pytest

import kube


@pytest.fixture
def put_back(operator, request):
    """The demo keeps its cluster and its own values of the chart; ours come back afterwards."""
    kept = kube.pathlib.Path(operator.env["AMBASSADOR_STATE"]) / "kept"
    was_kept = kept.exists()
    yield
    if getattr(request.node, "failed", False):
        kube.tell_what_is_there(kube.Kube(operator.env).within("default"))
    if not was_kept:
        kept.unlink(missing_ok=True)
    operator.upgrade()
    default = kube.Kube(operator.env)
    seed = kube.ROOT / "manifests/examples/seed"
    for name in ("app", "policy", "redis"):
        default("delete", "--ignore-not-found", "--filename", str(seed / f"{name}.yaml"), "--grace-period=1")
    default("delete", "pvc", "--all")
    kube.tool("pvs", "reset")


def test_the_demo_runs_through_once_built_within_ninety_seconds_and_says_what_to_try_next(put_back):
    done = subprocess.run([kube.PYTHON, str(kube.ROOT / "test/demo/demo")], capture_output=True, text=True, timeout=180,
                          check=False)
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
    for words in ("redis-st-2", "ambassador-container", "Try next", "./run cluster kubectl", "./run cluster down"):
        assert words in done.stdout
    took = float(done.stdout.split("All of it took ")[1].split()[0])
    assert took < 90
