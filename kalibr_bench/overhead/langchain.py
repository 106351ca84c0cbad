"""What ChatKalibr adds to a LangChain chat model."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from kalibr_bench.overhead.callers import FIRST, KEY, OTHERS
from kalibr_bench.overhead.framework import (
    QUESTION,
    Added,
    InFramework,
    compared,
    crowds,
    import_times,
    rounds_of,
    routed,
)
from kalibr_bench.overhead.peers import offline
from kalibr_bench.provider import DEFAULT_MODELS, LoopbackProvider

ADAPTER = "kalibr_langchain.ChatKalibr"
ANSWER = "The capital of France is Paris."
BARE, FALLBACKS, ONE, MANY = "chat model", "with_fallbacks", "ChatKalibr, 1 path", "ChatKalibr, 3"


def measure_langchain(calls: int) -> InFramework:
    """Measure `invoke` and `ainvoke`; `langchain_openai` must be installed.

    Args:
        calls: In process; over HTTP a quarter.
    """
    with offline(), TemporaryDirectory() as folder:
        inside = _in_process(Path(folder), calls)
        models = [replace(model, quality=1.0) for model in DEFAULT_MODELS]
        with LoopbackProvider(models, process=True, keep_requests=0) as provider:
            chats = _chats(provider.base_url, Path(folder))
            invoked = {name: _invoked(model) for name, model in chats.items()}
            over_http = compared(invoked, calls // 4, bare=BARE)
            awaited = {name: _awaited(model) for name, model in chats.items()}
            crowd = asyncio.run(crowds(awaited, rounds_of(calls), bare=BARE))
        for model in chats.values():
            if hasattr(model, "close"):
                model.close()
    return InFramework(
        in_process=inside,
        over_http=over_http,
        crowd=crowd,
        import_s=import_times("langchain_openai", ADAPTER, calls),
    )


def _in_process(folder: Path, calls: int) -> dict[str, Added]:
    fake = import_module("langchain_core.language_models").FakeListChatModel
    models = [fake(responses=[ANSWER]) for _ in range(3)]
    paths = [
        {"model": model, "name": f"p{n}", "input_usd_per_mtok": 1 + n, "output_usd_per_mtok": 1 + n}
        for n, model in enumerate(models)
    ]
    things = {
        BARE: models[0],
        FALLBACKS: models[0].with_fallbacks(models[1:]),
        ONE: routed(ADAPTER, paths[:1], folder / "one.db"),
        MANY: routed(ADAPTER, paths, folder / "many.db"),
        f"{MANY}, no file": routed(ADAPTER, paths, "memory"),
    }
    return compared({name: _invoked(model) for name, model in things.items()}, calls, bare=BARE)


def _chats(url: str, folder: Path) -> dict[str, Any]:
    made = import_module("langchain_openai").ChatOpenAI

    def chat(name: str) -> Any:
        return made(model=name, base_url=url, api_key=KEY, max_retries=0)

    first, others = chat(FIRST), [chat(name) for name in OTHERS]
    return {
        BARE: first,
        FALLBACKS: first.with_fallbacks(others),
        ONE: routed(ADAPTER, [first], folder / "http-one.db"),
        MANY: routed(ADAPTER, [first, *others], folder / "http-many.db"),
    }


def _invoked(model: Any) -> Callable[[], object]:
    return lambda: model.invoke(QUESTION)


def _awaited(model: Any) -> Callable[[], Any]:
    return lambda: model.ainvoke(QUESTION)
