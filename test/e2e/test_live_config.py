"""A change reaches the ambassadors that run: without a restart, and within seconds."""
import json
import time

import kube
import objects
from objects import AMBASSADOR
from test_following import Load


def start(own, pods=1):
    own.apply(*objects.redis_set(), *objects.redis_set("other", "other-svc", replicas=1), objects.policy())
    own.wait_rollout("statefulset/redis-st", 60)
    own.wait_rollout("statefulset/other", 60)
    own.wait_policy("redis")
    own.apply(*(objects.pod(f"app-{i}") for i in range(pods)))
    for i in range(pods):
        own.wait_ready(f"app-{i}")


def test_a_changed_policy_reaches_running_pods_within_five_seconds_and_their_connections_stay(namespace):
    start(namespace, pods=3)
    restarts = [status(namespace, i) for i in range(3)]
    with Load(namespace, "app-0") as load:
        kube.wait("load runs", lambda: load.so_far()["operations"] > 100)
        namespace.apply(objects.policy(listeners=[objects.listener(stateful_set="other")]))
        changed_at = time.monotonic()
        for i in range(3):
            kube.wait(f"app-{i} uses the other store", lambda pod=f"app-{i}": writes_to_other(namespace, pod), 10, every=0.1)
        assert time.monotonic() - changed_at <= 5
        seen = load.end()
    assert (seen["errors"], seen["reconnects"]) == (0, 0), seen
    assert [status(namespace, i) for i in range(3)] == restarts
    kube.wait("the policy counts them up to date",
              lambda: pods(namespace) == {"selected": 3, "injected": 3, "upToDate": 3, "stale": 0, "ready": 3}, 10)


def pods(own):
    return own.get("ambassadorpolicy", "redis")["status"]["pods"]


def writes_to_other(own, pod):
    key = f"{pod}:{time.monotonic_ns()}"
    own.exec(pod, "redis-cli", "-p", "6380", "set", key, "value", container="client")
    return own.exec("other-0", "redis-cli", "exists", key).split()[-1] == "1"


def status(own, i):
    found = own.get("pod", f"app-{i}")["status"]
    return [(s["name"], s["restartCount"], s["containerID"])
            for s in found["initContainerStatuses"] + found["containerStatuses"]]


def test_a_listener_added_to_a_policy_opens_in_pods_that_run(namespace):
    start(namespace)
    namespace.apply(objects.policy(listeners=[objects.listener(), objects.listener("more", 6381, "other")]))

    def pong():
        done = namespace.run("exec", "app-0", "--container", "client", "--", "redis-cli", "-p", "6381", "ping")
        return done.stdout.strip() == "PONG"
    kube.wait("the new port answers", pong, 10)


def test_what_a_running_pod_cannot_take_is_counted_as_stale_and_nothing_is_restarted(namespace):
    start(namespace)
    before = namespace.get("pod", "app-0")["metadata"]["uid"]
    namespace.apply(objects.policy(proxy={"resources": {"requests": {"memory": "48Mi"}}}))

    def stale():
        return pods(namespace)["stale"] == 1
    kube.wait("the Pod counts as stale", stale, 15)
    assert namespace.policy_condition("redis", "Ready")[0] == "True"
    assert namespace.get("pod", "app-0")["metadata"]["uid"] == before


def test_a_policy_changed_to_name_what_is_not_there_leaves_the_last_good_backends(namespace):
    start(namespace)
    config = annotation(namespace, "config")
    patch = {"spec": {"listeners": [objects.listener(stateful_set="not-there")]}}
    namespace("patch", "ambassadorpolicy", "redis", "--type=merge", "--patch", json.dumps(patch))
    namespace.wait_policy("redis", "ResolvedRefs", "False")
    assert namespace.exec("app-0", "redis-cli", "-p", "6380", "ping", container="client").strip() == "PONG"
    assert backends(config) == backends(annotation(namespace, "config"))


def annotation(own, name):
    return json.loads(own.get("pod", "app-0")["metadata"]["annotations"][f"ambassador.dev/{name}"])


def backends(config):
    return [[b["host"] for b in found["backends"]] for found in config["listeners"]]


def test_a_deleted_policy_leaves_running_pods_as_they_are(namespace):
    start(namespace)
    namespace.delete("ambassadorpolicy", "redis")
    with Load(namespace, "app-0") as load:
        kube.wait("load runs", lambda: load.so_far()["operations"] > 2000)
        seen = load.end()
    assert (seen["errors"], seen["reconnects"]) == (0, 0), seen

    def told():
        events = namespace.get("events.events.k8s.io")
        return any("redis" in e.get("note", "") and e["regarding"]["name"] == "app-0"
                   and "policy" in e.get("note", "").lower() for e in events
                   if e.get("reportingController", "").startswith("ambassador"))
    kube.wait("an Event on the Pod says so", told, 15)
    assert namespace.exec("app-0", "ambassador-proxy", "status", container=AMBASSADOR)
