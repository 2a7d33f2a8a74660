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
def scratch_server(replica=False):
    """Gives what runs SQL there, or on a replica of it: psql's arguments or SQL in, its output and errors out."""
    # It refuses to run as root, so that it runs as the package's user.
    user = "postgres" if os.getuid() == 0 else None
    folder = tempfile.mkdtemp(prefix="ambassador-postgresql-")
    if user:
        os.chown(folder, pwd.getpwnam(user).pw_uid, -1)

    def run(*arguments, text=""):
        return subprocess.run(arguments, user=user, cwd=folder, check=True, text=True, input=text,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT).stdout

    def started(stack, name, port):
        # Its output goes to a file: the server inherits it, and would keep a pipe open.
        run(BIN / "pg_ctl", "-D", name, "-w", "-s", "-l", name + ".log", "-o",
            f"-p {port} -c listen_addresses= -c unix_socket_directories={folder} -c fsync=off", "start")
        stack.callback(run, BIN / "pg_ctl", "-D", name, "-m", "immediate", "-s", "stop")

    def psql(*arguments, text=""):
        return run("psql", "-XAtq", "-F", " ", "-h", folder, "-p", "2" if replica else "1", "-U", "admin", "-d",
                   "postgres", *arguments, text=text)

    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, folder)
        run(BIN / "initdb", "-D", "primary", "-U", "admin", "-A", "trust", "-N", "--no-locale", "-E", "UTF8")
        started(stack, "primary", 1)  # the port is but the socket's name
        if replica:
            run(BIN / "pg_basebackup", "-h", folder, "-p", "1", "-U", "admin", "-D", "replica", "-R", "-c", "fast")
            started(stack, "replica", 2)
        yield psql
