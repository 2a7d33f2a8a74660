#!/usr/bin/env python3
"""A one-node Kubernetes in a network namespace of its own. See README.md."""

import argparse
import http.client
import json
import os
import shlex
import shutil
import signal
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from onenode import base_images, lifecycle, places, preflight, status, tools, volumes  # noqa: E402
from onenode import our_images  # noqa: E402
from onenode.api import Api  # noqa: E402
from onenode.places import Cluster  # noqa: E402
from onenode.say import ClusterError, say  # noqa: E402


def up(cluster: Cluster, options) -> int:
    preflight.check()
    started = time.monotonic()
    lifecycle.up(cluster)
    if options.keep:
        cluster.kept.touch()
    say(f"cluster {cluster.name} is up, its node Ready ({time.monotonic() - started:.1f} s)")
    return 0


def down(cluster: Cluster, options) -> int:
    if options.unless_kept and cluster.kept.exists():
        say(f"cluster {cluster.name} was started with --keep and stays; end it with `./run cluster down`")
        return 0
    preflight.check_root()
    there = bool(lifecycle.leftovers(cluster))
    lifecycle.down(cluster)
    say(f"cluster {cluster.name} is gone" if there else f"cluster {cluster.name} was not there")
    return 0


def show_status(cluster: Cluster, options) -> int:
    read = status.read(cluster)
    print(json.dumps(read) if options.json else status.text(read), end="\n" if options.json else "")
    return 0 if read["nodeReady"] and all(row["ready"] for row in read["components"]) else 1


def wrapper(name: str):
    """kubectl and helm: inside the cluster's network, or with the user's own context."""
    def run(cluster: Cluster, options) -> int:
        if options.context:
            program = shutil.which(name) or str(tools.binary(name))
            flag = "--context" if name == "kubectl" else "--kube-context"
            os.execv(program, [name, flag, options.context, *options.arguments])
        need(cluster)
        os.execv(cluster.bin / name, [name, *options.arguments])
    return run


def exec_ns(cluster: Cluster, options) -> int:
    need(cluster)
    os.execv(cluster.bin / "exec-ns", ["exec-ns", *options.arguments])


def ctr(cluster: Cluster, options) -> int:
    need(cluster)
    os.execv(cluster.bin / "ctr", ["ctr", *options.arguments])


def images(cluster: Cluster, options) -> int:
    if options.context and not options.image_prefix:
        raise ClusterError("with --context, say by --image-prefix where your cluster pulls images from")
    if not options.context:
        need(cluster)
    for reference in our_images.provide(cluster, options.image_prefix, options.binaries):
        print(reference)
    return 0


def logs(cluster: Cluster, options) -> int:
    names = [*lifecycle.COMPONENTS, "audit"]
    if options.component not in names:
        raise ClusterError(f"no component {options.component!r}; there are: {', '.join(names)}")
    command = ["tail", "-n", str(options.lines), *(["-F"] if options.follow else []),
               str(cluster.log(options.component))]
    os.execvp("tail", command)


def kill(cluster: Cluster, options) -> int:
    check_component(options.component)
    name = options.signal.upper().removeprefix("SIG")
    number = signal.Signals(int(name)) if name.isdigit() else signal.Signals[f"SIG{name}"]
    if not lifecycle.stop(cluster, options.component, number):
        raise ClusterError(f"{options.component} does not run, or did not end by {number.name}")
    return 0


def start(cluster: Cluster, options) -> int:
    check_component(options.component)
    need(cluster)
    with lifecycle.locked(cluster):
        lifecycle.start(cluster, options.component)
        component = lifecycle.COMPONENTS[options.component]
        if not options.no_wait:
            lifecycle.await_ready(cluster, [component], time.monotonic() + lifecycle.READY_SECONDS)
    return 0


def pvs(cluster: Cluster, options) -> int:
    need(cluster)
    api = Api(cluster)
    if options.action == "reset":
        print(f"{len(volumes.reset(cluster, api))} volumes renewed")
    for item in volumes.listing(api) if options.action == "list" else []:
        claim = item["spec"].get("claimRef", {})
        print(item["metadata"]["name"], item["status"].get("phase"),
              f"{claim['namespace']}/{claim['name']}" if claim else "-")
    return 0


