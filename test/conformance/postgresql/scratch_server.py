"""A PostgreSQL 15 of our own for a moment, on a Unix socket in a folder of its own."""
import contextlib
import os
import pathlib
import pwd
import shutil
import subprocess
import tempfile

BIN = pathlib.Path("/usr/lib/postgresql/15/bin")


@contextlib.contextmanager
def scratch_server():
    """Gives what runs SQL there: psql's arguments in, its output out."""
    # It refuses to run as root, so that it runs as the package's user.
    user = "postgres" if os.getuid() == 0 else None
    folder = tempfile.mkdtemp(prefix="ambassador-postgresql-")
    if user:
        os.chown(folder, pwd.getpwnam(user).pw_uid, -1)

    def run(*arguments):
        return subprocess.run(arguments, user=user, cwd=folder, check=True, text=True, stdout=subprocess.PIPE).stdout

    def psql(*arguments):
        return run("psql", "-XAtq", "-F", " ", "-h", folder, "-U", "admin", "-d", "postgres", *arguments)

    try:
        run(BIN / "initdb", "-D", folder + "/data", "-U", "admin", "-A", "trust", "-N", "--no-locale", "-E", "UTF8")
        # Its output goes to a file: the server inherits it, and would keep a pipe open.
        run(BIN / "pg_ctl", "-D", folder + "/data", "-w", "-s", "-l", folder + "/log", "-o",
            f"-c listen_addresses= -c unix_socket_directories={folder} -c fsync=off", "start")
        try:
            yield psql
        finally:
            run(BIN / "pg_ctl", "-D", folder + "/data", "-m", "immediate", "-s", "stop")
    finally:
        shutil.rmtree(folder)
