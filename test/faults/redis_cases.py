"""Redis: shards, servers of which one is used, a primary and its replica; and what may happen to them."""
import contextlib
import time

import redis_client
import stage
from redis_server import ClusterNode, Redis, Sentinel, make_cluster

QUEUE_SECONDS = 20  # a busy machine may take long to bring a server back; cases about waiting set their own


class Scene(stage.Scene):
    def server(self, name):
        return self.enter(Redis(self.folder, name)).start()

    def two(self):
        return self.server("first"), self.server("second")

    def pair(self):
        """A primary and its replica."""
        first, second = self.two()
        return first, second.follow(first)

    def sentinels(self, primary):
        """Three that know each other, and the primary's one replica."""
        three = [self.enter(Sentinel(self.folder, f"sentinel-{number}", primary)).start() for number in range(3)]
        for one in three:
            one.wait_for(lambda: one.knows(replicas=1, sentinels=2))
        return three

    def cluster(self):
        """Three primaries, and a replica of each."""
        nodes = [self.enter(ClusterNode(self.folder, f"node-{number}")).start() for number in range(6)]
        make_cluster(nodes, replicas=1)
        return nodes

    def load(self, mode, *servers, queue=QUEUE_SECONDS, **redis):
        program = self.run_proxy({
            "name": "faults.cache", "protocol": "Redis", "timeouts": {"connect": "1s", "queue": f"{queue}s"},
            "redis": {"mode": mode, **redis},
            "backends": [{"host": "127.0.0.1", "port": server.port} for server in servers]})
        return self.run_load(lambda: redis_client.Client(program.port))


@contextlib.contextmanager
def scene(play):
    with contextlib.ExitStack() as stack:
        yield Scene(play, stack)


def writes_alone_are_told(outcome, operations, since, until):
    """Of what was on its way: reads are asked once more."""
    outcome.at_most_one_error_each(operations, since, until)
    failed = [one.error for one in operations if one.kind in ("read", "rest") and not one.ok]
    outcome.expect("who reads notices nothing", not failed, failed)


def here_and_there(old, new):
    """What the new primary has, and what only the old one has."""
    here = redis_client.store(new)
    return here, only_there(old, here)


def only_there(old, here):
    return {id: count for id, count in redis_client.store(old).items() if id not in here}


def killed_and_succeeded(outcome, load, first, promote, revived, within=0.3):
    """The primary `first` is killed; `promote` gives the moment since which another one takes writes in its place, `revived`
    then what that one has, and what only `first` has. Redis acknowledges what only the primary has: what of that is on the
    dead one's disk is not lost by the proxy."""
    began = time.monotonic()
    first.kill()
    gone = time.monotonic()
    promoted = promote()
    outcome.everybody_goes_on(load, promoted)
    load.stop()
    here, there = revived()
    operations = outcome.judge(load, here | there)
    writes_alone_are_told(outcome, operations, began, gone)
    outcome.goes_on_beyond(operations, promoted)
    if there:
        outcome.remark = f"{len(there)} were not replicated"
    outcome.details.append(f"promoted after {promoted - gone:.3f} s")
    outcome.within("everybody goes on after the promotion", outcome.beyond, within)


def owner(nodes, key):
    """The node of a cluster that has the key; the others say where it is."""
    for node in nodes:
        with contextlib.suppress(AssertionError, OSError):
            node.ask("LLEN", key)
            return node
    raise SystemExit(f"nobody has {key}")


def replica_of(nodes, primary):
    return next(node for node in nodes if node.info("master_port") == str(primary.port))


def store_of(nodes):
    """What a cluster has, of whoever has it."""
    counts = {}
    for number in range(redis_client.LISTS):
        key = redis_client.key(number)
        for one in owner(nodes, key).ask("LRANGE", key, 0, -1):
            counts[int(one)] = counts.get(int(one), 0) + 1
    return counts


# The cases ----------------------------------------------------------------------------------------------------

def shard_killed(play):
    """One of two shards is killed, and started again."""
    outcome = stage.Outcome()
    with scene(play) as on:
        first, second = on.two()
        load = on.load("Sharded", first, second)
        began = time.monotonic()
        first.kill()
        gone = time.monotonic()
        first.start()
        back = time.monotonic()
        outcome.everybody_goes_on(load, back)
        load.stop()
        operations = outcome.judge(load, redis_client.store(first, second))
        writes_alone_are_told(outcome, operations, began, gone)
        outcome.goes_on_beyond(operations, back)
        outcome.details.append(f"it was back after {back - gone:.3f} s")
        outcome.within("everybody goes on after its return", outcome.beyond, 0.5)
    return outcome


