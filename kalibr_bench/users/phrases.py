"""The phrases of one language, read from `texts/`, and the rule that holds a third of them out."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, TypeVar

T = TypeVar("T")

KNOWN = ("en", "de", "fr", "es", "zh")
UNKNOWN = ("fi", "tr", "sw", "ja")
"""Languages that a system under test may have no words for."""

HELD_OUT = 3
"""One phrase in three is held out: the second, the fifth, the eighth of each list."""

INSISTING = (3, 4)
"""Of a topic's wordings of a wish, the fourth and fifth speak of having asked before."""

PAIRS = ("off_topic", "negative", "praise")
ASSISTANT = ("welcome", "revised", "same", "paste_lines", "code_out")
"""Lists that the assistant speaks from: nothing is tuned on them, so all of them always serve."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Wordings of one and the same wish about an output."""

    openers: tuple[str, ...]
    """Those that a user may begin with."""
    wordings: tuple[str, ...]
    """Openers, and those that speak of having asked before ("it still has onions")."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """What a user may ask for. `{s}` in requests, terse and lines stands for a subject."""

    name: str
    terse: str
    subjects: tuple[str, ...]
    requests: tuple[str, ...]
    lines: tuple[str, ...]
    wish: Wish
    prose: bool
    """Whether what may be wished of any text may be wished of this one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snippet:
    """A broken program, what it prints, the program mended, and a mending that is none."""

    code: str
    error: str
    fixed: str
    other: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Phrasebook:
    """All that is said in one language, on one side of the split."""

    language: str
    phrases: Mapping[str, tuple[str, ...]]
    pairs: Mapping[str, tuple[tuple[str, str], ...]]
    """Requests with their outputs, by list: small talk, and tasks that hold loaded words."""
    wishes: tuple[Wish, ...]
    """What may be wished of any text: shorter, simpler, warmer, more concrete."""
    topics: tuple[Topic, ...]


def side(phrases: Sequence[T], *, held_out: bool) -> tuple[T, ...]:
    """The phrases of one side of the split.

    >>> side("abcdefg", held_out=True), side("abcdefg", held_out=False)
    (('b', 'e'), ('a', 'c', 'd', 'f', 'g'))
    """
    return tuple(p for n, p in enumerate(phrases) if (n % HELD_OUT == 1) is held_out)


@cache
def phrasebook(language: str, *, held_out: bool) -> Phrasebook:
    """Read a language's file.

    Raises:
        ValueError: no such language.
    """
    if language not in KNOWN + UNKNOWN:
        raise ValueError(f"no phrases in {language!r}; there are {', '.join(KNOWN + UNKNOWN)}")
    raw = _read(language)
    lists = {key: value for key, value in raw.items() if isinstance(value, list)}
    return Phrasebook(
        language=language,
        phrases={
            key: tuple(value) if key in ASSISTANT else side(value, held_out=held_out)
            for key, value in lists.items()
            if key not in PAIRS
        },
        pairs={
            key: tuple((asked, told) for asked, told in side(lists[key], held_out=held_out))
            for key in PAIRS
        },
        wishes=tuple(_wish(told, held_out, insisting=()) for told in raw["wishes"].values()),
        topics=tuple(_topic(name, told, held_out) for name, told in raw["topics"].items()),
    )


@cache
def snippets() -> tuple[Snippet, ...]:
    """The programs that users paste."""
    return tuple(Snippet(**told) for told in _read("code")["snippets"])


def _topic(name: str, told: Mapping[str, Any], held_out: bool) -> Topic:
    return Topic(
        name=name,
        terse=told["terse"],
        subjects=tuple(told["subjects"]),
        requests=side(told["requests"], held_out=held_out),
        lines=tuple(told["lines"]),
        wish=_wish(told["wish"], held_out, insisting=INSISTING),
        prose=told.get("prose", True),
    )


def _wish(told: Sequence[str], held_out: bool, *, insisting: Collection[int]) -> Wish:
    wordings = side(told, held_out=held_out)
    later = {told[n] for n in insisting}
    return Wish(openers=tuple(w for w in wordings if w not in later), wordings=wordings)


def _read(name: str) -> dict[str, Any]:
    text = files("kalibr_bench.users").joinpath("texts", f"{name}.toml").read_text("utf-8")
    return tomllib.loads(text)
