"""A Redis primary is followed, whichever server that is, and its replicas answer reads."""
import pytest

import kube
from test_following import Load

EXAMPLE = kube.ROOT / "manifests/examples/replicated"
SERVERS = (0, 1, 2)
CLIENT = "replicated-client"


@pytest.fixture
def example(namespace):
    """The example as it stands, with redis-replicated-0 as the primary, and replicas that the ambassador reads from."""
    namespace.apply(EXAMPLE / "redis.yaml")
    namespace.wait_rollout("statefulset/redis-replicated", 120)
    namespace.apply(EXAMPLE / "policy.yaml")
    namespace.wait_policy("replicated")
    namespace.apply(EXAMPLE / "app.yaml")
    namespace.wait_ready(CLIENT)
    kube.wait("a replica answers reads", lambda: client(namespace, "get", "key") == "" and reads(namespace, 1, 2) > 0)
    return namespace


def client(own, *command):
    """What the application gets through its ambassador."""
    return own.exec(CLIENT, "redis-cli", "-p", "6380", *command, container="redis-client").strip()


def server(own, ordinal, *command):
    return own.exec(f"redis-replicated-{ordinal}", "redis-cli", *command).strip()


def roles(own):
    return [server(own, ordinal, "role").split()[0] for ordinal in SERVERS]


def info(own, ordinal, section):
    """{name: value} of a section of INFO."""
    lines = server(own, ordinal, "info", section).splitlines()
    return dict(line.strip().split(":", 1) for line in lines if ":" in line)


def count(own, ordinal, command, of):
    """How often a server ran a command (of="calls"), or refused it ("rejected_calls")."""
    said = info(own, ordinal, "commandstats").get(f"cmdstat_{command}", "")
    numbers = dict(pair.split("=") for pair in said.split(",") if pair)
    return int(numbers.get(of, 0))


def reads(own, *ordinals):
    return sum(count(own, ordinal, "get", "calls") for ordinal in ordinals)


def promote(own, ordinal):
    """As a person does it: first the one, then the others follow it."""
    server(own, ordinal, "replicaof", "no", "one")
    for other in SERVERS:
        if other != ordinal:
            server(own, other, "replicaof", f"redis-replicated-{ordinal}.redis-replicated", "6379")


def test_writes_go_to_the_primary_and_reads_to_replicas(example):
    assert roles(example) == ["master", "slave", "slave"]
    writes, before = count(example, 0, "set", "calls"), (reads(example, 0), reads(example, 1, 2))
    for number in range(20):
        assert client(example, "set", f"key:{number}", number) == "OK"
        assert client(example, "get", f"key:{number}") in (str(number), "")  # a replica may not have it yet
    assert count(example, 0, "set", "calls") == writes + 20
    assert [count(example, ordinal, "set", "rejected_calls") for ordinal in SERVERS] == [0, 0, 0]
    assert (reads(example, 0), reads(example, 1, 2)) == (before[0], before[1] + 20)


def test_without_replicas_the_primary_answers_reads(example):
    assert client(example, "set", "key", "value") == "OK"
    example("scale", "statefulset/redis-replicated", "--replicas=1")
    for ordinal in (1, 2):
        example.wait_gone("pod", f"redis-replicated-{ordinal}")

    def primary_reads():
        before = reads(example, 0)
        return client(example, "get", "key") == "value" and reads(example, 0) == before + 1
    kube.wait("the primary answers", primary_reads, 20)


def test_a_promotion_under_load_costs_no_client_an_error_and_writes_land_on_the_new_primary(example):
    with Load(example, pod=CLIENT) as load:
        kube.wait("load runs", lambda: load.so_far()["operations"] > 200)
        promote(example, 1)
        at = load.so_far()["operations"]
        kube.wait("load goes on", lambda: load.so_far()["operations"] > at + 400)
        seen = load.end()
    # Values that are older than what was written are a replica's right: they are "wrong" here, and no error.
    assert (seen["errors"], seen["reconnects"]) == (0, 0), seen
    assert roles(example) == ["slave", "master", "slave"]
    written = count(example, 1, "set", "calls")
    assert client(example, "set", "key", "after") == "OK"
    assert server(example, 1, "get", "key") == "after"
    assert count(example, 1, "set", "calls") == written + 1
    kube.wait("the others have it too", lambda: [server(example, i, "get", "key") for i in SERVERS] == ["after"] * 3)


def test_the_first_server_started_again_follows_whoever_is_the_primary_now(example):
    assert client(example, "set", "key", "value") == "OK"
    kube.wait("the replica has it", lambda: server(example, 1, "get", "key") == "value")
    promote(example, 1)
    example.delete("pod", "redis-replicated-0")
    example.wait_ready("redis-replicated-0")
    assert roles(example) == ["slave", "master", "slave"]
    assert server(example, 0, "get", "key") == "value"
    assert client(example, "set", "key", "another") == "OK"


def test_a_primary_that_starts_again_waits_for_another_one_instead_of_emptying_its_replicas(example):
    assert client(example, "set", "key", "value") == "OK"
    kube.wait("the replica has it", lambda: server(example, 2, "get", "key") == "value")
    example.delete("pod", "redis-replicated-0")
    kube.wait("the first one waits", lambda: "waiting for a primary" in example("logs", "redis-replicated-0"), 60)
    assert server(example, 2, "get", "key") == "value"
    server(example, 2, "replicaof", "no", "one")
    server(example, 1, "replicaof", "redis-replicated-2.redis-replicated", "6379")
    example.wait_ready("redis-replicated-0")
    assert roles(example) == ["slave", "slave", "master"]
    assert client(example, "set", "key", "another") == "OK"
    assert server(example, 2, "get", "key") == "another"
