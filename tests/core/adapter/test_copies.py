"""A model object's copies: one for blocking calls, one for each loop, anew after a fork."""

from __future__ import annotations

import asyncio
import gc
import os
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from kalibr_core.adapter.copies import Copies


class Made:
    """A copy."""

    def __init__(self, model: object, *, is_async: bool) -> None:
        self.model, self.is_async = model, is_async


def copies() -> Copies[object]:
    return Copies[object]("model", Made)


def test_blocking_calls_share_one_copy() -> None:
    held = copies()
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(lambda _: held.blocking, range(64)))
    assert len(found) == 1
    assert not found.pop().is_async  # type: ignore[attr-defined]


def test_each_loop_has_a_copy_of_its_own() -> None:
    held = copies()

    async def twice() -> tuple[object, object]:
        return held.in_loop, held.in_loop

    first, second = asyncio.run(twice()), asyncio.run(twice())
    assert first[0] is first[1]
    assert first[0] is not second[0]
    assert first[0].is_async  # type: ignore[attr-defined]


def test_copies_of_closed_loops_are_let_go() -> None:
    held = copies()

    async def one() -> None:
        assert held.in_loop

    for _ in range(20):
        asyncio.run(one())
    gc.collect()
    assert len(held._in_loop) <= 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_fork_while_a_thread_makes_a_copy_does_not_hang_the_child() -> None:
    held = copies()
    held._lock.acquire()  # as a thread of the parent would, which the child does not have
    child = os.fork()
    if child == 0:
        threading.Timer(5.0, os._exit, [1]).start()
        os._exit(0 if isinstance(held.blocking, Made) else 2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_close_lets_the_copies_go() -> None:
    held = copies()
    before = held.blocking
    held.close()
    assert held.blocking is not before
