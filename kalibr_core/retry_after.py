"""`Retry-After`: how long a provider asks to be left alone, as seconds, a date or milliseconds."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

LONGEST_RETRY_AFTER_S = 3600.0


def asked_wait_s(error: BaseException, *, now: Callable[[], float]) -> float | None:
    """How long a provider's error asks to wait, in [0, `LONGEST_RETRY_AFTER_S`]; None: it does not.

    Args:
        now: seconds since the epoch, for a `Retry-After` that is a date.
    """
    headers = getattr(getattr(error, "response", None), "headers", None)
    if not isinstance(headers, Mapping):
        return None
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return _clamp(milliseconds / 1000)
    value = headers.get("retry-after")
    seconds = _number(value)
    if seconds is not None:
        return _clamp(seconds)
    if not value:
        return None
    from email.utils import parsedate_to_datetime  # rare, and slow to import

    try:
        return _clamp(parsedate_to_datetime(str(value)).timestamp() - now())
    except (ValueError, TypeError, OverflowError):
        return None


def _number(value: object) -> float | None:
    try:
        number = float(str(value))
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _clamp(seconds: float) -> float:
    return min(max(seconds, 0.0), LONGEST_RETRY_AFTER_S)
