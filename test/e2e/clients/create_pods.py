#!/usr/bin/env python3
"""create_pods.py KUBECONFIG NAMESPACE PER_SECOND: creates annotated Pods at a rate until standard input ends.

The Pods name a scheduler that nobody is, so that they cost the node nothing; each creation goes through admission.
Prints {"created", "refused": [[seconds since start, status, message]], "not_injected"} as JSON at the end.
"""
import base64
import http.client
import json
import select
import ssl
import sys
import tempfile
import threading
import time
import urllib.parse

import yaml


def connector(path):
    """A function that makes a connection to the kubeconfig's API server, and nothing more."""
    config = yaml.safe_load(open(path))
    current = {c["name"]: c["context"] for c in config["contexts"]}[config["current-context"]]
    cluster = {c["name"]: c["cluster"] for c in config["clusters"]}[current["cluster"]]
    user = {u["name"]: u["user"] for u in config["users"]}[current["user"]]

    def material(holder, name):
        if name in holder:
            return holder[name]
        kept = tempfile.NamedTemporaryFile(delete=False)
        kept.write(base64.b64decode(holder[name + "-data"]))
        kept.close()
        return kept.name

    context = ssl.create_default_context(cafile=material(cluster, "certificate-authority"))
    context.load_cert_chain(material(user, "client-certificate"), material(user, "client-key"))
    server = urllib.parse.urlparse(cluster["server"])
    return lambda: http.client.HTTPSConnection(server.hostname, server.port, context=context, timeout=35)


def pod(number):
    return {"apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": f"burst-{number}", "labels": {"burst": "yes"},
                         "annotations": {"ambassador.dev/inject": "true"}},
            "spec": {"schedulerName": "nobody", "terminationGracePeriodSeconds": 0,
                     "containers": [{"name": "client", "image": "redis"}]}}


def main():
    kubeconfig, namespace, per_second = sys.argv[1], sys.argv[2], float(sys.argv[3])
    connect = connector(kubeconfig)
    started = time.monotonic()
    seen = {"created": 0, "refused": [], "not_injected": 0, "slowest_ms": 0.0}
    guard = threading.Lock()

    def create(number):
        began = time.monotonic()
        connection = connect()
        try:
            connection.request("POST", f"/api/v1/namespaces/{namespace}/pods", json.dumps(pod(number)),
                               {"Content-Type": "application/json"})
            reply = connection.getresponse()
            body = json.loads(reply.read())
            status, message = reply.status, body.get("message", "")
        except (OSError, ValueError, http.client.HTTPException) as problem:
            status, message, body = 0, str(problem), {}
        finally:
            connection.close()
        with guard:
            seen["slowest_ms"] = max(seen["slowest_ms"], round((time.monotonic() - began) * 1000, 1))
            if status != 201:
                seen["refused"].append([round(began - started, 2), status, message])
                return
            seen["created"] += 1
            names = [c["name"] for c in body["spec"].get("initContainers", []) + body["spec"]["containers"]]
            seen["not_injected"] += "ambassador-container" not in names

    print(json.dumps({"started": True}), flush=True)
    threads, number = [], 0
    while True:
        thread = threading.Thread(target=create, args=(number,))
        thread.start()
        threads.append(thread)
        number += 1
        pause = max(0.0, started + number / per_second - time.monotonic())
        if select.select([sys.stdin], [], [], pause)[0] and not sys.stdin.readline():
            break
    for thread in threads:
        thread.join()
    seen["asked"] = number
    print(json.dumps(seen), flush=True)


main()
