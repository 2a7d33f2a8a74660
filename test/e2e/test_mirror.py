"""An application whose writes are copied to servers that are to take over, of which it learns nothing."""
import kube
import objects


def test_what_is_written_is_copied_to_the_servers_of_the_mirror(restricted):
    cache = objects.listener(redis={"mirror": {"listener": "cache-next"}})
    following = objects.listener(name="cache-next", port=6390, stateful_set="redis-next")
    restricted.apply(*objects.redis_set(), *objects.redis_set("redis-next", "redis-next-svc", replicas=3),
                     objects.policy(listeners=[cache, following]))
    restricted.wait_rollout("statefulset/redis-st")
    restricted.wait_rollout("statefulset/redis-next")
    restricted.wait_policy("redis")
    restricted.apply(objects.pod())
    restricted.wait_ready("app")

    def ask(port, *command):
        return restricted.exec("app", "redis-cli", "-p", str(port), *command, container="client").strip()

    keys = [f"key-{number}" for number in range(50)]
    assert ask(6380, "mset", *[word for key in keys for word in (key, "x")]) == "OK"
    assert ask(6380, "incr", "n") == "1"
    kube.wait("the copies are there", lambda: ask(6390, "get", "n") == "1")
    assert ask(6390, "exists", *keys) == "50"
    status = restricted.exec("app", "ambassador-proxy", "status", container=objects.AMBASSADOR)
    assert "mirror redis.cache-next: copied 2  dropped 0  failed 0" in status

    restricted.apply(objects.policy(listeners=[objects.listener(), following]))
    kube.wait("there is no mirror any more", lambda: "mirror redis.cache-next" not in restricted.exec(
        "app", "ambassador-proxy", "status", container=objects.AMBASSADOR), seconds=180, every=1)
    assert ask(6380, "incr", "n") == "2"
    assert ask(6390, "get", "n") == "1"
