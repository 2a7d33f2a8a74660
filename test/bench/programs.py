"""What is measured: servers and proxies as processes on free loopback ports, one worker each."""
import contextlib
import json
import os
import pathlib
import resource
import shutil
import socket
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
HAPROXY = "HAProxy TCP"
OPEN_FILES = 10_000  # what a proxy may need for a thousand clients, each with a connection to a server, and then some


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def cpu_seconds(pid):
    """User and system time of all threads of a process that there are."""
    spent = 0
    for path in pathlib.Path(f"/proc/{pid}/task").glob("*/schedstat"):
        with contextlib.suppress(FileNotFoundError):  # it has just ended
            spent += int(path.read_text().split()[0])
    return spent / 1e9


def resident_kib(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1])
    return 0


class Program:
    """A process that listens on `port`; ended by pid when the with-block ends."""

    def __init__(self, name, command, port, folder, environment=None):
        self.name, self.port = name, port
        log = open(folder / f"{name.replace(' ', '-')}-{port}.log", "w")
        began = time.monotonic()
        self.process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                                        env={**os.environ, **(environment or {})})
        self.wait(log.name)
        self.accepting_after = time.monotonic() - began  # seconds, with those that it took to start a process

    def wait(self, log, bound=60):
        end = time.monotonic() + bound
        while True:
            if self.process.poll() is not None:
                raise SystemExit(f"{self.name} ended at once: {pathlib.Path(log).read_text()[-500:]}")
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                if time.monotonic() > end:
                    self.end()
                    raise SystemExit(f"{self.name} does not listen after {bound} s, see {log}")
                time.sleep(0.001)

    def cpu_seconds(self):
        return cpu_seconds(self.process.pid)

    def resident_kib(self):
        return resident_kib(self.process.pid)

    def end(self):
        self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()


class Direct:
    """No proxy at all, but the server on `port`."""

    def __init__(self, port):
        self.name, self.port = "direct", port

    def cpu_seconds(self):
        return None


def redis_server(folder):
    port = free_port()
    return Program("redis-server", ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "",
                                    "--appendonly", "no", "--dir", str(folder)], port, folder)


def proxy(folder, binary, listener, threads=1, name="ambassador", health=0):
    """The proxy with one listener, as the configuration document has it; its port is chosen here. Metrics: on `health`."""
    port = free_port()
    document = {"version": 1, "health": {"port": health}, "admin": {"port": 0}, "drainTimeout": "1s",
                "listeners": [{"addresses": ["127.0.0.1"], "port": port, **listener}]}
    path = folder / f"{name.replace(' ', '-')}-{port}.json"
    path.write_text(json.dumps(document, indent=1))
    return Program(name, [str(binary), "--config", str(path), "--threads", str(threads)], port, folder)


def haproxy(folder, servers):
    port = free_port()
    lines = ["global", "  nbthread 1", "  maxconn 4000", "defaults", "  mode tcp", "  timeout connect 1s",
             "  timeout client 1h", "  timeout server 1h", "listen bench", f"  bind 127.0.0.1:{port}"]
    lines += [f"  server s{i} 127.0.0.1:{s.port}" for i, s in enumerate(servers)]
    (folder / "haproxy.cfg").write_text("\n".join(lines) + "\n")
    return Program(HAPROXY, ["haproxy", "-db", "-f", str(folder / "haproxy.cfg")], port, folder)


def allow_open_files():
    """To us and to all that we start from now on."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < OPEN_FILES:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(OPEN_FILES, hard), hard))


def require(*names):
    missing = [name for name in names if not shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin")]
    if missing:
        raise SystemExit(f"missing: {', '.join(missing)}; run ./run setup")
    os.environ["PATH"] += ":/usr/sbin"
