"""Two JSON schemas at once: what a value must be to satisfy both."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Schema = Mapping[str, Any]


class Unsatisfiable(ValueError):
    """No value satisfies the schema, or none was found."""


def merged(one: Schema, other: Schema) -> Schema:
    """Both schemas at once."""
    both: dict[str, Any] = {**one, **other}
    for key in one.keys() & other.keys():
        both[key] = _both(key, one[key], other[key])
    return both


def _both(key: str, one: Any, other: Any) -> Any:
    if key == "properties":
        return {**one, **{k: _both_schemas(one.get(k, True), v) for k, v in other.items()}}
    if key == "required":
        return [*one, *(name for name in other if name not in one)]
    if key == "enum":
        return [value for value in one if any(same(value, o) for o in other)]
    if key == "type":
        return _both_types(one, other)
    if key.startswith(("min", "exclusiveMin")):
        return max(one, other)
    if key.startswith(("max", "exclusiveMax")):
        return min(one, other)
    return one if other is True else other


def _both_schemas(one: Any, other: Any) -> Any:
    if one is True or other is False:
        return other
    return one if one is False or other is True else merged(one, other)


def _both_types(one: Any, other: Any) -> list[str]:
    ones, others = types({"type": one}), types({"type": other})
    kinds = [kind for kind in ones if kind in others or (kind == "integer" and "number" in others)]
    kinds = kinds or [kind for kind in others if kind == "integer" and "number" in ones]
    if not kinds:
        raise Unsatisfiable(f"a value cannot be {one} and {other} at once")
    return kinds


def types(schema: Schema) -> list[str]:
    """The types that a schema names, also by ``nullable``; none if it names none."""
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else list(kinds)
    return [*kinds, "null"] if kinds and schema.get("nullable") else kinds


def same(one: Any, other: Any) -> bool:
    """JSON equality: ``1`` is ``1.0`` and not ``true``."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    return bool(one == other)
