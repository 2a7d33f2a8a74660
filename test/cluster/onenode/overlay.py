"""Whether a folder's file system can carry overlayfs."""

import shutil
import subprocess
from pathlib import Path


def works_in(folder: Path) -> bool:
    """Mounts one there for a moment. Containers' own root file systems often refuse."""
    probe = folder / "overlay-probe"
    for name in ("lower", "upper", "work", "merged"):
        (probe / name).mkdir(parents=True, exist_ok=True)
    options = ",".join(f"{name}dir={probe / name}" for name in ("lower", "upper", "work"))
    tried = ["unshare", "--mount", "--propagation=private",
             "mount", "-t", "overlay", "overlay", "-o", options, str(probe / "merged")]
    works = subprocess.run(tried, capture_output=True).returncode == 0
    shutil.rmtree(probe)
    return works
