"""etcd, kube-apiserver, kube-controller-manager, kube-scheduler."""

from . import places, tools
from .component import Component, answers, arguments
from .places import Cluster

ETCD_PORT = 2379
ETCD_PEER_PORT = 2380
ETCD_HEALTH_PORT = 2381
CONTROLLER_MANAGER_PORT = 10257
SCHEDULER_PORT = 10259

# Every request of whoever is not the cluster's own machinery, without bodies:
# tests count the operator's requests by user, verb and object.
AUDIT_POLICY = """apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: None
  nonResourceURLs: ["/healthz*", "/livez*", "/readyz*", "/openapi/*", "/version"]
- level: None
  users: ["system:apiserver"]
- level: None
  verbs: [get, list, watch]
  users: [system:kube-controller-manager, system:kube-scheduler, system:kube-proxy, system:coredns]
- level: None
  userGroups: [system:nodes]
  verbs: [get, list, watch]
- level: None
  userGroups: [system:nodes]
  resources: [{group: coordination.k8s.io, resources: [leases]}]
- level: Metadata
"""


def etcd(cluster: Cluster) -> list[str]:
    url, peer = f"https://127.0.0.1:{ETCD_PORT}", f"http://127.0.0.1:{ETCD_PEER_PORT}"
    return arguments(
        tools.binary("etcd"), name="node", data_dir=cluster.state / "etcd",
        listen_client_urls=url, advertise_client_urls=url,
        listen_peer_urls=peer, initial_advertise_peer_urls=peer, initial_cluster=f"node={peer}",
        listen_metrics_urls=f"http://127.0.0.1:{ETCD_HEALTH_PORT}",
        cert_file=cluster.pki / "etcd.crt", key_file=cluster.pki / "etcd.key",
        trusted_ca_file=cluster.pki / "ca.crt", client_cert_auth=True,
        # a killed process loses nothing by it, only a machine's crash would
        unsafe_no_fsync=True,
        auto_compaction_retention="5m", quota_backend_bytes=2 << 30, log_level="warn")


def kube_apiserver(cluster: Cluster) -> list[str]:
    pki = cluster.pki
    return arguments(
        tools.binary("kube-apiserver"),
        advertise_address=places.NODE_ADDRESS, bind_address="0.0.0.0", secure_port=places.API_PORT,
        etcd_servers=f"https://127.0.0.1:{ETCD_PORT}", etcd_cafile=pki / "ca.crt",
        etcd_certfile=pki / "etcd.crt", etcd_keyfile=pki / "etcd.key",
        tls_cert_file=pki / "kube-apiserver.crt", tls_private_key_file=pki / "kube-apiserver.key",
        client_ca_file=pki / "ca.crt", authorization_mode="Node,RBAC",
        enable_admission_plugins="NodeRestriction", allow_privileged=True,
        service_cluster_ip_range=places.SERVICE_SUBNET,
        service_account_issuer=f"https://kubernetes.default.svc.{places.CLUSTER_DOMAIN}",
        service_account_key_file=pki / "service-accounts.pub",
        service_account_signing_key_file=pki / "service-accounts.key",
        kubelet_client_certificate=pki / "kubelet-client.crt",
        kubelet_client_key=pki / "kubelet-client.key",
        kubelet_certificate_authority=pki / "ca.crt",
        kubelet_preferred_address_types="InternalIP",
        audit_policy_file=cluster.config / "audit-policy.yaml", audit_log_path=cluster.audit_log,
        audit_log_maxsize=2048,  # MiB: a rotation would hide what a test looks for
        event_ttl="4h", endpoint_reconciler_type="lease",
        # the one replica may drop its connections quickly when told to end
        shutdown_delay_duration="0s")


def kube_controller_manager(cluster: Cluster) -> list[str]:
    kubeconfig = cluster.config / "kube-controller-manager.kubeconfig"
    return arguments(
        tools.binary("kube-controller-manager"), kubeconfig=kubeconfig,
        authentication_kubeconfig=kubeconfig, authorization_kubeconfig=kubeconfig,
        bind_address="127.0.0.1", secure_port=CONTROLLER_MANAGER_PORT,
        tls_cert_file=cluster.pki / "kube-controller-manager.crt",
        tls_private_key_file=cluster.pki / "kube-controller-manager.key",
        leader_elect=False,  # it is alone, and would wait for a dead lease after a kill
        use_service_account_credentials=True,
        service_account_private_key_file=cluster.pki / "service-accounts.key",
        root_ca_file=cluster.pki / "ca.crt", cluster_name=cluster.name,
        cluster_signing_cert_file=cluster.pki / "ca.crt",
        cluster_signing_key_file=cluster.pki / "ca.key",
        # it writes no machine's disk: volumes are made by hand
        flex_volume_plugin_dir=cluster.state / "volume-plugins",
        kube_api_qps=100, kube_api_burst=200)


def kube_scheduler(cluster: Cluster) -> list[str]:
    kubeconfig = cluster.config / "kube-scheduler.kubeconfig"
    return arguments(
        tools.binary("kube-scheduler"), kubeconfig=kubeconfig,
        authentication_kubeconfig=kubeconfig, authorization_kubeconfig=kubeconfig,
        bind_address="127.0.0.1", secure_port=SCHEDULER_PORT,
        tls_cert_file=cluster.pki / "kube-scheduler.crt",
        tls_private_key_file=cluster.pki / "kube-scheduler.key",
        leader_elect=False, kube_api_qps=100, kube_api_burst=200)


def write_config(cluster: Cluster) -> None:
    (cluster.config / "audit-policy.yaml").write_text(AUDIT_POLICY)


ETCD = Component("etcd", etcd, lambda c: answers(c, "127.0.0.1", ETCD_HEALTH_PORT, "/readyz"))
API_SERVER = Component("kube-apiserver", kube_apiserver,
                       lambda c: answers(c, places.NODE_ADDRESS, places.API_PORT, "/readyz", tls=True))
CONTROLLER_MANAGER = Component(
    "kube-controller-manager", kube_controller_manager,
    lambda c: answers(c, "127.0.0.1", CONTROLLER_MANAGER_PORT, "/healthz", tls=True))
SCHEDULER = Component("kube-scheduler", kube_scheduler,
                      lambda c: answers(c, "127.0.0.1", SCHEDULER_PORT, "/readyz", tls=True))
