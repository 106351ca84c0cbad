"""Strict checks of the output: what is returned, in which cases, and what is left alone."""

from __future__ import annotations

from random import Random

from kalibr_bench.gauntlet.adversary import JUNK, core, draw_bulk, events_of, spikes, written
from kalibr_bench.gauntlet.asking import Asker, ask, fresh_state, unmarked
from kalibr_bench.gauntlet.results import (
    Event,
    Row,
    all_finite,
    buffered,
    close,
    part,
    rows,
    seen,
)
from kalibr_bench.gauntlet.sandbox.inside.wire import Value, encode
from kalibr_bench.gauntlet.strict_tiers import UNREADABLE, Scenarios, exactly, sums

LONGEST = 1 << 24
WORST_INT_BITS = 1 << 16


def empty(asker: Asker, rng: Random) -> str:
    """No event, or none that is a reading: nothing kept, zeros, a state to go on with."""
    junk = events_of(rng, [("junk", each) for each in JUNK])
    for events in ([], junk):
        result = ask(asker, events, fresh_state())
        if rows(result) != []:
            return "clean is not empty"
        if not (close(part(result, "mean"), 0.0) and close(part(result, "std"), 0.0)):
            return "mean and std of nothing are not 0.0"
        if buffered(result) is None:
            return "state has no readable buffer"
    return ""


def no_state(asker: Asker, rng: Random) -> str:
    """None, an empty dict and half a state start afresh."""
    for state in (None, {}, {"seen": 3}):
        events = events_of(rng, core(draw_bulk(rng)))
        result = ask(asker, events, state)
        wrong = exactly(result, events)
        if wrong:
            return wrong
        before = state["seen"] if state else 0
        if seen(result) != before + len(events) or buffered(result) is None:
            return "the state that comes back is not a fresh one's"
    return ""


def _mixed(rng: Random) -> list[Event]:
    bulk = draw_bulk(rng)
    labelled = [("core", written(rng, reading)) for reading in bulk.readings]
    labelled += [("spike", reading) for reading in spikes(rng, bulk, 2)]
    return events_of(rng, labelled + [("junk", each) for each in (None, "bad", float("nan"))])


def all_parts(asker: Asker, rng: Random) -> str:
    """Alerts are told, and what is set in the state is handed on."""
    result = ask(asker, _mixed(rng), fresh_state())
    if type(result) is not dict or "alerts" not in result:
        return "there are no alerts in the result"
    state = part(result, "state")
    lost = [name for name in ("limit", "z_cutoff") if part(state, name) != fresh_state()[name]]
    return f"{', '.join(lost)} of the state lost or changed" if lost else ""


def untouched(asker: Asker, rng: Random) -> str:
    """The caller's events, in their order, with what they held."""
    events = unmarked(_mixed(rng))
    after = asker.reply(events, fresh_state(), echo=True).events
    return "" if _text(after) == _text(events) else "the caller's events were changed"


def _text(value: Value) -> str:
    return encode(value, most=LONGEST, int_bits=WORST_INT_BITS)


def again(asker: Asker, rng: Random) -> str:
    """Cleaning what is clean changes nothing."""
    first = rows(ask(asker, _mixed(rng), fresh_state()))
    if not first:
        return UNREADABLE
    second = rows(ask(asker, [row.event for row in first], fresh_state()))
    return "" if second is not None and _same(first, second) else "a second pass changed clean"


def _same(first: list[Row], second: list[Row]) -> bool:
    return [(r.ts, r.reading) for r in first] == [(r.ts, r.reading) for r in second]


def the_same(asker: Asker, rng: Random) -> str:
    """Twice the same batch on equal states, loaded anew in between: the same clean, mean, std."""
    events, told = _mixed(rng), []
    for _ in range(2):
        asker.begin()
        result = ask(asker, events, fresh_state())
        told.append(_text([part(result, name) for name in ("clean", "mean", "std")]))
    return "" if told[0] == told[1] else "the same input gave another output"


def finite(asker: Asker, rng: Random) -> str:
    """No NaN in what is returned, raw events among the alerts aside."""
    result = ask(asker, _mixed(rng), fresh_state())
    if type(result) is not dict or rows(result) is None:
        return UNREADABLE
    shown = {name: value for name, value in result.items() if name != "alerts"}
    return "" if all_finite(shown) else "NaN or an infinity is in the result"


OUTPUT: Scenarios = {
    "mean and std": sums,
    "an empty batch": empty,
    "no state": no_state,
    "all parts": all_parts,
    "events untouched": untouched,
    "cleaning twice": again,
    "the same again": the_same,
    "nothing but numbers": finite,
}
