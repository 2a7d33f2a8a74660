"""Garbage, slowness and size: the two ports that strangers reach survive it, and go on answering meanwhile."""
import contextlib
import json

import pytest

import kube
import objects

WEBHOOK_PORT = 10250
ATTACKS = ["slow_headers", "slow_body", "huge_body", "negative_chunk", "huge_chunk", "garbage", "garbage_in_tls",
           "idle", "half_close", "no_end_of_headers"]


@pytest.fixture
def store(namespace):
    namespace.apply(*objects.redis_set(), objects.policy())
    namespace.wait_policy("redis")
    return namespace


@contextlib.contextmanager
def attack(command, what, seconds):
    """Runs an attack for some seconds in the background; fails where it says that the other side misbehaved."""
    process = command(*kube.client("attack.py"), what, seconds)
    try:
        assert process.stdout.readline().strip() == "under way"
        yield
        out = kube.finish(process, seconds + 60)
        said = json.loads(out.splitlines()[-1])
        assert said["bounded"], said
    finally:
        process.kill()


@pytest.mark.parametrize("what", ATTACKS)
def test_the_webhook_goes_on_answering_under(store, operator, env, what):
    pods = operator.pods()
    restarts = [(p["metadata"]["name"], p["status"]["containerStatuses"][0]["restartCount"]) for p in pods]
    with contextlib.ExitStack() as under_way:
        for pod in pods:
            target = [pod["status"]["podIP"], WEBHOOK_PORT, "tls"]
            under_way.enter_context(attack(lambda *c, t=target: kube.on_node(env, *c, *t), what, 12))
        for i in range(10):
            said = store.run("create", "--dry-run=server", "--output", "json", "--filename", "-",
                             text=kube.as_yaml(objects.pod(f"app-{i}")))
            assert objects.AMBASSADOR in said.stdout, said.stderr
    assert [(p["metadata"]["name"], p["status"]["containerStatuses"][0]["restartCount"]) for p in operator.pods()] == restarts


RESP_ATTACKS = ["slow_command", "resp_garbage", "resp_negative_length", "resp_huge_array", "resp_huge_bulk",
                "resp_deep_pipeline", "idle", "half_close", "huge_inline"]


@pytest.mark.parametrize("what", RESP_ATTACKS)
def test_the_proxys_listener_goes_on_answering_under(store, what):
    store.wait_rollout("statefulset/redis-st", 60)
    store.apply(objects.pod())
    store.wait_ready("app")
    with attack(lambda *c: store.in_pod("app", *c, "127.0.0.1", "6380", "plain"), what, 8):
        for i in range(5):
            done = json.loads(kube.finish(store.in_pod("app", *kube.client("keys.py"), 6380, "write", 20, f"{i}:")))
            assert done["wrong_count"] == 0, done
    status, = (s for s in store.get("pod", "app")["status"]["initContainerStatuses"] if s["name"] == objects.AMBASSADOR)
    assert status["restartCount"] == 0
