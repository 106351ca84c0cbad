"""Answers to ``response_format`` satisfy the schema."""

from __future__ import annotations

import json
import re
from typing import Any

import jsonschema
import openai
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kalibr_bench.provider.answers.hints import Hints
from kalibr_bench.provider.answers.merging import Unsatisfiable
from kalibr_bench.provider.answers.schema import instance
from kalibr_bench.provider.draws import Draws, key_of

from .conftest import Ask, joined
from .tasks import document

TEXT = document(1)


def made(schema: dict[str, Any], text: str = TEXT, seed: int = 0) -> Any:
    """As it is sent: through JSON."""
    return json.loads(json.dumps(instance(schema, Hints(text), Draws(key=key_of(seed)))))


def faults(schema: dict[str, Any], value: Any) -> list[str]:
    """Where a value does not satisfy a schema."""
    found = jsonschema.Draft202012Validator(schema).iter_errors(value)
    return [f"{error.json_path}: {error.message}" for error in found]


NODE = {
    "type": "object",
    "properties": {
        "value": {"type": "integer"},
        "next": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]},
        "children": {"type": "array", "items": {"$ref": "#/$defs/node"}},
    },
    "required": ["value", "next", "children"],
    "additionalProperties": False,
}
CASES: dict[str, dict[str, Any]] = {
    "enum": {"enum": ["a", 1, None]},
    "const": {"const": {"a": [1]}},
    "nullable type": {"type": ["string", "null"]},
    "only null": {"type": "null"},
    "integer range": {"type": "integer", "minimum": 3.2, "exclusiveMaximum": 5},
    "negative": {"type": "number", "maximum": -7.5},
    "exclusive": {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
    "multiple": {"type": "integer", "minimum": 10, "multipleOf": 7},
    "quarter": {"type": "number", "minimum": 0.1, "multipleOf": 0.25},
    "cents": {"type": "number", "minimum": 0, "multipleOf": 0.01},
    "tenths": {"type": "number", "exclusiveMinimum": 0.2, "maximum": 2, "multipleOf": 0.1},
    "long": {"type": "string", "minLength": 400, "maxLength": 410},
    "short": {"type": "string", "maxLength": 1},
    "none": {"type": "string", "maxLength": 0},
    "zip": {"type": "string", "pattern": r"^\d{5}(-\d{4})?$"},
    "slug": {"type": "string", "pattern": "^[a-z]+(_[a-z0-9]+)*$", "minLength": 12},
    "not digits": {"type": "string", "pattern": r"^[^0-9a-m]{3}\w\s.$"},
    "branch": {"type": "string", "pattern": "^(cat|dog)s?$"},
    "dates": {
        "type": "object",
        "properties": {f: {"type": "string", "format": f} for f in ("date", "date-time", "email")},
        "required": ["date", "date-time", "email"],
    },
    "uuid": {"type": "string", "format": "uuid", "pattern": "^[0-9a-f-]{36}$"},
    "counted": {"type": "array", "items": {"type": "boolean"}, "minItems": 3, "maxItems": 4},
    "unique": {"type": "array", "items": {"type": "integer"}, "minItems": 9, "uniqueItems": True},
    "unique enum": {
        "type": "array",
        "items": {"enum": ["red", "green", "blue"]},
        "minItems": 3,
        "uniqueItems": True,
    },
    "tuple": {
        "type": "array",
        "prefixItems": [{"type": "string"}, {"type": "integer"}],
        "items": False,
    },
    "map": {"type": "object", "additionalProperties": {"type": "number"}, "minProperties": 2},
    "undeclared": {"type": "object", "required": ["x"]},
    "few": {
        "type": "object",
        "properties": {n: {"type": "string"} for n in "abcdef"},
        "required": ["f"],
        "maxProperties": 2,
    },
    "all of": {
        "allOf": [
            {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]},
            {"properties": {"a": {"minimum": 5}, "b": {"type": "string"}}, "required": ["b"]},
        ]
    },
    "any of": {"anyOf": [{"type": "null"}, {"type": "string", "minLength": 3}]},
    "one of": {
        "oneOf": [
            {"type": "object", "properties": {"k": {"const": k}}, "required": ["k"]} for k in "ab"
        ]
    },
    "recursive": {"$ref": "#/$defs/node", "$defs": {"node": NODE}},
    "ref with siblings": {
        "properties": {"n": {"$ref": "#/$defs/n", "maximum": 3}},
        "required": ["n"],
        "$defs": {"n": {"type": "integer", "minimum": 2}},
    },
    "anything": {},
}


