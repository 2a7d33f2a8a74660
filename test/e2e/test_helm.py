"""Upgrades under load."""
import time

import pytest

import kube
import objects
from test_following import Load
from test_operator_faults import burst


@pytest.fixture
def store(namespace):
    namespace.apply(*objects.redis_set(), objects.policy())
    namespace.wait_rollout("statefulset/redis-st", 60)
    namespace.wait_policy("redis")
    return namespace


def test_helm_upgrade_under_pod_creation_misses_none_and_restarts_no_application(store, operator, env):
    store.apply(objects.pod())
    store.wait_ready("app")
    since = kube.clock_now()
    before = {pod["metadata"]["uid"] for pod in operator.pods()}
    with Load(store) as load, burst(store, env) as seen:
        operator.upgrade("podAnnotations.upgraded=yes")
        time.sleep(2)
        loaded = load.end()
    assert not before & {pod["metadata"]["uid"] for pod in operator.pods()}, "every replica is a new one"
    assert seen["created"] > 100 and seen["refused"] == [] and seen["not_injected"] == 0, seen
    assert (loaded["errors"], loaded["reconnects"]) == (0, 0), loaded
    patched = [e["objectRef"]["name"] for e in operator.audit(since, "patch", "pods")]
    assert patched == [], "an upgrade alone patches no Pod"


def test_helm_rollback_brings_the_replicas_back(operator):
    operator.helm("rollback", "ambassador-operator", "--wait", "--timeout", "90s")
    assert len(operator.pods()) == 2
    operator.wait_answering()
