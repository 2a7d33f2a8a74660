"""What is refused, and by which words: each message names the field, the value and the way out."""
import copy

import pytest

import kube
import objects

LISTENER = objects.listener()


def with_listener(**changes):
    return objects.policy(listeners=[LISTENER | changes])


def with_upstream(upstream):
    return with_listener(upstreams=[upstream])


BOTH = {"statefulSet": {"name": "redis-st", "port": 6379}, "hosts": [{"host": "redis", "port": 6379}]}
SQL = {"name": "db", "protocol": "PostgreSQL", "port": 5432, "upstreams": [{"hosts": [{"host": "pg", "port": 5432}]}]}

# name: (policy, words that the refusal holds)
POLICIES = {
    "an unknown field": (objects.policy(listenerz=[]), ["listenerz"]),
    "an unknown field in a listener": (with_listener(prot=1), ["prot"]),
    "two listeners with one port": (objects.policy(listeners=[LISTENER, LISTENER | {"name": "other"}]), ["6380", "port"]),
    "two listeners with one name": (objects.policy(listeners=[LISTENER, LISTENER | {"port": 6381}]), ["cache"]),
    "an upstream with none of the alternatives": (with_upstream({}), ["upstreams[0]", "statefulSet", "service", "hosts"]),
    "an upstream with two of the alternatives": (with_upstream(BOTH), ["upstreams[0]", "statefulSet", "hosts"]),
    "no upstream": (with_listener(upstreams=[]), ["upstreams"]),
    "no listener": (objects.changed(objects.policy(), listeners=[]), ["listeners"]),
    "an unknown protocol": (with_listener(protocol="Memcached"), ["protocol", "Memcached", "Redis", "TCP"]),
    "an unknown hash": (with_listener(redis={"hash": "sha1"}), ["hash", "sha1", "fnv1a_64"]),
    "an unknown distribution": (with_listener(redis={"distribution": "maglev"}), ["distribution", "maglev", "ketama"]),
    "an unknown mode": (with_listener(redis={"mode": "Random"}), ["mode", "Random", "Sharded"]),
    "reads from replicas where nobody knows them": (
        with_listener(redis={"mode": "Failover", "readPreference": "Nearest"}),
        ["listeners[0].redis.readPreference", "Replicated"]),
    "a lag of Redis' replicas that nobody reads from": (
        with_listener(redis={"mode": "Replicated", "maxLag": "1s"}), ["listeners[0].redis.maxLag", "readPreference"]),
    "mode Sentinel without the master's name": (
        with_listener(redis={"mode": "Sentinel"}), ["listeners[0].redis.sentinel", "masterName"]),
    "a master's name for servers that no Sentinel tells of": (
        with_listener(redis={"mode": "Replicated", "sentinel": {"masterName": "orders"}}),
        ["listeners[0].redis.sentinel", "mode Sentinel"]),
    "a lag of a cluster's replicas": (
        with_listener(redis={"mode": "Cluster", "readPreference": "Replica", "maxLag": "1s"}),
        ["listeners[0].redis.maxLag", "Replicated or Sentinel"]),
    "a mirror that is no listener": (
        with_listener(redis={"mirror": {"listener": "nowhere"}}), ["listeners[0].redis.mirror.listener", "nowhere"]),
    "a rate without a number": (
        with_listener(redis={"rateLimit": {"burst": 5}}), ["listeners[0].redis.rateLimit", "requestsPerSecond"]),
    "a weight of 0": (with_listener(weights={"redis-st-0": 0}), ["weights", "redis-st-0", "0"]),
    "a port too low": (with_listener(port=80), ["port", "80", "1024"]),
    "a port too high": (with_listener(port=65536), ["port", "65536", "65535"]),
    "a duration that does not parse": (with_listener(timeouts={"connect": "soon"}), ["timeouts.connect", "soon"]),
    "an environment that no list names": (
        with_upstream({"environments": ["mars"], "hosts": [{"host": "redis", "port": 6379}]}), ["mars"]),
    "Passthrough with transaction pooling": (
        objects.policy(listeners=[SQL | {"postgresql": {"authentication": "Passthrough", "pooling": "Transaction"}}]),
        ["listeners[0]", "pooling", "Transaction", "Session"]),
    "credentials in another namespace": (
        objects.policy(listeners=[SQL | {"credentials": {"secretRef": {"name": "db", "namespace": "other"}}}]),
        ["credentials", "namespace"]),
    "a port for readers with session pooling": (
        objects.policy(listeners=[SQL | {"credentials": {"secretRef": {"name": "db"}}, "postgresql": {"readPort": 5433}}]),
        ["listeners[0]", "readPort", "Transaction"]),
    "a lag of replicas that nobody reads from": (
        objects.policy(listeners=[SQL | {"postgresql": {"maxLag": "1s"}}]), ["maxLag", "readPort", "readWriteSplit"]),
    "what is not in this version": (
        objects.policy(listeners=[SQL | {"protocol": "MySQL"}]), ["protocol", "MySQL", "not in this version"]),
}


