"""A user's function gives a score: which values are one, and what the others are called."""

from __future__ import annotations


def score_of(value: object) -> float | None:
    """A score in [0, 1], or None where the value is none: any number, also one of numpy's; True
    is 1.

    >>> score_of(0.5), score_of(True), score_of(float("nan")), score_of("8/10")
    (0.5, 1.0, None, None)
    """
    if not hasattr(type(value), "__float__"):
        return None
    try:
        score = float(value)  # type: ignore[arg-type]  # it has `__float__`
    except Exception:  # noqa: BLE001  # too large, an array of several, or what a class likes
        return None
    return score if 0.0 <= score <= 1.0 else None


def no_score(value: object) -> str:
    """In words, what is no score: a number itself, else its type, since it may hold text.

    >>> no_score(7), no_score("8/10")
    ('got 7', 'got a str')
    """
    if isinstance(value, int | float) and not abs(value) >= 1e15:  # nan is shown too
        return f"got {value!r}"
    return f"got a {type(value).__name__}"
