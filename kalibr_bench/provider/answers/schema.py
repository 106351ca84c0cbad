"""JSON values that satisfy a JSON schema, filled from a text where names tell what is meant.

Understood: type (also a list), properties, required, additionalProperties, min/maxProperties,
items, prefixItems, min/maxItems, uniqueItems, enum, const, anyOf, oneOf, allOf, $ref within the
document, nullable, (exclusive) minimum and maximum, multipleOf, min/maxLength, pattern, format.
Ignored: not, if/then, patternProperties, dependencies, contains.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kalibr_bench.provider.answers.hints import Hints
from kalibr_bench.provider.answers.merging import Schema, Unsatisfiable, merged, same, types
from kalibr_bench.provider.answers.numeric import number_value
from kalibr_bench.provider.answers.strings import text_value
from kalibr_bench.provider.draws import Draws

SHALLOW = 5
DEEPEST = 24


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the document a value stands: its name, its path, how deep, inside which refs."""

    name: str = ""
    path: str = ""
    depth: int = 0
    refs: tuple[str, ...] = ()

    def inside(self, step: str, name: str | None = None) -> Place:
        named = self.name if name is None else name
        return Place(named, f"{self.path}/{step}", self.depth + 1, self.refs)

    def through(self, ref: str) -> Place:
        """Inside a reference; a recursive one is kept as small as it can be."""
        depth = max(self.depth, SHALLOW) if ref in self.refs else self.depth
        return Place(self.name, self.path, depth + 1, (*self.refs, ref))


def instance(schema: Schema, hints: Hints, draws: Draws) -> Any:
    """A value that satisfies a schema.

    Raises:
        Unsatisfiable: there is none, e.g. an object that must hold itself.
    """
    return _Writer(schema, hints, draws).value(schema, Place())


