"""Strict checks of tier 3: state over many batches, large batches, telemetry that is there."""

from __future__ import annotations

from collections import deque
from random import Random

from kalibr_bench.gauntlet.adversary import core, draw_bulk, events_of, spikes
from kalibr_bench.gauntlet.asking import Asker, ask, fresh_state
from kalibr_bench.gauntlet.problem import MOST_BUFFERED
from kalibr_bench.gauntlet.results import (
    all_finite,
    buffered,
    is_telemetry,
    part,
    rows,
    seen,
)
from kalibr_bench.gauntlet.sandbox.inside.wire import Value
from kalibr_bench.gauntlet.strict_tiers import UNREADABLE, Scenarios, exactly, sane

BATCHES = 10
HUGE = 10_000


def _overfull(result: Value) -> str:
    held = buffered(result)
    if held is None:
        return "state has no readable buffer"
    return f"the buffer holds {held}" if held > MOST_BUFFERED else ""


def ten_batches(asker: Asker, rng: Random) -> str:
    """The state is handed on: it counts, its buffer fills and stays bounded, the tenth is clean."""
    came = kept = 0
    for number in range(BATCHES):
        bulk = draw_bulk(rng, count=rng.randint(60, 90))
        events = events_of(rng, [*core(bulk), ("junk", None)], start=1000 * number)
        state = fresh_state() if number == 0 else None
        result = ask(asker, events, state, keep=number > 0)
        came, kept, count = came + len(events), kept + bulk.count, seen(result)
        wrong = exactly(result, sane(events)) or _overfull(result)
        if wrong:
            return f"batch {number + 1}: {wrong}"
        if count is None or not kept <= count <= came:
            return f"batch {number + 1}: seen is not the count of events so far"
    return "" if buffered(result) else "nothing was buffered though seen is past the limit"


def plain_list(asker: Asker, rng: Random) -> str:
    """A state whose buffer is a list, nearly full: what has no maxlen must be bounded too."""
    old = [{"ts": i, "reading": float(i % 5)} for i in range(MOST_BUFFERED - 5)]
    state = fresh_state() | {"seen": 400, "buffer": old}
    bulk = draw_bulk(rng, count=40)
    result = ask(asker, events_of(rng, core(bulk), start=1000), state)
    if wrong := _overfull(result):
        return wrong
    return _overfull(ask(asker, events_of(rng, core(bulk), start=2000), keep=True))


def what_is_buffered(asker: Asker, rng: Random) -> str:
    """Nothing before the limit; past it what is clean, after the newest of what was there."""
    bulk = draw_bulk(rng)
    mixed = core(bulk) + [("spike", r) for r in spikes(rng, bulk, 2)] + [("junk", None)]
    if buffered(ask(asker, events_of(rng, mixed), fresh_state())) != 0:
        return "the buffer is not empty though seen has not passed the limit"
    old = [{"ts": i, "reading": round(bulk.low + i * 1e-3, 3)} for i in range(MOST_BUFFERED - 5)]
    state = fresh_state() | {"seen": 400, "buffer": deque(old, maxlen=MOST_BUFFERED)}
    result = ask(asker, events_of(rng, mixed, start=1000), state)
    kept, held = rows(result), rows({"clean": part(part(result, "state"), "buffer")})
    if not kept or held is None:
        return UNREADABLE
    taken, before = held[-len(kept) :], held[: -len(kept)]
    if [(row.ts, row.reading) for row in taken] != [(row.ts, row.reading) for row in kept]:
        return "the buffer does not end in what is clean"
    return "" if before and before[-1].event == old[-1] else "the newest of the old buffer is gone"


def telemetry(asker: Asker, rng: Random) -> str:
    """Always there: for a sane batch, for one that is all junk, for none."""
    junk = events_of(rng, [("junk", "bad"), ("junk", None)])
    for events in (events_of(rng, core(draw_bulk(rng))), junk, []):
        told = part(ask(asker, events, fresh_state()), "telemetry")
        if not is_telemetry(told):
            return "telemetry is missing or neither a dict nor True"
        if not all_finite(told):
            return "NaN or an infinity is in the telemetry"
    return ""


def huge(asker: Asker, rng: Random) -> str:
    """Ten thousand bare events, in the time that a child has, none of the sane ones lost."""
    mixed = core(draw_bulk(rng, count=HUGE)) + [("junk", "bad")] * 60
    events = [{"ts": e["ts"], "reading": e["reading"]} for e in events_of(rng, mixed)]
    result = ask(asker, events, fresh_state())
    kept = rows(result)
    if kept is None:
        return UNREADABLE
    if len(kept) != HUGE:
        return f"{len(kept)} of {HUGE} sane readings kept"
    return _overfull(result)


RESILIENCE: Scenarios = {
    "ten batches": ten_batches,
    "a list as buffer": plain_list,
    "what is buffered": what_is_buffered,
    "telemetry": telemetry,
    "a huge batch": huge,
}
