"""What stands behind the proxy in each mode, as real processes; and the same without a proxy, to be held against it."""
import dataclasses
import pathlib
import tempfile

from redis_server import ClusterNode, Redis, Sentinel, make_cluster


@dataclasses.dataclass
class Backing:
    primaries: list  # the servers that have the data
    named: list  # those that the configuration names
    options: dict  # of the listener's mode, but for those that every mode has
    sentinels: int = 0  # that watch a primary: each hears a channel of its own there, and speaks on it

    def listener(self, mode):
        """As the configuration document has it. By its name a server has the same keys in every run, whatever its port."""
        return {"name": "conformance.redis", "protocol": "Redis", "redis": {"mode": mode, "hashTag": "{}", **self.options},
                "backends": [{"name": f"server-{number}", "host": "127.0.0.1", "port": server.port}
                             for number, server in enumerate(self.named)]}


class Stage:
    """Starts servers in folders of their own below `folder`; they end with `stack`."""

    def __init__(self, folder, stack):
        self.folder, self.stack = folder, stack

    def start(self, server):
        self.stack.callback(server.end)
        return server.start()

    def servers(self, count, kind=Redis):
        folder = pathlib.Path(tempfile.mkdtemp(dir=self.folder))
        return [self.start(kind(folder, f"server-{number}", durable=False)) for number in range(count)]

    def shards(self):
        both = self.servers(2)
        return Backing(both, both, {})

    def one(self):
        alone = self.servers(1)
        return Backing(alone, alone, {})

    def cached(self):
        alone = self.one()
        return dataclasses.replace(alone, options={"mode": "Failover", "clientCache": {}})

    def pair(self):
        """A primary and its replica."""
        first, second = self.servers(2)
        return Backing([first], [first, second.follow(first)], {})

    def watched(self):
        """One Sentinel is too few to replace a primary that is slow on a busy machine."""
        pair = self.pair()
        sentinel = self.start(Sentinel(pair.primaries[0].folder, "sentinel", pair.primaries[0]))
        sentinel.wait_for(lambda: sentinel.knows(replicas=1, sentinels=0))
        return Backing(pair.primaries, [sentinel], {"sentinel": {"masterName": Sentinel.MASTER}}, sentinels=1)

    def cluster(self):
        """The policy names one of three."""
        nodes = self.servers(3, ClusterNode)
        make_cluster(nodes, replicas=0)
        return Backing(nodes, nodes[:1], {})


# Behind the proxy, and what a client without one has that is to see the same.
MODES = {
    "Failover": (Stage.one, Stage.one),
    "Spread": (Stage.one, Stage.one),  # of several caches each has its own
    "Sharded": (Stage.shards, Stage.one),
    "Replicated": (Stage.pair, Stage.pair),
    "Sentinel": (Stage.watched, Stage.watched),
    "Cluster": (Stage.cluster, Stage.one),
}
