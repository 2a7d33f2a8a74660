"""The operator under load on the one-node cluster: admission latency, memory with many Pods and policies.

Pods name a scheduler that does not exist: the API server, admission and the controllers have their full work with
them, the node none.
"""
import json
import pathlib
import sys
import threading
import time

import programs

ROOT = programs.ROOT
sys.path.insert(0, str(ROOT / "test/e2e"))

import kube  # noqa: E402
import objects  # noqa: E402
from installation import Installation  # noqa: E402

NAMESPACES = 20
CREATORS = 4
SAMPLE_SECONDS = 1.0


def add_arguments(parser):
    parser.add_argument("--pods", type=int, default=5000, help="injected Pods, in all namespaces together")
    parser.add_argument("--policies", type=int, default=200, help="policies, in all namespaces together")
    parser.add_argument("--rate", type=float, default=200, help="admission reviews a second")
    parser.add_argument("--seconds", type=float, default=30, help="how long reviews are sent")
    parser.add_argument("--json", type=pathlib.Path, default=ROOT / "build/bench/operator.json")


def replicas(operator):
    """{Pod: process id of its operator}"""
    return {pod["metadata"]["name"]: operator.kube.pids(pod["metadata"]["name"], "ambassador-operator")[0]
            for pod in operator.pods()}


def policy(number):
    return objects.policy(f"policy-{number}", [objects.listener(port=7000 + number)])


def hollow_pod(number, policies):
    pod = objects.pod(f"pod-{number}", {"ambassador.dev/policy": f"policy-{number % policies}"})
    pod["spec"]["schedulerName"] = "nobody"
    return pod


def names():
    return [f"bench-{number}" for number in range(NAMESPACES)]


def prepare(cluster, policies_each):
    cluster.apply(*({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}} for name in names()))
    for name in names():
        own = cluster.within(name)
        kube.wait("the service account", lambda own=own: own.run("get", "serviceaccount", "default").returncode == 0)
        own.apply(*objects.redis_set(replicas=0), *(policy(number) for number in range(policies_each)))


def create_pods(cluster, pods_each, policies_each):
    """Seconds that it took."""
    began = time.monotonic()
    waiting = names()

    def work():
        while waiting:
            own = cluster.within(waiting.pop())
            text = kube.as_yaml(*(hollow_pod(number, policies_each) for number in range(pods_each)))
            own("create", "--filename", "-", text=text, timeout=600)
    threads = [threading.Thread(target=work) for _ in range(CREATORS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.monotonic() - began


def injected(cluster):
    return len(cluster("get", "pods", "--all-namespaces", "--selector", "ambassador.dev/injected=true", "--output",
                       "name").split())


def most_resident(processes, seconds):
    """{Pod: the largest MiB seen while `seconds` pass}"""
    most = dict.fromkeys(processes, 0.0)
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        for name, pid in processes.items():
            most[name] = max(most[name], programs.resident_kib(pid) / 1024)
        time.sleep(SAMPLE_SECONDS)
    return {name: round(value, 1) for name, value in most.items()}


def admission(env, operator, processes, rate, seconds):
    """What test/bench/admission.py saw, and the CPU of the replica that answered."""
    pod = operator.pods()[0]
    pid = processes[pod["metadata"]["name"]]
    before = programs.cpu_seconds(pid)
    command = [kube.PYTHON, ROOT / "test/bench/admission.py", pod["status"]["podIP"], 10250, "--rate", rate,
               "--seconds", seconds, "--namespace", names()[0], "--policy", "policy-0"]
    seen = json.loads(kube.finish(kube.on_node(env, *command), seconds + 60))
    seen["operator_cores"] = round((programs.cpu_seconds(pid) - before) / seconds, 3)
    return seen


def clean(cluster):
    cluster.run("delete", "namespace", "--wait=false", *names())


def run(arguments):
    kube.tool("up")
    env = kube.environment()
    kube.tool("images")
    operator = Installation(env, env["AMBASSADOR_OPERATOR_IMAGE"], env["AMBASSADOR_PROXY_IMAGE"])
    operator.install()
    cluster = kube.Kube(env)
    policies_each, pods_each = arguments.policies // NAMESPACES, arguments.pods // NAMESPACES
    try:
        processes = replicas(operator)
        result = {"idle_mib": most_resident(processes, 2)}
        kube.log(f"{arguments.policies} policies")
        prepare(cluster, policies_each)
        result["admission"] = admission(env, operator, processes, arguments.rate, arguments.seconds)
        kube.log(f"{arguments.pods} Pods")
        took = create_pods(cluster, pods_each, policies_each)
        result["injected"] = injected(cluster)
        result["pods_per_second"] = round(result["injected"] / took, 1)
        result["loaded_mib"] = most_resident(processes, 30)
        result["admission_loaded"] = admission(env, operator, processes, arguments.rate, arguments.seconds)
    finally:
        clean(cluster)
    arguments.json.parent.mkdir(parents=True, exist_ok=True)
    arguments.json.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result, indent=1))
    return 0
