"""Reads that go to a replica, while it or the primary fails: short of their first row they are run again elsewhere."""
import time

import checker
import postgresql_client
import stage
from postgresql_scene import scene
from stage import WORKERS

SPLIT = {"readWriteSplit": "Statements"}
READERS = WORKERS | {"read": 8}
READS_THERE = ("SELECT EXISTS (SELECT FROM pg_stat_activity WHERE query LIKE '%generate_series%' AND state = 'active' "
               "AND pid <> pg_backend_pid())")


def reads_without_error(outcome, operations):
    failed = [one.error for one in operations if one.kind == "read" and not one.ok]
    outcome.expect("no reader is told an error", not failed, failed[:5])


def readers_go_on(outcome, operations, bound):
    outcome.within("readers go on all the time", checker.longest_gap(operations, "read"), bound)


def switch_over(play):
    """As without the split; reads go to the standby, before and after."""
    outcome = stage.Outcome()
    with scene(play) as on:
        first, second = on.pair()
        load = on.load(on.proxy([first, second], **SPLIT), READERS, postgresql_client.LONG_READ)
        second.wait_for(READS_THERE)
        began = time.monotonic()
        first.stop()
        stopped = time.monotonic()
        promoted = second.promote()
        outcome.everybody_goes_on(load, promoted)
        load.stop()
        operations = outcome.judge(load, postgresql_client.store(second))
        outcome.at_most_one_error_each(operations, began, stopped)
        outcome.rests_without_error(operations)
        reads_without_error(outcome, operations)
        outcome.goes_on_beyond(operations, promoted)
        outcome.within("everybody goes on after the promotion", outcome.beyond, 0.3)
        readers_go_on(outcome, operations, 0.5)
    return outcome


def replica_goes(play, leave, listener=SPLIT, workers=READERS):
    """The standby, which has the reads, goes and comes back."""
    outcome = stage.Outcome()
    with scene(play) as on:
        first, second = on.pair(synchronous=False)
        program = on.proxy([first, second], **listener)
        load = on.load(program, workers, postgresql_client.LONG_READ)
        second.wait_for(READS_THERE)
        leave(second)
        gone = time.monotonic()
        outcome.everybody_goes_on(load, gone)
        second.start()
        second.wait_for(READS_THERE)  # they come back to it
        back = time.monotonic()
        outcome.everybody_goes_on(load, back)
        load.stop()
        operations = outcome.judge(load, postgresql_client.store(first))
        outcome.expect("nobody is told an error", outcome.verdict.errors == 0, outcome.verdict.errors)
        outcome.goes_on_beyond(operations, gone)
        readers_go_on(outcome, operations, 0.5)
    return outcome


def readers_replica_goes(play, leave):
    """The same for clients of a listener that gives replicas to all."""
    return replica_goes(play, leave, {"servers": "Replicas"}, {"read": READERS["read"]})


def restart(play):
    """The primary has no replica, so it has the reads too; it is stopped in peace and started again."""
    outcome = stage.Outcome()
    with scene(play) as on:
        first = on.primary()
        load = on.load(on.proxy([first], **SPLIT), READERS, postgresql_client.LONG_READ)
        began = time.monotonic()
        first.stop()
        stopped = time.monotonic()
        first.start()
        back = time.monotonic()
        outcome.everybody_goes_on(load, back)
        load.stop()
        operations = outcome.judge(load, postgresql_client.store(first))
        outcome.at_most_one_error_each(operations, began, stopped)
        outcome.rests_without_error(operations)
        reads_without_error(outcome, operations)
        outcome.goes_on_beyond(operations, back)
        outcome.within("everybody goes on after its return", outcome.beyond, 0.5)
    return outcome
