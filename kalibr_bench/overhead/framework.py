"""What an adapter adds to a framework's own model: over HTTP, in process, in a crowd, at import."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from kalibr_bench.overhead.timing import Ratio, Times, ratio_of, times_of, turns

QUESTION = "Name the capital of France."
WARM_UP = 100
CROWD = 64
MOST_ROUNDS = 12
"""Crowds of each; their throughput is the median's."""
MOST_IMPORTS = 7


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
class InFramework:
    """What routing costs in a framework.

    Attributes:
        in_process: Around a model that answers at once; empty: not measured.
        over_http: Around the framework's OpenAI model over loopback HTTP, ledger in SQLite.
        crowd: Throughput of 64 awaited calls at once, by the bare model's.
        import_s: What importing the adapter takes beyond the framework's OpenAI model.
    """

    in_process: dict[str, Added]
    over_http: dict[str, Added]
    crowd: dict[str, Ratio]
    import_s: Times


def compared(
    things: Mapping[str, Callable[[], object]], rounds: int, *, bare: str
) -> dict[str, Added]:
    """Call all in turns, and set each beside the bare one.

    Raises:
        Exception: the first that one of them raised.
    """
    taken = turns(things, rounds=max(rounds, 5), warm_up=min(WARM_UP, rounds))
    if taken.failed:
        raise next(iter(taken.failed.values()))
    beside = times_of(taken.times[bare])
    found = {}
    for name, times in taken.times.items():
        own = times_of(times)
        found[name] = Added(
            times=own,
            added=own.p50 - beside.p50,
            added_p99=own.p99 - beside.p99,
            ratio=ratio_of(times, taken.times[bare]),
        )
    return found


async def crowds(
    calls: Mapping[str, Callable[[], Awaitable[object]]], rounds: int, *, bare: str
) -> dict[str, Ratio]:
    """Crowds in turns; a round's belong together."""
    taken: dict[str, list[float]] = {name: [] for name in calls}
    for number in range(rounds + 1):
        for name, call in calls.items():
            started = time.perf_counter()
            await asyncio.gather(*(call() for _ in range(CROWD)))
            if number:  # the first opens the connections
                taken[name].append(time.perf_counter() - started)
    return {name: ratio_of(taken[bare], times) for name, times in taken.items()}


def rounds_of(calls: int) -> int:
    """How many crowds that many calls are worth."""
    return max(2, min(MOST_ROUNDS, calls // 100))


def import_times(beside: str, adapter: str, calls: int) -> Times:
    """In fresh interpreters that have imported the framework already.

    Args:
        beside: The framework's module.
        adapter: Module and name that is imported, such as `kalibr_langchain.ChatKalibr`.
    """
    module, _, name = adapter.rpartition(".")
    code = (
        f"import time, {beside}; started = time.perf_counter(); "
        f"from {module} import {name}; print(time.perf_counter() - started)"
    )
    found = []
    for _ in range(max(2, min(MOST_IMPORTS, calls // 200))):
        told = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout
        found.append(float(told))
    return times_of(found)


def routed(adapter: str, paths: list[Any], ledger: object) -> Any:
    """An adapter's model over these paths."""
    from importlib import import_module

    module, _, name = adapter.rpartition(".")
    return getattr(import_module(module), name)(goal="overhead", paths=paths, ledger=ledger, seed=0)
