"""Answers of several providers' shapes, read as the gates judge them."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult

from kalibr_core import BadResponse
from kalibr_core.types import Output, ToolCall, Usage
from kalibr_langchain.reading import finishes, opens, read_chunks, read_result, read_usage

USAGE: dict[str, Any] = {
    "input_tokens": 10,
    "output_tokens": 5,
    "total_tokens": 15,
    "input_token_details": {"cache_read": 4},
    "output_token_details": {"reasoning": 3},
}


def result(
    content: Any = "Hi.",
    *,
    info: dict[str, Any] | None = None,
    output: dict[str, Any] | None = None,
    **fields: Any,
) -> ChatResult:
    message = AIMessage(content=content, **fields)
    generation = ChatGeneration(message=message, generation_info=info)
    return ChatResult(generations=[generation], llm_output=output)


def read(content: Any = "Hi.", **fields: Any) -> Output:
    return read_result(result(content, **fields))


def chunk(
    content: Any = "", *, info: dict[str, Any] | None = None, **fields: Any
) -> ChatGenerationChunk:
    message = AIMessageChunk(content=content, **fields)
    return ChatGenerationChunk(message=message, generation_info=info)


def test_a_plain_answer() -> None:
    assert read() == Output(text="Hi.")


@pytest.mark.parametrize(
    "told",
    [
        {"finish_reason": "length"},
        {"stop_reason": "length"},
        {"stopReason": "length"},
        {"done_reason": "length"},
        {"finish_reason": None, "stop_reason": "length"},
    ],
)
@pytest.mark.parametrize("place", ["info", "output", "response_metadata"])
def test_the_end_is_found_under_each_providers_name_in_each_place(
    told: dict[str, Any], place: str
) -> None:
    assert read(**{place: told}).finish_reason == "length"


@pytest.mark.parametrize("name", ["model_name", "model", "model_id", "modelVersion"])
def test_the_model_is_found_under_each_providers_name(name: str) -> None:
    assert read(response_metadata={name: "gpt-4o-2024"}).model == "gpt-4o-2024"
    assert read(output={name: "gpt-4o-2024"}).model == "gpt-4o-2024"


def test_all_tokens_are_counted() -> None:
    assert read(usage_metadata=USAGE).usage == Usage(
        input_tokens=10, output_tokens=5, cached_input_tokens=4, reasoning_tokens=3
    )


def test_what_a_provider_does_not_count_is_unknown() -> None:
    bare = {"input_tokens": 1, "output_tokens": 0, "total_tokens": 1}
    assert read_usage(bare) == Usage(input_tokens=1, output_tokens=0)


@pytest.mark.parametrize(
    "usage",
    [
        None,
        {},
        "10",
        {"input_tokens": 1},
        {"input_tokens": "1", "output_tokens": 1},
        {"input_tokens": True, "output_tokens": 1},
        {"input_tokens": -1, "output_tokens": 1},
        {"input_tokens": 10**30, "output_tokens": 1},
    ],
)
def test_counts_that_are_none_are_unknown(usage: Any) -> None:
    assert read_usage(usage) is None


@pytest.mark.parametrize(
    ("content", "fields"),
    [
        ("", {"additional_kwargs": {"refusal": "I cannot."}}),
        ([{"type": "refusal", "refusal": "I cannot."}], {}),
    ],
)
def test_a_refusal_is_found_wherever_it_stands(content: Any, fields: dict[str, Any]) -> None:
    assert read(content, **fields).refusal == "I cannot."


@pytest.mark.parametrize("refusal", [None, "", 5])
def test_no_refusal_is_none(refusal: Any) -> None:
    assert read(additional_kwargs={"refusal": refusal}).refusal is None


def test_a_list_of_parts_is_read_as_its_text() -> None:
    parts = [
        {"type": "thinking", "thinking": "Let me see"},
        {"type": "text", "text": "Par"},
        "is",
        {"type": "tool_use", "id": "1", "name": "f", "input": {}},
    ]
    assert read(parts).text == "Paris"


def test_calls_whose_arguments_are_no_json_are_calls_too() -> None:
    good = {"name": "f", "args": {"a": 1}, "id": "1", "type": "tool_call"}
    bad = {"name": "g", "args": '{"a"', "id": "2", "error": "x", "type": "invalid_tool_call"}
    empty = {"name": None, "args": None, "id": None, "error": None, "type": "invalid_tool_call"}
    assert read(tool_calls=[good], invalid_tool_calls=[bad, empty]).tool_calls == (
        ToolCall(id="1", name="f", arguments='{"a": 1}'),
        ToolCall(id="2", name="g", arguments='{"a"'),
        ToolCall(id=None, name="", arguments=""),
    )


def test_arguments_that_cannot_be_written_as_json_raise_nothing() -> None:
    odd = {"name": "f", "args": {"a": object()}, "id": "1", "type": "tool_call"}
    assert read(tool_calls=[odd]).tool_calls[0].arguments.startswith("{'a': <object")


@pytest.mark.parametrize(
    "answer",
    [
        ChatResult(generations=[]),
        ChatResult(generations=[ChatGeneration(message=HumanMessage("Hi"))]),
    ],
)
def test_what_is_no_answer_is_a_bad_response(answer: ChatResult) -> None:
    with pytest.raises(BadResponse):
        read_result(answer)


def test_a_stream_is_read_as_a_whole() -> None:
    call = {"name": "f", "id": "1", "index": 0, "type": "tool_call_chunk"}
    chunks = [
        chunk("Par", response_metadata={"model_name": "gpt-4o-2024"}),
        chunk("is"),
        chunk(tool_call_chunks=[{**call, "args": '{"a"'}]),
        chunk(tool_call_chunks=[{**call, "name": None, "id": None, "args": ": 1}"}]),
        chunk(info={"finish_reason": "tool_calls"}, usage_metadata=USAGE),
    ]
    assert read_chunks(chunks) == Output(
        text="Paris",
        tool_calls=(ToolCall(id="1", name="f", arguments='{"a": 1}'),),
        finish_reason="tool_calls",
        usage=read_usage(USAGE),
        model="gpt-4o-2024",
    )


def test_a_stream_without_chunks_is_a_bad_response() -> None:
    with pytest.raises(BadResponse, match="held no answer"):
        read_chunks([])


OPENING = [
    chunk("P"),
    chunk([{"type": "text", "text": "P"}]),
    chunk(["P"]),
    chunk([{"type": "thinking", "thinking": "hm"}]),
    chunk(additional_kwargs={"refusal": "No."}),
    chunk(additional_kwargs={"reasoning_content": "hm"}),
    chunk(tool_call_chunks=[{"name": "f", "args": "", "id": "1", "index": 0}]),
]
EMPTY = [
    chunk(),
    chunk([]),
    chunk([{"type": "text", "text": ""}]),
    chunk([""]),
    chunk([{}]),
    chunk(usage_metadata=USAGE),
    chunk(info={"finish_reason": "stop"}),
    chunk(additional_kwargs={"refusal": None}),
]


@pytest.mark.parametrize("one", OPENING)
def test_content_of_any_kind_opens_a_stream(one: ChatGenerationChunk) -> None:
    assert opens(one)


@pytest.mark.parametrize("one", EMPTY)
def test_a_role_a_count_or_an_end_does_not(one: ChatGenerationChunk) -> None:
    assert not opens(one)


@pytest.mark.parametrize(
    "one",
    [
        chunk(info={"finish_reason": "stop"}),
        chunk(response_metadata={"stop_reason": "end_turn"}),
        chunk(response_metadata={"stopReason": "end_turn"}),
        chunk(info={"done_reason": "stop"}),
    ],
)
def test_an_end_is_told_by_each_providers_name(one: ChatGenerationChunk) -> None:
    assert finishes(one)


@pytest.mark.parametrize("one", [chunk("P"), chunk(info={"finish_reason": None})])
def test_no_end_is_none(one: ChatGenerationChunk) -> None:
    assert not finishes(one)
