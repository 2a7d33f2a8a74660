"""PostgreSQL: a primary and a synchronous standby behind the proxy, and what may happen to them."""
import struct
import time

import postgresql_client
import postgresql_split
import stage
from load import Load
from postgresql_cancels import cancels
from postgresql_scene import CONNECTIONS, NOT_SYNCHRONOUS, scene
from postgresql_server import DATABASE, Postgresql
from slow_logins import SlowLogins
from stage import WORKERS, seconds

# The cases ----------------------------------------------------------------------------------------------------

def switch_over(play, pooling):
    """The primary is stopped in peace, its standby promoted."""
    outcome = stage.Outcome()
    with scene(play) as on:
        first, second = on.pair()
        load = on.load(on.proxy([first, second], pooling))
        began = time.monotonic()
        first.stop()
        stopped = time.monotonic()
        promoted = second.promote()
        outcome.everybody_goes_on(load, promoted)
        load.stop()
        operations = outcome.judge(load, postgresql_client.store(second))
        if pooling == "Session":  # who was at rest had a server too: its connection ends, and the next use finds that
            rested = [one for one in operations if one.at_rest]
            outcome.expect("who was at rest is told so", all(not one.ok for one in rested), len(rested))
            outcome.at_most_one_error_each([one for one in operations if not one.at_rest], began, stopped)
        else:
            outcome.at_most_one_error_each(operations, began, stopped)
            outcome.rests_without_error(operations)
        outcome.goes_on_beyond(operations, promoted)
        outcome.details.append(f"stopping took {stopped - began:.3f} s, promoting {promoted - stopped:.3f} s")
        outcome.within("everybody goes on after the promotion", outcome.beyond, 0.3)
    return outcome


def killed(play):
    """The only server is killed, and started again."""
    outcome = stage.Outcome()
    with scene(play) as on:
        first = on.primary()
        load = on.load(on.proxy([first]))
        began = time.monotonic()
        first.kill()
        gone = time.monotonic()
        first.start()
        back = time.monotonic()
        outcome.everybody_goes_on(load, back)
        load.stop()
        operations = outcome.judge(load, postgresql_client.store(first))
        outcome.at_most_one_error_each(operations, began, gone)
        outcome.rests_without_error(operations)
        outcome.goes_on_beyond(operations, back)
        outcome.details.append(f"it was back after {back - gone:.3f} s")
        outcome.within("everybody goes on after its return", outcome.beyond, 0.5)
    return outcome


def frozen_for_a_while(play):
    """The primary answers nobody for 3 s, then goes on where it was."""
    outcome = stage.Outcome()
    with scene(play) as on:
        first, second = on.pair()
        load = on.load(on.proxy([first, second]))
        first.freeze()
        time.sleep(3)
        first.thaw()
        thawed = time.monotonic()
        outcome.everybody_goes_on(load, thawed)
        load.stop()
        operations = outcome.judge(load, postgresql_client.store(first))
        outcome.expect("nobody is told an error", outcome.verdict.errors == 0, outcome.verdict.errors)
        outcome.goes_on_beyond(operations, thawed)
        outcome.within("everybody goes on after it", outcome.beyond, 0.5)
    return outcome


