"""Runs redis-py's own tests against a port, and says what became of each: of PyPI's source distribution, in the version of
clients/requirements.txt."""
import os
import pathlib
import subprocess
import sys
import xml.etree.ElementTree

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import client_programs  # noqa: E402
import debian_source  # noqa: E402
from kept import kept  # noqa: E402

SOURCE = "redis==8.1.0 --hash=sha256:6e1a19beef9225c83efd689c7e6b7da2d5215b1f42cd13b7fc3714d0a09c7b25"
# The client of one server, without asyncio. The others are of Redis Cluster, Sentinel and modules, or know no server.
FILES = ["test_commands", "test_pipeline", "test_pubsub", "test_scripting", "test_lock", "test_function", "test_encoding",
         "test_connection", "test_connection_pool", "test_hash", "test_multiprocessing"]
# What manages the server and its clients, which is refused: where that ends a test in its middle, the server keeps a password
# or a user for those behind it.
LEFT_OUT = "not acl and not test_auth and not module and not client_pause and not client_kill and not monitor"
BOUND = 1800  # seconds; a busy machine takes long


def fetched():
    """The folder that has tests/."""
    def make(made, scratch):
        wanted = scratch / "requirements.txt"
        wanted.write_text(SOURCE + "\n")
        subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
                        "--require-hashes", "--no-binary", "redis", "--dest", scratch, "-r", wanted], check=True)
        debian_source.unpack(next(scratch.glob("redis-*.tar.gz")), made, (), ("tests",))

    return kept(f"redis-py-suite/{SOURCE.rpartition(':')[2][:16]}", make)


def run(port, folder):
    """{"FILE: TEST": what went wrong, empty: nothing}."""
    settings, report = folder / "pytest.ini", folder / "report.xml"
    settings.write_text("[pytest]\n")  # not the suite's, which wants plug-ins
    packages = client_programs.python_packages((HERE / "clients" / "requirements.txt").read_text())
    source = fetched()
    with open(folder / "printed.log", "w") as printed:
        subprocess.run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", settings, "-W", "ignore",
                        "-k", LEFT_OUT, f"--rootdir={source}", f"--redis-url=redis://127.0.0.1:{port}/0", f"--junitxml={report}",
                        *(source / "tests" / f"{name}.py" for name in FILES)],
                       cwd=source, env={**os.environ, "PYTHONPATH": f"{packages}:{source}"}, stdin=subprocess.DEVNULL,
                       stdout=printed, stderr=subprocess.STDOUT, timeout=BOUND, check=False)
    return outcomes_in(report)


def outcomes_in(report):
    found = {}
    for case in xml.etree.ElementTree.parse(report).iter("testcase"):
        if case.find("skipped") is not None:
            continue
        wrong = next((one for kind in ("failure", "error") if (one := case.find(kind)) is not None), None)
        name = f"{case.get('classname').removeprefix('tests.')}: {case.get('name')}"
        found[name] = "" if wrong is None else wrong.get("message").splitlines()[0]
    return found
