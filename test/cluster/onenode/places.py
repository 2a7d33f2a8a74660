"""Where things lie: the cache (shared, outlives clusters) and a cluster's state.

Pure: computes paths, touches no file.
"""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[3]
RECIPES = Path(__file__).resolve().parents[1]  # test/cluster

# Overlayfs wants a real file system below, which /run and /tmp often are not.
DEFAULT_STATE = "/var/lib/ambassador-cluster"


def cache() -> Path:
    """Folder of built tools and base images, shared by all checkouts of a user."""
    home = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return Path(home) / "ambassador-operator"


def state_root() -> Path:
    return Path(os.environ.get("AMBASSADOR_CLUSTER_STATE") or DEFAULT_STATE)


@dataclass(frozen=True)
class Cluster:
    """The paths and names of one cluster. Two with different names coexist."""

    name: str = "ambassador"

    @property
    def state(self) -> Path:
        return state_root() / self.name

    @property
    def node(self) -> str:
        return f"{self.name}-node"

    @property
    def context(self) -> str:
        return self.name

    # namespaces, pinned by a file each so that they outlive any process
    @property
    def netns(self) -> str:
        return f"ambassador-cluster-{self.name}"

    @property
    def netns_file(self) -> Path:
        return Path("/run/netns") / self.netns

    @property
    def mountns_file(self) -> Path:
        return self.state / "pin" / "mnt"

    @property
    def cgroup(self) -> str:
        """Below every cgroup hierarchy's root; holds components and Pods alike."""
        return f"ambassador-cluster-{self.name}"

    @property
    def lock(self) -> Path:
        return Path("/run/lock") / f"{self.netns}.lock"

    # folders in the state
    @property
    def pki(self) -> Path:
        return self.state / "pki"

    @property
    def config(self) -> Path:
        return self.state / "config"

    @property
    def logs(self) -> Path:
        return self.state / "log"

    @property
    def processes(self) -> Path:
        return self.state / "processes"

    @property
    def bin(self) -> Path:
        return self.state / "bin"

    @property
    def volumes(self) -> Path:
        return self.state / "volumes"

    @property
    def kubeconfig(self) -> Path:
        return self.state / "kubeconfig"

    @property
    def audit_log(self) -> Path:
        return self.logs / "audit.log"

    @property
    def kept(self) -> Path:
        """Marker of `up --keep`: `down --unless-kept` then does nothing."""
        return self.state / "kept"

    def log(self, component: str) -> Path:
        return self.logs / f"{component}.log"


# The cluster's addresses. They exist only inside its network namespace, so they
# clash with nothing and are the same for every cluster.
NODE_ADDRESS = "192.168.98.1"
POD_SUBNET = "10.244.0.0/16"
SERVICE_SUBNET = "10.96.0.0/16"
API_SERVICE_ADDRESS = "10.96.0.1"
API_PORT = 6443
REGISTRY = f"{NODE_ADDRESS}:5000"
CLUSTER_DOMAIN = "cluster.local"
