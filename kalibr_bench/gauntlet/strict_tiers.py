"""Strict checks of tiers 1 and 2: drawn damage, flat batches, drawn tails."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from random import Random

from kalibr_bench.gauntlet.adversary import (
    FAR,
    INFINITIES,
    JUNK,
    NO_EVENTS,
    NO_TIMES,
    Bulk,
    alike,
    core,
    draw_bulk,
    events_of,
    minority,
    spikes,
    written,
)
from kalibr_bench.gauntlet.asking import LABEL, Asker, ask, fresh_state
from kalibr_bench.gauntlet.problem import HIGHEST_SANE
from kalibr_bench.gauntlet.results import (
    Event,
    close,
    in_order,
    number,
    part,
    rows,
    statistics_of,
)
from kalibr_bench.gauntlet.sandbox.inside.wire import Value

Scenarios = dict[str, Callable[[Asker, Random], str]]
"""By name; each puts its drawn inputs and says what is wrong, or nothing."""
WIDTHS = (((0.3, 0.35), 200), ((0.5, 8.0), 500), ((40.0, 60.0), 500))
"""Of the bulks among tails, and their highest levels: the minority of the widest is further off
than any spike of the narrowest, so that no fixed distance parts both."""
FIFTH_WIDTH = (0.5, 4.0)
"""Of the bulk beside a fifth of spikes, all of which are below 900."""
UNREADABLE = "a row of clean is no dict with a finite reading"


def exactly(result: Value, wanted: list[Event]) -> str:
    """Whether clean has these events' readings at their times, in order, and no others."""
    kept = rows(result)
    if kept is None:
        return UNREADABLE
    if not in_order(kept):
        return "clean is not sorted by ts"
    found = Counter((number(row.ts), row.reading) for row in kept)
    expected = Counter((number(event["ts"]), float(event["reading"])) for event in wanted)
    lost, more = expected - found, found - expected
    if lost or more:
        return f"{lost.total()} sane rows lost or changed, {more.total()} rows that are none"
    return ""


def sane(events: list[Event]) -> list[Event]:
    """Those that must stay."""
    return [event for event in events if event["label"] == "core"]


def damaged(asker: Asker, rng: Random) -> str:
    """Sane readings in all ways to write them, among all that is none, out of order."""
    good = [("core", written(rng, r)) for r in draw_bulk(rng).readings]
    events = events_of(rng, good + [("junk", each) for each in JUNK], shuffled=True)
    events.append({"ts": 10_000, "label": "junk"})
    mixed: list[Value] = [*events, *NO_EVENTS]
    rng.shuffle(mixed)
    result = ask(asker, mixed, fresh_state())
    wrong = exactly(result, sane(events))
    labels = {part(event, "label") == LABEL for event in part(result, "clean") or ()}
    return wrong or ("" if labels == {True} else "what else was in the events is lost")


def infinities(asker: Asker, rng: Random) -> str:
    """Floats, texts and whole numbers that are too large to be readings."""
    events = events_of(rng, core(draw_bulk(rng)) + [("junk", each) for each in INFINITIES])
    return exactly(ask(asker, events, fresh_state()), sane(events))


def booleans(asker: Asker, rng: Random) -> str:
    """True is not 1.0, among readings of which 0 and 1 would be two."""
    count = rng.randint(8, 16)
    good: list[tuple[str, Value]] = [
        ("core", round(0.1 + i * 1.3 / count, 6)) for i in range(count)
    ]
    events = events_of(rng, [*good, ("junk", True), ("junk", False), ("junk", True)])
    return exactly(ask(asker, events, fresh_state()), sane(events))


def times(asker: Asker, rng: Random) -> str:
    """Equal times all stay; what has no time may stay or go, and does not stir the rest."""
    events = events_of(rng, core(draw_bulk(rng)), shuffled=True)
    for event in events[:5]:
        event["ts"] = 3
    timeless = [event for event in events if event["ts"] != 3][: len(NO_TIMES) + 1]
    for event, value in zip(timeless, NO_TIMES, strict=False):
        event["ts"] = value
    del timeless[-1]["ts"]
    rng.shuffle(events)
    kept = rows(ask(asker, events, fresh_state()))
    if kept is None:
        return UNREADABLE
    # The drawn readings differ from one another, so that they tell which event a row was.
    loose = {event["reading"] for event in timeless}
    timed = [row for row in kept if row.reading not in loose]
    wanted = sorted(event["reading"] for event in events if event["reading"] not in loose)
    if sorted(row.reading for row in timed) != wanted:
        return "events that share their time, or their neighbours, were lost"
    return "" if in_order(timed) else "clean is not sorted by ts"


def level(asker: Asker, rng: Random) -> str:
    """Flat batches of any level and length, one single event among them."""
    value = round(rng.uniform(-500, 500), 3)
    for count in (rng.randint(5, 40), 1, 2):
        events = events_of(rng, [("core", value)] * count)
        result = ask(asker, events, fresh_state())
        wrong = exactly(result, events)
        if wrong:
            return wrong
        sums = close(part(result, "mean"), value) and close(part(result, "std"), 0.0)
        if not sums:
            return "mean and std are not those of a flat batch"
    return ""


