"""Brings the cluster up, repairs it, and takes every trace of it away."""

import fcntl
import os
import shutil
import signal
import stat
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from . import (base_images, cgroups, control_plane, dns, namespaces, node, pki, places, processes,
               registry, tools, volumes, wrappers)
from .api import Api
from .component import Component
from .places import Cluster
from .say import ClusterError, say

# In the order in which they are started; those of one tuple start together.
STAGES: tuple[tuple[Component, ...], ...] = (
    (control_plane.ETCD, node.CONTAINERD, registry.REGISTRY),
    (control_plane.API_SERVER,),
    (node.KUBELET, control_plane.CONTROLLER_MANAGER, control_plane.SCHEDULER, node.KUBE_PROXY, dns.COREDNS),
)
COMPONENTS: dict[str, Component] = {component.name: component for stage in STAGES for component in stage}

READY_SECONDS = 60  # a loaded machine of two cores needs half of it
REPAIR_SECONDS = 40  # then a new cluster is quicker than waiting
STATE_VERSION = "1"  # changes when an older cluster's state cannot be repaired by this code


@contextmanager
def locked(cluster: Cluster):
    """One change of a cluster at a time, whoever asks. Leaves no lock file behind."""
    while True:
        lock = open(cluster.lock, "w")
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            if os.fstat(lock.fileno()).st_ino == os.stat(cluster.lock).st_ino:
                break
        except FileNotFoundError:
            pass
        lock.close()  # its last holder removed it while we waited
    try:
        yield
    finally:
        cluster.lock.unlink(missing_ok=True)
        lock.close()


def up(cluster: Cluster) -> None:
    """Leaves a cluster whose node is Ready: as it is, repaired, or made anew."""
    prepare()
    with locked(cluster):
        if can_be_repaired(cluster):
            try:
                repair(cluster)
                return
            except (ClusterError, OSError) as problem:
                say(f"{problem}; starting anew")
        if leftovers(cluster):
            clean(cluster)
        make(cluster)
        run_all(cluster, READY_SECONDS)


def prepare() -> None:
    """Fills the cache. Tools (compiler) and images (network) are built side by side."""
    if tools.missing() or base_images.missing():
        with ThreadPoolExecutor(2) as pool:
            for done in [pool.submit(tools.ensure), pool.submit(base_images.ensure)]:
                done.result()


def fingerprint() -> str:
    """What a running cluster was made of; another one cannot be repaired with this."""
    return "\n".join([STATE_VERSION, *(str(tool.folder()) for tool in tools.ALL)]) + "\n"


def can_be_repaired(cluster: Cluster) -> bool:
    made_of = cluster.state / "made-of"
    return (made_of.is_file() and made_of.read_text() == fingerprint() and namespaces.exist(cluster)
            and all(folder.is_dir() for folder in cgroups.folders(cluster)))


def repair(cluster: Cluster) -> None:
    dead = [name for name in COMPONENTS if processes.pid_of(cluster, name) is None]
    if dead:
        say(f"not running: {', '.join(dead)}; starting")
    base_images.publish(cluster)
    run_all(cluster, REPAIR_SECONDS)


def make(cluster: Cluster) -> None:
    """Everything that the components need before they start."""
    cluster.state.mkdir(parents=True, mode=0o755)
    for folder in (cluster.config, cluster.logs, cluster.bin, cluster.volumes,
                   cluster.state / "volume-plugins"):
        folder.mkdir()
    cgroups.make(cluster)
    namespaces.make_network(cluster)
    namespaces.make_mounts(cluster)
    pki.make(cluster)
    for module in (control_plane, dns, node, registry):
        module.write_config(cluster)
    wrappers.write(cluster)
    base_images.publish(cluster)
    (cluster.state / "made-of").write_text(fingerprint())


def run_all(cluster: Cluster, bound_seconds: float) -> None:
    """Starts what does not run, stage by stage, and waits until the node is Ready."""
    deadline = time.monotonic() + bound_seconds
    for stage in STAGES:
        for component in stage:
            start(cluster, component.name)
        if control_plane.API_SERVER in stage or control_plane.ETCD in stage:
            await_ready(cluster, [c for c in stage if c is not node.CONTAINERD], deadline)
        if control_plane.API_SERVER in stage:
            api = Api(cluster)
            bootstrap(cluster, api)
    await_ready(cluster, list(COMPONENTS.values()), deadline)
    while not api.node_is_ready():
        check_deadline(cluster, deadline, "the node")
        time.sleep(0.1)