class _Writer:
    def __init__(self, root: Schema, hints: Hints, draws: Draws) -> None:
        self._root = root
        self._hints = hints
        self._draws = draws

    def value(self, schema: Any, place: Place) -> Any:
        if schema is False or place.depth > DEEPEST:
            raise Unsatisfiable(f"no value for {place.path or 'the schema'}")
        if schema is True or not schema:
            return self._hints.text_for(place.name.lower())
        if "$ref" in schema:
            return self._referred(schema, place)
        if "allOf" in schema:
            return self._all(schema, place)
        for words in ("anyOf", "oneOf"):
            if words in schema:
                return self._one_of(schema, words, place)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return self._listed(schema, place)
        return self._typed(schema, place)

    def _referred(self, schema: Schema, place: Place) -> Any:
        target = self._target(schema["$ref"])
        rest = {key: value for key, value in schema.items() if key != "$ref"}
        both = merged(target, rest) if isinstance(target, Mapping) else target
        return self.value(both, place.through(schema["$ref"]))

    def _target(self, ref: str) -> Any:
        found: Any = self._root
        if not ref.startswith("#"):
            raise Unsatisfiable(f"cannot follow {ref!r}: only references into the schema itself")
        for step in ref[1:].strip("/").split("/"):
            if step:
                key = step.replace("~1", "/").replace("~0", "~")
                try:
                    found = found[int(key)] if isinstance(found, list) else found[key]
                except (KeyError, IndexError, ValueError) as error:
                    raise Unsatisfiable(f"{ref!r} leads nowhere") from error
        return found

    def _all(self, schema: Schema, place: Place) -> Any:
        both: Schema = {key: value for key, value in schema.items() if key != "allOf"}
        for part in schema["allOf"]:
            while isinstance(part, Mapping) and "$ref" in part and place.depth <= DEEPEST:
                rest = {key: value for key, value in part.items() if key != "$ref"}
                place = place.through(part["$ref"])
                part = merged(self._target(part["$ref"]), rest)
            if part is False:
                raise Unsatisfiable(f"nothing is allowed at {place.path or 'the root'}")
            if isinstance(part, Mapping):
                both = merged(both, part)
        return self.value(both, place)

    def _one_of(self, schema: Schema, words: str, place: Place) -> Any:
        rest = {key: value for key, value in schema.items() if key != words}
        branches = list(schema[words])
        if place.depth >= SHALLOW:
            branches.sort(key=_size)
        else:
            branches.sort(key=lambda branch: _size(branch) == 0)
        for branch in branches:
            try:
                return self.value(merged(rest, branch) if branch is not True else rest, place)
            except Unsatisfiable:
                continue
        raise Unsatisfiable(f"no branch of {words} at {place.path or 'the root'}")

    def _listed(self, schema: Schema, place: Place) -> Any:
        kinds = types(schema)
        fitting = [v for v in schema["enum"] if not kinds or any(_is(v, kind) for kind in kinds)]
        if not fitting:
            raise Unsatisfiable(f"no value of the enum at {place.path} has its type")
        text = self._hints.text.lower()
        told = [v for v in fitting if isinstance(v, str) and v and v.lower() in text]
        hinted = self._hints.text_for(place.name.lower())
        if hinted in fitting:
            return hinted
        return told[0] if told else self._draws.pick(f"enum{place.path}", fitting)

    def _typed(self, schema: Schema, place: Place) -> Any:
        kinds = [kind for kind in types(schema) if kind != "null"]
        if types(schema) and not kinds:
            return None
        kind = kinds[0] if kinds else _implied(schema)
        if place.depth >= SHALLOW and len(kinds) < len(types(schema)):
            return None
        if kind == "object":
            return self._object(schema, place)
        if kind == "array":
            return self._array(schema, place)
        if kind == "boolean":
            return self._draws.uniform(f"boolean{place.path}") < 0.5
        if kind in ("integer", "number"):
            return number_value(
                schema, self._hints.number_for(place.name.lower()), whole=kind == "integer"
            )
        return text_value(schema, self._hints, place.name, self._draws, place.path)

    def _object(self, schema: Schema, place: Place) -> dict[str, Any]:
        fields: Mapping[str, Any] = schema.get("properties") or {}
        required = list(schema.get("required") or ())
        extra = schema.get("additionalProperties", True)
        made: dict[str, Any] = {}
        for name in dict.fromkeys([*fields, *required]):
            if name in required:
                made[name] = self.value(fields.get(name, extra), place.inside(name, name))
            elif place.depth < SHALLOW and fields[name] is not False:
                self._optional(made, name, fields[name], place)
        for name in [n for n in fields if n not in required and n in made]:
            if len(made) > schema.get("maxProperties", len(made)):
                del made[name]
        for at in range(schema.get("minProperties", 0) - len(made)):
            name = next((n for n in fields if n not in made), f"key_{at + 1}")
            made[name] = self.value(fields.get(name, extra), place.inside(name, name))
        return made

    def _optional(self, made: dict[str, Any], name: str, schema: Any, place: Place) -> None:
        try:
            made[name] = self.value(schema, place.inside(name, name))
        except Unsatisfiable:
            made.pop(name, None)

    def _array(self, schema: Schema, place: Place) -> list[Any]:
        first = list(schema.get("prefixItems") or ())
        items = schema.get("items", not first)
        least = schema.get("minItems", 0)
        told = self._hints.list_for(place.name.lower())
        wanted = least if place.depth >= SHALLOW else max(least, len(first), min(len(told) or 2, 5))
        if items is False:
            wanted = min(wanted, len(first))
        made: list[Any] = []
        for at in range(min(wanted, schema.get("maxItems", wanted))):
            kind = first[at] if at < len(first) else items
            made.append(self._item(kind, place, at, made if schema.get("uniqueItems") else []))
        return made

    def _item(self, schema: Any, place: Place, at: int, taken: list[Any]) -> Any:
        """One item, unlike those taken."""
        told = self._hints.list_for(place.name.lower())
        writer = self
        for attempt in range(60):
            if told or attempt:
                text = (
                    told[(at + attempt) % len(told)] if attempt < len(told) else f"{at + attempt}"
                )
                writer = _Writer(self._root, _Only(text), self._draws.within(at, attempt))
            value = writer.value(schema, place.inside(str(at)))
            if not any(same(value, other) for other in taken):
                return value
        raise Unsatisfiable(f"too few different items at {place.path}")


class _Only(Hints):
    """Hints for an item of a list: the item itself."""

    def text_for(self, name: str) -> str:
        """The item."""
        return "other" if name in ("type", "kind", "category", "label") else self.text


def _implied(schema: Schema) -> str:
    """The type that a schema without one is about."""
    for kind, words in _IMPLIED.items():
        if words & schema.keys():
            return kind
    return "string"


_IMPLIED = {
    "object": {"properties", "required", "additionalProperties", "minProperties"},
    "array": {"items", "prefixItems", "minItems", "uniqueItems"},
    "number": {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"},
}
_KINDS = {"string": str, "object": dict, "array": list, "boolean": bool, "null": type(None)}


def _is(value: Any, kind: str) -> bool:
    if kind in ("integer", "number"):
        whole = kind == "number" or float(value).is_integer() if _numeric(value) else False
        return _numeric(value) and whole
    return isinstance(value, _KINDS.get(kind, object))


def _numeric(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _size(schema: Any) -> int:
    """How much a branch brings: nothing for null, more for what can hold more."""
    if not isinstance(schema, Mapping) or types(schema) == ["null"]:
        return 0
    if "$ref" in schema or "object" in types(schema) or "properties" in schema:
        return 3
    return 2 if "array" in types(schema) else 1
