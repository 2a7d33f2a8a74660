"""What takes long to fetch or make, in the user's cache folder for all checkouts."""
import os
import pathlib
import tempfile

FOLDER = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "ambassador-operator"


def kept(name, make):
    """The folder of that name, which says all that what is in it depends on. make(made, scratch) fills the folder `made`
    when there is none yet; `scratch` is gone afterwards."""
    folder = FOLDER / name
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix="making-") as scratch:
            scratch = pathlib.Path(scratch)
            made = scratch / "made"
            made.mkdir()
            make(made, scratch)
            try:
                made.rename(folder)
            except OSError:  # another run was faster
                if not folder.exists():
                    raise
    return folder