def failover_killed(play):
    """The first of two servers is killed for good."""
    outcome = stage.Outcome()
    with scene(play) as on:
        first, second = on.two()
        load = on.load("Failover", first, second)
        began = time.monotonic()
        first.kill()
        gone = time.monotonic()
        outcome.everybody_goes_on(load, gone)
        load.stop()
        first.start()
        operations = outcome.judge(load, redis_client.store(first, second))
        writes_alone_are_told(outcome, operations, began, gone)
        outcome.goes_on_beyond(operations, gone)
        outcome.within("everybody goes on with the second", outcome.beyond, 0.5)
    return outcome


def failover_frozen(play):
    """The first of two servers answers nobody any more: sockets to it stay open."""
    outcome = stage.Outcome()
    with scene(play) as on:
        first, second = on.two()
        load = on.load("Failover", first, second)
        frozen = time.monotonic()
        first.freeze()
        outcome.everybody_goes_on(load, frozen + 3)
        load.stop()
        first.thaw()
        operations = outcome.judge(load, redis_client.store(first, second))
        writes_alone_are_told(outcome, operations, frozen, frozen + 3)
        outcome.goes_on_beyond(operations, frozen)
        outcome.within("everybody goes on with the second", outcome.beyond, 3.0)
    return outcome


def all_gone(play):
    """Both servers are killed: who waits is told so, in bounded time."""
    outcome = stage.Outcome()
    queue = 3
    with scene(play) as on:
        first, second = on.two()
        load = on.load("Failover", first, second, queue=queue)
        first.kill()
        second.kill()
        time.sleep(2 * queue + 1)  # two rounds of those who wait
        first.start()
        second.start()
        back = time.monotonic()
        outcome.everybody_goes_on(load, back)
        load.stop()
        operations = outcome.judge(load, redis_client.store(first, second))
        longest = max((one.ended - one.began for one in operations if one.error and one.ended < back), default=None)
        outcome.remark = f"told after {stage.seconds(longest)} s"
        outcome.goes_on_beyond(operations, back)
        outcome.within("who waits is told", longest, queue + 0.5)
        outcome.within("everybody goes on after their return", outcome.beyond, 0.5)
    return outcome


def switch_over(play, preference):
    """The primary hands over to its replica (FAILOVER), under load."""
    outcome = stage.Outcome()
    with scene(play) as on:
        first, second = on.pair()
        load = on.load("Replicated", first, second, readPreference=preference)
        began = time.monotonic()
        handed = first.hand_over(second)
        outcome.everybody_goes_on(load, handed)
        load.stop()
        operations = outcome.judge(load, redis_client.store(second))
        outcome.expect("nobody is told an error", outcome.verdict.errors == 0, outcome.verdict.errors)
        outcome.goes_on_beyond(operations, handed)
        outcome.details.append(f"handing over took {handed - began:.3f} s")
        outcome.within("everybody goes on after the promotion", outcome.beyond, 0.3)
    return outcome


def primary_killed(play):
    """The primary is killed, its replica promoted."""
    outcome = stage.Outcome()

    def promote():
        time.sleep(0.5)  # who promotes takes its time
        return second.promote()
    with scene(play) as on:
        first, second = on.pair()
        load = on.load("Replicated", first, second)
        killed_and_succeeded(outcome, load, first, promote, lambda: here_and_there(first.start(), second))
    return outcome


def sentinel_killed(play):
    """The primary of those whom Sentinels know is killed, and they promote its replica."""
    outcome = stage.Outcome()

    def revived():
        for sentinel in sentinels:  # they would make the dead one follow, and so be emptied
            sentinel.end()
        return here_and_there(first.start(), second)
    with scene(play) as on:
        first, second = on.pair()
        sentinels = on.sentinels(first)
        load = on.load("Sentinel", *sentinels, sentinel={"masterName": Sentinel.MASTER})
        killed_and_succeeded(outcome, load, first, second.promoted, revived)
    return outcome


def cluster_primary_killed(play):
    """A primary of a cluster is killed, and its replica takes its place."""
    outcome = stage.Outcome()

    def revived():
        here = store_of([node for node in nodes if node is not first])
        return here, only_there(first.start_alone(), here)
    with scene(play) as on:
        nodes = on.cluster()
        load = on.load("Cluster", *nodes[:2])
        first = owner(nodes, redis_client.key(0))
        second = replica_of(nodes, first)
        killed_and_succeeded(outcome, load, first, second.promoted, revived, within=0.5)
    return outcome


