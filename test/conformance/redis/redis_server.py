"""A redis-server as a process that can be broken in every way: on a free port of loopback, in a folder of its own; Sentinels
and nodes of a Redis Cluster likewise."""
import os
import signal
import subprocess
import time

import programs
import resp

BOUND = 60  # seconds for what a server has to do


class Redis:
    def __init__(self, folder, name, durable=True):
        """`durable`: what it acknowledged is on its disk."""
        self.name, self.port, self.durable = name, programs.free_port(), durable
        self.folder = folder / name
        self.folder.mkdir()
        self.process = None

    def command(self):
        log = ["--appendonly", "yes", "--appendfsync", "always"] if self.durable else []
        return ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder), "--save", "",
                "--repl-diskless-sync-delay", "0", *log]

    def start(self):
        """Returns when it answers."""
        with open(self.folder / "log", "a") as log:
            self.process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.wait_for(lambda: self.ask("PING") == b"PONG")
        return self

    def ask(self, *words):
        connection = resp.Connection(self.port)
        try:
            return connection.ask(*words)
        finally:
            connection.end()

    def info(self, field):
        lines = self.ask("INFO", "replication").decode().splitlines()
        return dict(line.split(":", 1) for line in lines if ":" in line).get(field)

    def wait_for(self, holds):
        """The moment in which it did; meanwhile it may refuse to answer."""
        end = time.monotonic() + BOUND
        while time.monotonic() < end:
            try:
                if holds():
                    return time.monotonic()
            except (OSError, AssertionError, resp.Closed):
                if self.process.poll() is not None:
                    break
            time.sleep(0.003)
        raise SystemExit(f"{self.name} does not do what is asked: {(self.folder / 'log').read_text()[-800:]}")

    def follow(self, primary):
        self.ask("REPLICAOF", "127.0.0.1", primary.port)
        self.wait_for(lambda: self.info("master_link_status") == "up")
        return self

    def promote(self):
        """Returns the moment since which it takes writes."""
        self.ask("REPLICAOF", "NO", "ONE")
        return time.monotonic()

    def promoted(self):
        """Somebody else makes it the primary: the moment since which it takes writes."""
        return self.wait_for(lambda: self.info("role") == "master")

    def hand_over(self, replica):
        """It follows `replica` then, which has all that it has; returns the moment since which that one takes writes."""
        self.ask("FAILOVER", "TO", "127.0.0.1", replica.port)
        return replica.promoted()

    # Broken. --------------------------------------------------------------------------------------------------

    def kill(self):
        self.process.kill()
        self.process.wait(BOUND)

    def freeze(self):
        """Its sockets stay, the kernel acknowledges what is sent there, and nobody answers."""
        self.process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self.process.pid, os.WSTOPPED | os.WNOWAIT)

    def thaw(self):
        self.process.send_signal(signal.SIGCONT)

    def end(self):
        if self.process is not None and self.process.poll() is None:
            self.kill()


class Sentinel(Redis):
    """One of those that watch a primary, of which two have to agree that it is gone, after a second."""
    MASTER = "faults"

    def __init__(self, folder, name, primary):
        super().__init__(folder, name)
        (self.folder / "conf").write_text(
            f"port {self.port}\nbind 127.0.0.1\nsentinel monitor {self.MASTER} 127.0.0.1 {primary.port} 2\n"
            f"sentinel down-after-milliseconds {self.MASTER} 1000\nsentinel failover-timeout {self.MASTER} 10000\n")

    def command(self):
        return ["redis-server", str(self.folder / "conf"), "--sentinel"]

    def knows(self, replicas, sentinels):
        said = self.ask("SENTINEL", "MASTER", self.MASTER)
        known = dict(zip(said[::2], said[1::2]))
        return (known[b"num-slaves"], known[b"num-other-sentinels"]) == (b"%d" % replicas, b"%d" % sentinels)


class ClusterNode(Redis):
    """One of a Redis Cluster, whose nodes miss each other after a second."""

    def __init__(self, folder, name, durable=True):
        super().__init__(folder, name, durable)
        self.bus = programs.free_port()
        self.alone = False

    def command(self):
        if self.alone:
            return super().command()
        return super().command() + [
            "--cluster-enabled", "yes", "--cluster-port", str(self.bus), "--cluster-config-file", "nodes.conf",
            "--cluster-node-timeout", "1000", "--cluster-replica-validity-factor", "0"]

    def place(self):
        return f"127.0.0.1:{self.port}"

    def id(self):
        return self.ask("CLUSTER", "MYID").decode()

    def cluster(self, *words):
        """redis-cli --cluster, with a minute for what it does."""
        subprocess.run(["redis-cli", "--cluster", *map(str, words), "--cluster-yes"], check=True, timeout=BOUND,
                       stdout=subprocess.DEVNULL)

    def start_alone(self):
        """With what is on its disk, and no cluster to take it away."""
        self.alone = True
        return self.start()


def make_cluster(nodes, replicas):
    """Returns when every node knows that all is well."""
    nodes[0].cluster("create", *(node.place() for node in nodes), "--cluster-replicas", replicas)
    for node in nodes:
        node.wait_for(lambda node=node: b"cluster_state:ok" in node.ask("CLUSTER", "INFO"))
        node.wait_for(lambda node=node: node.info("role") == "master" or node.info("master_link_status") == "up")
