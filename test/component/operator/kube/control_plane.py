#!/usr/bin/env python3
"""etcd and kube-apiserver on free loopback ports, for as long as standard input stays open.

Prints one JSON line once the API server is ready: kubeconfig (client certificate), token, server, ca, folder.
Then obeys lines on standard input: `pause`, `resume` (SIGSTOP, SIGCONT), `kill`, `start` (the API server) and
`apply FILE`, each answered by `ok`. Ends, and ends both, at end of file, so that nothing stays when the test dies.
"""

import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "cluster"))
from onenode import tools  # noqa: E402

TOKEN = "a-token-for-tests"
READY_SECONDS = 90


def free_ports(count):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


def make_certificates(folder):
    """One authority; a server certificate for 127.0.0.1, an administrator's client certificate."""
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
            "/CN=test-ca", "-keyout", folder / "ca.key", "-out", folder / "ca.crt")
    for name, subject, extension in (
            ("server", "/CN=kube-apiserver", "subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth"),
            ("admin", "/O=system:masters/CN=admin", "extendedKeyUsage=clientAuth")):
        (folder / f"{name}.ext").write_text(extension)
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", subject, "-keyout",
                folder / f"{name}.key", "-out", folder / f"{name}.csr")
        openssl("x509", "-req", "-days", "2", "-in", folder / f"{name}.csr", "-CA", folder / "ca.crt", "-CAkey",
                folder / "ca.key", "-CAcreateserial", "-extfile", folder / f"{name}.ext", "-out",
                folder / f"{name}.crt")
    openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", folder / "sa.key")
    openssl("pkey", "-in", folder / "sa.key", "-pubout", "-out", folder / "sa.pub")


class ControlPlane:
    def __init__(self, folder):
        self.folder = folder
        self.etcd_port, self.peer_port, self.port = free_ports(3)
        self.server = f"https://127.0.0.1:{self.port}"
        self.apiserver = None
        self.etcd = self.run("etcd", "--data-dir", folder / "etcd", "--unsafe-no-fsync", "--log-level", "error",
                             "--listen-client-urls", f"http://127.0.0.1:{self.etcd_port}",
                             "--advertise-client-urls", f"http://127.0.0.1:{self.etcd_port}",
                             "--listen-peer-urls", f"http://127.0.0.1:{self.peer_port}",
                             "--initial-advertise-peer-urls", f"http://127.0.0.1:{self.peer_port}",
                             "--initial-cluster", f"default=http://127.0.0.1:{self.peer_port}")

    def run(self, name, *arguments):
        binary = tools.binary(name)
        if not binary.exists():
            sys.exit(f"{name} is not built yet: run `./run cluster build` first (it takes about 7 minutes, once)")
        log = open(self.folder / f"{name}.log", "ab")
        return subprocess.Popen([str(binary), *map(str, arguments)], stdout=log, stderr=log, stdin=subprocess.DEVNULL)

    def start(self):
        self.apiserver = self.run(
            "kube-apiserver", "--etcd-servers", f"http://127.0.0.1:{self.etcd_port}", "--bind-address", "127.0.0.1",
            "--secure-port", self.port, "--service-cluster-ip-range", "10.97.0.0/16", "--endpoint-reconciler-type",
            "none", "--authorization-mode", "RBAC", "--tls-cert-file", self.folder / "server.crt",
            "--tls-private-key-file", self.folder / "server.key", "--client-ca-file", self.folder / "ca.crt",
            "--token-auth-file", self.folder / "tokens.csv", "--service-account-issuer", "https://test",
            "--service-account-key-file", self.folder / "sa.pub", "--service-account-signing-key-file",
            self.folder / "sa.key", "--disable-admission-plugins", "ServiceAccount", "--shutdown-delay-duration", "0s")
        context = ssl.create_default_context(cafile=self.folder / "ca.crt")
        request = urllib.request.Request(f"{self.server}/api/v1/namespaces/default",
                                         headers={"Authorization": f"Bearer {TOKEN}"})
        until = time.monotonic() + READY_SECONDS
        while True:
            try:
                urllib.request.urlopen(request, context=context, timeout=2).read()
                return
            except OSError:
                if self.apiserver.poll() is not None or time.monotonic() > until:
                    log = (self.folder / "kube-apiserver.log").read_text()[-3000:]
                    sys.exit(f"the API server did not get ready\n{log}")
                time.sleep(0.1)

    def obey(self, order):
        if order == "pause":
            self.apiserver.send_signal(signal.SIGSTOP)
            os.waitpid(self.apiserver.pid, os.WUNTRACED)  # until the last of its threads stands still
        elif order == "resume":
            self.apiserver.send_signal(signal.SIGCONT)
        elif order == "kill":
            self.apiserver.kill()
            self.apiserver.wait()
        elif order == "start":
            self.start()
        elif order.startswith("apply "):
            done = subprocess.run([str(tools.binary("kubectl")), "--kubeconfig", str(self.folder / "kubeconfig"),
                                   "apply", "--server-side", "-f", order.removeprefix("apply ")],
                                  capture_output=True, text=True)
            if done.returncode != 0:
                return done.stderr.replace("\n", " ")
        else:
            return f"unknown order {order!r}"
        return "ok"

    def end(self):
        for process in (self.apiserver, self.etcd):
            if process is not None and process.poll() is None:
                process.kill()
                process.wait()


def main():
    folder = Path(tempfile.mkdtemp(prefix="ambassador-control-plane-"))
    make_certificates(folder)
    (folder / "tokens.csv").write_text(f"{TOKEN},tester,tester,system:masters\n")
    plane = ControlPlane(folder)
    (folder / "kubeconfig").write_text(json.dumps({
        "apiVersion": "v1", "kind": "Config", "current-context": "test",
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "admin", "namespace": "default"}}],
        "clusters": [{"name": "test", "cluster": {"server": plane.server, "certificate-authority": "ca.crt"}}],
        "users": [{"name": "admin", "user": {"client-certificate": "admin.crt", "client-key": "admin.key"}}]}))
    try:
        plane.start()
        print(json.dumps({"kubeconfig": str(folder / "kubeconfig"), "token": TOKEN, "server": plane.server,
                          "ca": str(folder / "ca.crt"), "folder": str(folder)}), flush=True)
        for line in sys.stdin:
            print(plane.obey(line.strip()), flush=True)
    finally:
        plane.end()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    os.setpgid(0, 0)  # a terminal's Ctrl-C ends the test; this ends by its standard input
    main()
