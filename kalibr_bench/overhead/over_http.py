"""Routed calls next to the bare `openai` client, over loopback HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from kalibr_bench.overhead.timing import Median, Ratio, apairs, median_of, pairs, ratio_of
from kalibr_bench.provider import DEFAULT_MODELS, LoopbackProvider
from kalibr_bench.resilience import MODELS, documents, messages_for
from kalibr_core import Router

if TYPE_CHECKING:
    from collections.abc import Sequence

WARM_UP = 30
REST_S = 0.001
BARE = "gpt-4o-mini"
GOAL = "overhead"
MESSAGES: Any = messages_for(documents(0, 1)[0])
WAYS = ("completion", "acompletion", "stream", "astream")


@dataclass(frozen=True, slots=True, kw_only=True)
class OverHTTP:
    """Times in seconds of one way to call.

    Attributes:
        ratio: Routed by bare.
        routed: By the Router.
        bare: By a reused client of `openai`.
    """

    ratio: Ratio
    routed: Median
    bare: Median


def measure_over_http(calls: int) -> dict[str, OverHTTP]:
    """Time all four ways to call; streams, which take longer, a quarter as often."""
    streams = max(calls // 4, 20)
    with _provider() as provider, TemporaryDirectory() as folder:
        url, file = provider.base_url, Path(folder) / "kalibr.db"
        return {
            "completion": _completion(url, file, calls),
            "acompletion": asyncio.run(_acompletion(url, file, calls)),
            "stream": _stream(url, file, streams),
            "astream": asyncio.run(_astream(url, file, streams)),
        }


@contextmanager
def _provider() -> Iterator[LoopbackProvider]:
    """Good answers only: what is timed is one attempt."""
    models = [replace(model, quality=1.0) for model in DEFAULT_MODELS if model.name in MODELS]
    with LoopbackProvider(models, process=True, keep_requests=0) as provider:
        yield provider


def _router(url: str, file: Path) -> Router:
    return Router(GOAL, paths=list(MODELS), base_url=url, api_key="routed", ledger=file, seed=0)


def _completion(url: str, file: Path, calls: int) -> OverHTTP:
    import openai

    with _router(url, file) as router, openai.OpenAI(base_url=url, api_key="bare") as client:
        return _found(
            *pairs(
                lambda: router.completion(MESSAGES),
                lambda: client.chat.completions.create(model=BARE, messages=MESSAGES),
                calls=calls,
                warm_up=WARM_UP,
                rest_s=REST_S,
            )
        )


async def _acompletion(url: str, file: Path, calls: int) -> OverHTTP:
    import openai

    async with (
        _router(url, file) as router,
        openai.AsyncOpenAI(base_url=url, api_key="b") as client,
    ):
        return _found(
            *await apairs(
                lambda: router.acompletion(MESSAGES),
                lambda: client.chat.completions.create(model=BARE, messages=MESSAGES),
                calls=calls,
                warm_up=WARM_UP,
                rest_s=REST_S,
            )
        )


def _stream(url: str, file: Path, calls: int) -> OverHTTP:
    import openai

    with _router(url, file) as router, openai.OpenAI(base_url=url, api_key="bare") as client:

        def bare() -> None:
            with client.chat.completions.create(
                model=BARE,
                messages=MESSAGES,
                stream=True,
                stream_options={"include_usage": True},
            ) as chunks:
                for _ in chunks:
                    pass

        def routed() -> None:
            for _ in router.stream(MESSAGES):
                pass

        return _found(*pairs(routed, bare, calls=calls, warm_up=WARM_UP, rest_s=REST_S))


async def _astream(url: str, file: Path, calls: int) -> OverHTTP:
    import openai

    async with (
        _router(url, file) as router,
        openai.AsyncOpenAI(base_url=url, api_key="b") as client,
    ):

        async def bare() -> None:
            async with await client.chat.completions.create(
                model=BARE,
                messages=MESSAGES,
                stream=True,
                stream_options={"include_usage": True},
            ) as chunks:
                async for _ in chunks:
                    pass

        async def routed() -> None:
            async for _ in router.astream(MESSAGES):
                pass

        return _found(*await apairs(routed, bare, calls=calls, warm_up=WARM_UP, rest_s=REST_S))


def _found(routed: Sequence[float], bare: Sequence[float]) -> OverHTTP:
    return OverHTTP(ratio=ratio_of(routed, bare), routed=median_of(routed), bare=median_of(bare))
