"""What a Router's own clients send."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from kalibr_bench.provider import DEFAULT_MODELS, LoopbackProvider
from kalibr_core import Router

from .judged import make

HALF = [{"role": "user", "content": "Name the capital of France. \ud800"}]


@pytest.fixture
def provider() -> Iterator[LoopbackProvider]:
    with LoopbackProvider([replace(model, quality=1.0) for model in DEFAULT_MODELS]) as running:
        yield running


async def streamed(router: Router, **params: Any) -> list[Any]:
    return [chunk async for chunk in router.astream(HALF, **params)]


@pytest.mark.parametrize("params", [{}, {"extra_body": {"top_k": 3}}, {"user": "\udc00"}])
@pytest.mark.parametrize("way", ["completion", "acompletion", "stream", "astream"])
def test_half_a_character_in_a_request_is_replaced(
    way: str, params: dict[str, Any], provider: LoopbackProvider
) -> None:
    with make(provider, None) as router:
        if way == "completion":
            assert router.completion(HALF, **params).choices
        elif way == "acompletion":
            assert asyncio.run(router.acompletion(HALF, **params)).choices
        elif way == "stream":
            assert list(router.stream(HALF, **params))
        else:
            assert asyncio.run(streamed(router, **params))
    (sent,) = provider.requests("gpt-4o")
    assert sent.body is not None
    assert sent.body["messages"][0]["content"] == "Name the capital of France. \ufffd"


def test_what_can_be_sent_is_sent_as_it_is(provider: LoopbackProvider) -> None:
    with make(provider, None) as router:
        router.completion([{"role": "user", "content": "Grüße, 世界 \U0001f600"}])
    (sent,) = provider.requests("gpt-4o")
    assert sent.body is not None
    assert sent.body["messages"][0]["content"] == "Grüße, 世界 \U0001f600"
