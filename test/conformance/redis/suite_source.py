"""The test suite of Redis: of Debian's source package, in the version of the server on this machine."""
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import debian_source  # noqa: E402
from kept import kept  # noqa: E402

RECIPE = 1  # of what is kept; another number: it is made anew


def fetched():
    """The folder that has tests/."""
    version = debian_source.version("redis-server")

    def make(made, scratch):
        archive = debian_source.Apt(scratch).source("redis", version)
        debian_source.unpack(archive, made, (), ("tests",))

    return kept(f"redis-suite/{version.replace(':', '-')}-{RECIPE}", make)


def units():
    """The files that can be run against a server of somebody's own, as the suite's list has them."""
    text = (fetched() / "tests" / "test_helper.tcl").read_text()
    listed = re.search(r"set ::all_tests \{(.*?)\}", text, re.DOTALL)[1].split()
    return [unit for unit in listed if unit.startswith("unit/")]
