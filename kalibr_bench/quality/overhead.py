"""A routed call with a judge next to one without, over loopback HTTP, in turns within one run."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import fmean, median

from kalibr_bench.overhead.timing import Ratio, Times, ratio_of, times_of
from kalibr_bench.provider import Fault, LoopbackProvider
from kalibr_bench.quality import scenario
from kalibr_bench.quality.records import Settings
from kalibr_bench.quality.run import wait
from kalibr_core import Judge, Router

WARM_UP = 50
"""Calls of each Router that do not count, at least."""
REST_S = 0.001
"""Between two turns: threads go to sleep again."""
MOST_BLOCKS = 10
"""A block that the judge does not come to the end of ends with so many times its calls."""
OFF, ON, HANGS = "off", "on", "hangs"
JUDGES = (OFF, ON, HANGS)
"""Routers by what their judge does."""
SLOWER = 4
"""Where the provider takes its time, so many times fewer calls are timed."""
SCALE_PER_MS = 0.01 / 40
"""Factor on the models' latencies for each millisecond that they take."""
SLOW = 20 * SCALE_PER_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """How calls come.

    Attributes:
        about: In words.
        scale: Factor on the models' latencies.
        block: Calls of one Router, one right after the other; then it is another's turn. A block of
            several goes on until the judge has nothing left to do: each judgement that its answers
            led to was made beside calls that are timed.
    """

    about: str
    scale: float
    block: int


WORLDS = (
    World(about="at once, with pauses between calls", scale=0.0, block=1),
    World(about="after some 40 ms, without a pause", scale=0.01, block=25),
    World(about="at once, without a pause", scale=0.0, block=40),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """Calls of one Router; times in seconds, ratios by the one without a judge.

    Attributes:
        times: Its calls' times.
        median: Of their medians.
        turns: Of the medians of a block and of the other's next to it; the median of these ratios.
            Where other work comes and goes on the machine, it is off by less.
        mean: Of their means: what a judge's own work takes of the processor. Its inverse is the
            ratio of the calls that are made in a second.
        p95: Of the times that 5 % of the calls exceed.
        p99: Of those that 1 % do.
        judged: What became of what was to be judged.
    """

    times: Times
    median: Ratio
    turns: Ratio
    mean: Ratio
    p95: Ratio
    p99: Ratio
    judged: Mapping[str, int]


def after(times_ms: Iterable[float]) -> list[World]:
    """Worlds whose provider answers after some such time, calls coming without a pause."""
    return [
        World(about=f"after some {ms:g} ms, without a pause", scale=ms * SCALE_PER_MS, block=40)
        for ms in times_ms
    ]


def measure(calls: int, worlds: Iterable[World] = WORLDS) -> dict[str, dict[str, Judged]]:
    """Time Routers without a judge, with one, and with one that hangs; by how calls come.

    Args:
        calls: Timed calls of each, rounded up to whole blocks.
    """
    return {
        world.about: _measured(world, calls // SLOWER if world.scale >= SLOW else calls)
        for world in worlds
    }


def _measured(world: World, calls: int) -> dict[str, Judged]:
    models = scenario.models(Settings())
    with LoopbackProvider(
        models, process=True, keep_requests=0, latency_scale=world.scale
    ) as provider:
        provider.fault(scenario.GRADER, Fault(kind="hang"), token=HANGS)
        routers = {name: _router(name, provider.base_url) for name in JUDGES}
        try:
            turns = _in_blocks(routers, calls=calls, size=world.block)
            return {name: _judged(turns, name, router) for name, router in routers.items()}
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


def _in_blocks(
    routers: Mapping[str, Router], *, calls: int, size: int
) -> list[dict[str, list[float]]]:
    """Each call's time, by blocks; those of a turn have as many calls."""
    rng, turns, left = random.Random(0), [], WARM_UP + calls
    while left > 0:
        asked = scenario.requests(left, size * MOST_BLOCKS)
        order = rng.sample(JUDGES, len(JUDGES))
        if size > 1:  # how long its turn is says how long the others' are
            order.sort(key=lambda name: name != ON)
        turn: dict[str, list[float]] = {}
        for name in order:
            time.sleep(REST_S)
            count = len(turn.get(ON, ())) or size
            turn[name] = _block(routers[name], asked, count, goes_on=name == ON and size > 1)
            if name == ON:
                wait(routers[ON], 0)
        left -= len(turn[ON])
        turns += [turn] if left < calls else []
    return turns


def _block(
    router: Router, asked: Sequence[scenario.Messages], size: int, *, goes_on: bool
) -> list[float]:
    """The times of so many calls, and of more while there is something to be judged."""
    judging, times = router._judging, list[float]()
    for messages in asked:
        if len(times) >= size and not (goes_on and judging is not None and judging.under_way):
            break
        times.append(_time(router, messages))
    return times


def _time(router: Router, messages: scenario.Messages) -> float:
    started = time.perf_counter()
    router.completion(messages)
    return time.perf_counter() - started


def _judged(turns: Sequence[Mapping[str, list[float]]], name: str, router: Router) -> Judged:
    times = [time for turn in turns for time in turn[name]]
    off = [time for turn in turns for time in turn[OFF]]
    ratio = partial(ratio_of, times, off)
    return Judged(
        times=times_of(times),
        median=ratio(of=median),
        turns=_neighbours([turn[name] for turn in turns], [turn[OFF] for turn in turns]),
        mean=ratio(of=fmean),
        p95=ratio(of=_exceeded_by(0.05)),
        p99=ratio(of=_exceeded_by(0.01)),
        judged=dict(router.judgements),
    )


def _neighbours(blocks: Sequence[list[float]], others: Sequence[list[float]]) -> Ratio:
    ratios = [median(one) / median(other) for one, other in zip(blocks, others, strict=True)]
    return ratio_of(ratios, [1.0] * len(ratios))


def _exceeded_by(share: float) -> Callable[[Iterable[float]], float]:
    """What this share of some times exceeds."""

    def of(times: Iterable[float]) -> float:
        ordered = sorted(times)
        return ordered[min(int((1.0 - share) * len(ordered)), len(ordered) - 1)]

    return of
