"""What the cluster knows of one of its programs: how it starts, when it is ready."""

import http.client
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field

from . import namespaces
from .places import Cluster


@dataclass(frozen=True)
class Component:
    name: str
    command: Callable[[Cluster], list[str]]
    ready: Callable[[Cluster], bool]
    own_mounts: bool = False  # runs in the cluster's mount namespace as well
    environment: dict[str, str] = field(default_factory=dict)


def arguments(program, **flags: object) -> list[str]:
    """["PROGRAM", "--some-flag=value", ...] from keywords; True and False as Go writes them."""
    def text(value: object) -> str:
        return str(value).lower() if isinstance(value, bool) else str(value)

    return [str(program), *(f"--{name.replace('_', '-')}={text(value)}" for name, value in flags.items())]


def listens(cluster: Cluster, address: str, port: int) -> bool:
    try:
        with namespaces.inside_network(cluster):
            socket.create_connection((address, port), timeout=1).close()
        return True
    except OSError:
        return False


def answers(cluster: Cluster, address: str, port: int, path: str, tls: bool = False) -> bool:
    """GET gives 200. The certificate is not looked at: the answer is only `am I up`."""
    try:
        with namespaces.inside_network(cluster):
            plain = socket.create_connection((address, port), timeout=2)
        with plain:
            connection = http.client.HTTPConnection(address, port, timeout=2)
            if tls:
                context = ssl._create_unverified_context()
                connection.sock = context.wrap_socket(plain, server_hostname=address)
            else:
                connection.sock = plain
            connection.request("GET", path)
            return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
