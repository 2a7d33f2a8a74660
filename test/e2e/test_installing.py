"""What `helm install` leaves behind."""
import json

import kube
from installation import NAMESPACE, RELEASE


def test_both_replicas_run_under_pod_security_restricted_and_one_leads(operator):
    assert len(operator.pods()) == 2
    assert all(status["ready"] for pod in operator.pods() for status in pod["status"]["containerStatuses"])
    assert kube.wait("one leads", operator.leader)  # an earlier installation's replicas may be on their way out


def test_the_operator_put_its_ca_into_every_webhook(cluster, operator):
    annotated = cluster.get("mutatingwebhookconfiguration", f"{RELEASE}-annotated")
    policies = cluster.get("validatingwebhookconfiguration", RELEASE)
    for hook in annotated["webhooks"] + policies["webhooks"]:
        assert hook["clientConfig"].get("caBundle"), hook["name"]


def test_helm_test_proves_one_injection(operator):
    assert "Phase:          Succeeded" in operator.helm("test", RELEASE, "--timeout", "60s")


def test_the_plain_manifests_are_taken_by_the_api_server(cluster, operator):
    """Server-side, dry: taking the installation over from Helm is not what is asked here."""
    done = cluster.run("apply", "--server-side", "--force-conflicts", "--dry-run=server", "--filename",
                       str(kube.ROOT / "manifests/install.yaml"))
    assert done.returncode == 0, done.stderr


def test_an_upgrade_with_nothing_new_changes_nothing(cluster, operator):
    def written():
        return {kind: json.loads(cluster("get", kind, "--output", "json"))
                for kind in ("mutatingwebhookconfigurations", "customresourcedefinitions")}

    def generations(found):
        return {(kind, item["metadata"]["name"]): item["metadata"]["generation"]
                for kind, listed in found.items() for item in listed["items"]}

    pods = {pod["metadata"]["uid"] for pod in operator.pods()}
    before = generations(written())
    operator.upgrade()
    assert generations(written()) == before
    assert {pod["metadata"]["uid"] for pod in operator.pods()} == pods
    assert NAMESPACE == operator.kube.namespace