@pytest.mark.parametrize("schema", CASES.values(), ids=CASES.keys())
def test_what_is_understood_is_satisfied(schema: dict[str, Any]) -> None:
    for seed in range(5):
        assert faults(schema, made(schema, seed=seed)) == []
    assert faults(schema, made(schema, text="")) == []


def test_a_recursive_schema_gives_a_small_value() -> None:
    value = made(CASES["recursive"])
    assert faults(CASES["recursive"], value) == []
    assert value["next"] is not None, "an optional branch is taken once"
    assert len(json.dumps(value)) < 400


def test_draft_4_words_are_understood() -> None:
    old = {"type": "integer", "minimum": 5, "exclusiveMinimum": True, "maximum": 6}
    assert instance(old, Hints(""), Draws(key=key_of(0))) == 6
    nullable = {"type": "string", "nullable": True}
    assert isinstance(instance(nullable, Hints("x"), Draws(key=key_of(0))), str)


def test_fields_are_filled_from_the_text_by_their_names() -> None:
    fields = {
        "summary": {"type": "string"},
        "entities": {"type": "array", "items": {"type": "string"}},
        "sentiment": {
            "type": "object",
            "properties": {"label": {"enum": ["positive", "negative"]}, "confidence": {}},
        },
        "action_items": {
            "type": "array",
            "items": {"type": "object", "properties": {"task": {"type": "string"}}},
        },
    }
    schema = {"type": "object", "properties": fields, "required": list(fields)}
    schema["properties"]["sentiment"]["properties"]["confidence"] = {"type": "number", "maximum": 1}  # type: ignore[index]
    value = made(schema)
    assert faults(schema, value) == []
    assert value["summary"].startswith("Nordwind GmbH met on day 1")
    assert "Omar Reyes" in value["entities"]
    assert value["sentiment"]["label"] == "negative"
    assert 0.5 < value["sentiment"]["confidence"] <= 1
    assert value["action_items"][0]["task"].startswith("Omar Reyes must send")


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#/$defs/missing"},
        {"$ref": "https://example.com/schema.json"},
        {"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/a"}}},
        {"type": "integer", "minimum": 5, "maximum": 4},
        {"type": "array", "items": {"const": 1}, "minItems": 2, "uniqueItems": True},
        {"anyOf": []},
        {"allOf": [{"$ref": "#"}]},
        {
            "type": "object",
            "properties": {"self": {"$ref": "#"}},
            "required": ["self"],
        },
        {"type": "string", "enum": [1, 2]},
    ],
)
def test_an_impossible_schema_is_refused(schema: dict[str, Any], ask: Ask) -> None:
    with pytest.raises(Unsatisfiable):
        instance(schema, Hints(TEXT), Draws(key=key_of(0)))
    wanted = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
    with pytest.raises(openai.BadRequestError, match="Invalid schema") as caught:
        ask("hello", response_format=wanted)
    assert caught.value.code == "invalid_json_schema"


def test_a_schema_answer_over_http_whole_and_streamed(ask: Ask) -> None:
    schema = {
        "type": "object",
        "properties": {"city": {"type": "string"}, "days": {"type": "integer", "minimum": 1}},
        "required": ["city", "days"],
        "additionalProperties": False,
    }
    wanted = {"type": "json_schema", "json_schema": {"name": "x", "strict": True, "schema": schema}}
    prompt = "Plan 3 days in Lisbon"
    for text in (
        ask.text(prompt, response_format=wanted),
        joined(ask.chunks(prompt, response_format=wanted)),
    ):
        assert json.loads(text) == {"city": "Lisbon", "days": 3}


def test_json_object_answers_with_an_object(ask: Ask) -> None:
    answer = ask.text("Describe Paris as JSON", response_format={"type": "json_object"})
    assert isinstance(json.loads(answer), dict)


