"""The cluster's control groups: everything it runs is below one name.

Components run in NAME/system, Pods below NAME/kubepods (kubelet's doing). So
whatever happened to pid records, what belongs to the cluster can be found and
ended. Written for cgroup v1 (also hybrid) and v2; v1 is what it is tested on.
"""

import os
import signal
import time
from pathlib import Path

from .places import Cluster

MOUNTS = Path("/proc/self/mountinfo")


def hierarchies(mountinfo: str) -> list[tuple[str, Path]]:
    """(controllers, mount point) of each hierarchy named in a mountinfo text.

    cgroup2 has "" for controllers. Beside v1 (hybrid) it has none, but runc makes
    its folders there too.
    """
    found = []
    for line in mountinfo.splitlines():
        fields, _, tail = line.partition(" - ")
        kind, _, options = tail.split(" ", 2)
        if kind in ("cgroup", "cgroup2"):
            found.append((options if kind == "cgroup" else "", Path(fields.split()[4])))
    return found


def folders(cluster: Cluster) -> list[Path]:
    """The cluster's own folder in each hierarchy, whether or not it exists."""
    return [point / cluster.cgroup for _, point in hierarchies(MOUNTS.read_text())]


def make(cluster: Cluster) -> None:
    for options, point in hierarchies(MOUNTS.read_text()):
        own = point / cluster.cgroup
        if not options:  # v2: hand the controllers down before there are members
            delegate(point)
        own.mkdir(exist_ok=True)
        if not options:
            delegate(own)
        for folder in (own, own / "system"):
            folder.mkdir(exist_ok=True)
            if "cpuset" in options:  # starts empty, and an empty one takes no process
                for name in ("cpuset.cpus", "cpuset.mems"):
                    (folder / name).write_text((folder.parent / name).read_text())


def delegate(folder: Path) -> None:
    for controller in (folder / "cgroup.controllers").read_text().split():
        try:
            (folder / "cgroup.subtree_control").write_text(f"+{controller}")
        except OSError:
            pass  # not every controller can be handed down everywhere


def enter(cluster: Cluster) -> None:
    """Moves the calling process into NAME/system of each hierarchy."""
    for own in folders(cluster):
        (own / "system" / "cgroup.procs").write_text(str(os.getpid()))


def members(cluster: Cluster) -> set[int]:
    """Process ids of everything in the cluster, Pods' processes included."""
    found: set[int] = set()
    for own in folders(cluster):
        for folder, _, _ in os.walk(own):
            try:
                found.update(map(int, Path(folder, "cgroup.procs").read_text().split()))
            except OSError:
                pass  # removed while we looked
    found.discard(os.getpid())
    return found


def end_all(cluster: Cluster, bound_seconds: float = 10) -> bool:
    """Kills every member and waits until none is left. False where some stay."""
    deadline = time.monotonic() + bound_seconds
    while remaining := members(cluster):
        for pid in remaining:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def remove(cluster: Cluster) -> None:
    """Removes the emptied groups, leaves first."""
    for own in folders(cluster):
        for folder, _, _ in os.walk(own, topdown=False):
            for attempt in range(50):
                try:
                    os.rmdir(folder)
                    break
                except FileNotFoundError:
                    break
                except OSError:  # a just killed process is still leaving
                    time.sleep(0.02)


def memory_bytes(cluster: Cluster) -> int:
    """Resident memory of all members together (shared pages counted once each)."""
    total = 0
    for pid in members(cluster):
        try:
            total += rss_bytes(pid)
        except OSError:
            pass
    return total


def rss_bytes(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
