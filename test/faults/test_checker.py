"""A checker that finds nothing is trusted only when it finds what was put there."""
import math

from checker import Operation, beyond, errors_of_workers, judge, longest_gap


def write(id, ended=1.0, error=None, worker=0, began=0.0):
    ids = id if isinstance(id, tuple) else (id,)
    return Operation(worker, "write", ids, began, ended, error)


def test_what_is_acknowledged_and_there_once_is_well():
    verdict = judge([write(1), write(2), write((3, 4))], {1: 1, 2: 1, 3: 1, 4: 1})
    assert (verdict.ok, verdict.errors, verdict.doubtful) == (3, 0, 0)
    assert not (verdict.lost or verdict.doubled or verdict.torn or verdict.foreign)


def test_an_acknowledged_write_that_is_gone_is_lost_and_so_is_half_of_a_transaction():
    assert judge([write(1), write((2, 3))], {2: 1}).lost == [1, 3]


def test_a_write_that_is_there_twice_is_doubled_whatever_its_client_was_told():
    assert judge([write(1), write(2, error="57P01")], {1: 2, 2: 2}).doubled == [1, 2]


def test_an_error_leaves_a_doubt_and_the_store_says_which_it_was():
    verdict = judge([write(1, error="08006"), write(2, error="08006"), write(3, ended=None)], {1: 1, 3: 1})
    assert verdict.doubtful_there == [1, 3]
    assert verdict.doubtful_gone == [2]
    assert (verdict.errors, verdict.unanswered) == (3, 1)


def test_half_of_a_transaction_that_failed_is_torn():
    assert judge([write((1, 2), error="08006")], {1: 1}).torn == [(1, 2)]


def test_what_nobody_wrote_is_foreign():
    assert judge([write(1)], {1: 1, 9: 1}).foreign == [9]


def test_a_gap_is_without_any_success_of_that_kind():
    done = [write(1, 1.0), write(2, 1.5), write(3, 3.0, error="x"), write(4, 4.5)]
    assert longest_gap(done, "write") == 3.0
    assert longest_gap(done, "read") == math.inf


def test_beyond_an_event_counts_the_worker_who_waited_longest():
    done = [write(1, 1.0), write(2, 2.2), write(3, 2.1, worker=1), write(4, 2.4, worker=1, error="x"),
            write(5, 2.6, worker=2)]
    assert round(beyond(done, 2.0), 3) == 0.6
    assert beyond(done + [write(6, 1.0, worker=3)], 2.0) == math.inf


def test_errors_are_each_worker_s_own():
    failed = errors_of_workers([write(1), write(2, error="x"), write(3, error="x", worker=1)])
    assert {worker: len(some) for worker, some in failed.items()} == {0: 1, 1: 1}
