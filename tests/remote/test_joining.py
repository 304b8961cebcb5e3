"""Equal calls at the same time: one does the work, the other takes its result, or its place."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from studio.remote.call import OnProgress, Progress
from studio.remote.errors import Cancelled, LinkError
from studio.remote.joining import Joins

WAIT_S = 20.0


class Work:
    """A call that goes on until it is let go, or fails with the errors given, in order."""

    def __init__(self, *errors: Exception) -> None:
        self.began = threading.Semaphore(0)
        self.goes = threading.Event()
        self.times = 0
        self._errors = list(errors)

    def __call__(self, tell: OnProgress) -> str:
        self.times += 1
        tell(Progress("sending", 3.0, 10.0, "bytes"))
        self.began.release()
        assert self.goes.wait(WAIT_S)
        if self._errors:
            raise self._errors.pop(0)
        return f"/sent/{self.times}"


def joined(joins: Joins, work: Work, pool: ThreadPoolExecutor) -> tuple[object, list[Progress]]:
    """Join a call that is under way, let that go on, and return what came of the second and what it was told."""
    told: list[Progress] = []
    heard = threading.Event()

    def listen(progress: Progress) -> None:
        told.append(progress)
        heard.set()

    second = pool.submit(joins.run, "key", work, listen)
    assert heard.wait(WAIT_S)
    work.goes.set()
    return second.result(WAIT_S), told


def test_that_the_second_call_takes_the_result_of_the_first_and_follows_it() -> None:
    joins, work = Joins(), Work()
    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(joins.run, "key", work)
        assert work.began.acquire(timeout=WAIT_S)
        result, told = joined(joins, work, pool)
        assert first.result(WAIT_S) == result == "/sent/1"
        assert told == [Progress("sending", 3.0, 10.0, "bytes")]
        assert joins.run("key", work) == "/sent/2"  # what has ended is done again, which finds all of it there
        assert joins.run("other", work) == "/sent/3"


@pytest.mark.parametrize("error", [Cancelled("Cancelled."), LinkError("The link broke.")])
def test_that_the_second_call_takes_over_where_the_first_one_ends(error: Exception) -> None:
    joins, work = Joins(), Work(error)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(joins.run, "key", work)
        assert work.began.acquire(timeout=WAIT_S)
        assert joined(joins, work, pool)[0] == "/sent/2"
        with pytest.raises(type(error)):
            first.result(WAIT_S)


def test_that_cancelling_the_second_call_leaves_the_first_alone() -> None:
    joins, work, cancelled = Joins(), Work(), threading.Event()
    cancelled.set()
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(joins.run, "key", work)
        assert work.began.acquire(timeout=WAIT_S)
        with pytest.raises(Cancelled):
            joins.run("key", work, None, cancelled)
        work.goes.set()
        assert first.result(WAIT_S) == "/sent/1"
