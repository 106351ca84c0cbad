"""One attempt by a framework's model: it ends in time, and its streams are closed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from kalibr_core.adapter import attempts
from kalibr_core.errors import StreamInterrupted
from kalibr_core.time_limit import TimeLimit

from .drivers import (
    KEY,
    READS,
    SAID,
    Call,
    Callee,
    astream,
    attempt,
    awhole,
    every_driver,
    every_stream,
)


@every_driver
def test_an_answer_is_given_back_as_it_came(driver: Any) -> None:
    callee = Callee()
    assert driver(callee, lambda limit: SAID) == SAID
    assert callee.waited == ["in a loop" if driver in (awhole, astream) else "blocking"]


@every_driver
@pytest.mark.parametrize("leaves", [KeyboardInterrupt, SystemExit])
def test_leaving_the_program_is_not_caught(driver: Any, leaves: type[BaseException]) -> None:
    def call(limit: TimeLimit) -> Any:
        raise leaves

    with pytest.raises(leaves):
        driver(Callee(), call)


@every_stream
@pytest.mark.parametrize("said", [[], ["role"], ["text 1", "text 2"]])
def test_a_stream_that_does_not_tell_its_end_was_cut(driver: Any, said: list[str]) -> None:
    with pytest.raises(StreamInterrupted, match="without a finish reason"):
        driver(Callee(), lambda limit: said)
    assert driver(Callee(ends=False), lambda limit: said) == said


@every_stream
def test_what_happens_after_the_end_is_of_no_account(driver: Any) -> None:
    def hangs() -> Iterator[str]:
        yield from SAID
        raise ConnectionResetError(f"after {KEY}")

    assert driver(Callee(), lambda limit: hangs()) == SAID


@every_stream
def test_what_happens_before_the_end_is_raised(driver: Any) -> None:
    def cut() -> Iterator[str]:
        yield "text"
        raise ConnectionResetError(f"after {KEY}")

    with pytest.raises(ConnectionResetError) as caught:
        driver(Callee(), lambda limit: cut())
    assert KEY not in str(caught.value)


def test_closing_a_stream_closes_the_models() -> None:
    closed: list[str] = []

    def chunks() -> Iterator[str]:
        try:
            yield from SAID
        finally:
            closed.append("closed")

    opened = attempts.stream(Callee(), attempt(), lambda limit: chunks(), READS)
    assert next(opened) == "role"
    opened.close()
    assert closed == ["closed"]


class Held:
    """A model's stream that somebody holds on to, so that no collector closes it."""

    def __init__(self) -> None:
        self.closed = 0
        self.chunks = iter(SAID)

    def __next__(self) -> str:
        return next(self.chunks)

    def __iter__(self) -> Iterator[str]:
        return self

    def __aiter__(self) -> Held:
        return self

    async def __anext__(self) -> str:
        return next(self.chunks)

    def close(self) -> None:
        self.closed += 1

    async def aclose(self) -> None:
        self.closed += 1


async def test_a_stream_that_is_left_is_closed_at_once() -> None:
    held, other = Held(), Held()
    opened = attempts.stream(Callee(), attempt(), lambda limit: held, READS)
    assert next(opened) == "role"
    opened.close()

    async def open_(limit: TimeLimit) -> Any:
        return other

    streamed = attempts.astream(Callee(), attempt(), open_, READS)
    assert await anext(streamed) == "role"
    await streamed.aclose()
    assert (held.closed, other.closed) == (1, 1)


def renewals(chunks: list[str]) -> list[bool]:
    """For each chunk: has the time for the next one been counted anew?"""
    limits: list[TimeLimit] = []

    def open_(limit: TimeLimit) -> list[str]:
        limits.append(limit)
        return chunks

    found: list[bool] = []
    before = 0.0
    for _ in attempts.stream(Callee(), attempt(500.0, 20.0), open_, READS):
        if before:
            found.append(limits[0].until > before)
        before = limits[0].until
    return found


def test_only_what_shows_a_living_model_breaks_its_silence() -> None:
    """A role, keep-alive chunks and thoughts do not put off the first token's time."""
    assert renewals(["role", "role", "thought", "end"]) == [False, False, False]
    assert renewals(["role", "text 1", "text 2", "end"]) == [False, True, True]


async def test_an_attempt_whose_connections_keep_no_limit_ends_in_time() -> None:
    async def hangs(limit: TimeLimit) -> None:
        await asyncio.sleep(60)

    began = time.monotonic()
    with pytest.raises(TimeoutError):
        await attempts.awhole(Callee(limited=False), attempt(0.05), hangs)
    assert time.monotonic() - began < 5


async def test_a_stream_that_falls_silent_ends_in_time() -> None:
    async def chunks() -> AsyncIterator[str]:
        yield "text"
        await asyncio.sleep(60)

    async def opened(limit: TimeLimit) -> Any:
        return chunks()

    streamed = attempts.astream(Callee(limited=False), attempt(0.05), opened, READS)
    assert await anext(streamed) == "text"
    with pytest.raises(TimeoutError):
        await anext(streamed)


def test_a_connection_of_a_closed_loop_is_tried_anew_and_not_for_ever() -> None:
    tries: list[int] = []

    def dead(times: int) -> Call:
        def call(limit: TimeLimit) -> str:
            tries.append(1)
            if len(tries) <= times:
                raise OSError("send") from RuntimeError("Event loop is closed")
            return "said"

        return call

    assert awhole(Callee(), dead(attempts.DEAD_LOOPS)) == "said"
    tries.clear()
    with pytest.raises(OSError, match="send"):
        awhole(Callee(), dead(99))
    assert len(tries) == attempts.DEAD_LOOPS + 1


@pytest.mark.parametrize("left", [-5.0, 0.0, 3.0])
def test_the_time_left_is_never_zero(left: float) -> None:
    assert 0 < attempts.time_left_s(TimeLimit(left)) <= max(left, 0.001)
