"""CoreDNS on the node's address, which kubelet gives to Pods as their name server."""

from . import places, tools
from .component import Component, answers
from .places import Cluster

READY_PORT = 8181

# `ttl 5` and no cache: what a test changes is seen at once, as in a cluster whose
# administrators keep CoreDNS' defaults. Names outside are NXDOMAIN, there is no outside.
COREFILE = """.:53 {{
    bind {address}
    errors
    ready 127.0.0.1:{ready}
    kubernetes {domain} in-addr.arpa ip6.arpa {{
        kubeconfig {kubeconfig}
        pods insecure
        ttl 5
    }}
    loadbalance
    reload 2s
}}
"""

ACCESS = [
    {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
     "metadata": {"name": "system:coredns"},
     "rules": [{"apiGroups": [""], "resources": ["services", "pods", "namespaces"],
                "verbs": ["list", "watch"]},
               {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"],
                "verbs": ["list", "watch"]}]},
    {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
     "metadata": {"name": "system:coredns"},
     "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole",
                 "name": "system:coredns"},
     "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "system:coredns"}]},
]


def corefile(cluster: Cluster) -> str:
    return COREFILE.format(address=places.NODE_ADDRESS, ready=READY_PORT,
                           domain=places.CLUSTER_DOMAIN,
                           kubeconfig=cluster.config / "coredns.kubeconfig")


def write_config(cluster: Cluster) -> None:
    (cluster.config / "Corefile").write_text(corefile(cluster))


COREDNS = Component("coredns",
                    lambda c: [str(tools.binary("coredns")), "-conf", str(c.config / "Corefile")],
                    lambda c: answers(c, "127.0.0.1", READY_PORT, "/ready"))
