#!/usr/bin/env python3
"""admission.py HOST PORT [--rate 200] [--seconds 20] [--namespace NS] [--policy NAME]: how fast the webhook answers.

Sends reviews of annotated Pods at a fixed rate over kept-alive TLS connections, as the API server does, and prints the
latency from the planned moment of sending (so that a stall counts for everybody who waits behind it) as JSON. The
namespace should have a policy, or every Pod is a miss. See docs/operations.md for the flags of the operator.
"""
import argparse
import http.client
import json
import ssl
import threading
import time

POD = {"apiVersion": "v1", "kind": "Pod",
       "metadata": {"generateName": "bench-", "annotations": {}},
       "spec": {"containers": [{"name": f"app-{i}", "image": "redis", "env": [{"name": f"E{n}", "value": "x" * 40}
                                                                               for n in range(20)]} for i in range(3)]}}


def review(namespace, number):
    return json.dumps({
        "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
        "request": {"uid": f"bench-{number}", "kind": {"group": "", "version": "v1", "kind": "Pod"},
                    "resource": {"group": "", "version": "v1", "resource": "pods"}, "namespace": namespace,
                    "operation": "CREATE", "object": POD, "dryRun": True}})


class Client(threading.Thread):
    """Every `connections`-th review is this one's."""

    def __init__(self, options, first, begin):
        super().__init__(daemon=True)
        self.options, self.first, self.begin = options, first, begin
        self.took, self.results = [], {}

    def run(self):
        trust_all = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        trust_all.check_hostname, trust_all.verify_mode = False, ssl.CERT_NONE
        link = http.client.HTTPSConnection(self.options.host, self.options.port, context=trust_all, timeout=10)
        link.connect()
        for number in range(self.first, int(self.options.rate * self.options.seconds), self.options.connections):
            planned = self.begin + number / self.options.rate
            time.sleep(max(0.0, planned - time.monotonic()))
            link.request("POST", "/mutate--v1-pod", review(self.options.namespace, number),
                         {"Content-Type": "application/json"})
            answer = link.getresponse()
            body = json.loads(answer.read())
            self.took.append(time.monotonic() - planned)
            response = body.get("response", {})
            result = "injected" if "patch" in response else "denied" if not response.get("allowed") else "untouched"
            self.results[result] = self.results.get(result, 0) + 1


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("host")
    parser.add_argument("port", type=int)
    parser.add_argument("--rate", type=float, default=200)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--namespace", default="default")
    parser.add_argument("--connections", type=int, default=4)
    parser.add_argument("--policy", help="what the Pods name; without it, all that fit are injected")
    options = parser.parse_args()
    asks = {"ambassador.dev/policy": options.policy} if options.policy else {"ambassador.dev/inject": "true"}
    POD["metadata"]["annotations"] = asks
    begin = time.monotonic() + 0.5
    clients = [Client(options, i, begin) for i in range(options.connections)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    took = sorted(value for client in clients for value in client.took)
    results = {}
    for client in clients:
        for name, count in client.results.items():
            results[name] = results.get(name, 0) + count

    def at(share):
        return round(took[min(len(took) - 1, int(len(took) * share))] * 1000, 2)
    print(json.dumps({"reviews": len(took), "per_second": round(len(took) / options.seconds, 1), "results": results,
                      "ms": {"p50": at(0.5), "p95": at(0.95), "p99": at(0.99), "max": round(took[-1] * 1000, 2)}}))


main()
