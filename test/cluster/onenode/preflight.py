"""Says what is missing before anything is started, and how to get it."""

import os
import re
import shutil

from .say import ClusterError

# program -> Debian package
PROGRAMS = {
    "containerd": "containerd", "runc": "runc", "docker-registry": "docker-registry",
    "buildah": "buildah", "mmdebstrap": "mmdebstrap", "iptables": "iptables", "ip": "iproute2",
    "nsenter": "util-linux", "skopeo": "skopeo", "openssl": "openssl", "cc": "gcc",
    "unshare": "util-linux", "mount": "mount",
}


def check_root() -> None:
    if os.geteuid() != 0:
        raise ClusterError("the cluster needs root (namespaces, mounts, cgroups): use sudo")


def check() -> None:
    check_root()
    path = os.environ.get("PATH", "") + ":/usr/local/sbin:/usr/sbin:/sbin"
    missing = sorted({package for program, package in PROGRAMS.items()
                      if shutil.which(program, path=path) is None})
    if not os.path.isdir("/usr/lib/cni"):
        missing.append("containernetworking-plugins")
    if missing:
        raise ClusterError(f"missing: {' '.join(missing)}; `./run setup` installs them, "
                           f"or: apt-get install {' '.join(missing)}")


def check_name(name: str) -> None:
    if not re.fullmatch(r"[a-z][a-z0-9-]{0,20}", name):
        raise ClusterError(f"--name {name!r}: small letters, digits and '-', at most 21, a letter first")