def frozen_for_good(play):
    """The only server answers nobody any more: who waits for a connection to it is told so, in bounded time. Who has one
    goes on waiting, as without a proxy: only a successor shows that nothing will come."""
    outcome = stage.Outcome()
    queue = 3
    with scene(play) as on:
        first = on.primary()
        load = on.load(on.proxy([first], queue=queue))
        frozen = time.monotonic()
        first.freeze()
        time.sleep(2 * queue + 1)  # two rounds of those who wait
        thawed = time.monotonic()
        first.thaw()
        outcome.everybody_goes_on(load, thawed)
        load.stop()
        operations = outcome.judge(load, postgresql_client.store(first))
        told = [one for one in operations if one.error and one.ended < thawed]
        held = [one for one in operations if one.began < frozen + queue and (one.ended or thawed) >= thawed]
        outcome.expect("who waits for a connection is told", told, len(told))
        outcome.expect("no more are held than there are connections", len(held) <= CONNECTIONS["Transaction"], len(held))
        outcome.expect("who is held is told no error", not any(one.error for one in held), held)
        longest = max((one.ended - one.began for one in told), default=None)
        outcome.remark = f"told after {longest:.2f} s, {len(held)} held"
        outcome.goes_on_beyond(operations, thawed)
        outcome.within("who waits is told", longest, queue + 0.5)
        outcome.within("everybody goes on after it", outcome.beyond, 0.5)
    return outcome


def frozen_and_succeeded(play):
    """The primary answers nobody any more, its standby is promoted: sockets to the old one stay open."""
    outcome = stage.Outcome()
    with scene(play) as on:
        first, second = on.pair()
        load = on.load(on.proxy([first, second]))
        began = time.monotonic()
        first.freeze()
        promoted = second.promote()
        outcome.everybody_goes_on(load, promoted)
        load.stop()
        operations = outcome.judge(load, postgresql_client.store(second))
        outcome.goes_on_beyond(operations, promoted)
        outcome.at_most_one_error_each(operations, began, promoted + 1)
        outcome.rests_without_error(operations)
        outcome.within("everybody goes on after the promotion", outcome.beyond, 1.5)
    return outcome


def two_primaries(play, synchronous):
    """The standby is promoted while the old primary lives on: both take writes, one of them by right. A synchronous pair
    has nothing acknowledged by the old one after that; of any other pair what it acknowledges until the proxy knows is
    lost, whoever is in between."""
    outcome = stage.Outcome()
    know = 1.0  # seconds after which nothing may reach the old one
    with scene(play) as on:
        first, second = on.pair(synchronous)
        load = on.load(on.proxy([first, second]))
        began = time.monotonic()
        promoted = second.promote()
        at = first.sql("SELECT clock_timestamp()")[0][0]
        outcome.everybody_goes_on(load, promoted + know)
        load.stop()
        store = postgresql_client.store(second)
        # Commits that wait for a standby which is none any more: let go they can be seen, with the time of each.
        first.sql("ALTER SYSTEM SET synchronous_standby_names = ''")
        first.sql("SELECT pg_reload_conf()")
        first.wait_for("SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE wait_event = 'SyncRep')")
        old = postgresql_client.store(first)
        gone = {}
        if not synchronous:
            gone = {id: count for id, count in old.items() if id not in store}
        operations = outcome.judge(load, store | gone)
        outcome.goes_on_beyond(operations, promoted)
        outcome.at_most_one_error_each(operations, began, promoted + know)
        outcome.rests_without_error(operations)
        last = first.sql(f"SELECT extract(epoch FROM max(at) - '{at}'::timestamptz)::float8 FROM written", DATABASE)[0][0]
        last = max(last, 0.0)
        outcome.remark = f"last write to the old one after {last:.2f} s"
        if gone:
            outcome.remark += f", {len(gone)} are there alone"
        outcome.details.append(outcome.remark)
        outcome.within("the last write reaches the old primary", last, know)
        outcome.within("everybody goes on after the promotion", outcome.beyond, know + 0.3)
    return outcome


