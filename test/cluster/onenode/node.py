"""containerd, kubelet and kube-proxy: what makes the machine a node."""

import json
import os
import subprocess
from pathlib import Path

from . import namespaces, overlay, places, tools, versions
from .component import Component, answers, arguments
from .places import Cluster

KUBELET_HEALTH_PORT = 10248
KUBE_PROXY_HEALTH_PORT = 10256
MAX_PODS = 250
CONTAINERD_SOCKET = "/run/containerd/containerd.sock"  # of the cluster's own /run
CNI_PLUGINS = "/usr/lib/cni"


def containerd_config(cluster: Cluster, snapshotter: str) -> str:
    return f"""version = 2
root = "{cluster.state}/containerd"
state = "/run/containerd"
disabled_plugins = ["io.containerd.internal.v1.opt", "io.containerd.tracing.processor.v1.otlp"]

[grpc]
  address = "{CONTAINERD_SOCKET}"

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "docker.io/{versions.PAUSE_IMAGE}"
  # without CAP_SYS_RESOURCE a lower oom_score_adj is refused, and every sandbox with it
  restrict_oom_score_adj = true
  disable_apparmor = true  # its profile would stay in the kernel after us
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "{snapshotter}"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{CNI_PLUGINS}"
    conf_dir = "{cluster.config}/cni"
  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = "{cluster.config}/registries"
"""


def cni_config() -> str:
    """Pods by the ptp plug-in: every packet is routed, so Services work between
    Pods of the node whether or not the kernel filters bridged traffic."""
    return json.dumps({
        "cniVersion": "0.4.0", "name": "pods", "plugins": [
            {"type": "ptp", "ipMasq": False, "mtu": 1500,
             "ipam": {"type": "host-local", "ranges": [[{"subnet": places.POD_SUBNET}]],
                      "routes": [{"dst": "0.0.0.0/0"}]}},
            {"type": "portmap", "capabilities": {"portMappings": True}, "snat": True},
        ]}, indent=1)


def kubelet_config(cluster: Cluster) -> str:
    """KubeletConfiguration; JSON is YAML."""
    return json.dumps({
        "apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration",
        "authentication": {"anonymous": {"enabled": False}, "webhook": {"enabled": True},
                           "x509": {"clientCAFile": str(cluster.pki / "ca.crt")}},
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": str(cluster.pki / "kubelet.crt"),
        "tlsPrivateKeyFile": str(cluster.pki / "kubelet.key"),
        "containerRuntimeEndpoint": f"unix://{CONTAINERD_SOCKET}",
        "cgroupDriver": "cgroupfs", "cgroupRoot": f"/{cluster.cgroup}", "failCgroupV1": False,
        "enforceNodeAllocatable": [], "failSwapOn": False, "oomScoreAdj": 0,
        "clusterDNS": [places.NODE_ADDRESS], "clusterDomain": places.CLUSTER_DOMAIN,
        "resolvConf": str(cluster.config / "resolv.conf"),
        "healthzBindAddress": "127.0.0.1", "healthzPort": KUBELET_HEALTH_PORT,
        "maxPods": MAX_PODS, "serializeImagePulls": False, "registryPullQPS": 0,
        "eventRecordQPS": 0, "kubeAPIQPS": 100, "kubeAPIBurst": 200,
        # the machine's own disk and memory are others' business
        "evictionHard": {"memory.available": "50Mi", "nodefs.available": "1%",
                         "nodefs.inodesFree": "1%", "imagefs.available": "1%"},
        "imageGCHighThresholdPercent": 100, "imageGCLowThresholdPercent": 99,
        "podLogsDir": str(cluster.logs / "pods"),
        "volumePluginDir": str(cluster.state / "volume-plugins"),
    }, indent=1)


def kube_proxy_config(cluster: Cluster) -> str:
    """KubeProxyConfiguration; 0 leaves the machine's connection tracking alone."""
    return json.dumps({
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1", "kind": "KubeProxyConfiguration",
        "clientConnection": {"kubeconfig": str(cluster.config / "kube-proxy.kubeconfig"),
                             "qps": 100, "burst": 200},
        "mode": "iptables", "clusterCIDR": places.POD_SUBNET, "hostnameOverride": cluster.node,
        "healthzBindAddress": f"127.0.0.1:{KUBE_PROXY_HEALTH_PORT}",
        "metricsBindAddress": "127.0.0.1:10249", "oomScoreAdj": 0,
        "conntrack": {"maxPerCore": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"},
    }, indent=1)


def containerd(cluster: Cluster) -> list[str]:
    return arguments("containerd", config=cluster.config / "containerd.toml")


def kubelet(cluster: Cluster) -> list[str]:
    return arguments(
        tools.binary("kubelet"), config=cluster.config / "kubelet.json",
        kubeconfig=cluster.config / "kubelet.kubeconfig", root_dir=cluster.state / "kubelet",
        hostname_override=cluster.node, node_ip=places.NODE_ADDRESS)


def kube_proxy(cluster: Cluster) -> list[str]:
    return arguments(tools.binary("kube-proxy"), config=cluster.config / "kube-proxy.json")


def containerd_is_ready(cluster: Cluster) -> bool:
    asked = [*namespaces.enter_both(cluster), "ctr", "--address", CONTAINERD_SOCKET,
             "--connect-timeout", "1s", "version"]
    return subprocess.run(asked, capture_output=True).returncode == 0


def iptables_path(cluster: Cluster) -> str | None:
    """A folder to put before PATH where only the legacy iptables works here."""
    works = [*namespaces.enter_network(cluster), "iptables", "-t", "nat", "-L", "-n"]
    if subprocess.run(works, capture_output=True).returncode == 0:
        return None
    folder = cluster.state / "iptables-legacy"
    folder.mkdir(exist_ok=True)
    for name in ("iptables", "iptables-save", "iptables-restore"):
        link = folder / name
        if not link.exists():
            os.symlink(Path("/usr/sbin") / name.replace("iptables", "iptables-legacy"), link)
    return str(folder)


def write_config(cluster: Cluster) -> None:
    config = cluster.config
    (config / "cni").mkdir(parents=True, exist_ok=True)
    (config / "cni" / "10-pods.conflist").write_text(cni_config())
    snapshotter = "overlayfs" if overlay.works_in(cluster.state) else "native"
    (config / "containerd.toml").write_text(containerd_config(cluster, snapshotter))
    (config / "kubelet.json").write_text(kubelet_config(cluster))
    (config / "kube-proxy.json").write_text(kube_proxy_config(cluster))
    (config / "resolv.conf").write_text(f"nameserver {places.NODE_ADDRESS}\n")
    (cluster.logs / "pods").mkdir(parents=True, exist_ok=True)


CONTAINERD = Component("containerd", containerd, containerd_is_ready, own_mounts=True)
KUBELET = Component("kubelet", kubelet, lambda c: answers(c, "127.0.0.1", KUBELET_HEALTH_PORT, "/healthz"),
                    own_mounts=True)
KUBE_PROXY = Component("kube-proxy", kube_proxy,
                       lambda c: answers(c, "127.0.0.1", KUBE_PROXY_HEALTH_PORT, "/healthz"),
                       own_mounts=True)
