"""What a provider's raw response tells, in whatever words: usage, end, model, or nothing at all."""

from __future__ import annotations

import enum
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types.responses import ResponseUsage

from kalibr_core import BadResponse, Usage
from kalibr_llama_index import reading
from kalibr_llama_index.raw import Told, told_by
from kalibr_llama_index.reading import Piece, read_pieces

from .test_reading import chat, chunk, completion, read


class Finish(enum.Enum):
    """As Google's SDK names ends."""

    STOP = 1
    MAX_TOKENS = 2


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
    assert told_by(Hostile(), {}) == Told(None, None, "", None)
    assert read(Hostile()).text == "Paris"


@pytest.mark.parametrize(
    "raw",
    [
        {"type": "error", "code": "overloaded"},
        {"type": "response.failed", "response": {"error": {"code": "overloaded"}}},
        SimpleNamespace(response={"status": "failed"}, code="overloaded"),
    ],
)
def test_a_provider_that_tells_of_its_own_failure_is_a_bad_response(raw: Any) -> None:
    with pytest.raises(BadResponse) as caught:
        told_by(raw, {})
    assert caught.value.code == "overloaded"
