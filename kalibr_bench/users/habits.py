"""How a user types: in lower case, without the last stop, with slips of the finger, with emoji."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

EMOJI = {1: ("👍", "🙏", "😊", "🎉"), 0: ("🙂", "😅"), -1: ("😡", "🙄", "😕", "👎")}
"""By mood: content, neither, not content."""

STOPS = ".!\u3002\uff01"

HALF_WIDTH = str.maketrans("\uff0c\uff01\uff1f\uff1a", ",!?:")
"""Who does not care for capitals does not care for the full-width signs either."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """One user's way of typing, the same all through a session."""

    lower: bool
    stopless: bool
    slips: bool
    emoji: bool


def habits(rng: Random) -> Habits:
    """Draw a user: a quarter write in lower case, three in ten without stops."""
    return Habits(
        lower=rng.random() < 0.25,
        stopless=rng.random() < 0.3,
        slips=rng.random() < 0.15,
        emoji=rng.random() < 0.12,
    )


def typed(text: str, *, by: Habits, mood: int, rng: Random) -> str:
    """The text as this user would type it; `mood` is one of -1, 0, 1."""
    if by.lower:
        text = text.replace("İ", "i").lower().translate(HALF_WIDTH)
    if by.slips and rng.random() < 0.6:
        text = slip(text, rng=rng)
    if by.stopless:
        text = text.rstrip(STOPS).rstrip() or text
    if by.emoji and rng.random() < 0.5:
        text = f"{text} {rng.choice(EMOJI[mood])}"
    return text


def slip(text: str, *, rng: Random) -> str:
    """Swap two neighbouring letters inside a longer word, if there is one in ASCII.

    >>> slip("a longer", rng=Random(1))
    'a lnoger'
    """
    inside = [
        n
        for n in range(1, len(text) - 2)
        if text[n - 1 : n + 3].isascii() and text[n - 1 : n + 3].isalpha()
    ]
    if not inside:
        return text
    n = rng.choice(inside)
    return text[:n] + text[n + 1] + text[n] + text[n + 2 :]
