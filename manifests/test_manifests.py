"""manifests/ is what it says: the chart's render, the seed as it stands, examples that can be read as documents."""
import pathlib
import subprocess

import pytest
import yaml

MANIFESTS = pathlib.Path(__file__).resolve().parent
EXAMPLES = MANIFESTS / "examples"


def documents(path):
    return [document for document in yaml.safe_load_all(path.read_text()) if document]


def test_install_yaml_and_the_charts_crds_are_up_to_date():
    done = subprocess.run([MANIFESTS / "render", "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr + "run manifests/render"


def test_the_injected_pod_of_the_walk_through_holds_the_redis_client_alone():
    pod, = documents(EXAMPLES / "seed/app.yaml")
    assert pod["spec"] == {"containers": [{"name": "redis-client", "image": "redis"}]}
    assert pod["metadata"]["annotations"] == {"ambassador.dev/inject": "true"}


def test_the_twemproxy_pod_differs_from_the_injected_one_by_its_second_container():
    by_hand, = documents(EXAMPLES / "seed/twemproxy-pod.yaml")
    injected, = documents(EXAMPLES / "seed/app.yaml")
    client, proxy = by_hand["spec"]["containers"]
    assert [client] == injected["spec"]["containers"]
    assert proxy["name"] == "ambassador-container" and proxy["ports"] == [{"containerPort": 6380}]
    servers, = proxy["env"]
    names = [f"redis-st-{i}.redis-svc.default.svc.cluster.local:6379:1" for i in (0, 1)]
    assert servers == {"name": "REDIS_SERVERS", "value": " ".join(names)}


def test_the_redis_of_the_walk_through_is_a_headless_service_and_a_set_of_two():
    service, stateful_set = documents(EXAMPLES / "seed/redis.yaml")
    assert service["spec"]["clusterIP"] == "None" and service["spec"]["ports"] == [{"port": 6379, "name": "redis-port"}]
    assert stateful_set["spec"]["serviceName"] == service["metadata"]["name"] == "redis-svc"
    assert stateful_set["spec"]["replicas"] == 2


def test_the_postgresql_example_holds_no_password_and_leads_each_environment_to_its_own_database():
    policy, = documents(EXAMPLES / "postgresql/shop.yaml")
    listener, = policy["spec"]["listeners"]
    names = [upstream["statefulSet"]["name"] for upstream in listener["upstreams"]]
    consent = {document["metadata"]["name"]: document["metadata"]["annotations"]["ambassador.dev/allowed-namespaces"]
               for document in documents(EXAMPLES / "postgresql/databases.yaml") if document["kind"] == "Service"}
    assert consent == dict(zip(names, ["shop-production", "shop-staging", "shop-development"]))
    pod, = documents(EXAMPLES / "postgresql/pod.yaml")
    assert "env" not in pod["spec"]["containers"][0]


def test_the_readers_of_the_example_lead_to_the_pair_and_find_their_port_by_a_variable():
    policy, pod = documents(EXAMPLES / "postgresql/readers.yaml")
    service, _, servers = documents(EXAMPLES / "postgresql/pair.yaml")
    listener, = policy["spec"]["listeners"]
    reference = listener["upstreams"][0]["statefulSet"]
    assert reference == {"name": servers["metadata"]["name"], "port": service["spec"]["ports"][0]["name"]}
    assert servers["spec"]["serviceName"] == service["metadata"]["name"]
    assert listener["env"]["readUrl"] and listener["postgresql"]["readPort"] != listener["port"]
    assert "env" not in pod["spec"]["containers"][0]


def test_the_replicas_of_the_example_are_the_policys_and_each_asks_all_the_others_who_is_the_primary():
    policy, = documents(EXAMPLES / "replicated/policy.yaml")
    pod, = documents(EXAMPLES / "replicated/app.yaml")
    service, servers = documents(EXAMPLES / "replicated/redis.yaml")
    listener, = policy["spec"]["listeners"]
    name = servers["metadata"]["name"]
    assert listener["upstreams"] == [{"statefulSet": {"name": name, "port": service["spec"]["ports"][0]["name"]}}]
    assert servers["spec"]["serviceName"] == service["metadata"]["name"]
    assert pod["metadata"]["annotations"] == {"ambassador.dev/policy": policy["metadata"]["name"]}
    start = servers["spec"]["template"]["spec"]["containers"][0]["command"][-1]
    assert " ".join(f"{name}-{ordinal}" for ordinal in range(servers["spec"]["replicas"])) in start


def test_the_sentinels_of_the_example_are_the_policys_and_watch_the_servers_by_the_name_that_it_asks_for():
    policy, = documents(EXAMPLES / "sentinel/policy.yaml")
    pod, = documents(EXAMPLES / "sentinel/app.yaml")
    service, sentinels = documents(EXAMPLES / "sentinel/sentinel.yaml")
    of_servers, servers = documents(EXAMPLES / "sentinel/redis.yaml")
    listener, = policy["spec"]["listeners"]
    name = sentinels["metadata"]["name"]
    assert listener["upstreams"] == [{"statefulSet": {"name": name, "port": service["spec"]["ports"][0]["name"]}}]
    assert sentinels["spec"]["serviceName"] == service["metadata"]["name"] == name
    assert servers["spec"]["serviceName"] == of_servers["metadata"]["name"]
    assert pod["metadata"]["annotations"] == {"ambassador.dev/policy": policy["metadata"]["name"]}
    pods = " ".join(f"{servers['metadata']['name']}-{ordinal}" for ordinal in range(servers["spec"]["replicas"]))
    for of in (sentinels, servers):
        start = of["spec"]["template"]["spec"]["containers"][0]["command"][-1]
        assert pods in start
        assert f"-h {name} -p 26379 sentinel get-master-addr-by-name {listener['redis']['sentinel']['masterName']} " in start


def test_the_cluster_of_the_example_is_made_of_the_policys_nodes():
    policy, = documents(EXAMPLES / "cluster/policy.yaml")
    pod, = documents(EXAMPLES / "cluster/app.yaml")
    service, nodes, job = documents(EXAMPLES / "cluster/redis.yaml")
    listener, = policy["spec"]["listeners"]
    name = nodes["metadata"]["name"]
    assert listener["upstreams"] == [{"statefulSet": {"name": name, "port": service["spec"]["ports"][0]["name"]}}]
    assert nodes["spec"]["serviceName"] == service["metadata"]["name"] == name
    assert pod["metadata"]["annotations"] == {"ambassador.dev/policy": policy["metadata"]["name"]}
    create = job["spec"]["template"]["spec"]["containers"][0]["command"][-1]
    assert " ".join(f"{name}-{ordinal}" for ordinal in range(nodes["spec"]["replicas"])) in create


@pytest.mark.parametrize("path", sorted(EXAMPLES.rglob("*.yaml")), ids=lambda p: str(p.relative_to(EXAMPLES)))
def test_an_example_parses_and_says_first_what_it_shows(path):
    assert all({"apiVersion", "kind", "metadata"} <= set(document) for document in documents(path))
    if path != EXAMPLES / "seed/redis.yaml":  # as it stands in the original
        assert path.read_text().startswith("# ")
