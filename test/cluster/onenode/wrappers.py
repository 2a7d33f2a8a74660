"""`kubectl`, `helm` and friends that run inside the cluster's network.

Plain scripts in the state's bin folder: a test that runs one pays for nsenter and
nothing else.
"""

from . import namespaces, tools
from .node import CONTAINERD_SOCKET
from .places import Cluster


def script(cluster: Cluster, command: list[str], settings: dict[str, str]) -> str:
    pairs = " ".join(f"{name}='{value}'" for name, value in settings.items())
    words = " ".join([*namespaces.enter_network(cluster), "env", pairs, *command])
    return f'#!/bin/sh\nexec {words} "$@"\n'


def write(cluster: Cluster) -> None:
    kubeconfig = {"KUBECONFIG": str(cluster.kubeconfig)}
    scratch = cluster.state / "home"  # caches of the clients: gone with the cluster
    helm_homes = {f"HELM_{kind}_HOME": str(scratch / "helm" / kind.lower())
                  for kind in ("CACHE", "CONFIG", "DATA")}
    texts = {
        "kubectl": script(cluster, [str(tools.binary("kubectl"))],
                          kubeconfig | {"KUBECACHEDIR": str(scratch / "kube")}),
        "helm": script(cluster, [str(tools.binary("helm"))], kubeconfig | helm_homes),
        "exec-ns": f"#!/bin/sh\nexec {' '.join(namespaces.enter_network(cluster))} -- \"$@\"\n",
        "ctr": f"#!/bin/sh\nexec {' '.join(namespaces.enter_both(cluster))} "
               f"ctr --address {CONTAINERD_SOCKET} --namespace k8s.io \"$@\"\n",
    }
    for name, text in texts.items():
        path = cluster.bin / name
        path.write_text(text)
        path.chmod(0o755)
