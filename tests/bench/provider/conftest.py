"""A running provider and a real client; nothing here leaves 127.0.0.1."""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable, Iterator
from typing import Any

import openai
import pytest

from kalibr_bench.provider import LoopbackProvider


def _transport_errors() -> tuple[type[Exception], ...]:
    """What a client raises when the wire breaks: mid-stream, httpx's own errors come through."""
    found: list[type[Exception]] = [openai.APIConnectionError]
    for name in ("httpx", "httpx2"):
        try:
            found.append(importlib.import_module(name).TransportError)
        except ImportError:
            continue
    return tuple(found)


BROKEN = _transport_errors()


class Ask:
    """Short words for the official client, without retries; `timeout` is that of one read."""

    def __init__(self, provider: LoopbackProvider, *, key: str = "key-a", timeout: float = 60.0):
        self.options: dict[str, Any] = {
            "base_url": provider.base_url,
            "api_key": key,
            "max_retries": 0,
            "timeout": openai.Timeout(60.0, read=timeout),
        }
        self.client = openai.OpenAI(**self.options)

    def __call__(self, prompt: str = "Say hello", model: str = "gpt-4o", **more: Any) -> Any:
        """A completion, or with ``stream=True`` a stream."""
        messages = more.pop("messages", None) or [{"role": "user", "content": prompt}]
        return self.client.chat.completions.create(model=model, messages=messages, **more)

    def text(self, prompt: str = "Say hello", model: str = "gpt-4o", **more: Any) -> str:
        """The content of the first choice."""
        return str(self(prompt, model, **more).choices[0].message.content or "")

    def chunks(self, prompt: str = "Say hello", model: str = "gpt-4o", **more: Any) -> list[Any]:
        """All chunks of a stream."""
        return list(self(prompt, model, stream=True, **more))


def joined(chunks: list[Any]) -> str:
    """The text of a stream."""
    return "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)


def drain(stream: Any, seen: list[Any]) -> None:
    """Read a stream to its end, good or bad; what came before a bad end is in ``seen``."""
    for chunk in stream:
        seen.append(chunk)


def until(true: Callable[[], bool], *, seconds: float = 60.0) -> bool:
    """Wait for the server to notice something."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if true():
            return True
        time.sleep(0.005)
    return False


@pytest.fixture
def provider() -> Iterator[LoopbackProvider]:
    """A fresh provider in a thread."""
    with LoopbackProvider() as running:
        yield running


@pytest.fixture
def ask(provider: LoopbackProvider) -> Iterator[Ask]:
    """A client of it."""
    asking = Ask(provider)
    yield asking
    asking.client.close()
