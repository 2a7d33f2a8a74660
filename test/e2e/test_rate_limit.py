"""An application that asks its ambassador for Redis more often than the policy lets it."""
import kube
import objects


def test_redis_clients_that_ask_too_often_wait_until_the_policy_lets_them(restricted):
    def policy(rate):
        return objects.policy(listeners=[objects.listener(redis={"rateLimit": {"requestsPerSecond": rate}})])

    restricted.apply(*objects.redis_set(), policy(1))
    restricted.wait_rollout("statefulset/redis-st")
    restricted.wait_policy("redis")
    restricted.apply(objects.pod())
    restricted.wait_ready("app")

    def increments(times):
        return ("redis-cli", "-p", "6380", "-r", str(times), "incr", "n")

    assert restricted.exec("app", *increments(3), container="client").split() == ["1", "2", "3"]
    status = restricted.exec("app", "ambassador-proxy", "status", container=objects.AMBASSADOR)
    assert "clients asked too often" in status

    restricted.apply(policy(1_000_000))
    # At the first rate that would take a minute and a half.
    kube.wait("the new rate counts", lambda: restricted.run(
        "exec", "app", "-c", "client", "--", "timeout", "20", *increments(90)).returncode == 0, seconds=180, every=1)
