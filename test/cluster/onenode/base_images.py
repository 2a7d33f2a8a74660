"""Images that are not ours, made of Debian packages: Debian itself, servers, clients.

Kept in the cache as OCI layouts, by a hash of their recipe.
"""

import fcntl
import hashlib
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from . import buildah, registry_store, versions
from .places import RECIPES, Cluster, cache
from .say import ClusterError, long_work

# Debian's own -slim images leave out the same; licences stay.
SLIM = ("path-exclude=/usr/share/doc/*", "path-include=/usr/share/doc/*/copyright",
        "path-exclude=/usr/share/man/*", "path-exclude=/usr/share/locale/*",
        "path-exclude=/usr/share/info/*", "path-exclude=/usr/share/lintian/*")


@dataclass(frozen=True)
class BaseImage:
    name: str  # as manifests write it
    folder: str = ""  # with a Dockerfile, below test/cluster/images

    @property
    def recipe(self) -> Path:
        return RECIPES / "images" / self.folder

    def key(self) -> str:
        """Changes with the recipe, and with Debian's below it."""
        digest = hashlib.sha256(repr((versions.DEBIAN_SUITE, SLIM)).encode())
        for path in sorted(self.recipe.iterdir()) if self.folder else []:
            digest.update(path.name.encode() + b"\0" + path.read_bytes())
        return digest.hexdigest()[:12]

    def layout(self) -> Path:
        return cache() / "images" / f"{self.name.replace('/', '_').replace(':', '_')}-{self.key()}"


DEBIAN = BaseImage(versions.DEBIAN_IMAGE)
PAUSE = BaseImage(versions.PAUSE_IMAGE, "pause")
REDIS = BaseImage(versions.REDIS_IMAGE, "redis")
CLIENT = BaseImage(versions.CLIENT_IMAGE, "client")
POSTGRES = BaseImage(versions.POSTGRES_IMAGE, "postgres")
SQL_CLIENT = BaseImage(versions.SQL_CLIENT_IMAGE, "sql-client")
ALL = (DEBIAN, PAUSE, REDIS, CLIENT, POSTGRES, SQL_CLIENT)


def missing() -> list[BaseImage]:
    return [image for image in ALL if not image.layout().is_dir()]


def ensure() -> None:
    """Builds what the cache lacks. Two at a time wait for each other."""
    if not missing():
        return
    (cache() / "images").mkdir(parents=True, exist_ok=True)
    with open(cache() / "images" / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        ensure_debian_in_store()
        for image in missing():
            with long_work(f"building image {image.name} of Debian packages"):
                build(image)
                buildah.save(tag(image), image.layout())


def tag(image: BaseImage) -> str:
    repository, version = registry_store.split(image.name)
    return f"docker.io/{repository}:{version}"


def ensure_debian_in_store() -> None:
    """Others build on it, so buildah's store must hold it, made by today's recipe."""
    made = f"localhost/debian:{DEBIAN.key()}"
    if buildah.has(made):
        return
    if DEBIAN.layout().is_dir():
        buildah.load(DEBIAN.layout(), tag(DEBIAN))
    else:
        with long_work(f"building image {DEBIAN.name} with mmdebstrap (about 20 s)"):
            bootstrap_debian()
            buildah.save(tag(DEBIAN), DEBIAN.layout())
    buildah.run("tag", tag(DEBIAN), made)


def bootstrap_debian() -> None:
    with tempfile.TemporaryDirectory(dir=cache()) as folder:
        tar = Path(folder) / "debian.tar"
        options = [f"--dpkgopt={option}" for option in SLIM]
        done = subprocess.run(["mmdebstrap", "--variant=minbase", *options, versions.DEBIAN_SUITE, str(tar)],
                              capture_output=True, text=True)
        if done.returncode != 0:
            raise ClusterError("mmdebstrap failed:\n" + "\n".join(done.stderr.splitlines()[-15:]))
        buildah.from_files(tag(DEBIAN), {"/": tar}, ("--cmd", "/bin/bash", "--env", "PATH=/usr/local/sbin:"
                           "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"))


def build(image: BaseImage) -> None:
    with tempfile.TemporaryDirectory() as folder:
        context = Path(folder) / "context"
        shutil.copytree(image.recipe, context)
        if image is PAUSE:
            subprocess.run(["cc", "-static", "-Os", "-s", "-o", str(context / "pause"),
                            str(context / "pause.c")], check=True)
        buildah.build(tag(image), context / "Dockerfile", context)


def publish(cluster: Cluster) -> None:
    """Makes them all pullable in the cluster."""
    for image in ALL:
        registry_store.publish(image.layout(), cluster.state / "registry", image.name)