def comes_back(play, as_standby):
    """After a switch the old primary is there again: as a standby of the new one, or as if nothing had happened."""
    outcome = stage.Outcome()
    with scene(play) as on:
        first, second = on.pair()
        program = on.proxy([first, second])
        warm = on.load(program)
        first.kill() if not as_standby else first.stop()
        promoted = second.promote()
        warm.wake()
        if not warm.every_worker_did(10, promoted):
            raise SystemExit("the load does not go on after the switch")
        written = max((id for one in warm.operations for id in one.ids), default=0)
        warm.stop()
        load = Load(warm.connect, WORKERS)
        load.ids = warm.ids
        on.stack.enter_context(load)
        load.every_worker_did(5)
        if as_standby:
            first.follow(second)
        at = second.sql("SELECT clock_timestamp()")[0][0]
        first.start(NOT_SYNCHRONOUS)
        back = time.monotonic()
        if as_standby:
            first.wait_for("SELECT EXISTS (SELECT FROM pg_stat_wal_receiver WHERE status = 'streaming')")
        load.every_worker_did(100, back, kinds=("write",))  # long enough to be noticed, and used
        outcome.everybody_goes_on(load, back)
        load.stop()
        store = {id: count for id, count in postgresql_client.store(second).items() if id > written}
        operations = outcome.judge(load, store)
        outcome.expect("nobody is told an error", outcome.verdict.errors == 0, outcome.verdict.errors)
        if not as_standby:
            wrong = first.sql(f"SELECT count(*) FROM written WHERE at > '{at}'::timestamptz", DATABASE)[0][0]
            outcome.expect("no write reaches it", wrong == 0, wrong)
        outcome.goes_on_beyond(operations, back)
        outcome.within("nobody waits for it", outcome.gap, 0.5)
    return outcome


def slow_logins(play):
    """Hundreds of clients begin to log in and do not end; others work."""
    outcome = stage.Outcome()
    count, bound = 600, 10
    half = struct.pack("!II", 200, 196608) + b"user\0any"
    ssl_request = struct.pack("!II", 8, 80877103)
    with scene(play) as on:
        program = on.proxy([on.primary()])
        load = on.load(program)
        before = program.resident_kib()
        slow = SlowLogins(program.port, count, [b"", half, ssl_request], drip=half)
        load.every_worker_did(20, time.monotonic(), kinds=("write", "transaction", "read"))
        during = program.resident_kib()
        closed = slow.wait_until_closed(bound + 5)
        slow.close()
        outcome.everybody_goes_on(load, time.monotonic())
        after = program.resident_kib()
        load.stop()
        outcome.judge(load, postgresql_client.store(on.servers[0]))
    outcome.remark = f"closed after {seconds(closed)}, RSS {before:,} / {during:,} / {after:,} KiB"
    outcome.details.append(outcome.remark)
    outcome.expect("nobody else is told an error", outcome.verdict.errors == 0, outcome.verdict.errors)
    outcome.expect("memory: at most 20 KiB each", during - before <= 20 * count, f"{before} to {during} KiB")
    outcome.expect("memory is given back", after - before <= 4096, f"{before} to {after} KiB")
    outcome.within("all are closed", closed, bound)
    outcome.within("others go on", outcome.gap, 0.5)
    return outcome


CASES = {
    "switch-over": lambda play: switch_over(play, "Transaction"),
    "switch-over-session": lambda play: switch_over(play, "Session"),
    "killed": killed,
    "frozen": frozen_for_a_while,
    "frozen-for-good": frozen_for_good,
    "frozen-and-succeeded": frozen_and_succeeded,
    "two-primaries": lambda play: two_primaries(play, True),
    "two-primaries-asynchronous": lambda play: two_primaries(play, False),
    "back-as-standby": lambda play: comes_back(play, True),
    "back-as-primary": lambda play: comes_back(play, False),
    "split-switch-over": postgresql_split.switch_over,
    "split-replica-stopped": lambda play: postgresql_split.replica_goes(play, Postgresql.stop),
    "split-replica-killed": lambda play: postgresql_split.replica_goes(play, Postgresql.kill),
    "readers-replica-killed": lambda play: postgresql_split.readers_replica_goes(play, Postgresql.kill),
    "split-restart": postgresql_split.restart,
    "cancels": lambda play: cancels(play, scene, "Transaction"),
    "cancels-session": lambda play: cancels(play, scene, "Session"),
    "slow-logins": slow_logins,
}
