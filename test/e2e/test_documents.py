"""Every command in the documents works, in the order in which a reader meets it."""
import os
import pathlib
import re
import subprocess

import pytest

import kube

# README's installation comes first; the others find an operator that is installed.
DOCUMENTS = sorted([kube.ROOT / "README.md", *(kube.ROOT / "docs").rglob("*.md")],
                   key=lambda path: (path.name != "README.md", str(path)))
FENCE = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.M | re.S)
MINUTES = 5


def blocks(path):
    """[(what stands after the fence, text)] of a document."""
    return [(info.strip(), text) for info, text in FENCE.findall(path.read_text())]


def commands(path):
    return [text for info, text in blocks(path) if info == "sh"]


@pytest.mark.parametrize("path", [path for path in DOCUMENTS if commands(path)],
                         ids=lambda path: str(path.relative_to(kube.ROOT)))
def test_every_command_of(path, operator, env, tmp_path):
    kube.tool("pvs", "reset")
    script = "set -euo pipefail\nset -x\n" + "\n".join(commands(path))
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("kubectl", "helm"):
        (programs / name).symlink_to(env[f"AMBASSADOR_{name.upper()}"])
    # The reader's own clients, in the cluster of the tests.
    done = subprocess.run(["bash", "-c", script], cwd=kube.ROOT, capture_output=True, text=True, check=False,
                          timeout=MINUTES * 60, env=os.environ | {"PATH": f"{programs}:/usr/bin:{os.environ['PATH']}"})
    assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"


def test_a_block_that_is_not_run_says_why():
    for path in DOCUMENTS:
        for info, _ in blocks(path):
            language, _, rest = info.partition(" ")
            assert language in ("sh", "yaml", "json", "text", "console", "promql", "cpp", "python", "diff"), (path, info)
            if language == "sh":
                assert rest == "" or re.match(r"no-run: \w", rest), (path, info)


def test_links_between_documents_lead_somewhere():
    broken = []
    for path in [*DOCUMENTS, kube.ROOT / "CONTRIBUTING.md"]:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)[^)]*\)", path.read_text()):
            if not pathlib.Path(path.parent / target).exists():
                broken.append(f"{path.relative_to(kube.ROOT)}: {target}")
    assert not broken, broken
