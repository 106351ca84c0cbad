"""Chat completions have OpenAI's shapes, and bad requests OpenAI's errors."""

from __future__ import annotations

import asyncio
import json
import urllib.error
import urllib.request
from typing import Any

import openai
import pytest

from kalibr_bench.provider import DEFAULT_MODELS, LoopbackProvider, Model, count_tokens

from .conftest import Ask


def test_a_completion_has_the_official_shape(ask: Ask) -> None:
    answer = ask("Explain photosynthesis to a child")
    assert answer.object == "chat.completion"
    assert answer.id.startswith("chatcmpl-")
    assert answer.system_fingerprint.startswith("fp_")
    assert answer.created > 1_700_000_000
    assert answer.choices[0].message.role == "assistant"
    assert answer.choices[0].finish_reason == "stop"
    usage = answer.usage
    assert usage.completion_tokens == count_tokens(answer.choices[0].message.content)
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens
    assert usage.prompt_tokens_details.cached_tokens == 0
    assert usage.completion_tokens_details.reasoning_tokens == 0


def test_the_async_client_gets_the_same_answer(provider: LoopbackProvider, ask: Ask) -> None:
    async def call() -> str:
        async with openai.AsyncOpenAI(**{**ask.options, "api_key": "key-b"}) as client:
            answer = await client.chat.completions.create(
                model="gpt-4o", messages=[{"role": "user", "content": "Say hello"}]
            )
            return answer.choices[0].message.content or ""

    assert asyncio.run(call()) == ask.text()


def test_gpt_models_answer_under_a_dated_name_and_others_under_the_requested_one(ask: Ask) -> None:
    assert ask(model="gpt-4o").model == "gpt-4o-2024-08-06"
    assert ask(model="gpt-4o-mini").model == "gpt-4o-mini-2024-07-18"
    assert ask(model="gpt-3.5-turbo").model == "gpt-3.5-turbo-0125"
    assert ask(model="claude-sonnet-4").model == "claude-sonnet-4"
    assert ask(model="claude-sonnet-4-20250514").model == "claude-sonnet-4-20250514"


def test_models_are_listed_and_found_by_name(ask: Ask) -> None:
    assert [m.id for m in ask.client.models.list()] == [m.name for m in DEFAULT_MODELS]
    assert ask.client.models.retrieve("gpt-4o").id == "gpt-4o"
    with pytest.raises(openai.NotFoundError):
        ask.client.models.retrieve("gpt-9")


def test_the_default_models_have_the_benchmarks_pass_rates_and_list_prices() -> None:
    known = {
        m.name: (m.quality, m.input_usd_per_mtok, m.output_usd_per_mtok) for m in DEFAULT_MODELS
    }
    assert known["gpt-4o"] == (0.99, 2.50, 10.00)
    assert known["gpt-4o-mini"] == (0.97, 0.15, 0.60)
    assert known["gpt-3.5-turbo"] == (0.93, 0.50, 1.50)


def test_several_choices_are_separate_answers_and_all_are_billed(ask: Ask) -> None:
    answer = ask("Write a Python function that adds numbers", n=3)
    assert [c.index for c in answer.choices] == [0, 1, 2]
    said = sum(count_tokens(c.message.content) for c in answer.choices)
    assert answer.usage.completion_tokens == said


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
def test_max_tokens_cuts_the_answer_and_says_length(ask: Ask, name: str) -> None:
    answer = ask("Explain gravity", **{name: 7})
    assert answer.choices[0].finish_reason == "length"
    assert answer.usage.completion_tokens == 7
    assert count_tokens(answer.choices[0].message.content) == 7


def test_stop_ends_the_answer_before_the_first_stop_word(ask: Ask) -> None:
    whole = ask.text("Explain gravity")
    answer = ask("Explain gravity", stop=["2.", "nowhere"])
    assert answer.choices[0].message.content == whole.split("2.")[0]
    assert answer.choices[0].finish_reason == "stop"


def test_images_are_accepted_and_counted_as_tokens(ask: Ask) -> None:
    def prompt_tokens(detail: str) -> int:
        image = {"url": "data:image/png;base64," + "A" * 2_000_000, "detail": detail}
        parts = [{"type": "text", "text": "What is it?"}, {"type": "image_url", "image_url": image}]
        return int(ask(messages=[{"role": "user", "content": parts}]).usage.prompt_tokens)

    plain = ask("What is it?").usage.prompt_tokens
    assert prompt_tokens("low") == plain + 85
    assert prompt_tokens("high") == plain + 765