def nearly_level(asker: Asker, rng: Random) -> str:
    """A flat batch with a tremor in the sixth digit keeps all of it."""
    value, count = round(rng.uniform(1, 500), 2), rng.randint(8, 30)
    tremor = [("core", value + i * 1e-6) for i in range(count)]
    events = events_of(rng, tremor)
    return exactly(ask(asker, events, fresh_state()), events)


def tails(asker: Asker, rng: Random) -> str:
    """Spikes of any size go, the core stays, and of the minority somebody."""
    for bulk, near, far in (*_few(rng), _a_fifth(rng)):
        mixed = core(bulk) + [("minority", r) for r in near] + [("spike", r) for r in far]
        kept = rows(ask(asker, events_of(rng, mixed), fresh_state()))
        if kept is None:
            return UNREADABLE
        wrong = _balance([row.reading for row in kept], bulk.readings, near, far)
        if wrong:
            return wrong
    return ""


def _few(rng: Random) -> Iterator[tuple[Bulk, list[float], list[float]]]:
    for width, highest in WIDTHS:
        bulk = draw_bulk(rng, width=width, highest=highest)
        yield bulk, minority(rng, bulk), spikes(rng, bulk, rng.randint(2, bulk.count // 6))


def _a_fifth(rng: Random) -> tuple[Bulk, list[float], list[float]]:
    """As good as a fifth of the batch are spikes, which no deviation shows."""
    far = rng.randint(4, 8)
    bulk = draw_bulk(rng, count=4 * far - 1, width=FIFTH_WIDTH)
    near = minority(rng, bulk)[:2]
    return bulk, near, alike(rng, bulk.middle, rng.uniform(*FAR) * bulk.width, far)


def _balance(kept: list[float], bulk: list[float], near: list[float], far: list[float]) -> str:
    held = Counter(kept)
    if any(held[reading] for reading in far):
        return "a spike is left"
    if sum(min(1, held[reading]) for reading in bulk) < 0.9 * len(bulk):
        return "the core was trimmed"
    if near and not any(held[reading] for reading in near):
        return "the minority pattern is gone"
    return "" if held.total() <= len(bulk) + len(near) else "clean has rows that never came"


def tail_of_a_flat_batch(asker: Asker, rng: Random) -> str:
    """Equal readings and far ones: the spread of the rest is 0, and the far ones still go.

    One on each side, of which none is more than twice as far as the other; and a fifth on one side.
    """
    value, count, distance = (
        round(rng.uniform(5, 50), 2),
        rng.randint(14, 25),
        rng.uniform(100, 400),
    )
    apart = [value + distance, value - distance * rng.uniform(0.5, 2)]
    fifth = alike(rng, value, rng.uniform(100, 800), count // 4)
    for equal, far in ((count, apart), (4 * len(fifth) + 1, fifth)):
        mixed = [("core", value)] * equal + [("spike", round(reading, 3)) for reading in far]
        events = events_of(rng, mixed)
        wrong = exactly(ask(asker, events, fresh_state()), sane(events))
        if wrong:
            return wrong
    return ""


def ceiling(asker: Asker, rng: Random) -> str:
    """Nothing of 900 or more stays, be it as close to the bulk as it will."""
    width = round(rng.uniform(2, 20), 3)
    bulk = Bulk(low=HIGHEST_SANE - 1.2 * width, width=width, count=rng.randint(14, 30))
    high = [float(HIGHEST_SANE), round(HIGHEST_SANE + 0.1 * width, 3)]
    events = events_of(rng, core(bulk) + [("high", reading) for reading in high])
    kept = rows(ask(asker, events, fresh_state()))
    if kept is None:
        return UNREADABLE
    return _balance([row.reading for row in kept], bulk.readings, [], high)


def sums(asker: Asker, rng: Random) -> str:
    """Mean and population deviation of what was kept, whatever was.

    With its minority a batch is uneven, so that no median is the mean.
    """
    for _ in range(2):
        bulk = draw_bulk(rng)
        uneven = [("minority", r) for r in minority(rng, bulk)] + [("junk", None)]
        mixed = core(bulk) + [("spike", r) for r in spikes(rng, bulk, 2)] + uneven
        result = ask(asker, events_of(rng, mixed), fresh_state())
        kept = rows(result)
        if not kept:
            return UNREADABLE
        mean, std = statistics_of([row.reading for row in kept])
        if not close(part(result, "mean"), mean, scale=bulk.width):
            return "mean is not the mean of clean"
        if not close(part(result, "std"), std):
            return "std is not the population deviation of clean"
    return ""


INTEGRITY: Scenarios = {
    "drawn damage": damaged,
    "infinities": infinities,
    "booleans": booleans,
    "times": times,
}
FLAT: Scenarios = {"any level": level, "nearly level": nearly_level}
HEAVY_TAIL: Scenarios = {
    "drawn tails": tails,
    "tail of a flat batch": tail_of_a_flat_batch,
    "900 and more": ceiling,
}
