"""An application whose reads the ambassador answers from memory, until the servers say that a key has changed."""
import json

import kube
import objects


def test_reads_are_answered_from_memory_until_another_application_writes(restricted):
    restricted.apply(*objects.redis_set(), objects.policy(listeners=[objects.listener(
        redis={"mode": "Sharded", "clientCache": {"maxMemory": "8Mi"}})]))
    restricted.wait_rollout("statefulset/redis-st")
    restricted.wait_policy("redis")
    restricted.apply(objects.pod(), objects.pod("other"))
    restricted.wait_ready("app")
    restricted.wait_ready("other")

    def ask(pod, *command):
        return restricted.exec(pod, "redis-cli", "-3", "-p", "6380", *command, container="client").strip()

    def cache():
        status = restricted.exec("app", "ambassador-proxy", "status", "-o", "json", container=objects.AMBASSADOR)
        return json.loads(status)["listeners"][0]["clientCache"]

    assert ask("other", "set", "a", "1") == "OK"
    assert ask("app", "-r", "50", "get", "a").split() == ["1"] * 50
    assert cache()["hits"] >= 49
    assert cache()["limitBytes"] == 8 << 20
    assert ask("other", "set", "a", "2") == "OK"
    kube.wait("the new value is read", lambda: ask("app", "-r", "2", "get", "a").split() == ["2", "2"], seconds=5, every=0.1)
    assert cache()["invalidations"] >= 1
