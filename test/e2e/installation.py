"""The operator as installed by the chart: its Pods, its metrics, its comings and goings."""
import json
import re
import subprocess

import kube

NAMESPACE = "ambassador-system"
RELEASE = "ambassador-operator"
CHART = kube.ROOT / "charts/ambassador-operator"
SERVICE_ACCOUNT = f"system:serviceaccount:{NAMESPACE}:{RELEASE}"
READY_SECONDS = 120


def image_values(prefix, reference):
    """Helm values for an image reference such as registry:5000/name:tag."""
    repository, tag = reference.rsplit(":", 1)
    return [f"{prefix}.repository={repository}", f"{prefix}.tag={tag}"]


class Installation:
    def __init__(self, env, operator_image, proxy_image):
        self.env = env
        self.kube = kube.Kube(env, NAMESPACE)
        self.values = [*image_values("image", operator_image), *image_values("proxy.image", proxy_image),
                       "image.pullPolicy=Always", "proxy.image.pullPolicy=Always"]

    def helm(self, *arguments, timeout=READY_SECONDS + 60):
        command = [self.env["AMBASSADOR_HELM"], "--namespace", NAMESPACE, *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)
        if done.returncode != 0:
            raise kube.Failed(f"helm {' '.join(map(str, arguments))}: {done.stderr or done.stdout}")
        return done.stdout

    def _values(self, more):
        return [word for value in [*self.values, *more] for word in ("--set", value)]

    def install(self, *more):
        """Installs or, where a release is left over, renews it; returns when every replica is Ready."""
        self.kube.run("create", "namespace", NAMESPACE)
        self.kube("label", "namespace", NAMESPACE, "pod-security.kubernetes.io/enforce=restricted", "--overwrite")
        output = self.helm("upgrade", "--install", RELEASE, CHART, "--wait", f"--timeout={READY_SECONDS}s",
                           *self._values(more))
        self.wait_answering()
        return output

    def upgrade(self, *more):
        """Returns when the new replicas are Ready and the old ones have answered their last request."""
        output = self.helm("upgrade", RELEASE, CHART, "--wait", f"--timeout={READY_SECONDS}s", *self._values(more))
        kube.wait("the old replicas are gone", lambda: len(self._all_pods()) == len(self.pods()), 60)
        return output

    def uninstall(self):
        if RELEASE in self.helm("list", "--short"):
            self.helm("uninstall", RELEASE, "--wait")

    def wait_answering(self):
        """The webhook has its CA bundle and answers a dry run of an annotated Pod (refused for want of a policy)."""
        probe = {"apiVersion": "v1", "kind": "Pod",
                 "metadata": {"name": "probe", "annotations": {"ambassador.dev/policy": "no-such-policy"}},
                 "spec": {"containers": [{"name": "client", "image": "redis"}]}}

        def answered():
            done = kube.Kube(self.env).run("apply", "--dry-run=server", "--filename", "-", text=kube.as_yaml(probe))
            if "no-such-policy" in done.stderr:
                return True
            raise kube.Failed(done.stdout + done.stderr)
        kube.wait("the webhook answers", answered, 60)

    def in_service(self):
        """Every replica is an endpoint of the Service."""
        slices = self.kube.get("endpointslices", None, "--selector", f"kubernetes.io/service-name={RELEASE}")
        ready = [endpoint["conditions"]["ready"] for piece in slices for endpoint in piece["endpoints"] or []]
        return len(ready) == len(self.pods()) and all(ready)

    def pods(self):
        """Operator Pods that are not on their way out."""
        return [pod for pod in self._all_pods() if "deletionTimestamp" not in pod["metadata"]]

    def _all_pods(self):
        return self.kube.get("pods", None, "--selector", f"app.kubernetes.io/instance={RELEASE}")

    def leader(self):
        """Name of the Pod that holds the lease."""
        holder = self.kube.get("lease", RELEASE)["spec"].get("holderIdentity", "")
        for pod in self.pods():
            if holder and pod["metadata"]["name"] in holder:
                return pod["metadata"]["name"]
        raise kube.Failed(f"the lease's holder {holder!r} is no operator Pod")

    def wait_ready(self, seconds=READY_SECONDS):
        self.kube.wait_rollout(f"deployment/{RELEASE}", seconds)

    def metrics(self, pod):
        """A replica's /metrics as text."""
        return self.kube.raw(f"/api/v1/namespaces/{NAMESPACE}/pods/{pod}:8080/proxy/metrics")

    def admission_requests(self):
        """How many mutating admission requests all replicas have answered."""
        return sum(sum(samples(self.metrics(pod["metadata"]["name"]), "ambassador_operator_admission_requests_total"))
                   for pod in self.pods())

    def audit(self, since, verb=None, resource=None, user=SERVICE_ACCOUNT):
        """The operator's requests since a moment (kube.clock_now()), from the API server's audit log."""
        found = []
        with open(self.env["AMBASSADOR_AUDIT_LOG"], encoding="utf-8") as lines:
            for line in lines:
                if user not in line:
                    continue
                try:
                    event = json.loads(line)
                except ValueError:
                    continue  # the last line, half written
                about = event.get("objectRef", {})
                if (event["user"]["username"] == user and event["requestReceivedTimestamp"] >= since
                        and verb in (None, event["verb"]) and resource in (None, about.get("resource"))):
                    found.append(event)
        return found


def samples(text, metric, **labels):
    """Values of a metric in Prometheus' text format whose labels contain those given."""
    found = []
    for line in text.splitlines():
        match = re.match(rf"{metric}(?:\{{(.*)\}})? (\S+)$", line)
        if match and all(f'{name}="{value}"' in (match[1] or "") for name, value in labels.items()):
            found.append(float(match[2]))
    return found
