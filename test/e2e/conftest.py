"""One cluster, one set of images and one installation for the whole run; a namespace for each test that asks."""
import os
import pathlib
import subprocess
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import kube  # noqa: E402
from installation import Installation  # noqa: E402

# Files in this order: what takes the operator away comes after everything that needs it in peace.
ORDER = ["test_installing", "test_injection", "test_reading", "test_sharding", "test_following", "test_replicated",
         "test_sentinel", "test_redis_cluster", "test_rolled", "test_listener_tls", "test_client_auth",
         "test_client_cache", "test_rate_limit", "test_mirror", "test_live_config", "test_environments", "test_jobs",
         "test_postgresql", "test_refused", "test_guard", "test_malformed", "test_documents", "test_demo",
         "test_operator_faults", "test_helm", "test_permissions", "test_uninstall"]


def pytest_collection_modifyitems(items):
    place = {name: index for index, name in enumerate(ORDER)}
    here = [item for item in items if pathlib.Path(item.fspath).parent == HERE]
    unknown = {item.module.__name__ for item in here} - set(place)
    if unknown:
        raise pytest.UsageError(f"test/e2e/conftest.py: say in ORDER when {sorted(unknown)} run")
    here.sort(key=lambda item: place[item.module.__name__])
    others = [item for item in items if item not in here]
    items[:] = others + here


@pytest.fixture(scope="session")
def env():
    """The cluster, up; what `./run cluster env` says about it. It stays up only if it was there before."""
    if not kube.is_root():
        pytest.fail("the one-node cluster needs root")
    was_up = subprocess.run([kube.PYTHON, str(kube.CLUSTER_TOOL), "status"], capture_output=True, check=False).returncode == 0
    kube.log("bringing the cluster up")
    kube.tool("up")
    yield kube.environment()
    if not was_up and not os.environ.get("E2E_KEEP"):
        kube.tool("down", "--unless-kept")


@pytest.fixture(scope="session")
def images(env):
    """Our two images, built of build/release/bin and pullable in the cluster."""
    binaries = kube.ROOT / "build/release/bin"
    for name in ("ambassador-operator", "ambassador-proxy"):
        if not (binaries / name).exists():
            pytest.fail(f"{binaries / name} is missing: ./run build")
    kube.log("building images")
    kube.tool("images")
    return env["AMBASSADOR_OPERATOR_IMAGE"], env["AMBASSADOR_PROXY_IMAGE"]


@pytest.fixture(scope="session")
def operator(env, images):
    """The chart, installed by `helm install`, and Ready."""
    installation = Installation(env, *images)
    kube.log("helm install")
    installation.install()
    yield installation
    if not os.environ.get("E2E_KEEP"):
        installation.uninstall()


@pytest.fixture(scope="session")
def cluster(env):
    return kube.Kube(env)


@pytest.fixture
def namespace(cluster, operator, request):
    """A namespace of the test's own; kube bound to it. It is deleted in the background afterwards."""
    yield from make_namespace(cluster, request, {})


@pytest.fixture
def restricted(cluster, operator, request):
    """The same, under Pod Security "restricted"."""
    yield from make_namespace(cluster, request, {"pod-security.kubernetes.io/enforce": "restricted"})


_made = 0


def make_namespace(cluster, request, labels):
    global _made
    _made += 1
    name = f"e2e-{_made}-{os.getpid()}"
    cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}})
    own = cluster.within(name)
    kube.wait("the namespace's service account", lambda: own.run("get", "serviceaccount", "default").returncode == 0)
    yield own
    if getattr(request.node, "failed", False):
        kube.tell_what_is_there(own)
    own.run("delete", "pods", "--all", "--grace-period=0", "--force", "--wait=false")
    cluster("delete", "namespace", name, "--wait=false")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    if call.when == "call" and outcome.get_result().failed:
        item.failed = True