def env(cluster: Cluster, options) -> int:
    if options.context:
        values = {"CONTEXT": options.context, "IMAGE_PREFIX": options.image_prefix or "",
                  "KUBECONFIG": os.environ.get("KUBECONFIG", os.path.expanduser("~/.kube/config"))}
    else:
        values = {
            "CLUSTER": cluster.name, "CONTEXT": cluster.context, "KUBECONFIG": cluster.kubeconfig,
            "KUBECTL": cluster.bin / "kubectl", "HELM": cluster.bin / "helm",
            "EXEC_NS": cluster.bin / "exec-ns", "CTR": cluster.bin / "ctr",
            "STATE": cluster.state, "LOGS": cluster.logs, "AUDIT_LOG": cluster.audit_log,
            "PKI": cluster.pki, "NETNS": cluster.netns_file, "NODE": cluster.node,
            "NODE_ADDRESS": places.NODE_ADDRESS,
            "API_SERVER": f"https://{places.NODE_ADDRESS}:{places.API_PORT}",
            "REGISTRY": places.REGISTRY, "IMAGE_PREFIX": options.image_prefix or "",
        }
    values |= {"OPERATOR_IMAGE": our_images.reference("operator", options.image_prefix),
               "PROXY_IMAGE": our_images.reference("proxy", options.image_prefix),
               "CLIENT_IMAGE": base_images.CLIENT.name, "REDIS_IMAGE": base_images.REDIS.name}
    named = {f"AMBASSADOR_{key}" if key != "KUBECONFIG" else key: str(value) for key, value in values.items()}
    if options.json:
        print(json.dumps(named, indent=1))
    else:
        print("\n".join(f"export {key}={shlex.quote(value)}" for key, value in named.items()))
    return 0


def build(cluster: Cluster, options) -> int:
    preflight.check()
    lifecycle.prepare()
    return 0


def pin(cluster: Cluster, options) -> int:
    tools.pin()
    return 0


def need(cluster: Cluster) -> None:
    if not cluster.kubeconfig.exists():
        raise ClusterError(f"cluster {cluster.name} is down; `./run cluster up --keep` brings it up")


def check_component(name: str) -> None:
    if name not in lifecycle.COMPONENTS:
        raise ClusterError(f"no component {name!r}; there are: {', '.join(lifecycle.COMPONENTS)}")


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="./run cluster", description=__doc__)
    # where they stand, before or after the command, does not matter
    theirs = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    theirs.add_argument("--context")
    theirs.add_argument("--image-prefix")
    top.add_argument("--name", default=os.environ.get("AMBASSADOR_CLUSTER", "ambassador"),
                     help="which cluster, where you want more than one (default: ambassador)")
    top.add_argument("--context", help="an existing cluster's kubeconfig context, instead of ours")
    top.add_argument("--image-prefix", help="the registry that the existing cluster pulls from")
    commands = top.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, function, about: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=about, description=about, parents=[theirs])
        added.set_defaults(function=function)
        return added

    def passing(name: str, function, about: str) -> None:
        added = commands.add_parser(name, help=about, add_help=False, prefix_chars="\0")
        added.add_argument("arguments", nargs=argparse.REMAINDER)
        added.set_defaults(function=function)

    added = command("up", up, "start it, or repair it (idempotent)")
    added.add_argument("--keep", action="store_true", help="stays up after `./run test` and `./run demo`")
    added = command("down", down, "end it and remove every trace")
    added.add_argument("--unless-kept", action="store_true", help="do nothing after `up --keep`")
    added = command("status", show_status, "components, node, memory (exit 1 unless all is ready)")
    added.add_argument("--json", action="store_true")
    passing("kubectl", wrapper("kubectl"), "run kubectl in the cluster")
    passing("helm", wrapper("helm"), "run helm in the cluster")
    passing("exec-ns", exec_ns, "run a command in the cluster's network")
    passing("ctr", ctr, "run containerd's ctr")
    added = command("images", images, "build the operator's and proxy's image, make them pullable")
    added.add_argument("--binaries", type=Path, default=places.CHECKOUT / "build" / "release" / "bin",
                       help="folder of the programs to put in (default: build/release/bin)")
    added = command("logs", logs, "show a component's log (or `audit`)")
    added.add_argument("component")
    added.add_argument("-f", "--follow", action="store_true")
    added.add_argument("-n", "--lines", type=int, default=50)
    added = command("kill", kill, "send a component a signal (KILL unless you say another)")
    added.add_argument("component")
    added.add_argument("signal", nargs="?", default="KILL")
    added = command("start", start, "start a component that does not run, wait until it is ready")
    added.add_argument("component")
    added.add_argument("--no-wait", action="store_true")
    added = command("pvs", pvs, "list the volumes, or renew those whose claim is gone")
    added.add_argument("action", choices=("list", "reset"))
    added = command("env", env, "print paths and addresses for scripts")
    added.add_argument("--json", action="store_true")
    command("build", build, "build tools and base images into the cache, start nothing")
    command("pin", pin, "renew tools/*/go.mod and go.sum after a change of versions.py")
    return top


def main() -> int:
    options = parser().parse_args()
    if options.context and options.function in (up, down, show_status, exec_ns, ctr, kill, start, pvs, logs):
        print("with --context the cluster is yours: only kubectl, helm, images and env apply", file=sys.stderr)
        return 2
    try:
        preflight.check_name(options.name)
        return options.function(Cluster(options.name), options)
    except (ClusterError, TimeoutError) as problem:
        print(f"cluster: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("cluster: interrupted; `./run cluster down` cleans up", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
