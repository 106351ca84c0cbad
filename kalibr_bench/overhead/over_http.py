"""Routed calls next to the bare `openai` client, over loopback HTTP; and what others take."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeAlias, TypedDict

from kalibr_bench.overhead.callers import BARE, OWN, Caller, Maker
from kalibr_bench.overhead.peers import Failed, failures, offline, opened
from kalibr_bench.overhead.timing import Ratio, Times, Turns, aturns, ratio_of, times_of, turns
from kalibr_bench.provider import DEFAULT_MODELS, LoopbackProvider
from kalibr_bench.resilience import MODELS

WARM_UP = 30
LEAST = 5
REST_S = 0.001
WAYS = ("completion", "acompletion", "stream", "astream")


@dataclass(frozen=True, slots=True, kw_only=True)
class Called:
    """One caller, one way to call; times in seconds.

    Attributes:
        ratio: Its median by the bare client's.
        own: Its median by that of the client that it wraps; None: that one failed.
        times: Its times.
    """

    ratio: Ratio
    own: Ratio | None
    times: Times


Row: TypeAlias = "dict[str, Called | Failed]"
Errors: TypeAlias = Mapping[str, Exception]


class Rounds(TypedDict):
    """How often, and how apart."""

    rounds: int
    warm_up: int
    rest_s: float


def measure_over_http(calls: int, *, peers: Mapping[str, Maker]) -> dict[str, Row]:
    """By way to call and by caller: all in turns; streams, which take longer, a quarter as often.

    Args:
        calls: Timed calls of each.
        peers: Callers of others, by name.
    """
    with _provider() as provider, TemporaryDirectory() as folder, offline():
        makers = {
            name: partial(make, provider.base_url, Path(folder) / "kalibr.db")
            for name, make in (OWN | dict(peers)).items()
        }
        found = sync_ways(*opened(makers), calls)
        found |= asyncio.run(async_ways(*opened(makers), calls))
    return {way: found[way] for way in WAYS}


@contextmanager
def _provider() -> Iterator[LoopbackProvider]:
    """Good answers only: what is timed is one attempt."""
    models = [replace(model, quality=1.0) for model in DEFAULT_MODELS if model.name in MODELS]
    with LoopbackProvider(models, process=True, keep_requests=0) as provider:
        yield provider


def sync_ways(callers: Mapping[str, Caller], broken: Errors, calls: int) -> dict[str, Row]:
    """Time `completion` and `stream`, then close; `broken` could not even be made."""
    once = {name: caller.completion for name, caller in callers.items()}
    streams = {name: caller.stream for name, caller in callers.items()}
    try:
        called = turns(once, **_rounds(calls))
        streamed = turns(streams, **_rounds(calls // 4))
    finally:
        for caller in callers.values():
            caller.close()
    return {
        "completion": _found(called, callers, broken),
        "stream": _found(streamed, callers, broken),
    }


async def async_ways(callers: Mapping[str, Caller], broken: Errors, calls: int) -> dict[str, Row]:
    """`sync_ways`, awaited: `acompletion` and `astream`, in one event loop."""
    once = {name: caller.acompletion for name, caller in callers.items()}
    streams = {name: caller.astream for name, caller in callers.items()}
    try:
        called = await aturns(once, **_rounds(calls))
        streamed = await aturns(streams, **_rounds(calls // 4))
    finally:
        for caller in callers.values():
            await caller.aclose()
    return {
        "acompletion": _found(called, callers, broken),
        "astream": _found(streamed, callers, broken),
    }


def _rounds(calls: int) -> Rounds:
    rounds = max(calls, LEAST)
    return {"rounds": rounds, "warm_up": min(WARM_UP, rounds // 2), "rest_s": REST_S}


def _found(taken: Turns, callers: Mapping[str, Caller], broken: Errors) -> Row:
    failed = failures({**broken, **taken.failed}, own=OWN)
    found: Row = {}
    for name in [*callers, *broken]:
        if name in failed:
            found[name] = failed[name]
            continue
        times, wrapped = taken.times[name], taken.times.get(callers[name].wraps)
        found[name] = Called(
            ratio=ratio_of(times, taken.times[BARE]),
            own=None if wrapped is None else ratio_of(times, wrapped),
            times=times_of(times),
        )
    return found
