"""The Kubernetes objects that tests are made of, as documents."""
import copy

import yaml

import kube

SEED = kube.ROOT / "manifests/examples/seed"
AMBASSADOR = "ambassador-container"
RESTRICTED = {"runAsNonRoot": True, "runAsUser": 999, "allowPrivilegeEscalation": False,
              "capabilities": {"drop": ["ALL"]}, "seccompProfile": {"type": "RuntimeDefault"}}


def load(path):
    return [document for document in yaml.safe_load_all(path.read_text()) if document]


def redis_container(**more):
    return {"name": "redis", "image": "redis", "ports": [{"name": "redis", "containerPort": 6379}],
            "securityContext": RESTRICTED,
            "readinessProbe": {"exec": {"command": ["redis-cli", "ping"]}, "periodSeconds": 1}, **more}


def redis_set(name="redis-st", service="redis-svc", replicas=2, grace=1):
    """A headless Service and a StatefulSet as the seed's, but without disks: Pods that forget are quick to make."""
    labels = {"app": name}
    return [
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": service},
         "spec": {"clusterIP": "None", "selector": labels, "ports": [{"name": "redis-port", "port": 6379}]}},
        {"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": name},
         "spec": {"serviceName": service, "replicas": replicas, "selector": {"matchLabels": labels},
                  "podManagementPolicy": "Parallel",
                  "template": {"metadata": {"labels": labels},
                               "spec": {"terminationGracePeriodSeconds": grace, "containers": [redis_container()]}}}}]


def postgres_set(name="pg", password="first"):
    """A headless Service, a StatefulSet of one PostgreSQL that keeps nothing, and the Secret of its user, shop."""
    labels = {"app": name}
    container = {"name": "postgres", "image": "postgres:15", "securityContext": RESTRICTED,
                 "env": [{"name": "POSTGRES_USER", "value": "shop"}, {"name": "POSTGRES_PASSWORD", "value": password}],
                 "readinessProbe": {"exec": {"command": ["pg_isready", "--host=127.0.0.1"]}, "periodSeconds": 1}}
    return [
        secret("shop-db", username="shop", password=password),
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name},
         "spec": {"clusterIP": "None", "selector": labels, "ports": [{"name": "postgres", "port": 5432}]}},
        {"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": name},
         "spec": {"serviceName": name, "replicas": 1, "selector": {"matchLabels": labels},
                  "template": {"metadata": {"labels": labels},
                               "spec": {"terminationGracePeriodSeconds": 1, "containers": [container]}}}}]


def database_listener(name="db", stateful_set="pg", **more):
    given = {"name": name, "protocol": "PostgreSQL", "port": 5432,
             "upstreams": [{"statefulSet": {"name": stateful_set, "port": "postgres"}}],
             "credentials": {"secretRef": {"name": "shop-db"}}, "postgresql": {"pooling": "Transaction"}}
    return given | more


def secret(name, **values):
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": values}


def policy(name="redis", listeners=None, **spec):
    return {"apiVersion": "ambassador.dev/v1alpha1", "kind": "AmbassadorPolicy", "metadata": {"name": name},
            "spec": {"listeners": listeners or [listener()], **spec}}


def listener(name="cache", port=6380, stateful_set="redis-st", **more):
    given = {"name": name, "protocol": "Redis", "port": port,
             "upstreams": [{"statefulSet": {"name": stateful_set, "port": "redis-port"}}]}
    return given | more


def pod(name="app", annotations=None, labels=None, **spec):
    """A Pod that asks for its ambassador, unless other annotations are given."""
    container = {"name": "client", "image": "redis", "command": ["sleep", "infinity"], "securityContext": RESTRICTED}
    given = {"terminationGracePeriodSeconds": 1, "containers": [container]} | spec
    wanted = {"ambassador.dev/inject": "true"} if annotations is None else annotations
    return {"apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": name, "annotations": wanted, "labels": labels or {}}, "spec": given}


def changed(document, **spec):
    """A copy with some of its spec replaced."""
    new = copy.deepcopy(document)
    new["spec"] |= spec
    return new


def containers(pod_document):
    return pod_document["spec"].get("initContainers", []) + pod_document["spec"]["containers"]


def ambassador(pod_document):
    """The injected container, or None."""
    found = [c for c in containers(pod_document) if c["name"] == AMBASSADOR]
    return found[0] if found else None
