"""Each mode's servers are rolled and scaled under load: reads never fail, a write only when it was on its way as its server
ended, and nobody waits longer than the policy says. Takes minutes: a step of its own, `./run test rolled`."""
import json

import pytest

import kube
import objects
import test_redis_cluster
import test_replicated
import test_sentinel
from test_following import Load

QUEUE_SECONDS = 30


def patient(*documents):
    """The policies among them let clients wait for as long as a server takes to come back."""
    for document in documents:
        if document["kind"] == "AmbassadorPolicy":
            for listener in document["spec"]["listeners"]:
                listener["timeouts"] = {"queue": f"{QUEUE_SECONDS}s"}
    return documents


def roll(own, stateful_set, seconds=240):
    own("rollout", "restart", f"statefulset/{stateful_set}")
    own.wait_rollout(f"statefulset/{stateful_set}", seconds)


def scale(own, stateful_set, replicas):
    own("scale", f"statefulset/{stateful_set}", f"--replicas={replicas}")
    own.wait_rollout(f"statefulset/{stateful_set}", 120)


def unnoticed(own, pod, course, ended):
    """Runs `course`, in which so many servers end that take writes, under load."""
    with Load(own, pod=pod) as load:
        kube.wait("load runs", lambda: load.so_far()["operations"] > 200)
        course()
        at = load.so_far()["operations"]
        kube.wait("load goes on", lambda: load.so_far()["operations"] > at + 400, QUEUE_SECONDS)
        seen = load.end()
    print(seen)
    # What is "wrong" is an older value, of a replica or of a server that forgets.
    assert (seen["failed_reads"], seen["reconnects"]) == (0, 0), seen
    assert seen["errors"] <= ended, seen
    assert seen["slowest_ms"] < (QUEUE_SECONDS + 1) * 1000, seen


@pytest.mark.parametrize("folder, document, pod", [
    ("seed", "policy.yaml", "app"), ("failover", "failover.yaml", "failover-client"), ("spread", "spread.yaml", "spread-client")])
def test_servers_that_know_nothing_of_each_other(namespace, folder, document, pod):
    namespace.apply(*objects.redis_set())
    namespace.wait_rollout("statefulset/redis-st", 60)
    namespace.apply(*patient(*objects.load(kube.ROOT / "manifests/examples" / folder / document)))
    if pod == "app":
        namespace.apply(objects.pod())
    namespace.wait_ready(pod)

    def course():
        roll(namespace, "redis-st")
        scale(namespace, "redis-st", 3)
        roll(namespace, "redis-st")
        scale(namespace, "redis-st", 2)
    unnoticed(namespace, pod, course, ended=6)


def partition(own, stateful_set, ordinal):
    """Only Pods from this ordinal on are rolled."""
    strategy = {"spec": {"updateStrategy": {"rollingUpdate": {"partition": ordinal}}}}
    own("patch", "statefulset", stateful_set, "--patch", json.dumps(strategy))


def test_replicas_and_then_the_primary_that_was(namespace):
    policy, = patient(*objects.load(test_replicated.EXAMPLE / "policy.yaml"))
    namespace.apply(test_replicated.EXAMPLE / "redis.yaml")
    namespace.wait_rollout("statefulset/redis-replicated", 120)
    namespace.apply(policy, test_replicated.EXAMPLE / "app.yaml")
    namespace.wait_ready(test_replicated.CLIENT)

    def course():
        partition(namespace, "redis-replicated", 1)
        roll(namespace, "redis-replicated")
        test_replicated.promote(namespace, 1)
        partition(namespace, "redis-replicated", 0)
        namespace.wait_rollout("statefulset/redis-replicated", 120)
        scale(namespace, "redis-replicated", 2)
        scale(namespace, "redis-replicated", 3)
    unnoticed(namespace, test_replicated.CLIENT, course, ended=0)
    assert test_replicated.roles(namespace) == ["slave", "master", "slave"]


example_with_sentinels = test_sentinel.example
example_of_a_cluster = test_redis_cluster.example


def test_servers_that_sentinels_watch_and_the_sentinels(example_with_sentinels):
    own = example_with_sentinels

    def course():
        roll(own, "redis-watched")
        roll(own, "sentinel")
        scale(own, "redis-watched", 2)
        scale(own, "redis-watched", 3)
    unnoticed(own, test_sentinel.CLIENT, course, ended=2)


def test_nodes_of_a_cluster(example_of_a_cluster):
    own = example_of_a_cluster
    unnoticed(own, test_redis_cluster.CLIENT, lambda: roll(own, "redis-cluster"), ended=3)
