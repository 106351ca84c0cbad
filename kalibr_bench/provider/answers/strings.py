"""Strings for a JSON schema: by format, by pattern, by length, by name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from importlib import import_module
from typing import Any

from kalibr_bench.provider.answers.hints import Hints
from kalibr_bench.provider.draws import Draws

_sre = import_module("re._parser")
_FORMATS = {
    "date": "2025-06-30",
    "date-time": "2025-06-30T12:00:00Z",
    "time": "12:00:00Z",
    "duration": "P1D",
    "email": "alex@example.com",
    "hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "uri": "https://example.com/",
    "url": "https://example.com/",
}
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_REPEATED = 6


def text_value(schema: Mapping[str, Any], hints: Hints, name: str, draws: Draws, path: str) -> str:
    """A string that satisfies a string schema."""
    told = hints.text_for(name.lower())
    least, most = schema.get("minLength", 0), schema.get("maxLength")
    if "pattern" in schema:
        return _matching(schema["pattern"], told, least, most)
    form = schema.get("format")
    if form == "uuid":
        digits = draws.hexadecimal(f"uuid{path}") + draws.hexadecimal(f"more{path}")
        parts = digits[:8], digits[8:12], f"4{digits[13:16]}", f"8{digits[17:20]}", digits[20:]
        return "-".join(parts)
    if form in _FORMATS:
        return _FORMATS[form]
    return _fitted(told, least, most)


def _fitted(text: str, least: int, most: int | None) -> str:
    while len(text) < least:
        text = f"{text} {text}" if text else "text"
    return text if most is None else text[: max(most, 0)]


def _matching(pattern: str, told: str, least: int, most: int | None) -> str:
    for text in (told, *(_sample(pattern, times) for times in range(_REPEATED))):
        fits = least <= len(text) and (most is None or len(text) <= most)
        if fits and _search(pattern, text):
            return text
    for times in range(_REPEATED, 3000):
        text = _sample(pattern, times)
        if len(text) >= least:
            return text
    return told


def _search(pattern: str, text: str) -> bool:
    try:
        return re.search(pattern, text) is not None
    except re.error:
        return True


@lru_cache(maxsize=1024)
def _sample(pattern: str, times: int) -> str:
    """A text that a pattern matches; open repeats are ``times`` longer than they must be."""
    try:
        return "".join(_piece(op, argument, times) for op, argument in _sre.parse(pattern))
    except re.error:
        return _LETTERS


def _piece(op: Any, argument: Any, times: int) -> str:
    kind = str(op)
    if kind == "LITERAL":
        return chr(argument)
    if kind == "NOT_LITERAL":
        return "b" if argument == ord("a") else "a"
    if kind == "ANY":
        return "a"
    if kind == "IN":
        return _member(argument)
    if kind in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
        least, most, inner = argument
        return "".join(_all(inner, times) for _ in range(min(least + times, int(most))))
    if kind == "SUBPATTERN":
        return _all(argument[-1], times)
    if kind == "BRANCH":
        return _all(argument[1][0], times)
    return ""


def _all(parsed: Any, times: int) -> str:
    return "".join(_piece(op, argument, times) for op, argument in parsed)


def _member(options: Any) -> str:
    """A character of a set."""
    if str(options[0][0]) == "NEGATE":
        taken = re.compile("[" + "".join(_source(o, a) for o, a in options[1:]) + "]")
        return next((c for c in _LETTERS + "0 _-" if not taken.match(c)), "~")
    op, argument = options[0]
    if str(op) == "RANGE":
        return chr(argument[0])
    if str(op) == "CATEGORY":
        return {"CATEGORY_DIGIT": "7", "CATEGORY_SPACE": " "}.get(str(argument), "a")
    return chr(argument)


def _source(op: Any, argument: Any) -> str:
    if str(op) == "RANGE":
        return f"{re.escape(chr(argument[0]))}-{re.escape(chr(argument[1]))}"
    if str(op) == "CATEGORY":
        return {"CATEGORY_DIGIT": r"\d", "CATEGORY_SPACE": r"\s"}.get(str(argument), r"\w")
    return re.escape(chr(argument))
