"""A PostgreSQL 15 as a process that can be broken in every way: on a free port of loopback, in a folder of its own."""
import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import time

import programs
import psycopg2

BIN = pathlib.Path("/usr/lib/postgresql/15/bin")
ADMIN = "admin"
USER, PASSWORD, DATABASE = "app", "of the faults", "shop"
HBA = ("local all,replication admin trust\nhost all,replication admin 127.0.0.1/32 trust\n"
       f"host {DATABASE} {USER} 127.0.0.1/32 scram-sha-256\n")
BOUND = 60  # seconds for what a server has to do


class Postgresql:
    """`name` is what a primary knows its standby by."""

    def __init__(self, folder, name):
        self.name, self.port = name, programs.free_port()
        self.data = folder / name
        self.log = folder / f"{name}.log"
        self.process = None
        # It refuses to run as root, so that it runs as the package's user.
        self.user = "postgres" if os.getuid() == 0 else None

    # Made. ----------------------------------------------------------------------------------------------------

    def make(self):
        self._folder()
        self._run("initdb", "-D", self.data, "-U", ADMIN, "-A", "trust", "-N", "--no-locale", "-E", "UTF8")
        (self.data / "pg_hba.conf").write_text(HBA)
        return self

    def follow(self, primary):
        """A standby of `primary`, made from it anew."""
        if self.data.exists():
            shutil.rmtree(self.data)
        self._folder()
        self._run("pg_basebackup", "-D", self.data, "-R", "-c", "fast", "-d",
                  f"host=127.0.0.1 port={primary.port} user={ADMIN} application_name={self.name}")
        return self

    def start(self, *settings):
        """Returns when it takes logins."""
        command = [str(BIN / "postgres"), "-D", str(self.data), "-p", str(self.port)]
        for setting in ("listen_addresses=127.0.0.1", f"unix_socket_directories={self.data}", "max_connections=200",
                        "fsync=off", "wal_keep_size=256MB", *settings):
            command += ["-c", setting]
        if self.user:
            command = ["setpriv", f"--reuid={self.user}", f"--regid={self.user}", "--clear-groups", *command]
        with open(self.log, "a") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.data)
        self.wait_until_it_takes_logins()
        return self

    def wait_until_it_takes_logins(self):
        end = time.monotonic() + BOUND
        while True:
            try:
                return self.sql("SELECT 1")
            except psycopg2.Error:
                if self.process.poll() is not None or time.monotonic() > end:
                    raise SystemExit(f"{self.name} does not start: {self.log.read_text()[-800:]}") from None
                time.sleep(0.005)

    def sql(self, text, database="postgres"):
        """All rows, asked as the superuser without the proxy."""
        connection = self.connect(database)
        try:
            with connection.cursor() as cursor:
                cursor.execute(text)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()

    def connect(self, database="postgres"):
        connection = psycopg2.connect(host="127.0.0.1", port=self.port, user=ADMIN, dbname=database, connect_timeout=5)
        connection.autocommit = True
        return connection

    def wait_for(self, text, database="postgres", bound=BOUND):
        """Until the query says true; the moment in which it did."""
        end = time.monotonic() + bound
        connection = self.connect(database)
        try:
            with connection.cursor() as cursor:
                while time.monotonic() < end:
                    cursor.execute(text)
                    if cursor.fetchone()[0]:
                        return time.monotonic()
                    time.sleep(0.003)
        finally:
            connection.close()
        raise SystemExit(f"{self.name}: {text} stays false for {bound} s")

    # Broken. --------------------------------------------------------------------------------------------------

    def stop(self):
        """As `pg_ctl stop -m fast`: clients are disconnected, its standbys get all that was written."""
        self.process.send_signal(signal.SIGINT)
        self.process.wait(BOUND)

    def kill(self):
        """It and its children, at once; returns when none is left."""
        self.freeze()  # so that it makes no more of them
        family = self._children()
        for pid in (self.process.pid, *family):
            os.kill(pid, signal.SIGKILL)
        self.process.wait(BOUND)
        while any(_state(pid) not in (None, "Z") for pid in family):
            time.sleep(0.001)

    def freeze(self):
        """Its sockets stay, the kernel acknowledges what is sent there, and nobody answers."""
        os.kill(self.process.pid, signal.SIGSTOP)
        while _state(self.process.pid) != "T":
            time.sleep(0.001)
        for pid in self._children():
            os.kill(pid, signal.SIGSTOP)

    def thaw(self):
        for pid in (*self._children(), self.process.pid):
            os.kill(pid, signal.SIGCONT)

    def promote(self):
        """Returns the moment since which it takes writes."""
        self.sql("SELECT pg_promote(false)")
        return self.wait_for("SELECT NOT pg_is_in_recovery()")

    def end(self):
        if self.process is None or self.process.poll() is not None:
            return
        self.thaw()
        self.process.send_signal(signal.SIGQUIT)  # its children too; SIGKILL would leave them
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.kill()

    def _children(self):
        pid = self.process.pid
        return [int(child) for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    def _folder(self):
        self.data.mkdir(mode=0o700)
        if self.user:
            os.chown(self.data, pwd.getpwnam(self.user).pw_uid, pwd.getpwnam(self.user).pw_gid)

    def _run(self, program, *arguments):
        done = subprocess.run([BIN / program, *arguments], user=self.user, cwd=self.data, text=True, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode != 0:
            raise SystemExit(f"{program}: {done.stdout[-800:]}")


def _state(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return None
