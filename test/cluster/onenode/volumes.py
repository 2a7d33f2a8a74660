"""hostPath PersistentVolumes made in advance, so that claim templates bind.

Without a storage class and without a provisioner: the seed's StatefulSet asks
for neither.
"""

import shutil
import time

from .api import Api
from .places import Cluster

COUNT = 30
SIZE = "1Gi"


def names() -> list[str]:
    return [f"pv-{number:02}" for number in range(COUNT)]


def manifest(cluster: Cluster, name: str) -> dict:
    return {"apiVersion": "v1", "kind": "PersistentVolume",
            "metadata": {"name": name, "labels": {"ambassador-cluster": "volume"}},
            "spec": {"capacity": {"storage": SIZE}, "accessModes": ["ReadWriteOnce"],
                     "persistentVolumeReclaimPolicy": "Retain",
                     "hostPath": {"path": str(cluster.volumes / name), "type": "Directory"}}}


def make_folder(cluster: Cluster, name: str) -> None:
    folder = cluster.volumes / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    folder.chmod(0o777)  # hostPath gets no fsGroup, and Pods run as any user


def create(cluster: Cluster, api: Api) -> None:
    """Makes those that are missing; touches none that exists."""
    there = {item["metadata"]["name"] for item in listing(api)}
    for name in names():
        if name not in there:
            make_folder(cluster, name)
            api.create("/api/v1/persistentvolumes", manifest(cluster, name))


def listing(api: Api) -> list[dict]:
    return api.request("GET", "/api/v1/persistentvolumes")["items"]


def reset(cluster: Cluster, api: Api) -> list[str]:
    """Empties and renews the volumes whose claim is gone. Returns their names."""
    renewed = []
    for item in listing(api):
        name, phase = item["metadata"]["name"], item.get("status", {}).get("phase")
        if name not in names() or phase not in ("Released", "Failed"):
            continue
        api.request("DELETE", f"/api/v1/persistentvolumes/{name}")
        renewed.append(name)
    wait_deleted(api, set(renewed))
    for name in renewed:
        make_folder(cluster, name)
        api.create("/api/v1/persistentvolumes", manifest(cluster, name))
    return renewed


def wait_deleted(api: Api, gone: set[str]) -> None:
    deadline = time.monotonic() + 20
    while gone & {item["metadata"]["name"] for item in listing(api)}:
        if time.monotonic() > deadline:
            raise TimeoutError(f"PersistentVolumes stay: {', '.join(sorted(gone))}")
        time.sleep(0.05)
