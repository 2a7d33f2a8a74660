"""Statements to try: PostgreSQL 15's regression suite, as libpg_query's source has it within pglast's on PyPI."""
import pathlib
import re
import subprocess
import sys
import tarfile

import oracle

ROOT = pathlib.Path(__file__).resolve().parents[3]
SOURCE = "pglast-5.10"
REQUIREMENT = ("pglast==5.10 "
               "--hash=sha256:e890582fbc18f01b00bc1724f17fff1396cc94d24ab37fba96aacc8fe742ed68\n")
SCRIPTS = SOURCE + "/libpg_query/test/sql/postgres_regress/"
MAX_STATEMENT = 4000  # bytes; longer ones are data


def fetched():
    """The source's archive: fetched once, and checked against its hash."""
    folder = ROOT / "build" / "corpus"
    archive = folder / (SOURCE + ".tar.gz")
    if not archive.exists():
        folder.mkdir(parents=True, exist_ok=True)
        requirements = folder / "requirements.txt"
        requirements.write_text(REQUIREMENT)
        subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
                        "--no-binary", ":all:", "--require-hashes", "-d", folder, "-r", requirements], check=True)
    return archive


def scripts():
    with tarfile.open(fetched()) as archive:
        for member in archive:
            if member.name.startswith(SCRIPTS) and member.name.endswith(".sql"):
                yield archive.extractfile(member).read()


def without_psql(script):
    """psql's own commands and the data of COPY are no SQL."""
    script = re.sub(rb"(?im)^(copy\b[^;]*from stdin[^;]*;).*?^\\\.$", rb"\1", script, flags=re.S)
    return re.sub(rb"\\(?:gset|gexec|g|crosstabview|gdesc)\b.*$", b";", re.sub(rb"(?m)^\\.*$", b"", script), flags=re.M)


def statements():
    """[(text, tree)] of all that PostgreSQL's parser takes, each once; what functions' bodies and the like have too."""
    found = {}

    def take(text, deep):
        text = text.strip()
        if not text or len(text) > MAX_STATEMENT or text in found or b"\0" in text:
            return
        try:
            tree = oracle.parse(text)
        except ValueError:  # not UTF-8
            return
        if tree is None or not tree["stmts"]:
            return
        found[text] = tree
        if deep:
            for constant in oracle.strings(tree):
                if " " in constant.strip():
                    for part in oracle.split(constant.encode()) or []:
                        take(part, False)

    for script in scripts():
        # One statement that the scanner does not like must not cost its whole script.
        for text in oracle.split(without_psql(script)) or re.split(rb";\s*\n", without_psql(script)):
            take(text, True)
    return list(found.items())
