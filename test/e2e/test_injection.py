"""What happens to a Pod that asks for an ambassador, and to one that does not."""
import base64
import contextlib
import datetime
import json
import subprocess

import pytest

import kube
import objects
from objects import AMBASSADOR


@pytest.fixture
def store(restricted):
    """A namespace under Pod Security "restricted" with a Redis of two and a policy for it."""
    restricted.apply(*objects.redis_set(), objects.policy())
    restricted.wait_policy("redis")
    return restricted


def test_an_annotated_pod_is_injected_under_pod_security_restricted_native_sidecar_first(store):
    first = {"name": "prepare", "image": "redis", "command": ["true"], "securityContext": objects.RESTRICTED}
    store.apply(objects.pod(initContainers=[first]))
    pod = store.wait_ready("app")
    names = [container["name"] for container in pod["spec"]["initContainers"]]
    assert names == [AMBASSADOR, "prepare"]
    ambassador = objects.ambassador(pod)
    assert ambassador["restartPolicy"] == "Always"
    assert ambassador["resources"]["requests"] and ambassador["resources"]["limits"]["memory"]
    assert pod["metadata"]["labels"]["ambassador.dev/injected"] == "true"
    assert pod["metadata"]["annotations"]["kubectl.kubernetes.io/default-container"] == "client"
    assert store.exec("app", "redis-cli", "-p", "6380", "ping", container="client").strip() == "PONG"


def test_the_application_learns_the_address_by_the_variables_that_the_policy_names(store):
    named = objects.listener(env={"url": "REDIS_URL", "host": "REDIS_HOST", "port": "REDIS_PORT"})
    store.apply(objects.policy(listeners=[named]))
    store.wait_policy("redis")
    store.apply(objects.pod())
    store.wait_ready("app")
    said = store.exec("app", "sh", "-c", "echo $REDIS_URL $REDIS_HOST $REDIS_PORT", container="client").strip()
    assert said == "redis://127.0.0.1:6380 127.0.0.1 6380"


def test_a_shell_in_the_ambassador_and_its_status_are_there_for_whoever_looks(store):
    store.apply(objects.pod())
    store.wait_ready("app")
    assert store.exec("app", "sh", "-c", "echo hello", container=AMBASSADOR).strip() == "hello"
    status = store.exec("app", "ambassador-proxy", "status", container=AMBASSADOR)
    assert "redis.cache" in status and "redis-st-0" in status and "redis-st-1" in status


def test_the_application_starts_after_the_listeners_accept(store, operator):
    """The ambassador's bind is delayed by 5 s (a hook for tests); the application waits for it."""
    operator.upgrade("proxy.extraEnv.AMBASSADOR_TEST_BIND_DELAY=5s")
    try:
        store.apply(objects.pod())
        pod = store.wait_ready("app")
        assert any(v == {"name": "AMBASSADOR_TEST_BIND_DELAY", "value": "5s"} for v in objects.ambassador(pod)["env"])
        ambassador, = (s for s in pod["status"]["initContainerStatuses"] if s["name"] == AMBASSADOR)
        application, = pod["status"]["containerStatuses"]
        waited = moment(application) - moment(ambassador)
        assert waited >= datetime.timedelta(seconds=4), f"the application started {waited} after the ambassador"
    finally:
        operator.upgrade()


def moment(status):
    return datetime.datetime.fromisoformat(status["state"]["running"]["startedAt"].replace("Z", "+00:00"))


def test_a_pod_without_annotation_is_untouched_and_admission_is_not_even_asked(store, operator):
    before = operator.admission_requests()
    plain = objects.pod("plain", annotations={})
    store.apply(plain)
    pod = store.get("pod", "plain")
    assert not objects.ambassador(pod) and "ambassador.dev/injected" not in pod["metadata"].get("labels", {})
    assert operator.admission_requests() == before


def test_inject_false_wins_over_a_selector_and_admission_of_annotated_pods_is_not_asked(store, operator):
    store.apply(objects.policy("selecting", podSelector={"matchLabels": {"app": "shop"}},
                               listeners=[objects.listener(port=6390)]))
    store.wait_policy("selecting")
    store.apply(objects.pod("never", annotations={"ambassador.dev/inject": "false"}, labels={"app": "shop"}))
    assert not objects.ambassador(store.get("pod", "never"))


def test_a_pod_that_a_policy_selects_needs_no_annotation(store):
    store.apply(objects.policy("selecting", podSelector={"matchLabels": {"app": "shop"}},
                               listeners=[objects.listener(port=6390)]))
    store.wait_policy("selecting")

    def injected():
        store("delete", "pod", "selected", "--ignore-not-found", "--grace-period=0", "--force")
        store.apply(objects.pod("selected", annotations={}, labels={"app": "shop"}))
        return objects.ambassador(store.get("pod", "selected"))
    kube.wait("Pods of this namespace are asked about", injected, 10, every=0.5)
    store.wait_ready("selected")
    assert store.exec("selected", "redis-cli", "-p", "6390", "ping", container="client").strip() == "PONG"


