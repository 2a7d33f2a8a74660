"""buildah with a store of our own in the cache: makes images, writes OCI layouts.

Runs without a daemon, each time in a mount namespace of its own, so that no mount
outlives it. RUN steps (chroot isolation) reach the machine's network, because apt
fetches packages there.
"""

import functools
import shutil
import subprocess
from pathlib import Path

from . import overlay
from .places import cache
from .say import ClusterError

REGISTRIES = 'unqualified-search-registries = ["docker.io"]\nshort-name-mode = "disabled"\n'
# Unless told otherwise it leaves a lock in the machine's own /etc/cni.
CONFIGURATION = '[network]\nnetwork_config_dir = "{}"\n'
OWN_MOUNTS = ["unshare", "--mount", "--propagation=private"]
STORE_LIMIT_MIB = 4096
POLICY = '{"default": [{"type": "insecureAcceptAnything"}]}\n'


def store() -> Path:
    return cache() / "buildah"


def base_command() -> list[str]:
    folder = store()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "registries.conf").write_text(REGISTRIES)
    (folder / "policy.json").write_text(POLICY)
    (folder / "containers.conf").write_text(CONFIGURATION.format(folder / "networks"))
    return [*OWN_MOUNTS, "env", f"CONTAINERS_CONF={folder / 'containers.conf'}", "buildah",
            "--root", str(folder / "root"), "--runroot", str(folder / "run"),
            "--storage-driver", storage_driver(), "--registries-conf", str(folder / "registries.conf")]


@functools.cache
def storage_driver() -> str:
    """overlay, or vfs that copies a whole file system for every step."""
    return "overlay" if overlay.works_in(store()) else "vfs"


def run(subcommand: str, *arguments: str) -> str:
    """Runs `buildah SUBCOMMAND ARGUMENTS`. Returns its output, raises with its last lines."""
    command = [*base_command(), subcommand]
    if subcommand in ("bud", "push", "commit"):
        command += ["--signature-policy", str(store() / "policy.json")]
    done = subprocess.run([*command, *arguments], capture_output=True, text=True)
    if done.returncode != 0:
        tail = "\n".join((done.stdout + done.stderr).splitlines()[-30:])
        raise ClusterError(f"buildah {subcommand} {' '.join(arguments)} failed:\n{tail}")
    return done.stdout.strip()


def build(tag: str, dockerfile: Path, context: Path, build_arguments: dict[str, str] | None = None,
          layers: bool = False) -> None:
    """Builds an ordinary Dockerfile. `layers` keeps what each step made for the next build."""
    options = [f"--build-arg={name}={value}" for name, value in (build_arguments or {}).items()]
    run("bud", "--isolation=chroot", "--pull-never", "--format=oci", "--force-rm", f"--layers={str(layers).lower()}",
        f"--tag={tag}", f"--file={dockerfile}", *options, str(context))


def from_files(tag: str, files: dict[str, Path], settings: tuple[str, ...] = ()) -> None:
    """An image of nothing but these files: {path or folder in the image: local file or tar}."""
    container = run("from", "--signature-policy", str(store() / "policy.json"), "scratch")
    try:
        for target, source in files.items():
            run("add", container, str(source), target)
        if settings:
            run("config", *settings, container)
        run("commit", "--format=oci", container, tag)
    finally:
        run("rm", container)


def save(tag: str, layout: Path) -> None:
    """Writes the image as an OCI layout; appears whole or not at all."""
    half = layout.with_name(layout.name + ".half")
    shutil.rmtree(half, ignore_errors=True)
    half.parent.mkdir(parents=True, exist_ok=True)
    run("push", tag, f"oci:{half}")
    shutil.rmtree(layout, ignore_errors=True)
    half.rename(layout)


def has(tag: str) -> bool:
    return subprocess.run([*base_command(), "inspect", "--type", "image", tag],
                          capture_output=True).returncode == 0


def load(layout: Path, tag: str) -> None:
    """Puts an OCI layout's image into the store."""
    base_command()  # writes policy.json
    target = f"containers-storage:[{storage_driver()}@{store() / 'root'}+{store() / 'run'}]{tag}"
    done = subprocess.run([*OWN_MOUNTS, "skopeo", "--policy", str(store() / "policy.json"), "copy", "--quiet",
                           f"oci:{layout}", target], capture_output=True, text=True)
    if done.returncode != 0:
        raise ClusterError(f"loading {tag} into buildah's store failed: {done.stderr.strip()}")


def limit_store() -> None:
    """Starts over with an empty store once it has grown large.

    Pruning is no way: it takes the layers that make the next build quick.
    """
    used = subprocess.run(["du", "-sm", str(store())], capture_output=True, text=True).stdout.split()
    if used and int(used[0]) > STORE_LIMIT_MIB:
        shutil.rmtree(store())
