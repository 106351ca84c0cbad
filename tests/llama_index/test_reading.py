"""An LLM's answer as the gates judge it, whatever provider's words its raw response is in."""

from __future__ import annotations

import enum
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
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
from openai.types.responses import ResponseUsage

from kalibr_core import BadResponse, Output, ToolCall, Usage
from kalibr_llama_index import reading
from kalibr_llama_index.reading import Piece, read_pieces


class Finish(enum.Enum):
    """As Google's SDK names ends."""

    STOP = 1
    MAX_TOKENS = 2


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


OPENAI = {
    "prompt_tokens": 10,
    "completion_tokens": 5,
    "total_tokens": 15,
    "prompt_tokens_details": {"cached_tokens": 4},
    "completion_tokens_details": {"reasoning_tokens": 3},
}
RESPONSES = ResponseUsage.model_validate(
    {"input_tokens": 10, "output_tokens": 5, "total_tokens": 15,
     "input_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 0},
     "output_tokens_details": {"reasoning_tokens": 3}}
)  # fmt: skip
WHOLE = Usage(input_tokens=10, output_tokens=5, cached_input_tokens=4, reasoning_tokens=3)
PLAIN = Usage(input_tokens=10, output_tokens=5)
CACHED = Usage(input_tokens=10, output_tokens=5, cached_input_tokens=4)
CLAUDE = {"input_tokens": 4, "output_tokens": 5, "cache_read_input_tokens": 4,
          "cache_creation_input_tokens": 2}  # fmt: skip
GOOGLE = SimpleNamespace(
    prompt_token_count=10, candidates_token_count=5, cached_content_token_count=4
)

USAGES = {
    "openai": (completion(content="x", usage=OPENAI), WHOLE),
    "dict": ({"usage": OPENAI}, WHOLE),
    "responses": (SimpleNamespace(status="completed", usage=RESPONSES), WHOLE),
    "anthropic": ({"usage": CLAUDE}, CACHED),
    "google": (
        SimpleNamespace(usage_metadata=GOOGLE),
        CACHED,
    ),
    "ollama": ({"prompt_eval_count": 10, "eval_count": 5}, PLAIN),
    "nested": (SimpleNamespace(response=SimpleNamespace(usage=RESPONSES)), WHOLE),
    "none": (None, None),
    "empty": ({"usage": {}}, None),
    "odd": ({"usage": {"prompt_tokens": -1, "completion_tokens": True}}, None),
    "text": ({"usage": {"prompt_tokens": "10", "completion_tokens": None}}, None),
    "huge": ({"usage": {"prompt_tokens": 10**30, "completion_tokens": 5}},
             Usage(input_tokens=0, output_tokens=5)),
}  # fmt: skip


@pytest.mark.parametrize("which", USAGES)
def test_usage_in_each_providers_words(which: str) -> None:
    raw, usage = USAGES[which]
    assert read(raw).usage == usage


def test_usage_beside_the_raw_response_counts_where_that_has_none() -> None:
    response = chat("x", raw=None)
    response.additional_kwargs = {"prompt_tokens": 10, "completion_tokens": 5}
    assert read_pieces((Piece(response),)).usage == PLAIN


FINISHES = {
    "openai": (completion(content="x", finish="length"), "length"),
    "chunk": (chunk("tool_calls"), "tool_calls"),
    "anthropic": ({"stop_reason": "max_tokens"}, "max_tokens"),
    "anthropic event": (
        SimpleNamespace(type="message_delta", delta=SimpleNamespace(stop_reason="end_turn")),
        "end_turn",
    ),
    "google": (
        SimpleNamespace(candidates=[SimpleNamespace(finish_reason=Finish.MAX_TOKENS)]),
        "max_tokens",
    ),
    "bedrock": ({"stopReason": "end_turn"}, "end_turn"),
    "ollama": ({"done_reason": "stop"}, "stop"),
    "responses": (SimpleNamespace(status="completed"), "stop"),
    "responses event": (SimpleNamespace(response={"status": "completed"}), "stop"),
    "responses cut": (
        {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}},
        "max_output_tokens",
    ),
    "responses cut oddly": ({"status": "incomplete", "incomplete_details": None}, "incomplete"),
    "under way": ({"status": "in_progress"}, None),
    "none": (None, None),
    "text": ("stop", None),
    "odd": ({"finish_reason": 7, "stop_reason": ["x"]}, None),
    "empty": ({"choices": []}, None),
}


@pytest.mark.parametrize("which", FINISHES)
def test_the_end_in_each_providers_words(which: str) -> None:
    raw, finish = FINISHES[which]
    assert read(raw).finish_reason == finish
    assert reading.finishes(Piece(chat("x", raw=raw))) is (finish is not None)


@pytest.mark.parametrize(
    ("raw", "model"),
    [
        (completion(content="x"), "gpt-4o-2024-08-06"),
        ({"model": "claude"}, "claude"),
        (SimpleNamespace(model_version="gemini"), "gemini"),
        (SimpleNamespace(response={"model": "o3"}), "o3"),
        ({"model": None}, None),
        ({"model": 7}, None),
    ],
)
def test_the_models_name(raw: Any, model: str | None) -> None:
    assert read(raw).model == model


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
    assert isinstance(reading.selections(chat("x", tool_calls=kept)), list)


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


class Hostile:
    """A raw response whose every name raises."""

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(name)


wild = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.floats(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["choices", "usage", "delta", "message", "finish_reason", "status",
                             "refusal", "model", "prompt_tokens", "response", "candidates",
                             "incomplete_details", "prompt_tokens_details"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)  # fmt: skip


@given(raw=wild)
def test_whatever_the_raw_response_is_nothing_but_bad_response_is_raised(raw: Any) -> None:
    for held in (raw, SimpleNamespace(**raw) if isinstance(raw, dict) else raw):
        try:
            output = read(held)
        except BadResponse:
            continue
        assert output.text == "Paris"


def test_a_raw_response_that_raises_is_read_as_one_that_tells_nothing() -> None:
    with suppress(BadResponse):
        assert read(Hostile()).text == "Paris"


def test_selections_read_what_can_be_read() -> None:
    (found,) = reading.selections(chat(CALL.model_copy(update={"tool_kwargs": '{"a": 1'})))
    assert (found.tool_id, found.tool_name, found.tool_kwargs) == ("1", "f", {"a": 1})
