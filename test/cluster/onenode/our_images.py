"""The operator's and the proxy's image, from their own Dockerfiles, pullable in a cluster.

The programs come from a folder of built ones; the Dockerfiles' build stage, which
compiles them in a container, is for whoever has nothing but a container builder.
"""

import fcntl
import hashlib
import re
import shutil
import subprocess
from pathlib import Path

from . import base_images, buildah, registry_store
from .places import CHECKOUT, Cluster, cache
from .say import ClusterError, long_work, say

COMPONENTS = ("operator", "proxy")
LAYOUTS_KEPT = 4  # per program; an older one is built again in seconds


def version() -> str:
    """The project's version, which tags the images, as CMakeLists.txt has it."""
    found = re.search(r"project\([^)]*VERSION\s+([0-9.]+)", (CHECKOUT / "CMakeLists.txt").read_text())
    if not found:
        raise ClusterError("CMakeLists.txt names no project VERSION")
    return found[1]


def reference(component: str, prefix: str | None) -> str:
    """What a manifest writes; without a prefix it is pulled from the cluster's own registry."""
    name = f"ambassador-{component}:{version()}"
    return f"{prefix.rstrip('/')}/{name}" if prefix else name


def provide(cluster: Cluster, prefix: str | None, binaries: Path) -> list[str]:
    """Builds what changed and makes both pullable. Returns their references."""
    base_images.ensure()
    (cache() / "images").mkdir(parents=True, exist_ok=True)
    with open(cache() / "images" / "ours.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for component in COMPONENTS:
            layout = built(component, binaries)
            if prefix:
                push(layout, reference(component, prefix))
            else:
                publish(cluster, component, layout)
    return [reference(component, prefix) for component in COMPONENTS]


def built(component: str, binaries: Path) -> Path:
    """The image's OCI layout in the cache, built unless its inputs are as they were."""
    program = f"ambassador-{component}"
    binary = binaries / program
    if not binary.is_file():
        raise ClusterError(f"{binary} is missing: `./run build` makes it (or name a folder by --binaries)")
    dockerfile = CHECKOUT / component / "Dockerfile"
    layout = cache() / "images" / f"{program}-{key(dockerfile, binary)}"
    if layout.is_dir():
        layout.touch()
        return layout
    buildah.limit_store()
    base_images.ensure_debian_in_store()
    holder, tag = f"localhost/{program}-binaries", f"localhost/{program}:{version()}"
    with long_work(f"building image {reference(component, None)}"):
        buildah.from_files(holder, {f"/out/{program}": binary})
        buildah.build(tag, dockerfile, CHECKOUT,
                      {"BINARIES": holder, "VERSION": version(), "COMMIT": commit()}, layers=True)
        buildah.save(tag, layout)
    forget_old(program)
    return layout


def key(dockerfile: Path, binary: Path) -> str:
    digest = hashlib.sha256(f"{version()} {base_images.DEBIAN.key()}".encode())
    for path in (dockerfile, CHECKOUT / "packaging" / "rootfs.sh", binary):
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16]


def commit() -> str:
    done = subprocess.run(["git", "-C", str(CHECKOUT), "rev-parse", "HEAD"], capture_output=True, text=True)
    return done.stdout.strip() or "unknown"


def forget_old(program: str) -> None:
    layouts = [path for path in (cache() / "images").glob(f"{program}-*") if path.is_dir()]
    layouts.sort(key=lambda path: path.stat().st_mtime, reverse=True)
    for layout in layouts[LAYOUTS_KEPT:]:
        shutil.rmtree(layout)


def publish(cluster: Cluster, component: str, layout: Path) -> None:
    storage = cluster.state / "registry"
    name = reference(component, None)
    before = registry_store.current(storage, name)
    after = registry_store.publish(layout, storage, name)
    if before not in (None, after):
        # the tag means something else now, and IfNotPresent would never notice
        repository, tag = registry_store.split(name)
        subprocess.run([str(cluster.bin / "ctr"), "images", "rm", "--sync", f"docker.io/{repository}:{tag}"],
                       capture_output=True)


def push(layout: Path, target: str) -> None:
    say(f"pushing {target}")
    done = subprocess.run(["skopeo", "copy", "--quiet", f"oci:{layout}", f"docker://{target}"])
    if done.returncode != 0:
        raise ClusterError(f"pushing {target} failed: are you logged in to that registry?")
