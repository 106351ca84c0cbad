"""Streams carry the same answers as whole responses, token by token."""

from __future__ import annotations

import asyncio
import urllib.request

import openai
import pytest

from kalibr_bench.provider import LoopbackProvider, count_tokens

from .conftest import Ask, joined, until

PROMPTS = [
    "Say hello",
    "Explain gravity",
    "Write a Python function that sorts names",
    "Erkläre die Schwerkraft: 😀 これは何ですか",
]


@pytest.mark.parametrize("prompt", PROMPTS)
def test_joined_chunks_are_the_whole_answer(provider: LoopbackProvider, prompt: str) -> None:
    """Another key sees the same draws, so both forms answer alike."""
    whole = Ask(provider, key="one").text(prompt)
    assert joined(Ask(provider, key="two").chunks(prompt)) == whole


def test_first_comes_the_role_alone_then_content_then_the_finish_reason(ask: Ask) -> None:
    first, *middle, last = ask.chunks("Explain gravity")
    assert (first.choices[0].delta.role, first.choices[0].delta.content) == ("assistant", "")
    assert all(c.choices[0].delta.content and c.choices[0].delta.role is None for c in middle)
    assert last.choices[0].finish_reason == "stop"
    assert last.choices[0].delta.content is None
    assert len({c.id for c in (first, *middle, last)}) == 1
    assert {c.object for c in (first, *middle, last)} == {"chat.completion.chunk"}
    assert {c.model for c in (first, *middle, last)} == {"gpt-4o-2024-08-06"}


def test_usage_comes_last_when_asked_for_and_equals_the_streamed_tokens(ask: Ask) -> None:
    *said, last = ask.chunks("Explain gravity", stream_options={"include_usage": True})
    assert last.choices == []
    pieces = [c for c in said if c.choices[0].delta.content]
    assert last.usage.completion_tokens == len(pieces) == count_tokens(joined(said))
    assert all(c.usage is None for c in said)


def test_chunks_before_the_usage_say_null_when_it_is_asked_for(ask: Ask) -> None:
    raw = ask.client.chat.completions.with_raw_response.create(
        model="gpt-4o",
        messages=[{"role": "user", "content": "hi"}],
        stream=True,
        stream_options={"include_usage": True},
    )
    *chunks, last, _ = [line for line in raw.http_response.iter_lines() if line]
    assert all('"usage":null' in chunk for chunk in chunks)
    assert '"usage":{' in last


def test_usage_is_absent_when_not_asked_for(ask: Ask) -> None:
    assert all(c.usage is None and c.choices for c in ask.chunks())


def test_the_raw_stream_is_events_and_ends_with_done(provider: LoopbackProvider) -> None:
    request = urllib.request.Request(
        f"{provider.base_url}/chat/completions",
        data=b'{"model":"gpt-4o","stream":true,"messages":[{"role":"user","content":"hi"}]}',
        headers={"Authorization": "Bearer k"},
    )
    with urllib.request.urlopen(request, timeout=60) as response:
        assert response.headers["Content-Type"].startswith("text/event-stream")
        events = response.read().decode().split("\n\n")
    assert not any('"usage"' in event for event in events)
    assert events[-2:] == ["data: [DONE]", ""]
    assert all(event.startswith("data: {") for event in events[:-2])


def test_several_choices_stream_with_their_indices(ask: Ask) -> None:
    chunks = ask.chunks("Explain gravity", n=2)
    texts = ["", ""]
    for chunk in chunks:
        texts[chunk.choices[0].index] += chunk.choices[0].delta.content or ""
    assert all(texts)
    ends = [c.choices[0].index for c in chunks if c.choices[0].finish_reason]
    assert ends == [0, 1]


def test_max_tokens_holds_in_a_stream(ask: Ask) -> None:
    chunks = ask.chunks("Explain gravity", max_tokens=3)
    assert count_tokens(joined(chunks)) == 3
    assert chunks[-1].choices[0].finish_reason == "length"


def test_the_async_client_streams(ask: Ask) -> None:
    async def call() -> str:
        async with openai.AsyncOpenAI(**{**ask.options, "api_key": "key-b"}) as client:
            stream = await client.chat.completions.create(
                model="gpt-4o",
                messages=[{"role": "user", "content": "Explain gravity"}],
                stream=True,
            )
            return "".join([c.choices[0].delta.content or "" async for c in stream])

    assert asyncio.run(call()) == ask.text("Explain gravity")


def test_a_connection_is_kept_alive_across_requests(provider: LoopbackProvider, ask: Ask) -> None:
    for _ in range(3):
        ask()
    assert provider.stats().open_connections == 1
    ask.client.close()
    assert until(lambda: provider.stats().open_connections == 0)


def test_latency_is_the_models_times_the_scale() -> None:
    """gpt-4o: 0.55 s to the first token with some 25 % jitter, here at a tenth."""
    with LoopbackProvider(latency_scale=0.1) as provider:
        assert 0.02 < asyncio.run(_first_content_s(provider)) < 0.5


async def _first_content_s(provider: LoopbackProvider) -> float:
    loop = asyncio.get_running_loop()
    async with openai.AsyncOpenAI(base_url=provider.base_url, api_key="k", max_retries=0) as client:
        started = loop.time()
        stream = await client.chat.completions.create(
            model="gpt-4o", messages=[{"role": "user", "content": "hi"}], stream=True
        )
        async for chunk in stream:
            if chunk.choices[0].delta.content:
                return loop.time() - started
    raise AssertionError("no content")
