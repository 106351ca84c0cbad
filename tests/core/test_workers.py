"""What is put into the queue is done, one by one; none is lost or held up."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from kalibr_core import workers
from kalibr_core.workers import Workers


def until(done: Callable[[], object], seconds: float = 10.0) -> None:
    ends = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < ends, "it has not come to pass"
        time.sleep(0.002)


def make(does: Callable[[int], None], *, most: int = 1, size: int = 100) -> Workers[int]:
    return Workers(does, most=most, size=size, starts=lambda: None)


def test_one_that_hangs_holds_up_none_that_another_thread_can_do() -> None:
    go, done = threading.Event(), []

    def does(work: int) -> None:
        if work == 0:
            go.wait(20.0)
        done.append(work)

    crew = make(does, most=2)
    for work in range(4):
        crew.put(work)
    until(lambda: len(done) == 3)
    assert crew.under_way == 1
    go.set()
    until(lambda: crew.under_way == 0)
    crew.end()


def test_there_is_room_for_so_many_and_no_more() -> None:
    go = threading.Event()
    crew = make(lambda work: go.wait(20.0) and None, most=1, size=3)
    assert [crew.put(work) for work in range(6)] == [None] * 4 + ["full"] * 2
    assert sorted(crew.end()) == [0, 1, 2, 3], "what is under way is given up too"
    assert crew.put(7) == "left"
    assert crew.under_way == 0
    go.set()


def test_what_was_given_up_at_the_end_is_not_begun_and_settles_no_more() -> None:
    go, asked, begun, counted = threading.Event(), threading.Event(), [], []

    def does(work: int) -> None:
        begun.append(work)
        asked.set()
        go.wait(20.0)
        counted.append(crew.settle(work, lambda: counted.append(work)))

    crew = make(does)
    for work in range(3):
        crew.put(work)
    assert asked.wait(10.0)
    assert sorted(crew.end()) == [0, 1, 2]
    go.set()
    until(lambda: crew._threads == 0)
    assert (begun, counted) == ([0], [False])


def test_what_is_settled_is_counted_before_nothing_is_under_way() -> None:
    seen: list[int] = []
    crew = make(lambda work: crew.settle(work, lambda: seen.append(crew.under_way)) and None)
    crew.put(0)
    until(lambda: crew.under_way == 0)
    assert seen == [1]
    crew.end()


def test_the_end_ends_the_threads() -> None:
    crew = make(lambda work: None, most=2)
    crew.put(0)
    crew.put(1)
    assert crew._threads > 0
    crew.end()
    until(lambda: crew._threads == 0)
    assert crew.put(2) == "left"


def test_a_thread_that_idles_ends_and_the_next_work_starts_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(workers, "IDLE_S", 0.02)
    done: list[int] = []
    crew = make(done.append)
    crew.put(0)
    until(lambda: crew._threads == 0)
    crew.put(1)
    until(lambda: crew.under_way == 0)
    assert done == [0, 1]
    crew.end()