def cluster_switch_over(play):
    """A replica of a cluster takes over while its primary lives (CLUSTER FAILOVER)."""
    outcome = stage.Outcome()
    with scene(play) as on:
        nodes = on.cluster()
        load = on.load("Cluster", *nodes[:2])
        first = owner(nodes, redis_client.key(0))
        second = replica_of(nodes, first)
        second.ask("CLUSTER", "FAILOVER")
        promoted = second.promoted()
        outcome.everybody_goes_on(load, promoted)
        load.stop()
        operations = outcome.judge(load, store_of(nodes))
        outcome.expect("nobody is told an error", outcome.verdict.errors == 0, outcome.verdict.errors)
        outcome.goes_on_beyond(operations, promoted)
        outcome.within("everybody goes on after the promotion", outcome.beyond, 0.3)
    return outcome


def cluster_resharded(play):
    """All slots of one node are moved to another one, with the keys that are written meanwhile."""
    outcome = stage.Outcome()
    with scene(play) as on:
        nodes = on.cluster()
        load = on.load("Cluster", nodes[0])
        first = owner(nodes, redis_client.key(0))
        second = next(node for node in nodes if node is not first and node.info("role") == "master")
        began = time.monotonic()
        first.cluster("reshard", first.place(), "--cluster-from", first.id(), "--cluster-to", second.id(),
                      "--cluster-slots", 5461)
        moved = time.monotonic()
        outcome.everybody_goes_on(load, moved)
        load.stop()
        operations = outcome.judge(load, store_of(nodes))
        outcome.expect("nobody is told an error", outcome.verdict.errors == 0, outcome.verdict.errors)
        outcome.goes_on_beyond(operations, moved)
        outcome.details.append(f"moved in {moved - began:.1f} s")
        outcome.within("everybody goes on all the time", outcome.gap, 0.5)
    return outcome


def cluster_minority(play):
    """One primary does not hear from the others any more (its bus is stopped with it for a while), and comes back with
    what it knew: the ambassador names that one alone."""
    outcome = stage.Outcome()
    with scene(play) as on:
        nodes = on.cluster()
        first = owner(nodes, redis_client.key(0))
        second = replica_of(nodes, first)
        load = on.load("Cluster", first)
        first.freeze()
        promoted = second.promoted()
        outcome.everybody_goes_on(load, promoted)
        first.thaw()
        thawed = time.monotonic()
        outcome.everybody_goes_on(load, thawed)
        load.stop()
        operations = outcome.judge(load, store_of(nodes))
        late = [one.error for one in operations if one.error and one.began > thawed]
        outcome.expect("nobody is sent back to it", not late, late[:3])
        outcome.goes_on_beyond(operations, promoted)
        outcome.within("everybody goes on after the promotion", outcome.beyond, 2.5)  # it is silent, not gone
    return outcome


def two_primaries(play):
    """The replica is promoted while the old primary lives on: both take writes, one of them by right."""
    outcome = stage.Outcome()
    know = 1.0  # seconds after which nothing may reach the old one
    with scene(play) as on:
        first, second = on.pair()
        load = on.load("Replicated", first, second)
        promoted = second.promote()
        outcome.everybody_goes_on(load, promoted + know)
        load.stop()
        here, there = here_and_there(first, second)
        operations = outcome.judge(load, here | there)
        outcome.expect("nobody is told an error", outcome.verdict.errors == 0, outcome.verdict.errors)
        last = max((one.ended - promoted for one in operations for id in one.ids if id in there), default=0.0)
        outcome.remark = f"last write to the old one after {last:.2f} s, {len(there)} are there alone"
        outcome.goes_on_beyond(operations, promoted)
        outcome.within("the last write reaches the old primary", last, know)
    return outcome


CASES = {
    "redis-shard-killed": shard_killed,
    "redis-failover-killed": failover_killed,
    "redis-failover-frozen": failover_frozen,
    "redis-all-gone": all_gone,
    "redis-switch-over": lambda play: switch_over(play, "Primary"),
    "redis-switch-over-replica-reads": lambda play: switch_over(play, "PreferReplica"),
    "redis-primary-killed": primary_killed,
    "redis-sentinel-killed": sentinel_killed,
    "redis-two-primaries": two_primaries,
    "redis-cluster-primary-killed": cluster_primary_killed,
    "redis-cluster-switch-over": cluster_switch_over,
    "redis-cluster-resharded": cluster_resharded,
    "redis-cluster-minority": cluster_minority,
}
