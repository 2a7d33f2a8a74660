"""The one-node cluster: its pure parts, and one whole life of it.

    /usr/bin/python3 -m pytest test/cluster              everything (needs root; 1 minute once built)
    /usr/bin/python3 -m pytest test/cluster -k 'not life'    the quick part
"""

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from onenode import (cgroups, dns, go_toolchain, lifecycle, namespaces, node, pki, places, processes,  # noqa: E402
                     registry, registry_store, tools, versions, volumes)
from onenode.places import Cluster  # noqa: E402

CLUSTER = Cluster("selftest")

SEED = """
apiVersion: v1
kind: Service
metadata: {name: redis-svc, labels: {app: redis}}
spec:
  ports: [{port: 6379, name: redis-port}]
  clusterIP: None
  selector: {app: redis}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: redis-st}
spec:
  serviceName: redis-svc
  replicas: 2
  selector: {matchLabels: {app: redis}}
  template:
    metadata: {labels: {app: redis}}
    spec:
      containers:
      - name: redis
        image: redis
        ports: [{containerPort: 6379, name: redis}]
        volumeMounts: [{name: redis-data, mountPath: /data}]
  volumeClaimTemplates:
  - metadata: {name: redis-data}
    spec:
      accessModes: [ReadWriteOnce]
      resources: {requests: {storage: 1Gi}}
"""


# names and certificates

def test_the_kubelet_is_who_the_node_authorizer_expects():
    kubelet = next(i for i in pki.identities(CLUSTER) if i.file == "kubelet")
    assert kubelet.subject() == "/O=system:nodes/CN=system:node:selftest-node"
    assert f"IP:{places.NODE_ADDRESS}" in kubelet.extensions()
    assert "DNS:selftest-node" in kubelet.extensions()


def test_the_api_server_is_known_by_every_name_that_pods_and_people_use():
    extensions = next(i for i in pki.identities(CLUSTER) if i.file == "kube-apiserver").extensions()
    for name in ("DNS:kubernetes.default.svc", "DNS:kubernetes.default.svc.cluster.local", "IP:127.0.0.1",
                 f"IP:{places.NODE_ADDRESS}", f"IP:{places.API_SERVICE_ADDRESS}"):
        assert name in extensions


def test_a_client_alone_is_no_server():
    admin = next(i for i in pki.identities(CLUSTER) if i.file == "admin")
    assert "serverAuth" not in admin.extensions() and "subjectAltName" not in admin.extensions()


def test_certificates_are_signed_by_the_clusters_own_authority(tmp_path, monkeypatch):
    monkeypatch.setenv("AMBASSADOR_CLUSTER_STATE", str(tmp_path))
    pki.make(CLUSTER)
    for identity in pki.identities(CLUSTER):
        subprocess.run(["openssl", "verify", "-CAfile", str(CLUSTER.pki / "ca.crt"),
                        str(CLUSTER.pki / f"{identity.file}.crt")], check=True, capture_output=True)
    assert CLUSTER.kubeconfig.stat().st_mode & 0o077 == 0
    assert (CLUSTER.pki / "ca.key").stat().st_mode & 0o077 == 0


# rendered configuration

def test_two_clusters_share_no_path_and_no_name():
    one, two = Cluster("one"), Cluster("two")
    for what in ("state", "netns", "cgroup", "lock", "node", "kubeconfig", "mountns_file"):
        assert getattr(one, what) != getattr(two, what)


def test_kubelet_keeps_to_the_clusters_own_cgroup_and_folders():
    config = json.loads(node.kubelet_config(CLUSTER))
    assert config["cgroupRoot"] == f"/{CLUSTER.cgroup}"
    assert config["clusterDNS"] == [places.NODE_ADDRESS]
    for folder in ("podLogsDir", "volumePluginDir"):
        assert config[folder].startswith(str(CLUSTER.state))
    assert f"--root-dir={CLUSTER.state}/kubelet" in node.kubelet(CLUSTER)


def test_kube_proxy_leaves_the_machines_connection_tracking_alone():
    assert json.loads(node.kube_proxy_config(CLUSTER))["conntrack"]["maxPerCore"] == 0


def test_any_image_comes_from_the_local_registry_alone():
    named = set(re.findall(r"http://[^\"]+", registry.hosts_toml()))
    assert named == {f"http://{places.REGISTRY}"}


def test_a_name_outside_the_cluster_does_not_exist():
    inside, outside = dns.corefile(CLUSTER).split("\n.:53 {")
    assert "kubernetes cluster.local" in inside and "NXDOMAIN" not in inside
    assert "rcode NXDOMAIN" in outside


def test_volumes_bind_to_claims_without_a_storage_class():
    manifest = volumes.manifest(CLUSTER, "pv-00")
    assert "storageClassName" not in manifest["spec"]
    assert len(volumes.names()) == volumes.COUNT == 30


