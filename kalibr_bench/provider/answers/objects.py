"""JSON objects for prompts that describe one in words or by example, without a schema."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from kalibr_bench.provider.answers.hints import Hints

_ASKED = re.compile(r"\bjson\b", re.I)
_FIELDS = re.compile(
    r"\b(?:keys?|fields?|properties|attributes)\b\s*:?\s*"
    r"((?:[`'\"]?[a-zA-Z_]\w*[`'\"]?(?:\s*\([^)\n]*\))?\s*(?:,|\band\b|&)\s*(?:and\s+)?)*"
    r"[`'\"]?[a-zA-Z_]\w*[`'\"]?)",
    re.I,
)
_QUOTED = r"[`'\"]([a-zA-Z_]\w*)[`'\"]"
_FIELDS_BEFORE = re.compile(
    rf"((?:{_QUOTED}\s*(?:,|\band\b|&)\s*(?:and\s+)?)+{_QUOTED})\s+(?:keys|fields|properties)\b"
)
"""`'setup' and 'punchline' keys`: the names stand before the word."""
_NUMERIC = re.compile(
    r"age|count|price|amount|total|year|score|confiden|quantity|rating|number|days"
)


def asks_for_object(told: str) -> bool:
    """Whether instructions ask for JSON and tell its fields."""
    return _ASKED.search(told) is not None and bool(example_in(told) or _fields(told))


def described(told: str, text: str) -> dict[str, Any] | None:
    """The object that the instructions describe, filled from a text; None if they do not."""
    shape = example_in(told)
    if shape is not None:
        return dict(filled(shape, Hints(text), ""))
    hints = Hints(text)
    return {name: _value(name, hints) for name in _fields(told)} or None


def example_in(told: str, *, needs: str | None = None) -> dict[str, Any] | None:
    """The first example object in a prompt that is JSON and has a field (any, if not named)."""
    decoder = json.JSONDecoder()
    for match in re.finditer(r"\{", told):
        try:
            value, _ = decoder.raw_decode(told, match.start())
        except ValueError:
            continue
        fits = isinstance(value, dict) and value and "properties" not in value
        if fits and (needs is None or needs in value):
            return dict(value)
    return None


def filled(shape: Any, hints: Hints, name: str) -> Any:
    """A value of an example's shape."""
    if isinstance(shape, Mapping):
        return {key: filled(inner, hints, key.lower()) for key, inner in shape.items()}
    if isinstance(shape, list):
        listed = hints.list_for(name) or hints.reading.topics[:2]
        if shape and isinstance(shape[0], Mapping):
            return [filled(shape[0], _Item(text), name) for text in listed]
        return list(listed)
    if isinstance(shape, bool) or shape is None:
        return shape
    if isinstance(shape, int | float):
        return hints.number_for(name)
    return hints.text_for(name)


def _fields(told: str) -> list[str]:
    before = _FIELDS_BEFORE.search(told)
    if before is not None:
        return re.findall(_QUOTED, before.group(1))
    match = _FIELDS.search(told)
    if match is None:
        return []
    listed = re.sub(r"\([^)]*\)", "", match.group(1))
    names = [part.strip(" `'\"") for part in re.split(r",|\band\b|&", listed)]
    return [name for name in names if name] if len(names) > 1 else []


def _value(name: str, hints: Hints) -> Any:
    low = name.lower()
    if _NUMERIC.search(low):
        number = hints.number_for(low)
        return int(number) if number.is_integer() else number
    return list(hints.list_for(low)) or hints.text_for(low)


class _Item(Hints):
    """Hints for one entry of a list."""

    def text_for(self, name: str) -> str:
        """The entry, or for a side field a plausible word."""
        return _SIDE.get(name, self.text)


_SIDE = {"type": "other", "category": "other", "priority": "medium", "owner": "unassigned"}
