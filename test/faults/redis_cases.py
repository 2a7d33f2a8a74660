"""Redis: shards, servers of which one is used, a primary and its replica; and what may happen to them."""
import contextlib
import time

import redis_client
import stage
from redis_server import Redis, Sentinel

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
    return here, {id: count for id, count in redis_client.store(old).items() if id not in here}


def killed_and_succeeded(outcome, load, first, second, promote, sentinels=()):
    """The primary `first` is killed, and `promote` gives the moment since which `second` takes writes in its place. Redis
    acknowledges what only the primary has: what of that is on the dead one's disk is not lost by the proxy."""
    began = time.monotonic()
    first.kill()
    gone = time.monotonic()
    promoted = promote()
    outcome.everybody_goes_on(load, promoted)
    load.stop()
    for sentinel in sentinels:  # they would make the dead one follow, and so be emptied
        sentinel.end()
    first.start()
    here, there = here_and_there(first, second)
    operations = outcome.judge(load, here | there)
    writes_alone_are_told(outcome, operations, began, gone)
    outcome.goes_on_beyond(operations, promoted)
    if there:
        outcome.remark = f"{len(there)} were not replicated"
    outcome.details.append(f"promoted after {promoted - gone:.3f} s")
    outcome.within("everybody goes on after the promotion", outcome.beyond, 0.3)


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
        killed_and_succeeded(outcome, load, first, second, promote)
    return outcome


def sentinel_killed(play):
    """The primary of those whom Sentinels know is killed, and they promote its replica."""
    outcome = stage.Outcome()
    with scene(play) as on:
        first, second = on.pair()
        sentinels = on.sentinels(first)
        load = on.load("Sentinel", *sentinels, sentinel={"masterName": Sentinel.MASTER})
        killed_and_succeeded(outcome, load, first, second, sentinels=sentinels,
                             promote=lambda: second.wait_for(lambda: second.info("role") == "master"))
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
}
