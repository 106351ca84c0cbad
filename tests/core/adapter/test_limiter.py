"""A model's own rate limiter: waiting for it is no part of the attempt's time."""

from __future__ import annotations

import time
from typing import Any

import pytest

from kalibr_core.adapter.limiter import INSTANT_S, LimiterError, aacquire, acquire
from kalibr_core.time_limit import TimeLimit
from kalibr_core.types import Attempt

from .drivers import PATH, Callee


class Limited(Callee):
    """Its limiter takes its time, or fails."""

    def __init__(self, *, wait_s: float = 0.0, error: Exception | None = None) -> None:
        super().__init__()
        self.wait_s, self.error = wait_s, error

    def acquire(self, limit: TimeLimit) -> None:
        time.sleep(self.wait_s)
        if self.error is not None:
            raise self.error

    async def aacquire(self, limit: TimeLimit) -> None:
        self.acquire(limit)


async def wait(callee: Callee, order: Attempt, *, is_async: bool) -> TimeLimit:
    limit = TimeLimit(order.timeout_s)
    if is_async:
        await aacquire(callee, order, limit)
    else:
        acquire(callee, order, limit)
    return limit


def order(**given: Any) -> Attempt:
    return Attempt(path=PATH, number=1, timeout_s=20.0, **given)


both = pytest.mark.parametrize("is_async", [False, True])


@both
async def test_the_attempts_time_begins_after_the_wait(is_async: bool) -> None:
    began = time.monotonic()
    limit = await wait(Limited(wait_s=20 * INSTANT_S), order(), is_async=is_async)
    assert limit.until >= began + 20.0 + 20 * INSTANT_S


@both
async def test_a_stream_has_its_first_tokens_time_from_then_on(is_async: bool) -> None:
    limit = await wait(Limited(wait_s=0.01), order(first_token_s=5.0), is_async=is_async)
    assert 4.0 < limit.until - time.monotonic() <= 5.0


@both
async def test_no_wait_makes_an_attempt_last_beyond_its_call(is_async: bool) -> None:
    ends_at = time.monotonic() + 3.0
    limit = await wait(Limited(wait_s=0.01), order(ends_at=ends_at), is_async=is_async)
    assert limit.until == pytest.approx(ends_at, abs=0.05)


@both
async def test_a_limiter_that_fails_is_named(is_async: bool) -> None:
    with pytest.raises(LimiterError, match="rate_limiter failed: KeyError") as caught:
        await wait(Limited(error=KeyError("secret")), order(), is_async=is_async)
    assert "secret" not in str(caught.value)


@both
async def test_a_limiter_that_gives_no_leave_has_said_so_itself(is_async: bool) -> None:
    error = LimiterError("no leave in time")
    with pytest.raises(LimiterError, match="no leave in time") as caught:
        await wait(Limited(error=error), order(), is_async=is_async)
    assert caught.value is error
