"""The helm that the cluster tool builds into its cache, for tests and scripts that only render."""
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "test/cluster"))

from onenode import tools  # noqa: E402

CHART = ROOT / "charts/ambassador-operator"
KUBERNETES = "1.30.0"  # what `helm template` takes the cluster for: the oldest that the chart allows


def binary():
    if tools.HELM in tools.missing():
        tools.ensure()
    return str(tools.binary("helm"))


def run(*arguments):
    """Runs helm; its finished process, output as text."""
    return subprocess.run([binary(), *map(str, arguments)], capture_output=True, text=True, check=False)


def template(*arguments, release="ambassador-operator", namespace="ambassador-system"):
    """What the chart renders, as text."""
    done = run("template", release, CHART, "--namespace", namespace, "--kube-version", KUBERNETES, *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout
