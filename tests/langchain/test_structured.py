"""Structured output: every kind of schema, understood in one way."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from typing import Any, TypedDict

import pytest
from langchain_core.exceptions import ModelRefusalError, OutputParserException
from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.messages.tool import tool_call_chunk
from pydantic import BaseModel, ValidationError
from pydantic.v1 import BaseModel as OldBaseModel

from kalibr_core import ConfigError
from kalibr_core.types import Output, ToolCall, Usage
from kalibr_langchain.structured import Structured, StructuredParser

KEY: Any = "sk-12345678"


class City(BaseModel):
    """A city."""

    name: str
    people: int


class OldCity(OldBaseModel):
    """A city."""

    name: str
    people: int


class CityDict(TypedDict):
    """A city."""

    name: str
    people: int


PARAMETERS: dict[str, Any] = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "people": {"type": "integer"}},
    "required": ["name", "people"],
}
JSON_SCHEMA = {"title": "City", "description": "A city.", **PARAMETERS}
FUNCTION = {"name": "City", "description": "A city.", "parameters": PARAMETERS}
SCHEMAS: dict[str, tuple[Any, str]] = {
    "pydantic": (City, "City"),
    "pydantic v1": (OldCity, "OldCity"),
    "TypedDict": (CityDict, "CityDict"),
    "JSON schema": (JSON_SCHEMA, "City"),
    "function": (FUNCTION, "City"),
    "tool": ({"type": "function", "function": FUNCTION}, "City"),
}
VALUE = {"name": "Paris", "people": 2}
TEXT = json.dumps(VALUE)
CALL = {"name": "City", "args": VALUE, "id": "1", "type": "tool_call"}

each_schema = pytest.mark.parametrize(("schema", "name"), SCHEMAS.values(), ids=SCHEMAS)
plain_or_class = pytest.mark.parametrize("schema", [JSON_SCHEMA, City], ids=["plain", "class"])


def as_dict(value: Any) -> Any:
    if isinstance(value, OldBaseModel):
        return value.dict()
    return value.model_dump() if isinstance(value, BaseModel) else value


# What was asked for.


@each_schema
@pytest.mark.parametrize("method", [None, "json_schema", "function_calling", "json_mode"])
def test_every_kind_of_schema_goes_with_every_method(
    schema: Any, name: str, method: str | None
) -> None:
    wanted = Structured(schema, method=method)
    assert wanted.name == name
    assert wanted.json_schema is not None
    assert set(wanted.json_schema["properties"]) == set(VALUE)
    assert as_dict(wanted.parse(TEXT)) == VALUE


@each_schema
def test_classes_give_instances_and_other_schemas_dicts(schema: Any, name: str) -> None:
    found = Structured(schema).parse(TEXT)
    if name in ("City", "OldCity") and isinstance(schema, type):
        assert type(found) is schema
    else:
        assert found == VALUE


@pytest.mark.parametrize("schema", [City, OldCity])
def test_what_does_not_fit_a_class_is_no_structure(schema: Any) -> None:
    with pytest.raises(ValueError, match="people"):
        Structured(schema).parse('{"name": "Paris"}')


@pytest.mark.parametrize("text", ["Paris", "", '{"name"'])
def test_what_is_no_json_is_no_structure(text: str) -> None:
    with pytest.raises(ValueError):
        Structured(JSON_SCHEMA).parse(text)


def test_the_gate_holds_plain_schemas_and_leaves_classes_to_themselves() -> None:
    assert Structured(City).response_format == {"type": "json_object"}
    found = Structured(JSON_SCHEMA).response_format
    assert found["type"] == "json_schema"
    assert Structured(None, method="json_mode").response_format == {"type": "json_object"}


def test_any_json_needs_no_schema() -> None:
    wanted = Structured(None, method="json_mode")
    assert (wanted.name, wanted.json_schema) == (None, None)
    assert wanted.parse("[1]") == [1]


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: Structured(City, method="magic"), "method must be one of .* got 'magic'"),
        (lambda: Structured(None), "schema is None"),
        (lambda: Structured(None, method="json_schema"), "schema is None"),
        (lambda: Structured(City, method="json_mode", strict=True), "strict does not go with"),
        (lambda: Structured({"type": "object"}), "(?s)cannot be used: .*JSON schema with a title"),
        (lambda: Structured(5), "schema 5 cannot be used"),
    ],
)
def test_what_cannot_be_used_is_told(make: Callable[[], Structured], text: str) -> None:
    with pytest.raises(ConfigError, match=text):
        make()


def test_its_repr_tells_schemas_apart_and_is_the_same_each_time() -> None:
    assert repr(Structured(City)) == repr(Structured(City))
    others = [
        Structured(City),
        Structured(OldCity),
        Structured(City, strict=True),
        Structured(City, method="json_mode"),
    ]
    assert len(set(map(repr, others))) == 4


# What the gates judge.


@pytest.mark.parametrize(
    "output",
    [
        Output(text=TEXT),
        Output(text=f"```json\n{TEXT}\n```"),
        Output(text=f"Here it is:\n```\n{TEXT}\n```"),
        Output(text="", tool_calls=(ToolCall(name="City", arguments=TEXT),)),
        Output(
            text="Let me see",
            tool_calls=(
                ToolCall(name="other", arguments="{}"),
                ToolCall(name="City", arguments=TEXT),
            ),
        ),
    ],
)
def test_the_gates_see_one_text_however_it_was_asked_for(output: Output) -> None:
    assert Structured(City).output(output) == Output(text=TEXT)


def test_the_rest_of_an_output_stays() -> None:
    usage = Usage(input_tokens=1, output_tokens=2)
    told = Output(text=TEXT, finish_reason="length", refusal="No.", usage=usage, model="m")
    assert Structured(City).output(told) == told


def test_a_call_that_stands_for_the_answer_is_no_call_to_go_on_with() -> None:
    call = ToolCall(name="City", arguments=TEXT)
    asked = Output(text="", tool_calls=(call,), finish_reason="tool_calls")
    assert Structured(City).output(asked).finish_reason is None


@pytest.mark.parametrize(
    "output",
    [
        Output(text="I do not know."),
        Output(text=""),
        Output(text="", tool_calls=(ToolCall(name="other", arguments="{}"),)),
    ],
)
def test_what_holds_no_structure_stays_as_it_is(output: Output) -> None:
    assert Structured(City).output(output) is output


# What the caller gets.


def parsed(message: Any, schema: Any = JSON_SCHEMA) -> Any:
    return StructuredParser(wanted=Structured(schema)).invoke(message)


INVALID = {"name": "City", "args": '{"na', "id": "1", "error": None, "type": "invalid_tool_call"}
ANSWERS = {
    "a text": AIMessage(TEXT),
    "a fence": AIMessage(f"```json\n{TEXT}\n```"),
    "parts": AIMessage([{"type": "text", "text": TEXT}]),
    "a tool call": AIMessage("", tool_calls=[CALL]),
    "a tool call beside a text": AIMessage("Let me see.", tool_calls=[CALL]),
    "a string": TEXT,
}


@pytest.mark.parametrize("message", ANSWERS.values(), ids=ANSWERS)
@plain_or_class
def test_a_structure_is_found_wherever_it_stands(message: Any, schema: Any) -> None:
    found = parsed(message, schema)
    assert as_dict(found) == VALUE
    assert isinstance(found, City) == (schema is City)


BAD = {
    "no JSON": AIMessage("I do not know."),
    "nothing": AIMessage(""),
    "JSON that is cut": AIMessage('{"name": "Par'),
    "arguments that are cut": AIMessage("", invalid_tool_calls=[INVALID]),
    "arguments that are none": AIMessage("", invalid_tool_calls=[{**INVALID, "args": None}]),
}


@pytest.mark.parametrize("message", BAD.values(), ids=BAD)
@plain_or_class
def test_an_answer_without_structure_is_told(message: AIMessage, schema: Any) -> None:
    with pytest.raises(OutputParserException, match="does not fit the schema"):
        parsed(message, schema)


@pytest.mark.parametrize(
    "message", [AIMessage('{"name": "Paris"}'), AIMessage("", tool_calls=[{**CALL, "args": {}}])]
)
def test_an_answer_that_does_not_fit_a_class_tells_what_is_missing(message: AIMessage) -> None:
    with pytest.raises(OutputParserException, match="people") as caught:
        parsed(message, City)
    assert isinstance(caught.value.__cause__, ValidationError)
    assert caught.value.llm_output == message.text


@pytest.mark.parametrize(
    "message",
    [
        AIMessage("", additional_kwargs={"refusal": "I cannot."}),
        AIMessage([{"type": "refusal", "refusal": "I cannot."}]),
        AIMessage("", response_metadata={"finish_reason": "content_filter"}),
    ],
)
@plain_or_class
def test_a_refusal_is_langchains(message: AIMessage, schema: Any) -> None:
    with pytest.raises(ModelRefusalError) as caught:
        parsed(message, schema)
    assert caught.value.raw_message is message


def test_a_tool_that_was_called_instead_gives_nothing() -> None:
    assert parsed(AIMessage("", tool_calls=[{**CALL, "name": "search"}])) is None


# Streams.


PIECES = ['{"name": "Pa', 'ris", "peo', 'ple": 2', "}"]
GROWTH = [{"name": "Pa"}, {"name": "Paris"}, VALUE]


def by_text() -> list[AIMessageChunk]:
    return [AIMessageChunk(content=piece) for piece in PIECES]


def by_tool() -> list[AIMessageChunk]:
    names = ("City", None, None, None)
    calls = [
        tool_call_chunk(name=name, args=piece, id=name, index=0)
        for name, piece in zip(names, PIECES, strict=True)
    ]
    return [AIMessageChunk(content="", tool_call_chunks=[call]) for call in calls]


each_stream = pytest.mark.parametrize("stream", [by_text, by_tool])


@each_stream
def test_a_plain_structure_grows_with_its_stream(stream: Any) -> None:
    found = list(StructuredParser(wanted=Structured(JSON_SCHEMA)).transform(iter(stream())))
    assert [value for value in found if value] == GROWTH


@each_stream
async def test_a_plain_structure_grows_in_a_loop_too(stream: Any) -> None:
    async def chunks() -> AsyncIterator[AIMessageChunk]:
        for chunk in stream():
            yield chunk

    parser = StructuredParser(wanted=Structured(JSON_SCHEMA))
    assert [value async for value in parser.atransform(chunks()) if value] == GROWTH


@each_stream
def test_an_instance_comes_once_and_whole(stream: Any) -> None:
    found = list(StructuredParser(wanted=Structured(City)).transform(iter(stream())))
    assert found == [City(name="Paris", people=2)]


@plain_or_class
def test_a_stream_that_is_cut_ends_in_the_error(schema: Any) -> None:
    parser = StructuredParser(wanted=Structured(schema))
    with pytest.raises(OutputParserException):
        list(parser.transform(iter(by_text()[:2])))


def test_a_stream_of_nothing_gives_nothing() -> None:
    assert list(StructuredParser(wanted=Structured(City)).transform(iter([]))) == []
