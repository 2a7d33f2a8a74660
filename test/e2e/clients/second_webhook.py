#!/usr/bin/env python3
"""second_webhook.py ADDRESS CERTIFICATE KEY: somebody else's mutating webhook; adds an annotation to every Pod.

Prints {"port": N} once it listens, on a free port."""
import base64
import http.server
import json
import ssl
import sys

ANNOTATION = "e2e.test/second"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["request"]
        answer = {"uid": request["uid"], "allowed": True}
        there = request["object"]["metadata"].get("annotations")
        if ANNOTATION not in (there or {}):
            patch = [] if there else [{"op": "add", "path": "/metadata/annotations", "value": {}}]
            patch.append({"op": "add", "path": "/metadata/annotations/e2e.test~1second", "value": "was here"})
            answer |= {"patchType": "JSONPatch", "patch": base64.b64encode(json.dumps(patch).encode()).decode()}
        body = json.dumps({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": answer}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def main():
    address, certificate, key = sys.argv[1:]
    server = http.server.ThreadingHTTPServer((address, 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    print(json.dumps({"port": server.server_address[1]}), flush=True)
    server.serve_forever()


main()
