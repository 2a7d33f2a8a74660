"""A Redis Cluster behind one port: clients that know nothing of it notice neither moved slots nor a Pod that goes."""
import json

import pytest

import kube
from test_following import Load

EXAMPLE = kube.ROOT / "manifests/examples/cluster"
NODES = range(6)
CLIENT = "cluster-client"


@pytest.fixture
def example(namespace):
    """The example as it stands: the Job has made the cluster, and the ambassador has found all of it."""
    kube.tool("pvs", "reset")
    namespace.apply(EXAMPLE / "redis.yaml")
    namespace.wait_rollout("statefulset/redis-cluster", 120)
    namespace("wait", "job/redis-cluster-create", "--for=condition=Complete", "--timeout=120s")
    namespace.apply(EXAMPLE / "policy.yaml")
    namespace.wait_policy("clustered")
    namespace.apply(EXAMPLE / "app.yaml")
    namespace.wait_ready(CLIENT)
    kube.wait("the nodes are found", lambda: len(backends(namespace)) == 6)
    return namespace


def client(own, *command):
    """What the application gets through its ambassador."""
    return own.exec(CLIENT, "redis-cli", "-p", "6380", *command, container="redis-client").strip()


def node(own, ordinal, *command):
    return own.exec(f"redis-cluster-{ordinal}", "redis-cli", *command).strip()


def backends(own):
    """By the names of Pods, of `ambassador-proxy status`."""
    status = own.exec(CLIENT, "ambassador-proxy", "status", "-o", "json", container="ambassador-container")
    return {one["host"].split(".")[0]: one for one in json.loads(status)["listeners"][0]["backends"]}


def primaries(own):
    """Of those who answer: a Pod that is just deleted, or started, does not."""
    return [ordinal for ordinal in NODES
            if own.run("exec", f"redis-cluster-{ordinal}", "--", "redis-cli", "role").stdout.startswith("master")]


def keys_of(own, ordinal):
    return int(node(own, ordinal, "dbsize"))


def test_keys_lie_on_all_primaries_and_are_found_through_one_port(example):
    words = [word for number in range(60) for word in (f"key:{number}", str(number))]
    assert client(example, "mset", *words) == "OK"
    assert client(example, "mget", *words[::2]).split() == words[1::2]
    assert client(example, "dbsize") == "60"
    assert sorted(keys_of(example, one) > 0 for one in primaries(example)) == [True] * 3
    assert client(example, "rename", "key:1", "key:2") == "CROSSSLOT Keys in request don't hash to the same slot"


def test_slots_are_moved_under_load_and_no_client_notices(example):
    receiver, giver = primaries(example)[:2]
    with Load(example, pod=CLIENT) as load:
        kube.wait("load runs", lambda: load.so_far()["operations"] > 200)
        example.exec(f"redis-cluster-{giver}", "redis-cli", "--cluster", "reshard", "localhost:6379", "--cluster-slots", "2000",
                     "--cluster-from", node(example, giver, "cluster", "myid"),
                     "--cluster-to", node(example, receiver, "cluster", "myid"), "--cluster-yes")
        at = load.so_far()["operations"]
        kube.wait("load goes on", lambda: load.so_far()["operations"] > at + 400)
        seen = load.end()
    # A replica's older value is "wrong" here, and no error.
    assert seen["errors"] == 0 and seen["reconnects"] == 0, seen


def test_a_primarys_pod_is_deleted_and_clients_wait_for_whoever_has_its_slots_then(example):
    gone = primaries(example)[0]
    with Load(example, pod=CLIENT) as load:
        kube.wait("load runs", lambda: load.so_far()["operations"] > 200)
        example.delete("pod", f"redis-cluster-{gone}")
        example.wait_ready(f"redis-cluster-{gone}")  # in time to be the primary still, or to find a successor
        kube.wait("there are three primaries", lambda: len(primaries(example)) == 3, 60)
        at = load.so_far()["operations"]
        kube.wait("load goes on", lambda: load.so_far()["operations"] > at + 400)
        seen = load.end()
    assert seen["errors"] <= 1 and seen["reconnects"] == 0, seen  # at most what was on its way
    kube.wait("it is found again, with another address", lambda: f"redis-cluster-{gone}" in backends(example), 60)
    assert client(example, "set", "key", "after") == "OK"