def test_tools_and_schemas_count_as_prompt_tokens(ask: Ask) -> None:
    tool = {"type": "function", "function": {"name": "add", "parameters": {"type": "object"}}}
    more = ask(tools=[tool], tool_choice="none").usage.prompt_tokens
    assert more > ask().usage.prompt_tokens


def test_a_request_without_a_key_is_a_401(provider: LoopbackProvider) -> None:
    request = urllib.request.Request(f"{provider.base_url}/models")
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request, timeout=60)
    assert caught.value.code == 401
    assert json.load(caught.value)["error"]["type"] == "invalid_request_error"
    caught.value.close()


def test_an_unknown_model_is_a_404_with_its_code(ask: Ask) -> None:
    with pytest.raises(openai.NotFoundError) as caught:
        ask(model="gpt-9")
    assert caught.value.code == "model_not_found"
    assert "gpt-9" in caught.value.message


def test_an_unknown_path_is_a_404(ask: Ask) -> None:
    with pytest.raises(openai.NotFoundError) as caught:
        ask.client.embeddings.create(model="gpt-4o", input="x")
    assert caught.value.code == "unknown_url"


def test_a_prompt_beyond_the_context_window_is_a_400_with_its_code(ask: Ask) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        ask("word " * 17_000, model="gpt-3.5-turbo")
    assert caught.value.code == "context_length_exceeded"
    assert caught.value.param == "messages"
    assert ask("word " * 17_000, model="gpt-4o").usage.prompt_tokens > 16_385


def _raw(provider: LoopbackProvider, body: bytes) -> tuple[int, dict[str, Any]]:
    request = urllib.request.Request(
        f"{provider.base_url}/chat/completions",
        data=body,
        headers={"Authorization": "Bearer k", "Content-Type": "application/json"},
    )
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request, timeout=60)
    with caught.value as error:
        return error.code, json.load(error)["error"]


HELLO = {"role": "user", "content": "hello"}
CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
TOOL = {"type": "function", "function": {"name": "f"}}
BAD: list[tuple[Any, str | None]] = [
    ([], None),
    ({"messages": [HELLO]}, "model"),
    ({"model": "gpt-4o"}, "messages"),
    ({"model": "gpt-4o", "messages": []}, "messages"),
    ({"model": "gpt-4o", "messages": "hello"}, "messages"),
    ({"model": "gpt-4o", "messages": ["hello"]}, "messages.[0].role"),
    ({"model": "gpt-4o", "messages": [{"role": "robot", "content": "x"}]}, "messages.[0].role"),
    ({"model": "gpt-4o", "messages": [{"role": "user"}]}, "messages.[0].content"),
    ({"model": "gpt-4o", "messages": [HELLO], "temperature": 3}, "temperature"),
    ({"model": "gpt-4o", "messages": [HELLO], "temperature": "hot"}, "temperature"),
    ({"model": "gpt-4o", "messages": [HELLO], "n": 0}, "n"),
    ({"model": "gpt-4o", "messages": [HELLO], "n": 1000}, "n"),
    ({"model": "gpt-4o", "messages": [HELLO], "max_tokens": 0}, "max_tokens"),
    ({"model": "gpt-4o", "messages": [HELLO], "max_tokens": 1.5}, "max_tokens"),
    ({"model": "gpt-4o", "messages": [HELLO], "seed": "x"}, "seed"),
    ({"model": "gpt-4o", "messages": [HELLO], "stream": "yes"}, "stream"),
    ({"model": "gpt-4o", "messages": [HELLO], "stop": ["a", "b", "c", "d", "e"]}, "stop"),
    (
        {"model": "gpt-4o", "messages": [HELLO], "stream_options": {"include_usage": True}},
        "stream_options",
    ),
    ({"model": "gpt-4o", "messages": [HELLO], "tools": []}, "tools"),
    (
        {"model": "gpt-4o", "messages": [HELLO], "tools": [{"function": {"name": "a b"}}]},
        "tools[0].function.name",
    ),
    ({"model": "gpt-4o", "messages": [HELLO], "tool_choice": "auto"}, "tool_choice"),
    (
        {
            "model": "gpt-4o",
            "messages": [HELLO],
            "tools": [TOOL],
            "tool_choice": {"type": "function", "function": {"name": "g"}},
        },
        "tool_choice",
    ),
    ({"model": "gpt-4o", "messages": [HELLO], "response_format": "json"}, "response_format"),
    (
        {"model": "gpt-4o", "messages": [HELLO], "response_format": {"type": "json_object"}},
        "messages",
    ),
    (
        {"model": "gpt-4o", "messages": [HELLO], "response_format": {"type": "json_schema"}},
        "response_format.json_schema",
    ),
    (
        {"model": "gpt-4o", "messages": [{"role": "tool", "content": "1", "tool_call_id": "c1"}]},
        "messages.[0].role",
    ),
    (
        {"model": "gpt-4o", "messages": [{"role": "assistant", "tool_calls": [CALL]}]},
        "messages",
    ),
    (
        {"model": "gpt-4o", "messages": [{"role": "assistant", "tool_calls": [CALL]}, HELLO]},
        "messages.[1]",
    ),
    ({"model": "gpt-4o", "messages": [{"role": "assistant", "tool_calls": "x"}]}, None),
    ({"model": "gpt-4o", "messages": [{"role": "assistant", "tool_calls": [{"id": 1}]}]}, None),
    ({"model": "gpt-4o", "messages": [HELLO], "stream": True, "stream_options": 5}, None),
    ({"model": "gpt-4o", "messages": [HELLO], "stop": 5}, "stop"),
]


