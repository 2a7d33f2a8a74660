"""Redis servers that only Sentinels know of: they are found, and a failover costs clients time, and no error."""
import json

import pytest

import kube
import objects
from test_following import Load

EXAMPLE = kube.ROOT / "manifests/examples/sentinel"
SERVERS = (0, 1, 2)
CLIENT = "watched-client"


@pytest.fixture
def example(namespace):
    """The example as it stands: every Sentinel knows all servers and the other Sentinels."""
    namespace.apply(EXAMPLE / "redis.yaml", EXAMPLE / "sentinel.yaml")
    namespace.wait_rollout("statefulset/redis-watched", 120)
    namespace.wait_rollout("statefulset/sentinel", 120)
    kube.wait("the Sentinels know each other and the servers", lambda: all(
        (known["num-other-sentinels"], known["num-slaves"]) == ("2", "2") for known in map(
            lambda one: master(namespace, one), SERVERS)), 60)
    namespace.apply(EXAMPLE / "policy.yaml")
    namespace.wait_policy("watched")
    namespace.apply(EXAMPLE / "app.yaml")
    namespace.wait_ready(CLIENT)
    kube.wait("the servers are found", lambda: len(backends(namespace)) == 3)
    return namespace


def client(own, *command):
    """What the application gets through its ambassador."""
    return own.exec(CLIENT, "redis-cli", "-p", "6380", *command, container="redis-client").strip()


def server(own, ordinal, *command):
    return own.exec(f"redis-watched-{ordinal}", "redis-cli", *command).strip()


def master(own, sentinel):
    """{name: value} of the master, as a Sentinel describes it."""
    lines = own.exec(f"sentinel-{sentinel}", "redis-cli", "-p", "26379", "sentinel", "master", "orders").splitlines()
    return dict(zip(lines[::2], lines[1::2]))


def listener(own):
    """Of `ambassador-proxy status`."""
    status = own.exec(CLIENT, "ambassador-proxy", "status", "-o", "json", container="ambassador-container")
    return json.loads(status)["listeners"][0]


def backends(own):
    return {one["host"].split(".")[0]: one for one in listener(own)["backends"]}


def primary(own):
    """The ordinal of the server that every Sentinel takes for the primary; nothing while they don't agree."""
    named = {master(own, one)["ip"].split(".")[0] for one in SERVERS}
    return int(named.pop().rsplit("-", 1)[1]) if len(named) == 1 else None


def test_the_servers_are_found_by_asking_the_sentinels(example):
    assert primary(example) == 0
    assert {name: one["role"] for name, one in backends(example).items()} == {
        "redis-watched-0": "primary", "redis-watched-1": "replica", "redis-watched-2": "replica"}
    assert listener(example)["seeds"] == {"known": 3, "answering": 3, "trouble": ""}
    assert client(example, "set", "key", "value") == "OK"
    kube.wait("a replica has it", lambda: client(example, "get", "key") == "value")
    assert server(example, 0, "get", "key") == "value"


def test_the_primary_is_deleted_under_load_and_clients_go_on_with_the_next(example):
    with Load(example, pod=CLIENT) as load:
        kube.wait("load runs", lambda: load.so_far()["operations"] > 200)
        example.delete("pod", "redis-watched-0")
        kube.wait("the Sentinels make another one the primary", lambda: primary(example) in (1, 2), 60)
        at = load.so_far()["operations"]
        kube.wait("load goes on", lambda: load.so_far()["operations"] > at + 400)
        seen = load.end()
    # At most what was on its way. A replica's older value is "wrong" here, and no error.
    assert seen["errors"] <= 1 and seen["reconnects"] == 0, seen
    assert client(example, "set", "key", "after") == "OK"
    assert server(example, primary(example), "get", "key") == "after"
    # It comes back with another address, by the name that it had, and follows.
    example.wait_ready("redis-watched-0")
    kube.wait("it is found again, as a replica",
              lambda: backends(example).get("redis-watched-0", {}).get("role") == "replica", 60)
    kube.wait("it has what was written meanwhile", lambda: server(example, 0, "get", "key") == "after")


def test_without_any_sentinel_everything_goes_on(example):
    example("scale", "statefulset/sentinel", "--replicas=0")
    kube.wait("nobody answers", lambda: listener(example)["seeds"]["answering"] == 0, 60)
    assert client(example, "set", "key", "value") == "OK"
    assert len(backends(example)) == 3


def test_a_master_that_no_sentinel_knows_is_told_as_that(namespace):
    namespace.apply(EXAMPLE / "redis.yaml", EXAMPLE / "sentinel.yaml")
    namespace.wait_rollout("statefulset/sentinel", 120)
    policy, = objects.load(EXAMPLE / "policy.yaml")
    orders, = policy["spec"]["listeners"]
    orders["redis"]["sentinel"]["masterName"] = "another"
    orders["timeouts"] = {"queue": "2s"}
    namespace.apply(policy)
    namespace.wait_policy("watched")
    namespace.apply(EXAMPLE / "app.yaml")
    namespace.wait_ready(CLIENT)
    assert client(namespace, "get", "key") == "ERR no Sentinel knows the master another"
