"""Where numbers from outside are made safe: no NaN, infinity or negative count gets past here."""

from __future__ import annotations

import math
from collections.abc import Mapping

MAX_COUNT = 1e9
"""More outcomes than this change no belief any more."""
MAX_BATCH = 1e6
MIN_COUNT = 1e-3
"""A Beta posterior's parameters stay above this: its mean is never exactly 0 or 1."""


def clamped(value: object, low: float, high: float) -> float:
    """`value` as a float in [low, high]; NaN becomes `low`.

    Raises:
        ValueError: it is no number at all.

    >>> clamped(float("nan"), 1.0, 2.0), clamped(float("inf"), 1.0, 2.0), clamped(1.5, 1.0, 2.0)
    (1.0, 2.0, 1.5)
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"expected a number, got {value!r}")
    if value > high:
        return high
    return float(value) if value >= low else low


def counts(gain: float, loss: float) -> tuple[float, float]:
    """A batch of outcomes with what is impossible taken out of it.

    >>> counts(float("nan"), -1.0), counts(float("inf"), 1.0)
    ((0.0, 0.0), (1000000.0, 1.0))
    """
    return clamped(gain, 0.0, MAX_BATCH), clamped(loss, 0.0, MAX_BATCH)


def known_cost(cost_usd: float | None) -> float | None:
    """A cost that can be compared, else None: NaN, infinite and negative costs are unknown."""
    if cost_usd is None or not 0.0 <= cost_usd < math.inf:
        return None
    return cost_usd


def saving(cheap: float | None, dear: float | None) -> float:
    """Share of `dear` that `cheap` saves, in [0, 1]; 0 where either is unknown or it saves nothing.

    >>> saving(0.25, 1.0), saving(0.0, 0.0), saving(None, 1.0), saving(2.0, 1.0)
    (0.75, 0.0, 0.0, 0.0)
    """
    if cheap is None or dear is None or cheap >= dear:
        return 0.0
    return 1.0 - cheap / dear


def field(record: object, name: str) -> object:
    """One field of a written state.

    Raises:
        ValueError: `record` is no mapping or has no such field.
    """
    if not isinstance(record, Mapping) or name not in record:
        raise ValueError(f"expected a mapping with {name!r}, got {record!r:.80}")
    value: object = record[name]
    return value


def items(record: object, length: int | None = None) -> list[object]:
    """A written list, of this length if one is given.

    Raises:
        ValueError: it is no list, or of another length.
    """
    if not isinstance(record, list | tuple) or length not in (None, len(record)):
        raise ValueError(f"expected a list of {length or 'any'} items, got {record!r:.80}")
    return list(record)
