"""What was built of ours."""
import os
import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[2]
PRESETS = [os.environ.get("PRESET"), "asan", "dev", "release"]


def built(name, *presets):
    """The program of that name, of the first preset that has it: of those given, or of the one that PRESET names, or of any."""
    for preset in presets or PRESETS:
        path = ROOT / "build" / (preset or "-") / "bin" / name
        if path.exists():
            return path
    raise SystemExit(f"build the target {name} first")
