"""PostgreSQL's own test suites: of Debian's source package, in the version of the server on this machine. Fetched by apt,
which checks signatures; kept in the user's cache with the C library that the tests load, made for that server."""
import os
import pathlib
import re
import shutil
import subprocess
import tarfile
import tempfile

PACKAGE = "postgresql-15"
SERVER = pathlib.Path("/usr/lib/postgresql/15")
SUITES = ("regress", "isolation")
LOADED = ("refint.so", "autoinc.so")  # of the server's package; tests load them from where regress.so is
RECIPE = 1  # of what is kept; another number: it is made anew
APT = pathlib.Path("/etc/apt")


def fetched():
    """The folder that has regress/, isolation/ and lib/."""
    version = _version()
    home = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    kept = pathlib.Path(home) / "ambassador-operator" / "postgresql-suites" / f"{version}-{RECIPE}"
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=kept.parent, prefix="making-") as folder:
            made = pathlib.Path(folder) / "made"
            made.mkdir()
            apt = _Apt(pathlib.Path(folder))
            _unpack(apt.source(version), made)
            _compile(apt.headers(version), made)
            try:
                made.rename(kept)
            except OSError:  # another run was faster
                if not kept.exists():
                    raise
    return kept


def _version():
    return subprocess.run(["dpkg-query", "-W", "-f", "${Version}", PACKAGE], check=True, text=True,
                          stdout=subprocess.PIPE).stdout


class _Apt:
    """With state of its own: this machine's knows no sources, and need not."""

    def __init__(self, folder):
        self.folder = folder
        (folder / "lists" / "partial").mkdir(parents=True)
        (folder / "archives" / "partial").mkdir(parents=True)
        parts = folder / "sources.list.d"
        parts.mkdir()
        for path in (APT / "sources.list.d").glob("*.sources"):
            text = path.read_text()
            (parts / path.name).write_text(re.sub("(?m)^Types:.*$", "Types: deb deb-src", text))
        lists = [path for path in (APT / "sources.list", *(APT / "sources.list.d").glob("*.list")) if path.exists()]
        both = "".join(re.sub("(?m)^deb ", "deb-src ", path.read_text()) + "\n" + path.read_text() + "\n"
                       for path in lists)
        (folder / "sources.list").write_text(both)
        self._run("update")

    def source(self, version):
        """The original archive. The tests of another version of this release do as well, where that one is not there."""
        try:
            self._run("source", "--download-only", f"{PACKAGE}={version}")
        except subprocess.CalledProcessError:
            self._run("source", "--download-only", f"{PACKAGE}/{self._release()}")
        return next(self.folder.glob(f"{PACKAGE}_*.orig.tar.*"))

    def headers(self, version):
        """Of the server; its package would bring a compiler of its own when installed."""
        package = PACKAGE.replace("-", "-server-dev-")
        try:
            self._run("download", f"{package}={version}")
        except subprocess.CalledProcessError:
            self._run("download", f"{package}/{self._release()}")
        unpacked = self.folder / "headers"
        subprocess.run(["dpkg-deb", "-x", next(self.folder.glob(package + "_*.deb")), unpacked], check=True)
        return unpacked / "usr" / "include" / "postgresql" / "15" / "server"

    def _run(self, *arguments):
        settings = {"Dir::Etc::sourcelist": self.folder / "sources.list",
                    "Dir::Etc::sourceparts": self.folder / "sources.list.d", "Dir::State::lists": self.folder / "lists",
                    "Dir::Cache": self.folder, "APT::Sandbox::User": "root"}
        options = [word for name, value in settings.items() for word in ("-o", f"{name}={value}")]
        subprocess.run(["apt-get", "-qq", *options, *arguments], check=True, cwd=self.folder)

    @staticmethod
    def _release():
        return re.search("VERSION_CODENAME=(.*)", pathlib.Path("/etc/os-release").read_text())[1]


def _unpack(archive, made):
    with tarfile.open(archive) as tree:
        for member in tree:
            parts = pathlib.PurePosixPath(member.name).parts
            if member.isfile() and parts[1:3] == ("src", "test") and parts[3] in SUITES and ".." not in parts:
                path = made.joinpath(*parts[3:])
                path.parent.mkdir(parents=True, exist_ok=True)
                with tree.extractfile(member) as data, open(path, "wb") as out:
                    shutil.copyfileobj(data, out)


def _compile(headers, made):
    library = made / "lib"
    library.mkdir()
    subprocess.run(["cc", "-O2", "-fPIC", "-shared", f"-I{headers}", "-I/usr/include/postgresql", "-w", "-o",
                    library / "regress.so", made / "regress" / "regress.c"], check=True)
    for name in LOADED:
        shutil.copy(SERVER / "lib" / name, library)
