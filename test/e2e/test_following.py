"""A running ambassador follows what happens to its backends, and its clients notice nothing."""
import json
import os
import signal
import time

import pytest

import kube
import objects


class Load:
    """One connection held under SET/GET load in a Pod; `.so_far()` and `.end()` give its counts."""

    def __init__(self, own, pod="app", port=6380):
        self.process = own.in_pod(pod, *kube.client("load.py"), port)
        self.process.stdout.readline()

    def so_far(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def end(self):
        out, err = self.process.communicate(timeout=30)
        assert self.process.returncode == 0, err
        return json.loads(out.splitlines()[-1])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()


def start(own, *listeners, redis=None):
    """A Redis of two, a policy and a Pod that uses it, all ready."""
    own.apply(*(redis or objects.redis_set()), objects.policy(listeners=list(listeners) or None))
    own.wait_rollout("statefulset/redis-st", 60)
    own.wait_policy("redis")
    own.apply(objects.pod())
    own.wait_ready("app")


def size(own, ordinal):
    return int(own.exec(f"redis-st-{ordinal}", "redis-cli", "dbsize").split()[-1])


def test_scaled_from_two_to_three_the_third_is_used_within_five_seconds_and_a_held_connection_sees_nothing(namespace):
    start(namespace)
    with Load(namespace) as load:
        kube.wait("load runs", lambda: load.so_far()["operations"] > 100)
        namespace("scale", "statefulset/redis-st", "--replicas=3")
        namespace.wait_ready("redis-st-2")
        ready_at = time.monotonic()
        kube.wait("redis-st-2 holds keys", lambda: size(namespace, 2) > 0, 10, every=0.1)
        assert time.monotonic() - ready_at <= 5
        at = load.so_far()["operations"]
        kube.wait("load goes on", lambda: load.so_far()["operations"] > at + 200)
        seen = load.end()
    assert (seen["errors"], seen["reconnects"]) == (0, 0), seen
    assert [b["name"] for b in backends(namespace)] == [f"redis-st-{i}" for i in range(3)]


def test_a_third_that_never_becomes_ready_takes_no_keys(namespace):
    _, stateful_set = redis = objects.redis_set()
    probe = stateful_set["spec"]["template"]["spec"]["containers"][0]["readinessProbe"]
    probe["exec"]["command"] = ["sh", "-c", "test $(hostname) != redis-st-2 && redis-cli ping"]
    start(namespace, redis=redis)
    namespace("scale", "statefulset/redis-st", "--replicas=3")
    kube.wait("redis-st-2 runs", lambda: namespace.get("pod", "redis-st-2")["status"]["phase"] == "Running")
    with Load(namespace) as load:
        kube.wait("load runs", lambda: load.so_far()["operations"] > 1000)
        seen = load.end()
    assert (seen["errors"], seen["wrong"]) == (0, 0), seen
    assert size(namespace, 2) == 0
    assert [b["name"] for b in backends(namespace)] == ["redis-st-0", "redis-st-1"]


def backends(own):
    listeners = own.get("ambassadorpolicy", "redis")["status"]["listeners"]
    return listeners[0]["backends"]


def test_scaled_down_the_last_one_leaves_and_its_keys_are_taken_by_the_others(namespace):
    start(namespace)
    namespace("scale", "statefulset/redis-st", "--replicas=1")
    kube.wait("one backend is left", lambda: [b["name"] for b in backends(namespace)] == ["redis-st-0"], 20)
    with Load(namespace) as load:
        kube.wait("all keys are on redis-st-0", lambda: load.so_far()["operations"] > 0 and size(namespace, 0) == 200, 15)


def test_a_deleted_redis_pod_is_used_again_within_two_seconds_of_dns_knowing_it(namespace, env):
    start(namespace)
    name = f"redis-st-1.redis-svc.{namespace.namespace}.svc.cluster.local"
    old = namespace.get("pod", "redis-st-1")["status"]["podIP"]
    with Load(namespace) as load:
        kube.wait("both hold keys", lambda: size(namespace, 0) and size(namespace, 1))
        namespace("delete", "pod", "redis-st-1", "--wait=false")
        watcher = kube.on_node(env, *kube.client("await_address.py"), env["AMBASSADOR_NODE_ADDRESS"], name, old)
        known_at = json.loads(kube.finish(watcher, 60))["at"]
        kube.wait("redis-st-1 is used again", lambda: size(namespace, 1) > 0, 10, every=0.05)
        assert time.time() - known_at <= 2
        seen = load.end()
    assert seen["reconnects"] == 0, seen  # errors meanwhile, yes; the client's connection stays


def taking(own):
    """The ordinal that takes a write now, or None where the write got no answer."""
    key = f"who:{time.monotonic_ns()}"
    own.run("exec", "app", "--container", "client", "--", "timeout", "3", "redis-cli", "-p", "6380", "set", key, "value")
    for ordinal in (0, 1):
        done = own.run("exec", f"redis-st-{ordinal}", "--", "timeout", "3", "redis-cli", "exists", key)
        if done.returncode == 0 and done.stdout.split()[-1:] == ["1"]:
            return ordinal
    return None


def goes_back(own, healthy_again):
    """Asserts that the first takes over again, and not before it has been healthy for a while."""
    healthy_again()
    back_at = time.monotonic()
    kube.wait("the first takes over again", lambda: taking(own) == 0, 25)
    # It has to be healthy for 10 s first; some of them may have passed while Kubernetes made up its mind.
    assert time.monotonic() - back_at >= 5


def test_failover_goes_to_the_second_backend_while_the_first_is_away_and_back(namespace):
    start(namespace, objects.listener(redis={"mode": "Failover"}))
    change(namespace, {"op": "replace", "path": "/spec/updateStrategy", "value": {"type": "OnDelete"}})
    assert taking(namespace) == 0
    # It stays away: no node takes its replacement until the template says otherwise.
    change(namespace, {"op": "add", "path": "/spec/template/spec/nodeSelector", "value": {"nowhere": "yes"}})
    namespace("delete", "pod", "redis-st-0")
    kube.wait("the second takes over", lambda: taking(namespace) == 1, 15)

    def let_in():
        change(namespace, {"op": "remove", "path": "/spec/template/spec/nodeSelector"})
        namespace("delete", "pod", "redis-st-0")
        namespace.wait_ready("redis-st-0")
    goes_back(namespace, let_in)


def change(own, operation):
    own("patch", "statefulset", "redis-st", "--type=json", "--patch", json.dumps([operation]))


def test_failover_leaves_a_first_backend_that_accepts_and_answers_nothing(namespace):
    start(namespace, objects.listener(redis={"mode": "Failover"}))
    assert taking(namespace) == 0
    server, = namespace.pids("redis-st-0", "redis-server")
    os.kill(server, signal.SIGSTOP)
    try:
        kube.wait("the second takes over", lambda: taking(namespace) == 1, 20)
    finally:
        goes_back(namespace, lambda: os.kill(server, signal.SIGCONT))


def test_spread_uses_whoever_is_healthy(namespace):
    start(namespace, objects.listener(redis={"mode": "Spread"}))
    namespace("delete", "pod", "redis-st-0", "--wait=false")
    with Load(namespace) as load:
        seen = kube.wait("load runs on", lambda: (s := load.so_far())["operations"] > 500 and s)
        assert seen["operations"]
    namespace.wait_ready("redis-st-0")

    def both():
        for _ in range(20):
            namespace.exec("app", "redis-cli", "-p", "6380", "set", "key", "value", container="client")
        return size(namespace, 0) and size(namespace, 1)
    kube.wait("both are used", both, 30)


def test_tcp_carries_any_protocol_and_follows_its_service(namespace):
    tcp = {"name": "any", "protocol": "TCP", "port": 7001,
           "upstreams": [{"service": {"name": "redis-svc", "port": 6379}}]}
    start(namespace, tcp)
    assert namespace.exec("app", "redis-cli", "-p", "7001", "ping", container="client").strip() == "PONG"
    namespace("delete", "pod", "redis-st-0", "redis-st-1", "--wait=true")
    namespace.wait_rollout("statefulset/redis-st", 60)

    def pong():
        done = namespace.run("exec", "app", "--container", "client", "--", "redis-cli", "-p", "7001", "ping")
        return done.stdout.strip() == "PONG"
    kube.wait("the new Pods answer", pong, 15)


@pytest.mark.parametrize("folder, document, pod, port", [
    ("failover", "failover.yaml", "failover-client", 6380), ("spread", "spread.yaml", "spread-client", 6380),
    ("tcp", "tcp.yaml", "queue-client", 7001)])
def test_the_example_works_as_it_stands(namespace, folder, document, pod, port):
    namespace.apply(*objects.redis_set())
    namespace.wait_rollout("statefulset/redis-st", 60)
    namespace.apply(kube.ROOT / "manifests/examples" / folder / document)
    namespace.wait_ready(pod)
    container = namespace.get("pod", pod)["spec"]["containers"][0]["name"]

    def pong():
        return namespace.exec(pod, "redis-cli", "-p", port, "ping", container=container).strip() == "PONG"
    kube.wait("it answers", pong, 30)
