"""What ChatKalibr adds to a LangChain chat model: in process, over HTTP, in a crowd, at import."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from kalibr_bench.overhead.callers import FIRST, KEY, OTHERS
from kalibr_bench.overhead.peers import offline
from kalibr_bench.overhead.timing import Ratio, Times, ratio_of, times_of, turns
from kalibr_bench.provider import DEFAULT_MODELS, LoopbackProvider

QUESTION = "Name the capital of France."
ANSWER = "The capital of France is Paris."
WARM_UP = 100
CROWD = 64
MOST_ROUNDS = 12
"""Crowds of each; their throughput is the median's."""
MOST_IMPORTS = 7
BARE, FALLBACKS, ONE, MANY = "chat model", "with_fallbacks", "ChatKalibr, 1 path", "ChatKalibr, 3"


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """One model, called in turns with the bare one; times in seconds.

    Attributes:
        times: Its times.
        added: Its median less the bare one's.
        added_p99: The same of the 99 % quantiles.
        ratio: Its median by the bare one's.
    """

    times: Times
    added: float
    added_p99: float
    ratio: Ratio


@dataclass(frozen=True, slots=True, kw_only=True)
class InLangChain:
    """What routing costs in LangChain.

    Attributes:
        in_process: `invoke` around a model that answers at once.
        over_http: `invoke` of `ChatOpenAI` over loopback HTTP, ledger in SQLite.
        crowd: Throughput of 64 `ainvoke`s at once, by `ChatOpenAI`'s.
        import_s: What importing `kalibr_langchain` takes beyond `langchain_openai`.
    """

    in_process: dict[str, Added]
    over_http: dict[str, Added]
    crowd: dict[str, Ratio]
    import_s: Times


def measure_langchain(calls: int) -> InLangChain:
    """Measure; `langchain_openai` must be installed.

    Args:
        calls: In process; over HTTP a quarter.
    """
    with offline(), TemporaryDirectory() as folder:
        inside = _in_process(Path(folder), calls)
        models = [replace(model, quality=1.0) for model in DEFAULT_MODELS]
        with LoopbackProvider(models, process=True, keep_requests=0) as provider:
            chats = _chats(provider.base_url, Path(folder))
            over_http = _compared({n: _invoked(m) for n, m in chats.items()}, calls // 4)
            crowd = asyncio.run(_crowds(chats, max(2, min(MOST_ROUNDS, calls // 100))))
        for model in chats.values():
            if hasattr(model, "close"):
                model.close()
    return InLangChain(
        in_process=inside, over_http=over_http, crowd=crowd, import_s=_import_times(calls)
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
        ONE: _kalibr(folder / "one.db", paths[:1]),
        MANY: _kalibr(folder / "many.db", paths),
        f"{MANY}, no file": _kalibr("memory", paths),
    }
    return _compared({name: _invoked(model) for name, model in things.items()}, calls)


def _chats(url: str, folder: Path) -> dict[str, Any]:
    made = import_module("langchain_openai").ChatOpenAI

    def chat(name: str) -> Any:
        return made(model=name, base_url=url, api_key=KEY, max_retries=0)

    first, others = chat(FIRST), [chat(name) for name in OTHERS]
    return {
        BARE: first,
        FALLBACKS: first.with_fallbacks(others),
        ONE: _kalibr(folder / "http-one.db", [first]),
        MANY: _kalibr(folder / "http-many.db", [first, *others]),
    }


def _kalibr(ledger: Path | str, paths: list[Any]) -> Any:
    from kalibr_langchain import ChatKalibr

    return ChatKalibr(goal="overhead", paths=paths, ledger=ledger, seed=0)


def _invoked(model: Any) -> Callable[[], object]:
    return lambda: model.invoke(QUESTION)


def _compared(things: dict[str, Callable[[], object]], rounds: int) -> dict[str, Added]:
    taken = turns(things, rounds=max(rounds, 5), warm_up=min(WARM_UP, rounds))
    if taken.failed:
        raise next(iter(taken.failed.values()))
    bare = times_of(taken.times[BARE])
    found = {}
    for name, times in taken.times.items():
        own = times_of(times)
        found[name] = Added(
            times=own,
            added=own.p50 - bare.p50,
            added_p99=own.p99 - bare.p99,
            ratio=ratio_of(times, taken.times[BARE]),
        )
    return found


async def _crowds(chats: dict[str, Any], rounds: int) -> dict[str, Ratio]:
    """Crowds in turns; a round's belong together."""
    taken: dict[str, list[float]] = {name: [] for name in chats}
    for number in range(rounds + 1):
        for name, model in chats.items():
            started = time.perf_counter()
            await asyncio.gather(*_asked(model))
            if number:  # the first opens the connections
                taken[name].append(time.perf_counter() - started)
    return {name: ratio_of(taken[BARE], times) for name, times in taken.items()}


def _asked(model: Any) -> list[Awaitable[object]]:
    return [model.ainvoke(QUESTION) for _ in range(CROWD)]


def _import_times(calls: int) -> Times:
    """In fresh interpreters that have imported `langchain_openai` already."""
    code = (
        "import time, langchain_openai; started = time.perf_counter(); "
        "from kalibr_langchain import ChatKalibr; print(time.perf_counter() - started)"
    )
    found = []
    for _ in range(max(2, min(MOST_IMPORTS, calls // 200))):
        told = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout
        found.append(float(told))
    return times_of(found)
