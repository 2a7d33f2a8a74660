"""The cluster's certificates: one authority, one key pair per component.

Names and groups are what Kubernetes' authorizers look at:
https://kubernetes.io/docs/setup/best-practices/certificates/
"""

import base64
import subprocess
from dataclasses import dataclass
from pathlib import Path

from . import places
from .places import Cluster

DAYS = "3650"  # longer than any cluster here lives


@dataclass(frozen=True)
class Identity:
    """One certificate. `names` makes it a server's as well as a client's."""

    file: str
    common_name: str
    organization: str = ""
    names: tuple[str, ...] = ()

    def subject(self) -> str:
        return (f"/O={self.organization}" if self.organization else "") + f"/CN={self.common_name}"

    def extensions(self) -> str:
        """The body of an OpenSSL extension file."""
        usage = "clientAuth,serverAuth" if self.names else "clientAuth"
        text = f"basicConstraints=CA:FALSE\nkeyUsage=digitalSignature\nextendedKeyUsage={usage}\n"
        if self.names:
            text += "subjectAltName=" + ",".join(map(alternative_name, self.names)) + "\n"
        return text


def alternative_name(name: str) -> str:
    return f"IP:{name}" if name.replace(".", "").isdigit() else f"DNS:{name}"


def identities(cluster: Cluster) -> list[Identity]:
    service = "kubernetes.default.svc"
    api_names = ("kubernetes", "kubernetes.default", service, f"{service}.{places.CLUSTER_DOMAIN}",
                 "localhost", "127.0.0.1", places.NODE_ADDRESS, places.API_SERVICE_ADDRESS)
    return [
        Identity("kube-apiserver", "kube-apiserver", names=api_names),
        Identity("kubelet-client", "kube-apiserver-kubelet-client", "system:masters"),
        Identity("etcd", "etcd", names=("127.0.0.1", "localhost")),
        Identity("admin", "kubernetes-admin", "system:masters"),
        Identity("kube-controller-manager", "system:kube-controller-manager",
                 names=("localhost", "127.0.0.1")),
        Identity("kube-scheduler", "system:kube-scheduler", names=("localhost", "127.0.0.1")),
        Identity("kube-proxy", "system:kube-proxy"),
        Identity("coredns", "system:coredns"),
        Identity("kubelet", f"system:node:{cluster.node}", "system:nodes",
                 (cluster.node, places.NODE_ADDRESS)),
    ]


# components that reach the API server with a kubeconfig of their own
KUBECONFIGS = ("admin", "kube-controller-manager", "kube-scheduler", "kube-proxy", "coredns", "kubelet")


def make(cluster: Cluster) -> None:
    """Writes keys, certificates and kubeconfigs into the cluster's state."""
    pki = cluster.pki
    pki.mkdir(parents=True, exist_ok=True)
    pki.chmod(0o700)
    new_key(pki / "ca.key")
    openssl("req", "-x509", "-new", "-key", pki / "ca.key", "-subj", "/CN=ambassador-cluster-ca",
            "-days", DAYS, "-addext", "basicConstraints=critical,CA:TRUE",
            "-addext", "keyUsage=critical,digitalSignature,keyCertSign,cRLSign", "-out", pki / "ca.crt")
    for serial, identity in enumerate(identities(cluster), start=2):
        sign(pki, identity, serial)
    # tokens of service accounts are signed with a pair that is no certificate
    new_key(pki / "service-accounts.key")
    openssl("pkey", "-in", pki / "service-accounts.key", "-pubout", "-out", pki / "service-accounts.pub")
    for name in KUBECONFIGS:
        target = cluster.kubeconfig if name == "admin" else cluster.config / f"{name}.kubeconfig"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.touch(mode=0o600)
        target.write_text(kubeconfig(cluster, name))


def new_key(path: Path) -> None:
    path.touch(mode=0o600)
    openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", path)


def sign(pki: Path, identity: Identity, serial: int) -> None:
    key, request, extensions = (pki / f"{identity.file}.{end}" for end in ("key", "csr", "ext"))
    new_key(key)
    extensions.write_text(identity.extensions())
    openssl("req", "-new", "-key", key, "-subj", identity.subject(), "-out", request)
    openssl("x509", "-req", "-in", request, "-CA", pki / "ca.crt", "-CAkey", pki / "ca.key",
            "-set_serial", str(serial), "-days", DAYS, "-sha256", "-extfile", extensions,
            "-out", pki / f"{identity.file}.crt")
    request.unlink()
    extensions.unlink()


def openssl(*arguments) -> None:
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


def kubeconfig(cluster: Cluster, name: str) -> str:
    """A kubeconfig with everything inside, so that it can be copied as one file."""
    def data(file: str) -> str:
        return base64.b64encode((cluster.pki / file).read_bytes()).decode()

    return f"""apiVersion: v1
kind: Config
clusters:
- name: {cluster.context}
  cluster:
    server: https://{places.NODE_ADDRESS}:{places.API_PORT}
    certificate-authority-data: {data("ca.crt")}
users:
- name: {name}
  user:
    client-certificate-data: {data(f"{name}.crt")}
    client-key-data: {data(f"{name}.key")}
contexts:
- name: {cluster.context}
  context:
    cluster: {cluster.context}
    user: {name}
current-context: {cluster.context}
"""
