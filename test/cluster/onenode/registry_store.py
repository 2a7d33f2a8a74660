"""Puts an image into docker-registry's storage by writing its files.

Its layout on disk is blobs by digest and small files that link to them; writing
them takes milliseconds, where a push compresses and uploads.
https://github.com/distribution/distribution/blob/v2.8.2/registry/storage/paths.go
"""

import json
import os
import shutil
from pathlib import Path


def split(name: str) -> tuple[str, str]:
    """("library/redis", "latest") from "redis": the repository as Docker Hub names it."""
    repository, _, tag = name.partition(":")
    return (repository if "/" in repository else f"library/{repository}"), tag or "latest"


def publish(layout: Path, storage: Path, name: str) -> str:
    """Makes the one image of an OCI layout pullable as `name`. Returns its digest."""
    repository, tag = split(name)
    root = storage / "docker" / "registry" / "v2"
    digest = json.loads((layout / "index.json").read_text())["manifests"][0]["digest"]
    manifest = json.loads(blob(layout, digest).read_text())
    parts = [manifest["config"]["digest"], *(layer["digest"] for layer in manifest["layers"])]
    for part in [digest, *parts]:
        add_blob(blob(layout, part), root, part)
    home = root / "repositories" / repository
    for part in parts:
        link(home / "_layers" / folder(part), part)
    link(home / "_manifests" / "revisions" / folder(digest), digest)
    link(home / "_manifests" / "tags" / tag / "index" / folder(digest), digest)
    link(home / "_manifests" / "tags" / tag / "current", digest)  # last: now it can be pulled
    return digest


def current(storage: Path, name: str) -> str | None:
    """The digest that `name` stands for now; None where it stands for nothing."""
    repository, tag = split(name)
    home = storage / "docker" / "registry" / "v2" / "repositories" / repository
    try:
        return (home / "_manifests" / "tags" / tag / "current" / "link").read_text()
    except OSError:
        return None


def folder(digest: str) -> Path:
    return Path(*digest.split(":"))


def blob(layout: Path, digest: str) -> Path:
    return layout / "blobs" / folder(digest)


def add_blob(source: Path, root: Path, digest: str) -> None:
    algorithm, value = digest.split(":")
    target = root / "blobs" / algorithm / value[:2] / value / "data"
    if target.exists():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    half = target.with_name("half")
    half.unlink(missing_ok=True)
    try:
        os.link(source, half)  # blobs never change, so both may share it
    except OSError:
        shutil.copyfile(source, half)
    half.rename(target)


def link(directory: Path, digest: str) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    half = directory / "half"
    half.write_text(digest)
    half.rename(directory / "link")