def bootstrap(cluster: Cluster, api: Api) -> None:
    """Objects that the components need; each is left alone where it exists."""
    for item in dns.ACCESS:
        plural = item["kind"].lower() + "s"
        api.create(f"/apis/rbac.authorization.k8s.io/v1/{plural}", item)
    volumes.create(cluster, api)


def await_ready(cluster: Cluster, wanted: list[Component], deadline: float) -> None:
    pending = list(wanted)
    while pending:
        pending = [component for component in pending if not component.ready(cluster)]
        for component in pending:
            if processes.pid_of(cluster, component.name) is None:
                raise ClusterError(f"{component.name} ended right after its start, its log says:\n"
                                   + last_lines(cluster, component.name))
            check_deadline(cluster, deadline, component.name)
        if pending:
            time.sleep(0.05)


def check_deadline(cluster: Cluster, deadline: float, what: str) -> None:
    if time.monotonic() > deadline:
        log = "kubelet" if what == "the node" else what
        raise ClusterError(f"{what} is not ready in time, {log}'s log says:\n" + last_lines(cluster, log))


def last_lines(cluster: Cluster, component: str, count: int = 12) -> str:
    try:
        return "\n".join(cluster.log(component).read_text(errors="replace").splitlines()[-count:])
    except OSError:
        return "(nothing)"


def start(cluster: Cluster, name: str) -> int:
    """Starts one component unless it runs. Returns its pid."""
    component = COMPONENTS[name]
    pid = processes.pid_of(cluster, name)
    if pid is not None:
        return pid
    enter = namespaces.enter_both if component.own_mounts else namespaces.enter_network
    command = [*enter(cluster), *component.command(cluster)]
    return processes.launch(cluster, name, command, environment(cluster) | component.environment)


def environment(cluster: Cluster) -> dict[str, str]:
    """Little of ours reaches the components: no proxies, no kubeconfig, no tokens."""
    path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    legacy = node.iptables_path(cluster)
    return {"PATH": f"{legacy}:{path}" if legacy else path, "HOME": str(cluster.state), "LANG": "C.UTF-8"}


def stop(cluster: Cluster, name: str, number: signal.Signals, bound_seconds: float = 10) -> bool:
    """Signals one component and waits for its end where the signal asks for it."""
    if not processes.send(cluster, name, number):
        return False
    if number in (signal.SIGKILL, signal.SIGTERM, signal.SIGINT):
        return processes.wait_gone(cluster, name, bound_seconds)
    return True


def leftovers(cluster: Cluster) -> list[str]:
    """What exists of the cluster now, by name; empty after `down`."""
    found = [f"process {pid}" for pid in sorted(cgroups.members(cluster))]
    found += [str(folder) for folder in cgroups.folders(cluster) if folder.exists()]
    found += [str(path) for path in (cluster.state, cluster.netns_file) if path.exists()]
    mounts = open("/proc/self/mountinfo").read().splitlines()
    found += [f"mount {line.split()[4]}" for line in mounts if line.split()[4].startswith(f"{cluster.state}/")]
    return found


def clean(cluster: Cluster) -> None:
    """Takes away all of the cluster, whatever state it is in."""
    if not cgroups.end_all(cluster):
        raise ClusterError(f"processes that cannot be killed: {sorted(cgroups.members(cluster))}")
    namespaces.remove(cluster)
    cgroups.remove(cluster)
    remove_tree(cluster)
    if left := leftovers(cluster):
        raise ClusterError(f"left behind: {', '.join(left)}")


def remove_tree(cluster: Cluster) -> None:
    def retry(function, path, _):
        """Images hold folders without write permission, and kernels release mounts late."""
        if not os.path.lexists(path):
            return
        os.chmod(os.path.dirname(path), stat.S_IRWXU)
        time.sleep(0.02)
        function(path)

    if cluster.state.exists():
        shutil.rmtree(cluster.state, onerror=retry)
    try:
        places.state_root().rmdir()  # stays where another cluster lives in it
    except OSError:
        pass


def down(cluster: Cluster) -> None:
    with locked(cluster):
        clean(cluster)
