"""The operator dies, the API server goes away: Pods go on, and everything catches up."""
import contextlib
import json
import os
import signal
import time

import pytest

import kube
import objects
from installation import SERVICE_ACCOUNT
from test_following import Load
from test_refused import await_selected

PER_SECOND = 20


@pytest.fixture
def store(namespace):
    namespace.apply(*objects.redis_set(), objects.policy())
    namespace.wait_rollout("statefulset/redis-st", 60)
    namespace.wait_policy("redis", seconds=90)  # after an outage of the API server CoreDNS follows it late again
    return namespace


@contextlib.contextmanager
def burst(own, env):
    """Pods created at 20 a second meanwhile; yields what becomes the counts once it is over."""
    process = kube.on_node(env, *kube.client("create_pods.py"), env["KUBECONFIG"], own.namespace, PER_SECOND)
    seen = {}
    try:
        process.stdout.readline()
        yield seen
        seen |= json.loads(kube.finish(process, 60))
    finally:
        process.kill()
        own.run("delete", "pods", "--selector", "burst=yes", "--grace-period=0", "--force", "--wait=false")


def kill_operator(operator, pod):
    for pid in operator.kube.pids(pod, "ambassador-operator"):
        os.kill(pid, signal.SIGKILL)


def restarts(operator, pod):
    return operator.kube.get("pod", pod)["status"]["containerStatuses"][0]["restartCount"]


def test_the_operator_killed_and_back_patches_no_pod_that_is_up_to_date(store, operator):
    store.apply(*(objects.pod(f"app-{i}") for i in range(3)))
    for i in range(3):
        store.wait_ready(f"app-{i}")
    counts = {"selected": 3, "injected": 3, "upToDate": 3, "stale": 0, "ready": 3}
    kube.wait("all are up to date", lambda: store.get("ambassadorpolicy", "redis")["status"]["pods"] == counts, 15)
    since = kube.clock_now()
    before = {pod["metadata"]["name"]: restarts(operator, pod["metadata"]["name"]) for pod in operator.pods()}
    for pod in before:
        kill_operator(operator, pod)
    for pod, count in before.items():
        kube.wait(f"{pod} was restarted", lambda pod=pod, count=count: restarts(operator, pod) > count, 30)
    operator.wait_ready()
    # It leads again once it writes status; a change of the policy's proves that it has gone through everything.
    store("scale", "statefulset/redis-st", "--replicas=1")
    kube.wait("the operator is at work again", lambda: len(store.get("ambassadorpolicy", "redis")["status"]["listeners"]
                                                           [0]["backends"]) == 1, 45)
    patched = [e["objectRef"]["namespace"] for e in operator.audit(since, "patch", "pods")
               if e["objectRef"]["namespace"] != store.namespace]
    assert patched == []
    scaled = operator.audit(since, "patch", "pods")
    assert len(scaled) <= 3, "one patch for each Pod, for the scaling alone"


def test_a_spoilt_certificate_is_made_anew_and_admission_goes_on(store, operator):
    secret = "ambassador-operator-certificate"
    operator.kube("patch", "secret", secret, "--type=merge", "--patch", json.dumps({"data": {"tls.crt": ""}}))
    kube.wait("there is a certificate again", lambda: operator.kube.get("secret", secret)["data"].get("tls.crt"), 90)
    operator.wait_answering()


def test_the_api_server_away_for_thirty_seconds_disturbs_neither_operator_nor_proxies(store, operator):
    store.apply(objects.pod())
    store.wait_ready("app")
    before = {pod["metadata"]["name"]: restarts(operator, pod["metadata"]["name"]) for pod in operator.pods()}
    with Load(store) as load:
        kube.tool("kill", "kube-apiserver")
        try:
            time.sleep(30)  # the outage itself, not a wait for something
        finally:
            kube.tool("start", "kube-apiserver")
        store("scale", "statefulset/redis-st", "--replicas=3")
        store.wait_ready("redis-st-2", 90)
        # Kubernetes takes the node for dead at first, and its Pods, the operator's too, out of all Services.
        kube.wait("the third is used", lambda: int(store.exec("redis-st-2", "redis-cli", "dbsize").split()[-1]) > 0, 90)
        seen = load.end()
    assert (seen["errors"], seen["reconnects"]) == (0, 0), seen
    assert {pod["metadata"]["name"]: restarts(operator, pod["metadata"]["name"]) for pod in operator.pods()} == before
    kube.wait("Kubernetes has the operator in its Service again", operator.in_service, 120)
    kube.wait("Pods are admitted again", lambda: store.apply(objects.pod("late")), 30)
    store.wait_ready("late")


