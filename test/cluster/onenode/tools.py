"""Builds the Go tools into the cache: Kubernetes, etcd, CoreDNS, helm.

Each tool has a go.mod of its own in tools/NAME, because together their
dependencies clash. A built tool lies in CACHE/tools/NAME-VERSION-KEY/bin; the key
is a hash of everything that the build depends on.
"""

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from . import go_toolchain, versions
from .places import RECIPES, cache
from .say import ClusterError, long_work, say


@dataclass(frozen=True)
class Tool:
    name: str
    version: str
    packages: tuple[str, ...]  # what `go build` gets; "." is the recipe's own main.go
    binaries: tuple[str, ...]
    stamp: tuple[str, ...] = ()  # `-X` settings of the linker
    about: str = ""  # how long it takes on two cores

    @property
    def recipe(self) -> Path:
        return RECIPES / "tools" / self.name

    def ldflags(self) -> str:
        return " ".join(["-s", "-w", *(f"-X {setting}" for setting in self.stamp)])

    def key(self) -> str:
        digest = hashlib.sha256(repr((self.packages, self.ldflags())).encode())
        for path in sorted(self.recipe.iterdir()):
            digest.update(path.name.encode() + b"\0" + path.read_bytes())
        return digest.hexdigest()[:12]

    def folder(self) -> Path:
        return cache() / "tools" / f"{self.name}-{self.version}-{self.key()}"

    def binary(self, name: str) -> Path:
        return self.folder() / "bin" / name


def kubernetes_stamp(version: str) -> tuple[str, ...]:
    """Without it Kubernetes says v0.0.0, and clients decide by what it says."""
    major, minor, _ = version.split(".")
    packages = ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
    values = (f"gitVersion=v{version}", f"gitMajor={major}", f"gitMinor={minor}", "gitTreeState=clean")
    return tuple(f"{package}.{value}" for package in packages for value in values)


KUBERNETES_COMMANDS = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet",
                       "kube-proxy", "kubectl")

ETCD = Tool("etcd", versions.ETCD, (".",), ("etcd",), about="about half a minute")
COREDNS = Tool("coredns", versions.COREDNS, (".",), ("coredns",), about="about a minute")
HELM = Tool("helm", versions.HELM, ("helm.sh/helm/v3/cmd/helm",), ("helm",),
            (f"helm.sh/helm/v3/internal/version.version=v{versions.HELM}",), about="about a minute")
KUBERNETES = Tool("kubernetes", versions.KUBERNETES,
                  tuple(f"k8s.io/kubernetes/cmd/{command}" for command in KUBERNETES_COMMANDS),
                  KUBERNETES_COMMANDS, kubernetes_stamp(versions.KUBERNETES), about="about 6 minutes")
ALL = (KUBERNETES, ETCD, COREDNS, HELM)


def binary(name: str) -> Path:
    """Path of a built tool's binary, e.g. `kubelet`."""
    for tool in ALL:
        if name in tool.binaries:
            return tool.binary(name)
    raise KeyError(name)


def missing() -> list[Tool]:
    return [tool for tool in ALL if not tool.folder().is_dir()]


def ensure() -> None:
    """Builds what the cache lacks. Two at a time wait for each other."""
    if not missing():
        return
    (cache() / "tools").mkdir(parents=True, exist_ok=True)
    with open(cache() / "tools" / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for tool in missing():
            build(tool)


def environment() -> dict[str, str]:
    return os.environ | {
        "CGO_ENABLED": "0",
        "GOFLAGS": "-mod=readonly",  # go.sum decides, or the build fails
        "GOWORK": "off",
        "GOTOOLCHAIN": "local",
        "GOBIN": "",
    }


def build(tool: Tool) -> None:
    """Builds into a folder beside the wanted one and renames it when all is there."""
    go = go_toolchain.find()
    half = tool.folder().with_name(tool.folder().name + ".half")
    shutil.rmtree(half, ignore_errors=True)
    shutil.copytree(tool.recipe, half / "source")
    (half / "bin").mkdir()
    several = tool.packages != (".",)
    output = f"{half / 'bin'}/" if several else str(half / "bin" / tool.name)
    command = [go, "build", "-C", str(half / "source"), "-trimpath", "-ldflags", tool.ldflags(),
               "-o", output, *tool.packages]
    started = time.monotonic()
    status, tail = run_with_progress(
        command, f"building {tool.name} {tool.version} from its Go modules ({tool.about} on two cores, once)")
    absent = [name for name in tool.binaries if not (half / "bin" / name).is_file()]
    if status != 0 or absent:
        shutil.rmtree(half, ignore_errors=True)
        raise ClusterError(f"building {tool.name} failed ({status}):\n" + "\n".join(tail))
    shutil.rmtree(half / "source")
    half.rename(tool.folder())
    say(f"built {tool.name} in {time.monotonic() - started:.0f} s")


def run_with_progress(command: list[str], text: str) -> tuple[int, list[str]]:
    """Runs a Go build. Returns its exit status and the last lines that it printed."""
    tail: list[str] = []
    with (long_work(text, lambda: newest(tail)),
          subprocess.Popen(["nice", "-n", "5", *command], env=environment(), text=True,
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process):
        for line in process.stdout:
            tail.append(line.rstrip())
            del tail[:-40]
        return process.wait(), tail


def newest(tail: list[str]) -> str:
    if tail and tail[-1].startswith("go: downloading"):
        return "fetching " + tail[-1].split()[2]
    return "compiling"


def pin() -> None:
    """Renews every tools/NAME/go.mod and go.sum from versions.py (needs the network)."""
    go = go_toolchain.find()
    modules = {"kubernetes": ("k8s.io/kubernetes", versions.KUBERNETES),
               "etcd": ("go.etcd.io/etcd/server/v3", versions.ETCD),
               "coredns": ("github.com/coredns/coredns", versions.COREDNS),
               "helm": ("helm.sh/helm/v3", versions.HELM)}
    for tool in ALL:
        module, version = modules[tool.name]
        (tool.recipe / "go.sum").unlink(missing_ok=True)
        (tool.recipe / "go.mod").write_text(first_go_mod(go, tool.name, module, version))
        say(f"pinning {module} {version}")
        run = [go, "mod", "tidy"]
        if tool.name == "kubernetes":
            run.append("-e")  # its test-only imports do not all resolve outside its own tree
        subprocess.run(run, cwd=tool.recipe, check=True, env=environment() | {"GOFLAGS": "-mod=mod"})


def first_go_mod(go: str, name: str, module: str, version: str) -> str:
    text = f"module ambassador-operator/test/cluster/{name}\n\ngo 1.25.0\n\nrequire {module} v{version}\n"
    if name != "kubernetes":
        return text
    # Kubernetes replaces its staging modules by folders of its own tree; outside
    # of it they are the published modules v0.MINOR.PATCH.
    answer = subprocess.run([go, "mod", "download", "-json", f"{module}@v{version}"],
                            capture_output=True, text=True, check=True)
    upstream = Path(json.loads(answer.stdout)["GoMod"]).read_text()
    staging = [line.split()[0] for line in upstream.splitlines() if "=> ./staging/" in line]
    lines = [f"\t{path} => {path} v0.{version.split('.', 1)[1]}" for path in staging]
    return text + "\nreplace (\n" + "\n".join(lines) + "\n)\n"
