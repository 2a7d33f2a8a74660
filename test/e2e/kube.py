"""The cluster as tests speak to it: kubectl, waiting with a bound, processes of a Pod on the node."""
import json
import os
import pathlib
import subprocess
import sys
import time

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
CLUSTER_TOOL = ROOT / "test/cluster/cluster.py"
PYTHON = "/usr/bin/python3"  # Debian's: packages.txt names its modules


class Failed(AssertionError):
    """A command that was to succeed did not; says what it printed."""


def wait(what, condition, seconds=30, every=0.2):
    """Calls `condition` until it gives something true, and returns that. Fails after `seconds`, saying what the
    condition gave or raised last."""
    deadline = time.monotonic() + seconds
    last = None
    while True:
        try:
            last = condition()
            if last:
                return last
        except (Failed, KeyError, IndexError, OSError) as problem:
            last = problem
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what}; last: {last}")
        time.sleep(every)


def tool(*arguments):
    """Runs `./run cluster ...`; its output."""
    done = subprocess.run([PYTHON, str(CLUSTER_TOOL), *map(str, arguments)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Failed(f"cluster {' '.join(map(str, arguments))}: {done.stdout}{done.stderr}")
    return done.stdout


class Kube:
    """kubectl in one cluster, by default in one namespace."""

    def __init__(self, env, namespace="default"):
        self.env = env
        self.namespace = namespace

    def within(self, namespace):
        return Kube(self.env, namespace)

    def run(self, *arguments, text=None, timeout=120):
        """kubectl's finished process: for what may fail."""
        return subprocess.run(self._command(arguments), input=text, capture_output=True, text=True, timeout=timeout,
                              check=False)

    def start(self, *arguments):
        """kubectl as it runs; a Popen with pipes of text."""
        pipe = subprocess.PIPE
        return subprocess.Popen(self._command(arguments), stdin=pipe, stdout=pipe, stderr=pipe, text=True)

    def _command(self, arguments):
        # Saying "default" would refuse manifests that name a namespace of their own.
        where = ["--namespace", self.namespace] if self.namespace != "default" else []
        return [self.env["AMBASSADOR_KUBECTL"], *where, *map(str, arguments)]

    def __call__(self, *arguments, text=None, timeout=120):
        """kubectl's output; Failed unless it succeeded."""
        done = self.run(*arguments, text=text, timeout=timeout)
        if done.returncode != 0:
            raise Failed(f"kubectl {' '.join(map(str, arguments))}: {done.stderr or done.stdout}")
        return done.stdout

    def apply(self, *objects):
        """Applies documents, texts of YAML or paths."""
        return self("apply", "--filename", "-", text=as_yaml(*objects))

    def refusal(self, *objects):
        """What `kubectl apply` says when the objects are refused; fails when they are taken."""
        done = self.run("apply", "--filename", "-", text=as_yaml(*objects))
        if done.returncode == 0:
            raise Failed(f"was not refused: {done.stdout}")
        return done.stderr

    def get(self, kind, name=None, *arguments):
        """One object, or the list of them without a name."""
        found = json.loads(self("get", kind, *([name] if name else []), *arguments, "--output", "json"))
        return found if name else found["items"]

    def raw(self, path):
        return self("get", "--raw", path)

    def delete(self, kind, name, *arguments):
        return self("delete", kind, name, "--ignore-not-found", *arguments)

    def exec(self, pod, *command, container=None, text=None):
        chosen = ["--container", container] if container else []
        stdin = ["--stdin"] if text is not None else []
        return self("exec", pod, *stdin, *chosen, "--", *command, text=text)

    def wait_ready(self, pod, seconds=60):
        """The Pod, once it is Ready; on failure the reason is in what is raised."""
        def ready():
            found = self.get("pod", pod)
            status = found.get("status", {})
            conditions = {c["type"]: c["status"] for c in status.get("conditions", [])}
            if conditions.get("Ready") == "True":
                return found
            raise Failed(json.dumps([status.get("initContainerStatuses"), status.get("containerStatuses")]))
        return wait(f"Pod {self.namespace}/{pod} is Ready", ready, seconds)

    def wait_rollout(self, what, seconds=90):
        self("rollout", "status", what, f"--timeout={seconds}s", timeout=seconds + 10)

    def wait_gone(self, kind, name, seconds=60):
        wait(f"{kind} {name} is gone", lambda: self.run("get", kind, name).returncode != 0, seconds)

    def policy_condition(self, policy, condition):
        """(status, reason, message) of a policy's condition, or None while it is not there."""
        status = self.get("ambassadorpolicy", policy).get("status", {})
        for found in status.get("conditions", []):
            if found["type"] == condition:
                return found["status"], found.get("reason", ""), found.get("message", "")
        return None

    def wait_policy(self, policy, condition="Ready", status="True", seconds=30):
        def there():
            found = self.policy_condition(policy, condition)
            if found and found[0] == status:
                return found
            raise Failed(f"{condition} is {found}")
        return wait(f"policy {policy}: {condition}={status}", there, seconds)

    # The node is this machine: processes of a Pod can be entered and killed.

    def pids(self, pod, command=None):
        """Process ids of a Pod on the node, all or those of one command name."""
        uid = self.get("pod", pod)["metadata"]["uid"]
        found = []
        for entry in pathlib.Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                if f"pod{uid}" not in (entry / "cgroup").read_text():
                    continue
                # comm is cut at 15 characters
                if command is None or (entry / "comm").read_text().strip() == command[:15]:
                    found.append(int(entry.name))
            except (FileNotFoundError, ProcessLookupError):
                continue  # it ended meanwhile
        return sorted(found)

    def in_pod(self, pod, *command, **options):
        """Starts a command of this machine inside a Pod's network; a Popen with pipes of text."""
        pid = self.pids(pod)[0]
        settings = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        return subprocess.Popen(["nsenter", f"--net=/proc/{pid}/ns/net", *map(str, command)], **(settings | options))


def as_yaml(*objects):
    texts = []
    for item in objects:
        if isinstance(item, pathlib.Path):
            item = item.read_text()
        texts.append(item if isinstance(item, str) else yaml.safe_dump(item))
    return "\n---\n".join(texts)


def client(name):
    """Path of a client script, to run with Debian's Python."""
    return [PYTHON, str(ROOT / "test/e2e/clients" / name)]


def on_node(env, *command, **options):
    """Starts a command of this machine in the node's network."""
    settings = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen([env["AMBASSADOR_EXEC_NS"], *map(str, command)], **(settings | options))


def finish(process, seconds=60, text=None):
    """Output of a started process that must end well."""
    try:
        out, err = process.communicate(input=text, timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
        raise Failed(f"{process.args} did not end within {seconds} s: {out}{err}") from None
    if process.returncode != 0:
        raise Failed(f"{process.args}: exit {process.returncode}: {out}{err}")
    return out


def log(message):
    print(f"{time.strftime('%H:%M:%S')} {message}", file=sys.stderr, flush=True)


def environment():
    """What `./run cluster env` says, as a dictionary."""
    return json.loads(tool("env", "--json"))


def clock_now():
    """Now, as Kubernetes writes it in audit events."""
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime()) + f".{int(time.time() % 1 * 1e6):06d}Z"


def is_root():
    return os.geteuid() == 0


def tell_what_is_there(own):
    """After a failure: what one would look at first."""
    for command in (["get", "pods", "--output", "wide"], ["get", "ambassadorpolicies", "--output", "yaml"],
                    ["get", "endpointslices", "--output", "yaml"], ["get", "events", "--sort-by=.lastTimestamp"]):
        done = own.run(*command)
        print(f"--- kubectl {' '.join(command)}\n{(done.stdout + done.stderr)[-6000:]}")
    for pod in own.get("pods"):
        done = own.run("logs", pod["metadata"]["name"], "--container", "ambassador-container", "--tail=40")
        print(f"--- ambassador of {pod['metadata']['name']}\n{done.stdout}{done.stderr}")
        done = own.run("exec", pod["metadata"]["name"], "--container", "ambassador-container", "--", "ambassador-proxy", "status")
        print(done.stdout)
    done = own.run("--namespace", "ambassador-system", "logs", "--selector", "app.kubernetes.io/name=ambassador-operator",
                   "--tail=40", "--prefix")
    print(f"--- operator\n{done.stdout}{done.stderr}")
