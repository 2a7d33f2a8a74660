"""The same manifests in three environments reach three stores; the application never knows."""
import pytest

import kube
import objects

EXAMPLE = kube.ROOT / "manifests/examples/environments"
STORES = {"shop-development": "redis-dev", "shop-staging": "redis-staging", "shop-production": "redis-prod"}


@pytest.fixture(scope="module")
def shops(cluster, operator):
    cluster.apply(EXAMPLE / "data.yaml", EXAMPLE / "namespaces.yaml")
    data = cluster.within("data")
    for store in STORES.values():
        data.wait_rollout(f"statefulset/{store}", 60)
    for name in STORES:
        shop = cluster.within(name)
        kube.wait("its service account", lambda shop=shop: shop.run("get", "serviceaccount", "default").returncode == 0)
        shop.apply(EXAMPLE / "shop.yaml")
        shop.wait_ready("shop")
    yield cluster
    for name in [*STORES, "data"]:
        cluster("delete", "namespace", name, "--wait=false")


def put(cluster, namespace):
    """Writes a key through the shop's ambassador; the stores that then hold it."""
    key = f"from:{namespace}"
    cluster.within(namespace).exec("shop", "redis-cli", "-p", "6380", "set", key, "value", container="shop")
    held = [store for store in STORES.values()
            if cluster.within("data").exec(f"{store}-0", "redis-cli", "exists", key).split()[-1] == "1"]
    return held


def test_the_same_manifests_reach_three_different_stateful_sets(shops):
    assert {name: put(shops, name) for name in STORES} == {name: [store] for name, store in STORES.items()}


def test_a_namespace_relabelled_never_moves_a_running_pod_to_another_database(shops):
    staging = shops.within("shop-staging")
    shops("label", "namespace", "shop-staging", "environment=production", "--overwrite")
    try:
        kube.wait("the Pod counts as stale",
                  lambda: staging.get("ambassadorpolicy", "shop")["status"]["pods"]["stale"] == 1, 15)
        assert put(shops, "shop-staging") == ["redis-staging"]
    finally:
        shops("label", "namespace", "shop-staging", "environment=staging", "--overwrite")


def test_a_cluster_policy_serves_the_namespaces_it_selects_and_no_other(cluster, namespace, restricted):
    name = f"platform-{namespace.namespace}"
    policy = objects.policy(name, namespaceSelector={"matchLabels": {"kubernetes.io/metadata.name": namespace.namespace}},
                            listeners=[objects.listener(
                                upstreams=[{"statefulSet": {"name": "redis-st", "namespace": namespace.namespace,
                                                            "port": "redis-port"}}])]) | {"kind": "ClusterAmbassadorPolicy"}
    service, stateful_set = objects.redis_set()
    service["metadata"]["annotations"] = {"ambassador.dev/allowed-namespaces": "*"}
    namespace.apply(service, stateful_set)
    cluster.apply(policy)
    try:
        def ready():
            conditions = cluster.get("clusterambassadorpolicy", name)["status"]["conditions"]
            return {c["type"]: c["status"] for c in conditions}["Ready"] == "True"
        kube.wait("the policy is Ready", ready)
        pod = objects.pod(annotations={"ambassador.dev/policy": f"cluster/{name}"})
        namespace.apply(pod)
        namespace.wait_ready("app")
        assert namespace.exec("app", "redis-cli", "-p", "6380", "ping", container="client").strip() == "PONG"
        assert name in restricted.refusal(pod)
    finally:
        cluster.delete("clusterambassadorpolicy", name)


def test_an_annotation_on_the_pod_wins_over_detection(shops):
    development = shops.within("shop-development")
    shop, = (d for d in objects.load(EXAMPLE / "shop.yaml") if d["kind"] == "Pod")
    shop["metadata"]["name"] = "on-trial"
    shop["metadata"]["annotations"]["ambassador.dev/environment"] = "nowhere"
    said = development.refusal(shop)
    assert "ambassador.dev/environment" in said and "nowhere" in said and "staging" in said


def test_another_namespaces_store_needs_its_owners_consent_and_withdrawal_keeps_new_pods_out(shops):
    data, production = shops.within("data"), shops.within("shop-production")
    production.wait_policy("shop", "ResolvedRefs")
    data("annotate", "service", "redis-prod", "ambassador.dev/allowed-namespaces-")
    try:
        _, reason, message = production.wait_policy("shop", "ResolvedRefs", "False")
        assert reason == "RefNotPermitted" and "ambassador.dev/allowed-namespaces" in message, (reason, message)
        assert put(shops, "shop-production") == ["redis-prod"], "a running Pod keeps its configuration"
        shop, = (d for d in objects.load(EXAMPLE / "shop.yaml") if d["kind"] == "Pod")
        shop["metadata"]["name"] = "late"
        said = production.refusal(shop)
        assert "allowed-namespaces" in said or "RefNotPermitted" in said, said
    finally:
        data("annotate", "service", "redis-prod", "ambassador.dev/allowed-namespaces=shop-production")
    production.wait_policy("shop", "ResolvedRefs")
