"""What `status` prints."""

import http.client

from . import cgroups, lifecycle, processes
from .api import Api
from .places import Cluster


def rows(cluster: Cluster) -> list[dict]:
    """One per component: name, pid or None, ready, resident MiB."""
    found = []
    for name, component in lifecycle.COMPONENTS.items():
        pid = processes.pid_of(cluster, name)
        found.append({"component": name, "pid": pid,
                      "ready": pid is not None and component.ready(cluster),
                      "mib": round(cgroups.rss_bytes(pid) / 2**20) if pid is not None else 0})
    return found


def read(cluster: Cluster) -> dict:
    exists = cluster.state.exists()
    node_ready = False
    if exists:
        try:
            node_ready = Api(cluster).node_is_ready()
        except (OSError, http.client.HTTPException):
            pass
    return {"name": cluster.name, "exists": exists, "nodeReady": node_ready,
            "kept": cluster.kept.exists(), "components": rows(cluster) if exists else [],
            "memoryMiB": round(cgroups.memory_bytes(cluster) / 2**20) if exists else 0}


def text(status: dict) -> str:
    if not status["exists"]:
        return f"cluster {status['name']}: down\n"
    lines = [f"{'COMPONENT':26}{'PID':>8}  {'STATE':10}{'MIB':>6}"]
    for row in status["components"]:
        state = "ready" if row["ready"] else "not ready" if row["pid"] else "down"
        lines.append(f"{row['component']:26}{row['pid'] or '-':>8}  {state:10}{row['mib'] or '-':>6}")
    node = "Ready" if status["nodeReady"] else "not Ready"
    kept = ", to be kept" if status["kept"] else ""
    lines.append(f"cluster {status['name']}: node {node}, {status['memoryMiB']} MiB with its Pods{kept}")
    return "\n".join(lines) + "\n"
