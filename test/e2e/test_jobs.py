"""A Job with an ambassador ends when its own work is done."""
import pytest

import kube
import objects


def job(name, annotations):
    script = "redis-cli -p 6380 set job done && sleep 1"
    container = {"name": "client", "image": "redis", "command": ["sh", "-ec", script], "securityContext": objects.RESTRICTED}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name},
            "spec": {"backoffLimit": 0,
                     "template": {"metadata": {"annotations": annotations},
                                  "spec": {"restartPolicy": "Never", "containers": [container]}}}}


@pytest.mark.parametrize("mode", ["NativeSidecar", "Container"])
def test_a_job_with_an_ambassador_completes(restricted, mode):
    restricted.apply(*objects.redis_set(), objects.policy())
    restricted.wait_rollout("statefulset/redis-st", 60)
    restricted.wait_policy("redis")
    annotations = {"ambassador.dev/inject": "true", "ambassador.dev/container-mode": mode}
    restricted.apply(job("work", annotations))
    restricted("wait", "--for=condition=complete", "job/work", "--timeout=60s")
    kind = "initContainerStatuses" if mode == "NativeSidecar" else "containerStatuses"

    def ended():
        pod, = restricted.get("pods", None, "--selector", "job-name=work")
        ambassador, = (s for s in pod["status"][kind] if s["name"] == objects.AMBASSADOR)
        return ambassador["state"].get("terminated")
    assert kube.wait("the ambassador's end is told", ended)["exitCode"] == 0


def test_the_classic_form_starts_the_application_after_the_ambassador(restricted):
    restricted.apply(*objects.redis_set(), objects.policy())
    restricted.wait_policy("redis")
    restricted.apply(objects.pod(annotations={"ambassador.dev/inject": "true",
                                              "ambassador.dev/container-mode": "Container"}))
    pod = restricted.wait_ready("app")
    assert [c["name"] for c in pod["spec"]["containers"]] == [objects.AMBASSADOR, "client"]
    assert "postStart" in objects.ambassador(pod)["lifecycle"]
    assert restricted.exec("app", "redis-cli", "-p", "6380", "ping", container="client").strip() == "PONG"