def test_several_policies_make_one_ambassador(store):
    store.apply(objects.policy("second", listeners=[objects.listener("sessions", 6381)]))
    store.wait_policy("second")
    store.apply(objects.pod(annotations={"ambassador.dev/policy": "redis,second"}))
    pod = store.wait_ready("app")
    assert [c["name"] for c in objects.containers(pod)].count(AMBASSADOR) == 1
    for port in (6380, 6381):
        assert store.exec("app", "redis-cli", "-p", port, "ping", container="client").strip() == "PONG"
    status = store.exec("app", "ambassador-proxy", "status", container=AMBASSADOR)
    assert "redis.cache" in status and "second.sessions" in status


def test_policy_and_pod_in_one_apply_give_an_injected_pod(restricted):
    restricted.apply(objects.policy(), objects.pod(), *objects.redis_set())
    pod = restricted.wait_ready("app")
    assert objects.ambassador(pod)


def test_pod_before_its_policy_in_one_apply_is_injected_as_soon_as_its_owner_tries_again(restricted):
    template = objects.pod()
    deployment = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "app"},
                  "spec": {"replicas": 1, "selector": {"matchLabels": {"app": "app"}},
                           "template": {"metadata": {"labels": {"app": "app"},
                                                     "annotations": template["metadata"]["annotations"]},
                                        "spec": template["spec"]}}}
    restricted.apply(deployment, *objects.redis_set(), objects.policy())
    restricted.wait_rollout("deployment/app", 60)
    pod, = restricted.get("pods", None, "--selector", "app=app")
    assert objects.ambassador(pod)


def test_a_bare_pod_before_its_policy_is_refused_by_name_and_taken_when_applied_again(restricted):
    parts = [objects.pod(annotations={"ambassador.dev/policy": "redis"}), objects.policy(), *objects.redis_set()]
    said = restricted.refusal(*parts)
    assert "redis" in said and restricted.namespace in said, said
    restricted.apply(*parts)
    assert objects.ambassador(restricted.wait_ready("app"))


def test_a_second_webhook_that_forces_reinvocation_changes_nothing(store, env, tmp_path):
    since = kube.clock_now()
    with second_webhook(store, env, tmp_path):
        store.apply(objects.pod())
        pod = store.wait_ready("app")
    assert pod["metadata"]["annotations"]["e2e.test/second"] == "was here"
    assert [c["name"] for c in objects.containers(pod)].count(AMBASSADOR) == 1
    rounds = mutations(env, since, store.namespace, "app")
    ours = {number: mutated for number, hook, mutated in rounds if hook == "annotated.ambassador.dev"}
    assert ours == {0: True, 1: False}, rounds


@contextlib.contextmanager
def second_webhook(own, env, folder):
    """Another's mutating webhook, which sorts after ours and adds an annotation to every Pod of the namespace."""
    address = env["AMBASSADOR_NODE_ADDRESS"]
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-days", "1", "-keyout", folder / "key.pem", "-out", folder / "cert.pem", "-subj", "/CN=second",
                    "-addext", f"subjectAltName=IP:{address}"], check=True, capture_output=True)
    server = kube.on_node(env, *kube.client("second_webhook.py"), address, folder / "cert.pem", folder / "key.pem")
    name = f"zz-second-{own.namespace}"
    try:
        port = json.loads(server.stdout.readline())["port"]
        own.apply({
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingWebhookConfiguration",
            "metadata": {"name": name},
            "webhooks": [{"name": "second.e2e.test", "admissionReviewVersions": ["v1"], "sideEffects": "None",
                          "clientConfig": {"url": f"https://{address}:{port}/",
                                           "caBundle": base64.b64encode((folder / "cert.pem").read_bytes()).decode()},
                          "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"],
                                     "resources": ["pods"]}],
                          "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": own.namespace}}}]})

        def asked():
            done = own.run("apply", "--dry-run=server", "--output", "json", "--filename", "-",
                           text=kube.as_yaml(objects.pod("probe", annotations={})))
            return "e2e.test/second" in done.stdout
        kube.wait("the second webhook is asked", asked)
        yield
    finally:
        own.run("delete", "mutatingwebhookconfiguration", name, "--ignore-not-found")
        server.kill()


def mutations(env, since, namespace, pod):
    """[(round, webhook, mutated)] of a Pod's creation, as the API server's audit log has them."""
    found = []
    with open(env["AMBASSADOR_AUDIT_LOG"], encoding="utf-8") as lines:
        for line in lines:
            if "mutation.webhook.admission.k8s.io" not in line:
                continue
            event = json.loads(line)
            about = event["objectRef"]
            if (event["requestReceivedTimestamp"] < since or event["verb"] != "create"
                    or (about.get("namespace"), about.get("name")) != (namespace, pod)):
                continue
            for key, value in event["annotations"].items():
                if key.startswith("mutation.webhook.admission.k8s.io/"):
                    said = json.loads(value)
                    found.append((int(key.split("_")[1]), said["webhook"], said["mutated"]))
    return sorted(found)