def test_wrapped_arguments_are_quoted_as_go_reads_them():
    from onenode.component import arguments
    assert arguments("x", leader_elect=False, qps=5) == ["x", "--leader-elect=false", "--qps=5"]


# versions

@pytest.mark.parametrize("tool, module, version", [
    (tools.KUBERNETES, "k8s.io/kubernetes", versions.KUBERNETES),
    (tools.ETCD, "go.etcd.io/etcd/server/v3", versions.ETCD),
    (tools.COREDNS, "github.com/coredns/coredns", versions.COREDNS),
    (tools.HELM, "helm.sh/helm/v3", versions.HELM),
], ids=lambda value: getattr(value, "name", None))
def test_go_mod_pins_the_version_that_versions_py_names(tool, module, version):
    text = (tool.recipe / "go.mod").read_text()
    assert re.search(rf"^(require|\t)\s*{re.escape(module)} v{re.escape(version)}$", text, re.M)
    assert f"{module} v{version} h1:" in (tool.recipe / "go.sum").read_text()


def test_every_staging_module_is_replaced_by_its_published_twin():
    text = (tools.KUBERNETES.recipe / "go.mod").read_text()
    replaced = re.findall(r"^\t(k8s\.io/\S+) => (\S+) (\S+)$", text, re.M)
    assert len(replaced) > 25
    assert all(old == new and version == f"v0.{versions.KUBERNETES[2:]}" for old, new, version in replaced)


def test_kubernetes_says_its_version():
    assert f"k8s.io/component-base/version.gitVersion=v{versions.KUBERNETES}" in tools.KUBERNETES.ldflags()


@pytest.mark.parametrize("text, version", [
    ("go version go1.26.8 linux/amd64", (1, 26)), ("go version go1.19 linux/arm64", (1, 19)), ("bash: go", None)])
def test_a_go_version_is_read(text, version):
    assert go_toolchain.parse_version(text) == version


# the machine

def test_cgroup_hierarchies_are_read_from_mountinfo():
    text = ("31 27 0:27 / /sys/fs/cgroup/cpu rw shared:9 - cgroup cgroup rw,cpu\n"
            "32 27 0:28 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
            "22 1 8:1 / / rw - ext4 /dev/sda rw\n")
    assert cgroups.hierarchies(text) == [("rw,cpu", Path("/sys/fs/cgroup/cpu")),
                                         ("", Path("/sys/fs/cgroup/unified"))]


def test_a_pid_given_to_another_process_is_not_taken_for_ours(tmp_path, monkeypatch):
    monkeypatch.setenv("AMBASSADOR_CLUSTER_STATE", str(tmp_path))
    CLUSTER.processes.mkdir(parents=True)
    record = processes.record(CLUSTER, "etcd")
    record.write_text(json.dumps({"pid": os.getpid(), "started": processes.start_time(os.getpid())}))
    assert processes.pid_of(CLUSTER, "etcd") == os.getpid()
    record.write_text(json.dumps({"pid": os.getpid(), "started": "1"}))
    assert processes.pid_of(CLUSTER, "etcd") is None


def test_an_image_is_published_under_its_name(tmp_path):
    layout, storage = tmp_path / "layout", tmp_path / "registry"
    blobs = layout / "blobs" / "sha256"
    blobs.mkdir(parents=True)
    manifest = {"config": {"digest": "sha256:c0"}, "layers": [{"digest": "sha256:1a"}]}
    (blobs / "c0").write_text("config")
    (blobs / "1a").write_text("layer")
    (blobs / "ff").write_text(json.dumps(manifest))
    (layout / "index.json").write_text(json.dumps({"manifests": [{"digest": "sha256:ff"}]}))
    assert registry_store.current(storage, "redis") is None
    assert registry_store.publish(layout, storage, "redis") == "sha256:ff"
    assert registry_store.current(storage, "redis:latest") == "sha256:ff"
    root = storage / "docker" / "registry" / "v2"
    assert (root / "blobs" / "sha256" / "1a" / "1a" / "data").read_text() == "layer"
    assert (root / "repositories" / "library" / "redis" / "_layers" / "sha256" / "1a" / "link").is_file()


# one whole life

UIDS = ("-o", "jsonpath={.items[*].metadata.uid}")

def run(*arguments: str, check: bool = True, text: str | None = None) -> str:
    done = subprocess.run([sys.executable, str(HERE / "cluster.py"), "--name", CLUSTER.name, *arguments],
                          capture_output=True, text=True, input=text)
    assert not check or done.returncode == 0, done.stderr + done.stdout
    return done.stdout


@pytest.fixture(scope="module")
def cluster():
    if os.geteuid() != 0:
        pytest.skip("needs root")
    before = machine()
    run("up")
    yield CLUSTER
    run("down")
    assert lifecycle.leftovers(CLUSTER) == []
    assert machine() == before, "the machine is not as it was"


