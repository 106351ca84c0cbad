"""Clients and routers that make one and the same call: bare, ours, and those of others."""

from __future__ import annotations

from collections.abc import AsyncIterable, Awaitable, Callable, Iterable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, TypeAlias

from kalibr_bench.resilience import MODELS, documents, messages_for
from kalibr_core import Router

GOAL = "overhead"
FIRST = "gpt-4o-mini"
"""Where all begin; the other models are fallbacks, which no call here needs."""
OTHERS = [model for model in MODELS if model != FIRST]
MESSAGES: Any = messages_for(documents(0, 1)[0])
KEY = "none"
BARE, CHAT = "openai, bare", "ChatOpenAI"


async def _nothing() -> None:
    """Nothing to close."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """The four ways to call; a stream is read to its end.

    Attributes:
        wraps: Name of the caller that it adds to.
    """

    completion: Callable[[], object]
    acompletion: Callable[[], Awaitable[object]]
    stream: Callable[[], object]
    astream: Callable[[], Awaitable[object]]
    close: Callable[[], object] = lambda: None
    aclose: Callable[[], Awaitable[object]] = _nothing
    wraps: str = BARE


Maker: TypeAlias = Callable[[str, Path], Caller]
"""Takes the provider's address and a file for a ledger."""


def bare(url: str, file: Path) -> Caller:
    """Reused clients of `openai`."""
    import openai

    client = openai.OpenAI(base_url=url, api_key=KEY)
    other = openai.AsyncOpenAI(base_url=url, api_key=KEY)
    asked: Any = {"model": FIRST, "messages": MESSAGES}
    streamed: Any = asked | {"stream": True, "stream_options": {"include_usage": True}}

    async def astream() -> None:
        await _aread(await other.chat.completions.create(**streamed))

    return Caller(
        completion=lambda: client.chat.completions.create(**asked),
        acompletion=lambda: other.chat.completions.create(**asked),
        stream=lambda: _read(client.chat.completions.create(**streamed)),
        astream=astream,
        close=client.close,
        aclose=other.close,
    )


def kalibr(url: str, file: Path) -> Caller:
    """The Router: it learns, judges with gate 1, and records in SQLite."""
    router = Router(GOAL, paths=list(MODELS), base_url=url, api_key=KEY, ledger=file, seed=0)
    return Caller(
        completion=lambda: router.completion(MESSAGES),
        acompletion=lambda: router.acompletion(MESSAGES),
        stream=lambda: _read(router.stream(MESSAGES)),
        astream=lambda: _aread(router.astream(MESSAGES)),
        close=router.close,
        aclose=router.aclose,
    )


def _chat(url: str, file: Path) -> Caller:
    return _runnable(_model(url, FIRST), wraps=BARE)


def _with_fallbacks(url: str, file: Path) -> Caller:
    others = [_model(url, model) for model in OTHERS]
    return _runnable(_model(url, FIRST).with_fallbacks(others), wraps=CHAT)


def _model(url: str, model: str) -> Any:
    chat = import_module("langchain_openai").ChatOpenAI
    return chat(model=model, base_url=url, api_key=KEY, max_retries=0, stream_usage=True)


def _runnable(runnable: Any, *, wraps: str) -> Caller:
    return Caller(
        completion=lambda: runnable.invoke(MESSAGES),
        acompletion=lambda: runnable.ainvoke(MESSAGES),
        stream=lambda: _read(runnable.stream(MESSAGES)),
        astream=lambda: _aread(runnable.astream(MESSAGES)),
        wraps=wraps,
    )


def _litellm(url: str, file: Path) -> Caller:
    litellm: Any = import_module("litellm")
    litellm.suppress_debug_info = True
    known = [
        {
            "model_name": model,
            "litellm_params": {"model": f"openai/{model}", "api_base": url, "api_key": KEY},
        }
        for model in (FIRST, *OTHERS)
    ]
    router = litellm.Router(model_list=known, fallbacks=[{FIRST: OTHERS}], num_retries=0)
    asked: Any = {"model": FIRST, "messages": MESSAGES}
    streamed: Any = asked | {"stream": True, "stream_options": {"include_usage": True}}

    async def astream() -> None:
        await _aread(await router.acompletion(**streamed))

    return Caller(
        completion=lambda: router.completion(**asked),
        acompletion=lambda: router.acompletion(**asked),
        stream=lambda: _read(router.completion(**streamed)),
        astream=astream,
    )


def _read(chunks: Iterable[object]) -> None:
    for _ in chunks:
        pass


async def _aread(chunks: AsyncIterable[object]) -> None:
    async for _ in chunks:
        pass


OWN: dict[str, Maker] = {"kalibr": kalibr, BARE: bare}
PEERS: dict[str, tuple[str, Maker]] = {
    CHAT: ("langchain_openai", _chat),
    "with_fallbacks": ("langchain_openai", _with_fallbacks),
    "LiteLLM Router": ("litellm", _litellm),
}
