"""Reading what a submission returned: plain data, of which nothing is taken for granted."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

from kalibr_bench.gauntlet.sandbox.inside.wire import Value

Event = dict[str, Value]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One event that was kept: its reading is finite."""

    ts: Value
    reading: float
    event: Event


class NotADict(TypeError):
    """The submission did not return what it must."""

    def __init__(self, value: Value) -> None:
        what = "None" if value is None else f"a value of {type(value).__name__}"
        super().__init__(f"returned {what}, not a dict")


def number(value: Value) -> float | None:
    """A finite number that is no boolean; None for all else."""
    if type(value) is float and math.isfinite(value):
        return value
    if type(value) is int and value.bit_length() <= 1000:
        return float(value)
    return None


def rows(result: Value) -> list[Row] | None:
    """What was kept, in order; None if any entry is no dict with a finite reading.

    Raises:
        NotADict: the result is none.
    """
    if type(result) is not dict:
        raise NotADict(result)
    clean = part(result, "clean")
    if type(clean) not in (list, tuple, deque):
        return None
    kept: list[Row] = []
    for event in clean:
        reading = number(part(event, "reading"))
        if reading is None:
            return None
        kept.append(Row(ts=event.get("ts"), reading=reading, event=event))
    return kept


def part(value: Value, name: str) -> Value:
    """One entry of a dict; None where there is none."""
    return value.get(name) if type(value) is dict else None


def in_order(kept: list[Row]) -> bool:
    """Whether every row has a time, and none is before the row above it."""
    times = [number(row.ts) for row in kept]
    known = [time for time in times if time is not None]
    return len(known) == len(times) and known == sorted(known)


def buffered(result: Value) -> int | None:
    """Entries in the state's buffer; None if there is no buffer.

    Raises:
        NotADict: the result is none.
    """
    if type(result) is not dict:
        raise NotADict(result)
    buffer = part(part(result, "state"), "buffer")
    return len(buffer) if type(buffer) in (list, tuple, deque) else None


def seen(result: Value) -> float | None:
    """The state's count of events; None if there is none."""
    return number(part(part(result, "state"), "seen"))


def is_telemetry(value: Value) -> bool:
    """A dict, or exactly `True`."""
    return type(value) is dict or value is True


def all_finite(value: Value) -> bool:
    """Whether no NaN and no infinity is anywhere in it."""
    if type(value) is float:
        return math.isfinite(value)
    if type(value) is dict:
        return all(map(all_finite, value)) and all(map(all_finite, value.values()))
    if type(value) in (list, tuple, deque, frozenset):
        return all(map(all_finite, value))
    return True


def statistics_of(readings: list[float]) -> tuple[float, float]:
    """Mean and population standard deviation; zeros for nothing."""
    if not readings:
        return 0.0, 0.0
    mean = math.fsum(readings) / len(readings)
    return mean, math.sqrt(math.fsum((r - mean) ** 2 for r in readings) / len(readings))


def close(value: Value, wanted: float, *, scale: float = 1.0) -> bool:
    """Whether it is that number, to a millionth of the scale or of itself."""
    found = number(value)
    return found is not None and abs(found - wanted) <= 1e-6 * max(abs(wanted), scale)
