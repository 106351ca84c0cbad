"""A model's own rate limiter: its wait is no part of the attempt's time."""

from __future__ import annotations

import time

from ..errors import KalibrError
from ..time_limit import TimeLimit
from ..types import Attempt
from .callee import Callee

INSTANT_S = 0.001
"""A rate limiter that takes less has not made the attempt wait."""


class LimiterError(KalibrError):
    """The model's own rate limiter gave no leave within the attempt's time, or failed."""


def acquire(callee: Callee, attempt: Attempt, limit: TimeLimit) -> None:
    """Wait for the model's own rate limiter, which the attempt's time does not count.

    Raises:
        LimiterError: it gave no leave, or failed.
    """
    began = time.monotonic()
    try:
        callee.acquire(limit)
    except Exception as error:
        raise _limited(error) from error
    _count_anew(limit, attempt, began)


async def aacquire(callee: Callee, attempt: Attempt, limit: TimeLimit) -> None:
    """`acquire`, awaited."""
    began = time.monotonic()
    try:
        await callee.aacquire(limit)
    except Exception as error:
        raise _limited(error) from error
    _count_anew(limit, attempt, began)


def _limited(error: Exception) -> Exception:
    if isinstance(error, LimiterError):
        return error
    return LimiterError(f"the model's rate_limiter failed: {type(error).__name__}")


def _count_anew(limit: TimeLimit, attempt: Attempt, began: float) -> None:
    now = time.monotonic()
    if now - began < INSTANT_S:
        return
    seconds = attempt.first_token_s or attempt.timeout_s
    if attempt.ends_at is not None:
        seconds = min(seconds, attempt.ends_at - now)
    limit.renew(seconds)
