"""PostgreSQL's own test suites: of Debian's source package, in the version of the server on this machine; with the C library
that the tests load, made for that server."""
import pathlib
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import debian_source  # noqa: E402
from kept import kept  # noqa: E402

PACKAGE = "postgresql-15"
SERVER = pathlib.Path("/usr/lib/postgresql/15")
SUITES = ("regress", "isolation")
LOADED = ("refint.so", "autoinc.so")  # of the server's package; tests load them from where regress.so is
RECIPE = 1  # of what is kept; another number: it is made anew


def fetched():
    """The folder that has regress/, isolation/ and lib/."""
    version = debian_source.version(PACKAGE)

    def make(made, scratch):
        apt = debian_source.Apt(scratch)
        debian_source.unpack(apt.source(PACKAGE, version), made, ("src", "test"), SUITES)
        # Its package would bring a compiler of its own when installed.
        headers = apt.unpacked(PACKAGE.replace("-", "-server-dev-"), version)
        _compile(headers / "usr" / "include" / "postgresql" / "15" / "server", made)

    return kept(f"postgresql-suites/{version}-{RECIPE}", make)


def _compile(headers, made):
    library = made / "lib"
    library.mkdir()
    subprocess.run(["cc", "-O2", "-fPIC", "-shared", f"-I{headers}", "-I/usr/include/postgresql", "-w", "-o",
                    library / "regress.so", made / "regress" / "regress.c"], check=True)
    for name in LOADED:
        shutil.copy(SERVER / "lib" / name, library)