@pytest.mark.parametrize(("body", "param"), BAD)
def test_a_bad_request_is_a_400_that_names_its_parameter(
    provider: LoopbackProvider, body: Any, param: str | None
) -> None:
    status, error = _raw(provider, json.dumps(body).encode())
    assert status == 400
    assert set(error) == {"message", "type", "param", "code"}
    if param is not None:
        assert error["param"] == param


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b'{"model": "gpt-4o", "messages": [}'])
def test_a_body_that_is_not_json_is_a_400(provider: LoopbackProvider, body: bytes) -> None:
    status, error = _raw(provider, body)
    assert status == 400
    assert "JSON" in error["message"]


def test_a_model_may_refuse_an_assistant_prefill() -> None:
    strict = Model(
        name="strict",
        quality=1.0,
        latency_s=0.0,
        tokens_per_s=100.0,
        input_usd_per_mtok=1.0,
        output_usd_per_mtok=1.0,
        accepts_prefill=False,
    )
    messages = [HELLO, {"role": "assistant", "content": "{"}]
    with LoopbackProvider([*DEFAULT_MODELS, strict]) as provider:
        ask = Ask(provider)
        assert ask(messages=messages).choices[0].finish_reason == "stop"
        with pytest.raises(openai.BadRequestError, match="prefill"):
            ask(model="strict", messages=messages)


def test_any_root_serves_so_that_a_base_url_may_look_like_another_makers(
    provider: LoopbackProvider,
) -> None:
    other = f"http://127.0.0.1:{provider.port}/openai/v1"
    with openai.OpenAI(base_url=other, api_key="k", max_retries=0, timeout=60) as client:
        answer = client.chat.completions.create(model="llama-3.3-70b", messages=[HELLO])  # type: ignore[list-item]
        assert answer.choices[0].message.content


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"quality": 1.5}, "quality must be in"),
        ({"quality": float("nan")}, "quality must be in"),
        ({"latency_s": -1.0}, "latency_s must be"),
        ({"tokens_per_s": 0.0}, "tokens_per_s must be"),
        ({"input_usd_per_mtok": -1.0}, "prices must be"),
        ({"context_window": 0}, "context_window must be"),
        ({"name": ""}, "must not be empty"),
    ],
)
def test_a_bad_model_is_refused_when_it_is_made(change: dict[str, Any], words: str) -> None:
    good: dict[str, Any] = {
        "name": "m",
        "quality": 0.9,
        "latency_s": 0.1,
        "tokens_per_s": 50.0,
        "input_usd_per_mtok": 1.0,
        "output_usd_per_mtok": 1.0,
    }
    with pytest.raises(ValueError, match=words):
        Model(**{**good, **change})


def test_two_models_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="two models"):
        LoopbackProvider([DEFAULT_MODELS[0], DEFAULT_MODELS[0]])
    with pytest.raises(ValueError, match="at least one model"):
        LoopbackProvider([])