def test_the_clients_own_parse_reads_pydantic_models(ask: Ask) -> None:
    from enum import Enum
    from typing import Literal

    from pydantic import BaseModel, Field

    class Mood(Enum):
        GOOD = "good"
        BAD = "bad"

    class Part(BaseModel):
        name: str
        price: float | None
        kind: Literal["new", "old"]

    class Order(BaseModel):
        customer: str
        mood: Mood
        parts: list[Part] = Field(min_length=1)

    parsed = ask.client.chat.completions.parse(
        model="gpt-4o",
        messages=[{"role": "user", "content": "Order of Dana Hill: two pumps"}],
        response_format=Order,
    )
    order = parsed.choices[0].message.parsed
    assert isinstance(order, Order)
    assert order.customer == "Dana Hill"


# -- any schema -------------------------------------------------------------------------------

names = st.sampled_from(["a", "name", "city", "summary", "score", "items", "action_items", "id"])
values = st.one_of(st.none(), st.booleans(), st.integers(-9, 9), st.text(max_size=3))


@st.composite
def leaves(draw: st.DrawFn) -> dict[str, Any]:
    kind = draw(
        st.sampled_from(["string", "integer", "number", "boolean", "null", "enum", "const"])
    )
    if kind == "enum":
        return {"enum": draw(st.lists(values, min_size=1, max_size=4))}
    if kind == "const":
        return {"const": draw(values)}
    schema: dict[str, Any] = {"type": kind}
    if kind in ("integer", "number"):
        least = draw(st.integers(-1000, 1000))
        if draw(st.booleans()):
            schema[draw(st.sampled_from(["minimum", "exclusiveMinimum"]))] = least
        if draw(st.booleans()):
            most = least + draw(st.integers(30, 60))
            schema[draw(st.sampled_from(["maximum", "exclusiveMaximum"]))] = most
        if draw(st.booleans()):
            schema["multipleOf"] = draw(st.sampled_from([1, 2, 3, 7, 10]))
    if kind == "string":
        least = draw(st.integers(0, 40))
        schema["minLength"] = least
        if draw(st.booleans()):
            schema["maxLength"] = least + draw(st.integers(0, 20))
        if draw(st.booleans()):
            return {
                "type": "string",
                "pattern": draw(
                    st.sampled_from(
                        [r"^[A-Z]{2}\d+$", r"^\S+@\S+\.com$", r"^(a|b)+$", r"^x?y*z{2,4}$"]
                    )
                ),
            }
    if draw(st.booleans()):
        schema["type"] = [kind, "null"]
    return schema


def nested(inner: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    @st.composite
    def objects(draw: st.DrawFn) -> dict[str, Any]:
        fields = draw(st.dictionaries(names, inner, max_size=4))
        required = draw(st.lists(st.sampled_from(sorted(fields)), unique=True)) if fields else []
        schema = {"type": "object", "properties": fields, "required": required}
        if draw(st.booleans()):
            schema["additionalProperties"] = draw(st.one_of(st.booleans(), inner))
        elif draw(st.booleans()):
            schema["minProperties"] = draw(st.integers(0, 6))
        return schema

    @st.composite
    def arrays(draw: st.DrawFn) -> dict[str, Any]:
        least = draw(st.integers(0, 4))
        schema = {"type": "array", "items": draw(inner), "minItems": least}
        if draw(st.booleans()):
            schema["maxItems"] = least + draw(st.integers(0, 3))
        return schema

    any_of = st.lists(inner, min_size=1, max_size=3).map(lambda branches: {"anyOf": branches})
    return st.one_of(objects(), arrays(), any_of)


@settings(max_examples=400, deadline=None, derandomize=True)
@given(schema=st.recursive(leaves(), nested, max_leaves=8), text=st.text(max_size=60))
def test_any_schema_of_these_words_is_satisfied(schema: dict[str, Any], text: str) -> None:
    assert faults(schema, made(schema, text=text)) == []


@settings(max_examples=200, deadline=None, derandomize=True)
@given(
    pattern=st.lists(
        st.sampled_from(
            [r"\d{2,3}", "[a-f]+", "(foo|bar)?", "x*", r"\w", r"\s?", "[^a-z]", "-", "."]
        ),
        min_size=1,
        max_size=6,
    ).map(lambda parts: "^" + "".join(parts) + "$"),
    least=st.integers(0, 5),
)
def test_strings_match_their_pattern(pattern: str, least: int) -> None:
    text = instance({"type": "string", "pattern": pattern}, Hints(TEXT), Draws(key=key_of(least)))
    assert re.search(pattern, text)
