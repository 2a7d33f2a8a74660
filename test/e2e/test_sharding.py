"""A thousand keys lie where twemproxy puts them, whether the proxy was written into the Pod or injected."""
import json
import pathlib

import pytest
import yaml

import kube
import objects

KEYS = 1000
NAMES = [f"redis-st-{i}.redis-svc.default.svc.cluster.local:6379" for i in (0, 1)]


@pytest.fixture
def walk_through(cluster, operator, env):
    """The seed's objects as they stand, in the namespace default (its REDIS_SERVERS says so)."""
    default = cluster.within("default")
    clear(default)  # the demo leaves its own there
    default.apply(objects.SEED / "redis.yaml", objects.SEED / "policy.yaml")
    default.wait_rollout("statefulset/redis-st", 60)
    default.wait_policy("redis")
    by_hand = (objects.SEED / "twemproxy-pod.yaml").read_text()
    image = next(c["image"] for c in yaml.safe_load(by_hand)["spec"]["containers"] if c["name"] == objects.AMBASSADOR)
    default.apply(by_hand.replace(image, env["AMBASSADOR_PROXY_IMAGE"]))
    injected, = objects.load(objects.SEED / "app.yaml")
    injected["metadata"]["name"] = "injected"
    default.apply(injected)
    default.wait_ready("ambassador")
    default.wait_ready("injected")
    yield default
    clear(default)


def clear(default):
    for pod in ("ambassador", "injected"):
        default.delete("pod", pod, "--grace-period=0", "--force")
    default.delete("ambassadorpolicy", "redis")
    default.delete("statefulset", "redis-st", "--wait=true")
    default.delete("service", "redis-svc")
    default("delete", "pvc", "--all", "--wait=true")
    kube.tool("pvs", "reset")


def test_keys_written_through_the_seeds_own_pod_are_read_through_the_injected_one_and_by_twemproxy(
        walk_through, env, tmp_path):
    written = run_keys(walk_through, "ambassador", "write")
    assert written == {"right": KEYS, "wrong": [], "wrong_count": 0}
    assert run_keys(walk_through, "injected", "read") == written

    held = [int(walk_through.exec(f"redis-st-{i}", "redis-cli", "dbsize").split()[-1]) for i in (0, 1)]
    assert sum(held) == KEYS and min(held) > KEYS * 0.3, held

    # Debian's twemproxy, given the very same server string, finds every key: each lies where it looks for it.
    port = 22121
    with Twemproxy(walk_through, "injected", env, tmp_path, port):
        assert run_keys(walk_through, "injected", "read", port) == written


def test_locate_names_the_shard_that_holds_a_key(walk_through):
    run_keys(walk_through, "injected", "write")
    keys = [f"key:{i}" for i in range(50)]
    servers = [word for name in NAMES for word in ("--server", f"{name}:1")]
    said = walk_through.exec("injected", "ambassador-proxy", "locate", *servers, container=objects.AMBASSADOR,
                             text="\n".join(keys) + "\n").split()
    for key, server in zip(keys, said):
        shard = server.split(".")[0]
        assert walk_through.exec(shard, "redis-cli", "exists", key).split()[-1] == "1", (key, server)


def run_keys(default, pod, verb, port=6380):
    process = default.in_pod(pod, *kube.client("keys.py"), port, verb, KEYS)
    return json.loads(kube.finish(process))


class Twemproxy:
    """nutcracker in a Pod's network, with the cluster's DNS as its resolver."""

    def __init__(self, default, pod, env, folder: pathlib.Path, port):
        servers = "".join(f"   - {name}:1\n" for name in NAMES)
        (folder / "nutcracker.yml").write_text(
            f"alpha:\n  listen: 127.0.0.1:{port}\n  hash: fnv1a_64\n  distribution: ketama\n  redis: true\n"
            f"  servers:\n{servers}")
        (folder / "resolv.conf").write_text(f"nameserver {env['AMBASSADOR_NODE_ADDRESS']}\n")
        script = (f"mount --bind {folder}/resolv.conf $(readlink -f /etc/resolv.conf) && "
                  f"exec nutcracker --conf-file={folder}/nutcracker.yml --stats-port={port + 1} --stats-addr=127.0.0.1")
        self.process = default.in_pod(pod, "unshare", "--mount", "sh", "-c", script)
        self.default, self.pod, self.port = default, pod, port

    def __enter__(self):
        def answers():
            if self.process.poll() is not None:
                raise AssertionError(f"nutcracker ended: {self.process.communicate()}")
            probe = self.default.in_pod(self.pod, *kube.client("keys.py"), self.port, "read", 1)
            return json.loads(kube.finish(probe))["wrong_count"] == 0
        kube.wait("nutcracker answers", answers, 15)
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()
