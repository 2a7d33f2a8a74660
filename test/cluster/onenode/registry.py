"""The local registry, and containerd's belief that it is every registry."""

import json

from . import places
from .component import Component, answers
from .places import Cluster


def config(cluster: Cluster) -> str:
    return json.dumps({
        "version": 0.1, "log": {"level": "warn", "accesslog": {"disabled": True}},
        "storage": {"filesystem": {"rootdirectory": str(cluster.state / "registry")},
                    "delete": {"enabled": True}},
        "http": {"addr": places.REGISTRY},
    }, indent=1)


def hosts_toml() -> str:
    """For any registry that an image names, ours answers; there is no other to reach.

    https://github.com/containerd/containerd/blob/main/docs/hosts.md
    """
    return f'server = "http://{places.REGISTRY}"\n\n[host."http://{places.REGISTRY}"]\n' \
           '  capabilities = ["pull", "resolve"]\n'


def write_config(cluster: Cluster) -> None:
    (cluster.config / "registry.json").write_text(config(cluster))
    for host in ("docker.io", "_default"):
        folder = cluster.config / "registries" / host
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "hosts.toml").write_text(hosts_toml())


REGISTRY = Component(
    "registry", lambda c: ["docker-registry", "serve", str(c.config / "registry.json")],
    lambda c: answers(c, *places.REGISTRY.split(":"), "/v2/"))
