"""What people read: kubectl get, describe and explain."""
import kube
import objects


def test_kubectl_get_is_one_line_of_at_most_110_columns(namespace):
    namespace.apply(*objects.redis_set(), objects.policy("shop-data"))
    namespace.wait_rollout("statefulset/redis-st", 60)

    def lines():
        return namespace("get", "ambassadorpolicies").rstrip("\n").split("\n")
    kube.wait("both backends are counted", lambda: lines()[1].split()[:4] == ["shop-data", "True", "Redis", "2/2"], 30)
    head, row = lines()
    assert head.split() == ["NAME", "READY", "PROTOCOLS", "BACKENDS", "PODS", "STALE", "REASON", "AGE"]
    assert len(head) <= 110 and len(row) <= 110
    print(head, row, sep="\n")


def test_the_short_name_and_the_category_find_policies(namespace):
    namespace.apply(objects.policy())
    assert "redis" in namespace("get", "ambpol")
    assert "redis" in namespace("get", "ambassador")


def test_describe_tells_every_backend_by_name_and_address(namespace):
    namespace.apply(*objects.redis_set(), objects.policy())
    namespace.wait_policy("redis")
    said = namespace("describe", "ambassadorpolicy", "redis")
    for ordinal in (0, 1):
        assert f"redis-st-{ordinal}" in said
    assert ":6379" in said and "Resolved" in said


def test_explain_describes_every_field_of_a_listener(cluster, operator):
    said = cluster("explain", "ambassadorpolicy.spec.listeners", "--recursive")
    for field in ("protocol", "port", "unixSocket", "env", "upstreams", "timeouts", "redis", "weights"):
        assert f"{field}\t" in said, field
    one = cluster("explain", "ambassadorpolicy.spec.listeners.timeouts.connect")
    assert "DESCRIPTION" in one and "<empty>" not in one


def test_a_missing_stateful_set_is_a_condition_that_says_what_to_do(namespace):
    namespace.apply(objects.policy())
    _, reason, message = namespace.wait_policy("redis", "ResolvedRefs", "False")
    assert reason and "redis-st" in message, message