def test_a_replica_deleted_gracefully_under_twenty_creations_a_second_fails_none(store, operator, env):
    with burst(store, env) as seen:
        time.sleep(2)
        operator.kube("delete", "pod", operator.pods()[0]["metadata"]["name"], "--wait=true", timeout=60)
        operator.wait_ready()
        time.sleep(2)
    assert seen["created"] > 100 and seen["refused"] == [] and seen["not_injected"] == 0, seen


def test_the_leader_killed_admission_fails_for_three_seconds_at_most_and_the_other_leads_within_twenty(store, operator, env):
    leader = operator.leader()
    template = objects.pod()
    deployment = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "many"},
                  "spec": {"replicas": 10, "selector": {"matchLabels": {"app": "many"}},
                           "template": {"metadata": {"labels": {"app": "many"},
                                                     "annotations": template["metadata"]["annotations"]},
                                        "spec": template["spec"] | {"schedulerName": "nobody"}}}}
    with burst(store, env) as seen:
        time.sleep(1)
        count = restarts(operator, leader)
        kill_operator(operator, leader)
        store.apply(deployment)
        killed_at = time.monotonic()
        kube.wait("every Pod exists", lambda: len(store.get("pods", None, "--selector", "app=many")) == 10, 30)
        kube.wait("it was restarted", lambda: restarts(operator, leader) > count, 30)

        def led():
            lease = operator.kube.get("lease", "ambassador-operator")["spec"]
            return lease["renewTime"] > when and lease["holderIdentity"]
        when = kube.clock_now()
        kube.wait("somebody leads", led, max(1.0, 20 - (time.monotonic() - killed_at)))
        operator.wait_ready()
    times = [second for second, _, _ in seen["refused"]]
    assert not times or max(times) - min(times) <= 3, seen["refused"]
    assert seen["not_injected"] == 0
    for pod in store.get("pods", None, "--selector", "app=many"):
        assert objects.ambassador(pod)


def test_two_leaders_never_act_at_once(operator):
    """The lease changes hands only after it has run out or was released: every renewal is of one holder at a time."""
    leader = operator.leader()
    since = kube.clock_now()
    operator.kube("delete", "pod", leader, "--wait=true", timeout=60)
    released_at = time.monotonic()
    new = kube.wait("another leads", lambda: (now := operator.leader()) != leader and now, 20)
    assert time.monotonic() - released_at <= 5, "a graceful end releases the lease"
    assert new != leader
    operator.wait_ready()
    writes = [e for e in operator.audit(since, "update", "leases") if e["responseStatus"]["code"] == 200]
    assert writes and all(e["user"]["username"] == SERVICE_ACCOUNT for e in writes)


def test_a_selected_pod_that_slipped_past_while_no_operator_answered_is_reported_with_the_cause(store, operator):
    store.apply(objects.policy("selecting", podSelector={"matchLabels": {"app": "shop"}},
                               listeners=[objects.listener(port=6390)]))
    store.wait_policy("selecting")
    await_selected(store)
    operator.kube("scale", "deployment/ambassador-operator", "--replicas=0")
    kube.wait("no operator runs", lambda: not operator.kube.get("pods"), 60)
    try:
        store.apply(objects.pod("late", annotations={}, labels={"app": "shop"}))
        assert not objects.ambassador(store.get("pod", "late"))
        said = store.refusal(objects.pod("asking"))
        assert "annotated.ambassador.dev" in said, "a Pod that asked must not start without"
    finally:
        operator.kube("scale", "deployment/ambassador-operator", "--replicas=2")
        operator.wait_ready()
        operator.wait_answering()

    def told():
        return [e["note"] for e in store.get("events.events.k8s.io")
                if e["regarding"]["name"] == "late" and e["reason"] == "NotInjected"]
    note, = kube.wait("an Event says so", told, 45)
    assert "selecting" in note and "delete the Pod" in note
    counts = store.get("ambassadorpolicy", "selecting")["status"]["pods"]
    assert (counts["selected"], counts["injected"]) == (1, 0), counts
