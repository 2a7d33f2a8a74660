"""The few requests that the cluster itself makes of its API server."""

import http.client
import json
import socket
import ssl

from . import namespaces, places
from .places import Cluster


class Refused(Exception):
    """The API server answered with an error status."""

    def __init__(self, status: int, text: str):
        super().__init__(f"{status}: {text}")
        self.status = status


class Api:
    """One connection as cluster administrator. Reconnects by itself; not for threads."""

    def __init__(self, cluster: Cluster):
        self.cluster = cluster
        self.context = ssl.create_default_context(cafile=str(cluster.pki / "ca.crt"))
        self.context.load_cert_chain(cluster.pki / "admin.crt", cluster.pki / "admin.key")
        self.connection: http.client.HTTPConnection | None = None

    def connect(self) -> http.client.HTTPConnection:
        with namespaces.inside_network(self.cluster):
            plain = socket.create_connection((places.NODE_ADDRESS, places.API_PORT), timeout=10)
        connection = http.client.HTTPConnection(places.NODE_ADDRESS, places.API_PORT, timeout=10)
        connection.sock = self.context.wrap_socket(plain, server_hostname=places.NODE_ADDRESS)
        return connection

    def request(self, method: str, path: str, body: dict | None = None) -> dict:
        """The decoded answer. Raises Refused, OSError or HTTPException."""
        headers = {"Content-Type": "application/json", "User-Agent": "ambassador-cluster"}
        if self.connection is None:
            self.connection = self.connect()
        try:
            self.connection.request(method, path, json.dumps(body) if body is not None else None, headers)
            answer = self.connection.getresponse()
            text = answer.read().decode()
        except (OSError, http.client.HTTPException):
            self.connection.close()
            self.connection = None
            raise
        if answer.status >= 400:
            raise Refused(answer.status, text)
        return json.loads(text) if text else {}

    def create(self, path: str, body: dict) -> None:
        """Creates the object; one that is there already is as good."""
        try:
            self.request("POST", path, body)
        except Refused as refused:
            if refused.status != 409:
                raise

    def node_is_ready(self) -> bool:
        try:
            node = self.request("GET", f"/api/v1/nodes/{self.cluster.node}")
        except (Refused, OSError, http.client.HTTPException):
            return False
        return any(condition["type"] == "Ready" and condition["status"] == "True"
                   for condition in node.get("status", {}).get("conditions", []))