def machine() -> dict:
    """What a cluster could leave behind in the machine's own namespaces.

    Only what bears a cluster's marks: other tests may run meanwhile.
    """
    def lines(mark: str, *command: str) -> list[str]:
        printed = subprocess.run(command, capture_output=True, text=True).stdout
        return sorted(line for line in printed.splitlines() if re.search(mark, line))

    ours = rf"selftest|kubelet|containerd|/cni|{namespaces.BRIDGE}"
    return {
        "rules": lines("KUBE|CNI", "iptables-save"),
        "links": lines(namespaces.BRIDGE, "ip", "-o", "link"),
        "routes": lines(r"10\.244\.|10\.96\.|192\.168\.98\.", "ip", "route"),
        "namespaces": lines("selftest|cni-", "ls", "/run/netns"),
        "mounts": lines(ours, "cat", "/proc/self/mountinfo"),
        "folders": {path: os.path.exists(path) for path in
                    ("/var/lib/kubelet", "/var/lib/cni", "/var/log/pods", "/var/log/containers",
                     "/run/containerd", "/usr/libexec/kubernetes", "/etc/cni/net.d")},
        "sysctls": {name: Path("/proc/sys", name).read_text() for name in namespaces.KUBELET_SYSCTLS
                    if Path("/proc/sys", name).exists()},
    }


def kubectl(*arguments: str, text: str | None = None) -> str:
    return run("kubectl", *arguments, text=text)


def components() -> dict:
    return {row["component"]: row for row in json.loads(run("status", "--json", check=False))["components"]}


def test_life_every_component_is_ready(cluster):
    assert set(components()) == set(lifecycle.COMPONENTS)
    assert all(row["ready"] for row in components().values())
    assert f"v{versions.KUBERNETES}" in kubectl("get", "nodes")


def test_life_the_seeds_statefulset_runs_and_its_pods_have_names(cluster):
    kubectl("apply", "-f", "-", text=SEED)
    kubectl("rollout", "status", "statefulset/redis-st", "--timeout=90s")
    address = kubectl("get", "pod", "redis-st-0", "-o", "jsonpath={.status.podIP}").strip()
    name = "redis-st-0.redis-svc.default.svc.cluster.local"
    assert kubectl("exec", "redis-st-1", "--", "getent", "hosts", name).split()[0] == address
    assert kubectl("exec", "redis-st-1", "--", "redis-cli", "-h", name, "set", "key", "kept").strip() == "OK"


def wait_for_the_kept_key(seconds: float):
    deadline = time.monotonic() + seconds
    while True:
        answer = run("kubectl", "exec", "redis-st-0", "--", "redis-cli", "get", "key", check=False).strip()
        if answer == "kept":
            return
        assert time.monotonic() < deadline, f"redis-st-0 answers {answer!r}"
        time.sleep(0.5)


@pytest.mark.parametrize("name", ["etcd", "kube-apiserver", "kubelet", "containerd", "coredns"])
def test_life_a_killed_component_is_started_by_up_and_pods_do_not_notice(cluster, name):
    pods = kubectl("get", "pods", *UIDS)
    before = components()
    run("kill", name)
    assert components()[name]["pid"] is None
    run("up")
    after = components()
    assert after[name]["ready"]
    assert [other for other in after if after[other]["pid"] != before[other]["pid"]] == [name]
    assert kubectl("get", "pods", *UIDS) == pods
    wait_for_the_kept_key(10)  # a kubelet that has just started is ready before it knows its Pods


def test_life_after_a_kill_of_everything_pods_come_back_with_their_data(cluster):
    kubectl("exec", "redis-st-0", "--", "redis-cli", "save")
    assert cgroups.end_all(cluster)
    run("up")
    wait_for_the_kept_key(60)


def test_life_volumes_of_deleted_claims_can_be_renewed(cluster):
    kubectl("delete", "statefulset", "redis-st")
    kubectl("delete", "pvc", "--all")
    deadline = time.monotonic() + 20
    renewed = 0
    while renewed < 2:
        renewed += int(run("pvs", "reset").split()[0])
        assert time.monotonic() < deadline, f"only {renewed} volumes were renewed"
    assert run("pvs", "list").count(" Available ") == volumes.COUNT


def test_life_the_audit_log_names_who_did_what(cluster):
    events = [json.loads(line) for line in cluster.audit_log.read_text().splitlines()]
    deleted = [event for event in events if event["verb"] == "delete"
               and event.get("objectRef", {}).get("name") == "redis-st"]
    assert deleted and deleted[0]["user"]["username"] == "kubernetes-admin"
    assert deleted[0]["userAgent"].startswith("kubectl/")
