"""The cluster's two namespaces: network and mounts, each pinned by a file.

The network namespace holds the node's address and all traffic. The mount
namespace gives containerd and kubelet their own /run, /var/lib and /var/log, so
that nothing they mount or write can outlive it: when its last process ends and
the pin is unmounted, every overlay, tmpfs and cni namespace in it is gone.

Processes enter by nsenter and not by `ip netns exec`, which would remount /sys
and hide the cgroups from kubelet.
"""

import ctypes
import os
import subprocess
from contextlib import contextmanager

from . import places
from .places import Cluster
from .say import ClusterError

BRIDGE = "node0"  # carries the node's address; not every kernel has dummy devices

# kubelet sets these for the whole machine unless it finds them so. It reads
# stand-ins instead, and the machine keeps its own values.
KUBELET_SYSCTLS = {
    "vm/overcommit_memory": "1",
    "vm/panic_on_oom": "0",
    "kernel/panic": "10",
    "kernel/panic_on_oops": "1",
    "kernel/keys/root_maxkeys": "1000000",
    "kernel/keys/root_maxbytes": "25000000",
}


def run(*command: str, check: bool = True, text: str | None = None) -> subprocess.CompletedProcess:
    done = subprocess.run(command, capture_output=True, text=True, input=text)
    if check and done.returncode != 0:
        raise ClusterError(f"`{' '.join(command)}` failed: {done.stderr.strip()}")
    return done


def make_network(cluster: Cluster) -> None:
    run("ip", "netns", "add", cluster.netns)
    run("ip", "-n", cluster.netns, "-batch", "-", text=f"""
link set lo up
link add {BRIDGE} type bridge
address add {places.NODE_ADDRESS}/24 dev {BRIDGE}
link set {BRIDGE} up
route add default dev {BRIDGE}
""")
    run(*enter_network(cluster), "sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward")


def make_mounts(cluster: Cluster) -> None:
    """Makes the mount namespace and pins it.

    A mount namespace can only be pinned on a private mount, hence the bind of the
    pin's folder onto itself.
    """
    pin = cluster.mountns_file
    pin.parent.mkdir(parents=True, exist_ok=True)
    run("mount", "--bind", str(pin.parent), str(pin.parent))
    run("mount", "--make-private", str(pin.parent))
    pin.touch()
    run("unshare", f"--mount={pin}", "--propagation=private", "sh", "-euc", mount_script(cluster))


def mount_script(cluster: Cluster) -> str:
    """What happens inside the new mount namespace, as a shell script."""
    state, root = cluster.state, cluster.state / "rootfs"
    lines = [
        f"mkdir -p {root}/var-lib {root}/var-log {root}/sysctl",
        # own /run, with the state reachable below it while /var/lib is replaced
        "mount -t tmpfs -o mode=755 tmpfs /run",
        "mkdir -p /run/lock /run/netns /run/state",
        f"mount --rbind {state} /run/state",
    ]
    inside = str(state)
    if inside.startswith("/var/lib/"):
        lines.append(f"mkdir -p {root}/var-lib/{inside.removeprefix('/var/lib/')}")
    lines += [
        f"mount --bind {root}/var-lib /var/lib",
        f"mount --bind /run/state/rootfs/var-log /var/log",
    ]
    if inside.startswith("/var/lib/"):
        lines.append(f"mount --rbind /run/state {inside}")
    for name, value in KUBELET_SYSCTLS.items():
        stand_in = f"{state}/rootfs/sysctl/{name.replace('/', '.')}"
        lines += [f"echo {value} > {stand_in}",
                  f"[ ! -e /proc/sys/{name} ] || mount --bind {stand_in} /proc/sys/{name}"]
    # containers' volumes propagate among the node's processes, not to the machine
    lines.append("mount --make-rshared /")
    return "\n".join(lines)


def enter_network(cluster: Cluster) -> list[str]:
    return ["nsenter", f"--net={cluster.netns_file}"]


def enter_both(cluster: Cluster) -> list[str]:
    return ["nsenter", f"--net={cluster.netns_file}", f"--mount={cluster.mountns_file}"]


def exist(cluster: Cluster) -> bool:
    """Both are there and pinned: the pins are mount points, not left-over files."""
    return all(os.path.exists(pin) and os.stat(pin).st_dev != os.stat(pin.parent).st_dev
               for pin in (cluster.netns_file, cluster.mountns_file))


def remove(cluster: Cluster) -> None:
    for point in (cluster.mountns_file, cluster.mountns_file.parent):
        while run("umount", "--lazy", str(point), check=False).returncode == 0:
            pass
    run("ip", "netns", "delete", cluster.netns, check=False)


_libc = ctypes.CDLL(None, use_errno=True)
_CLONE_NEWNET = 0x40000000


@contextmanager
def inside_network(cluster: Cluster):
    """The calling thread is in the cluster's network within the block.

    A socket made there stays there, so a connection can outlive the block.
    """
    with open("/proc/thread-self/ns/net") as home, open(cluster.netns_file) as away:
        _set(away.fileno())
        try:
            yield
        finally:
            _set(home.fileno())


def _set(descriptor: int) -> None:
    if _libc.setns(descriptor, _CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns into the cluster's network failed (are you root?)")
