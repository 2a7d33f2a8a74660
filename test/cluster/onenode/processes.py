"""Starts, finds and ends the cluster's long-lived processes by recorded pid.

A record holds the pid and the process's start time: a pid alone may have been
given to somebody else since.
"""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

from . import cgroups
from .places import Cluster


def start_time(pid: int) -> str | None:
    """Start time in clock ticks since boot; None where it is gone or a zombie."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    state, *rest = stat.rpartition(")")[2].split()  # the name may hold anything, so from the right
    return None if state in "ZX" else rest[18]  # field 22 of proc(5)


def record(cluster: Cluster, name: str) -> Path:
    return cluster.processes / f"{name}.json"


def pid_of(cluster: Cluster, name: str) -> int | None:
    """The component's pid if it runs."""
    try:
        known = json.loads(record(cluster, name).read_text())
    except (OSError, ValueError):
        return None
    return known["pid"] if start_time(known["pid"]) == known["started"] else None


def launch(cluster: Cluster, name: str, command: list[str], environment: dict[str, str]) -> int:
    """Starts a process that outlives us, in the cluster's cgroup, logging to its file."""
    cluster.processes.mkdir(parents=True, exist_ok=True)
    cluster.logs.mkdir(parents=True, exist_ok=True)
    with open(cluster.log(name), "ab") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                   env=environment, cwd="/", start_new_session=True,
                                   preexec_fn=lambda: cgroups.enter(cluster))
    half = record(cluster, name).with_suffix(".half")
    half.write_text(json.dumps({"pid": process.pid, "started": start_time(process.pid),
                                "command": command}))
    half.rename(record(cluster, name))
    return process.pid


def send(cluster: Cluster, name: str, number: signal.Signals) -> bool:
    """Sends a signal; False where the component does not run."""
    pid = pid_of(cluster, name)
    if pid is None:
        return False
    os.kill(pid, number)
    return True


def wait_gone(cluster: Cluster, name: str, bound_seconds: float) -> bool:
    deadline = time.monotonic() + bound_seconds
    while pid_of(cluster, name) is not None:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True
