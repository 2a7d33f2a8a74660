"""Debian's source packages, whose tests are of the version of the server on this machine. Fetched by apt, which checks
signatures."""
import pathlib
import re
import shutil
import subprocess
import tarfile

APT = pathlib.Path("/etc/apt")


def version(package):
    """Of what is installed."""
    return subprocess.run(["dpkg-query", "-W", "-f", "${Version}", package], check=True, text=True,
                          stdout=subprocess.PIPE).stdout


class Apt:
    """With state of its own in `folder`: this machine's knows no sources, and need not."""

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

    def source(self, package, wanted):
        """The original archive. The tests of another version of this release do as well, where that one is not there."""
        self._this_or_release(package, wanted, "source", "--download-only")
        return next(self.folder.glob(f"{package}_*.orig.tar.*"))

    def unpacked(self, package, wanted):
        """The files of a binary package, which is not installed."""
        self._this_or_release(package, wanted, "download")
        folder = self.folder / package
        subprocess.run(["dpkg-deb", "-x", next(self.folder.glob(package + "_*.deb")), folder], check=True)
        return folder

    def _this_or_release(self, package, wanted, *command):
        try:
            self._run(*command, f"{package}={wanted}")
        except subprocess.CalledProcessError:
            release = re.search("VERSION_CODENAME=(.*)", pathlib.Path("/etc/os-release").read_text())[1]
            self._run(*command, f"{package}/{release}")

    def _run(self, *arguments):
        settings = {"Dir::Etc::sourcelist": self.folder / "sources.list",
                    "Dir::Etc::sourceparts": self.folder / "sources.list.d", "Dir::State::lists": self.folder / "lists",
                    "Dir::Cache": self.folder, "APT::Sandbox::User": "root"}
        options = [word for name, value in settings.items() for word in ("-o", f"{name}={value}")]
        subprocess.run(["apt-get", "-qq", *options, *arguments], check=True, cwd=self.folder)


def unpack(archive, made, below, folders):
    """The files of `folders`, which are at `below` in the archive's only folder."""
    depth = 1 + len(below)
    with tarfile.open(archive) as tree:
        for member in tree:
            parts = pathlib.PurePosixPath(member.name).parts
            if member.isfile() and parts[1:depth] == below and parts[depth] in folders and ".." not in parts:
                path = made.joinpath(*parts[depth:])
                path.parent.mkdir(parents=True, exist_ok=True)
                with tree.extractfile(member) as data, open(path, "wb") as out:
                    shutil.copyfileobj(data, out)
