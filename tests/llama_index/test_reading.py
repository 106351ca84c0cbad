"""An LLM's answer as the gates judge it: its text, its tool calls, its chunks."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from llama_index.core.base.llms.types import (
    ChatMessage,
    ChatResponse,
    CompletionResponse,
    ImageBlock,
    TextBlock,
    ThinkingBlock,
    ToolCallBlock,
)
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from kalibr_core import BadResponse, Output, ToolCall, Usage
from kalibr_llama_index import reading
from kalibr_llama_index.reading import Piece, read_pieces


def chat(*blocks: Any, raw: Any = None, delta: str | None = None, **kept: Any) -> ChatResponse:
    held = [TextBlock(text=b) if isinstance(b, str) else b for b in blocks]
    message = ChatMessage(role="assistant", blocks=held, additional_kwargs=kept)
    return ChatResponse(message=message, raw=raw, delta=delta)


def read(raw: Any, *blocks: Any, **kept: Any) -> Output:
    return read_pieces((Piece(chat(*(blocks or ("Paris",)), raw=raw, **kept)),))


def completion(**message: Any) -> ChatCompletion:
    finish = message.pop("finish", "stop")
    usage = message.pop("usage", None)
    choice = {"index": 0, "finish_reason": finish, "message": {"role": "assistant", **message}}
    return ChatCompletion.model_validate(
        {"id": "1", "object": "chat.completion", "created": 1, "model": "gpt-4o-2024-08-06",
         "choices": [choice], "usage": usage}
    )  # fmt: skip


def chunk(finish: str | None = None, usage: Any = None, **delta: Any) -> ChatCompletionChunk:
    choices = [] if usage else [{"index": 0, "delta": delta, "finish_reason": finish}]
    return ChatCompletionChunk.model_validate(
        {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "gpt-4o",
         "choices": choices, "usage": usage}
    )  # fmt: skip


def test_a_refusal_of_a_stream_is_joined() -> None:
    pieces = [Piece(chat("", raw=chunk(refusal=part))) for part in ("I ", "cannot.")]
    assert read_pieces(pieces).refusal == "I cannot."
    assert read(completion(content=None, refusal="No.")).refusal == "No."
    assert read(completion(content="x")).refusal is None


def test_a_streams_counts_are_the_largest_and_its_end_the_last() -> None:
    start = SimpleNamespace(message={"usage": {"input_tokens": 9, "output_tokens": 1}})
    end = SimpleNamespace(delta={"stop_reason": "end_turn"}, usage={"output_tokens": 5})
    found = read_pieces([Piece(chat("Pa", raw=start)), Piece(chat("Paris", raw=end))])
    assert found.usage == Usage(input_tokens=9, output_tokens=5)
    assert (found.text, found.finish_reason) == ("Paris", "end_turn")


def test_a_last_chunk_that_counts_less_takes_nothing_back() -> None:
    said = [{"usage": {"input_tokens": 9, "output_tokens": 5}}, {"usage": {"output_tokens": 1}}]
    found = read_pieces([Piece(chat("x", raw=raw)) for raw in said])
    assert found.usage == Usage(input_tokens=9, output_tokens=5)


CALL = ToolCallBlock(tool_call_id="1", tool_name="f", tool_kwargs={"a": 1})
OLD = {"id": "2", "type": "function", "function": {"name": "g", "arguments": "{"}}
OLDER = {"id": "3", "name": "h", "input": {"b": 2}}


def test_tool_calls_in_blocks_and_in_older_forms() -> None:
    assert read(None, CALL).tool_calls == (ToolCall(id="1", name="f", arguments='{"a": 1}'),)
    calls = read(None, "x", tool_calls=[OLD, OLDER]).tool_calls
    assert [(c.id, c.name, c.arguments) for c in calls] == [
        ("2", "g", "{"),
        ("3", "h", '{"b": 2}'),
    ]
    assert read(None, CALL, tool_calls=[OLD]).tool_calls[0].name == "f", "one set of them"


@pytest.mark.parametrize("kept", [None, "x", 7, {}, [], [None], ["x"], [7], [{}]])
def test_odd_tool_calls_raise_nothing(kept: Any) -> None:
    assert isinstance(read(None, "x", tool_calls=kept).tool_calls, tuple)


@pytest.mark.parametrize("arguments", [{"a": object()}, {"a": {1, 2}}, object()])
def test_arguments_that_are_no_json_are_the_gates_to_refuse(arguments: Any) -> None:
    block = CALL.model_copy(update={"tool_kwargs": arguments})
    assert isinstance(read(None, block).tool_calls[0].arguments, str)


@pytest.mark.parametrize(
    ("blocks", "text"),
    [
        (("Pa", "ris"), "Paris"),
        ((ThinkingBlock(content="hm"), "x"), "x"),
        ((ThinkingBlock(content="hm"),), ""),
        ((ImageBlock(url="http://h/a.png"),), "[image]"),
        (("x", ImageBlock(url="http://h/a.png")), "x"),
        ((CALL,), ""),
    ],
)
def test_the_text_or_a_word_for_what_stands_in_its_place(blocks: Any, text: str) -> None:
    assert read(None, *blocks).text == text


@pytest.mark.parametrize(
    ("response", "opens", "shows"),
    [
        (chat("Pa", delta="Pa"), True, True),
        (chat("Pa", delta=""), False, False),
        (chat("", delta=None), False, False),
        (chat("Pa", delta=None), True, True),
        (chat(CALL, delta=""), False, True),
        (chat(ThinkingBlock(content="hm"), delta=""), False, True),
        (CompletionResponse(text="Pa", delta="a"), True, True),
        (CompletionResponse(text="Pa", delta=""), False, False),
    ],
)
def test_what_a_chunk_opens_and_shows(response: Any, opens: bool, shows: bool) -> None:
    piece = Piece(response)
    assert (reading.opens(piece), reading.shows(piece)) == (opens, shows)
    piece.release()
    assert not reading.shows(piece)


@pytest.mark.parametrize("response", [None, "Paris", 7, {}, object(), ["x"]])
def test_what_is_no_response_is_told(response: Any) -> None:
    with pytest.raises(BadResponse, match=f"answered with a {type(response).__name__}"):
        Piece(response)


def test_a_stream_without_an_answer_is_told() -> None:
    released = Piece(chat("x"))
    released.release()
    for pieces in ([], [released]):
        with pytest.raises(BadResponse):
            read_pieces(pieces)
