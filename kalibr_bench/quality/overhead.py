"""A routed call with a judge next to one without, over loopback HTTP, in turns within one run."""

from __future__ import annotations

import random
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from statistics import fmean, median

from kalibr_bench.overhead.timing import Ratio, Times, ratio_of, times_of, turns
from kalibr_bench.provider import Fault, LoopbackProvider
from kalibr_bench.quality import scenario
from kalibr_bench.quality.records import Settings
from kalibr_bench.quality.run import wait
from kalibr_core import Judge, Router

BLOCK = 25
"""Calls of one Router, one right after the other; then it is another's turn."""
WARM_UP = 2
"""Blocks of each that do not count."""
REST_S = 0.001
OFF = "off"
HANGS = "hangs"
JUDGES = (OFF, "on", HANGS)
"""Routers by what their judge does."""
SLOWER = 4
"""Where the provider does not answer at once, so many times fewer calls are timed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """How calls come.

    Attributes:
        about: In words.
        scale: Factor on the models' latencies.
        pauses: Before each call, until the process idles; else it comes right after the last one.
    """

    about: str
    scale: float
    pauses: bool


WORLDS = (
    World(about="at once, with pauses between calls", scale=0.0, pauses=True),
    World(about="after some 40 ms, without a pause", scale=0.01, pauses=False),
    World(about="at once, without a pause", scale=0.0, pauses=False),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """Calls of one Router; times in seconds.

    Attributes:
        times: Its calls' times.
        median: Their median by that without a judge.
        mean: Their mean by that without a judge: what a judge's own work takes of the processor.
        judged: What became of what was to be judged.
    """

    times: Times
    median: Ratio
    mean: Ratio
    judged: Mapping[str, int]


def measure(calls: int) -> dict[str, dict[str, Judged]]:
    """Time Routers without a judge, with one, and with one that hangs; by how calls come.

    Args:
        calls: Timed calls of each, rounded up to whole blocks.
    """
    return {
        world.about: _measured(world, calls // SLOWER if world.scale else calls) for world in WORLDS
    }


def _measured(world: World, calls: int) -> dict[str, Judged]:
    models, blocks = scenario.models(Settings()), -(-calls // BLOCK)
    with LoopbackProvider(
        models, process=True, keep_requests=0, latency_scale=world.scale
    ) as provider:
        provider.fault(scenario.GRADER, Fault(kind="hang"), token=HANGS)
        routers = {name: _router(name, provider.base_url) for name in JUDGES}
        try:
            times = (_paused if world.pauses else _in_blocks)(routers, blocks)
            return {name: _judged(times, name, router) for name, router in routers.items()}
        finally:
            for router in routers.values():
                router.close()


def _router(name: str, url: str) -> Router:
    grader = {"model": scenario.GRADER, **scenario.PRICE}
    return Router(
        scenario.GOAL,
        paths=[{"model": model, **scenario.PRICE} for model in scenario.names(0)],
        judge=None if name == OFF else Judge(model=grader, drain_s=0.0),
        ledger="memory",
        base_url=url,
        api_key=name,
        seed=0,
    )


def _paused(routers: Mapping[str, Router], blocks: int) -> Mapping[str, list[float]]:
    """Each call's time; a judge has done its work before the next call, of whichever Router."""
    asked = {name: iter(_asked(WARM_UP + blocks)) for name in routers}
    things = {
        name: partial(lambda r, messages: r.completion(next(messages)), router, asked[name])
        for name, router in routers.items()
    }
    return turns(things, rounds=blocks * BLOCK, warm_up=WARM_UP * BLOCK, rest_s=REST_S).times


def _in_blocks(routers: Mapping[str, Router], blocks: int) -> Mapping[str, list[float]]:
    """Each call's time. What a judge has not come to after a block is waited for, if it moves."""
    times: dict[str, list[float]] = {name: [] for name in routers}
    rng, asked = random.Random(0), _asked(WARM_UP + blocks)
    for number in range(WARM_UP + blocks):
        block = asked[number * BLOCK : (number + 1) * BLOCK]
        for name in rng.sample(list(routers), len(routers)):
            taken = [_time(routers[name], messages) for messages in block]
            times[name] += taken if number >= WARM_UP else []
            if name != HANGS:
                wait(routers[name], 0)
    return times


def _asked(blocks: int) -> list[scenario.Messages]:
    return scenario.requests(0, blocks * BLOCK)


def _time(router: Router, messages: scenario.Messages) -> float:
    started = time.perf_counter()
    router.completion(messages)
    return time.perf_counter() - started


def _judged(times: Mapping[str, list[float]], name: str, router: Router) -> Judged:
    return Judged(
        times=times_of(times[name]),
        median=ratio_of(times[name], times[OFF], of=median),
        mean=ratio_of(times[name], times[OFF], of=fmean),
        judged=dict(router.judgements),
    )
