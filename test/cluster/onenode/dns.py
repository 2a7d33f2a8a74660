"""CoreDNS on the node's address, which kubelet gives to Pods as their name server."""

from . import places, tools
from .component import Component, answers
from .places import Cluster

READY_PORT = 8181

# `ttl 5` and no cache: a change is seen at once, as CoreDNS' defaults have it but for
# their cache of 30 s. There is no outside, so a name outside does not exist.
COREFILE = """{domain}:53 in-addr.arpa:53 ip6.arpa:53 {{
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
.:53 {{
    bind {address}
    errors
    template ANY ANY {{
        rcode NXDOMAIN
        authority ". 5 IN SOA ns.{domain}. nobody.{domain}. 1 5 5 5 5"
    }}
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