@pytest.fixture(scope="module")
def shared(cluster, operator, request):
    """One namespace for all refusals: nothing that is refused leaves anything in it."""
    from conftest import make_namespace
    for own in make_namespace(cluster, request, {}):
        own.apply(*objects.redis_set(), objects.policy())
        own.wait_policy("redis")
        yield own


@pytest.mark.parametrize("case", POLICIES)
def test_a_policy_is_refused_for(shared, case):
    document, words = POLICIES[case]
    document = copy.deepcopy(document)
    document["metadata"]["name"] = "wrong"
    said = shared.refusal(document)
    assert all(word in said for word in words), said


def pod(annotations=None, labels=None, container=None, **spec):
    document = objects.pod("wrong", annotations, labels, **spec)
    document["spec"]["containers"][0] |= container or {}
    return document


def asks(**more):
    return {"ambassador.dev/inject": "true"} | {f"ambassador.dev/{k.replace('_', '-')}": v for k, v in more.items()}


# name: (Pod, words that the denial holds)
PODS = {
    "a policy that does not exist": (pod({"ambassador.dev/policy": "nope"}), ["nope", "ambassador.dev/policy"]),
    "inject neither true nor false": (pod({"ambassador.dev/inject": "yes please"}), ["ambassador.dev/inject", "yes please", "true"]),
    "an annotation of ours that is none": (pod(asks(polici="redis")), ["ambassador.dev/polici"]),
    "a memory limit that is no quantity": (pod(asks(memory_limit="much")), ["ambassador.dev/memory-limit", "much"]),
    "an unknown log level": (pod(asks(log_level="Loud")), ["ambassador.dev/log-level", "Loud", "Info"]),
    "a drain timeout that is no duration": (pod(asks(drain_timeout="long")), ["ambassador.dev/drain-timeout", "long"]),
    "an image that the installation does not allow": (pod(asks(proxy_image="mine:1")), ["ambassador.dev/proxy-image", "mine:1"]),
    "an environment that does not exist": (pod(asks(environment="mars")), ["ambassador.dev/environment", "mars"]),
    "a listener's port that the application declares": (
        pod(container={"ports": [{"containerPort": 6380}]}), ["6380", "client"]),
    "the admin port": (pod(container={"ports": [{"containerPort": 19900}]}), ["19900", "client"]),
    "the health port": (pod(container={"ports": [{"containerPort": 19901}]}), ["19901", "client"]),
    "host network": (pod(hostNetwork=True), ["hostNetwork"]),
    "Windows": (pod(os={"name": "windows"}, containers=[{"name": "client", "image": "redis"}]), ["indows"]),
    "a container with the ambassador's name": (
        pod(container={"name": objects.AMBASSADOR}), [objects.AMBASSADOR, "rename it or drop the annotation"]),
}


@pytest.mark.parametrize("case", PODS)
def test_a_pod_that_asked_is_denied_for(shared, case):
    document, words = PODS[case]
    said = shared.refusal(document)
    assert "denied the request" in said and all(word in said for word in words), said


SELECTED = {name: PODS[name][0] for name in (
    "a listener's port that the application declares", "host network", "a container with the ambassador's name")}


@pytest.mark.parametrize("case", SELECTED)
def test_a_pod_merely_selected_is_admitted_without_an_ambassador_and_the_user_is_told(namespace, case):
    namespace.apply(*objects.redis_set(), objects.policy("selecting", podSelector={"matchLabels": {"app": "shop"}}))
    namespace.wait_policy("selecting")
    await_selected(namespace)
    document = copy.deepcopy(SELECTED[case])
    document["metadata"] |= {"annotations": {}, "labels": {"app": "shop"}}
    done = namespace.run("apply", "--filename", "-", text=kube.as_yaml(document))
    assert done.returncode == 0, done.stderr
    assert "Warning" in done.stderr and "ambassador" in done.stderr, done.stderr
    found = namespace.get("pod", "wrong")
    assert "ambassador.dev/status" not in found["metadata"].get("annotations", {})

    def told():
        return [e for e in namespace.get("events.events.k8s.io") if e["regarding"]["name"] == "wrong"
                and e.get("reportingController", "").startswith("ambassador")]
    kube.wait("an Event says why", told, 15)


def await_selected(own):
    """Until the API server asks about the namespace's Pods without annotations."""
    def injected():
        said = own.run("create", "--dry-run=server", "--output", "json", "--filename", "-",
                       text=kube.as_yaml(objects.pod("probe", annotations={}, labels={"app": "shop"})))
        return objects.AMBASSADOR in said.stdout
    kube.wait("selected Pods are injected", injected, 15)
