"""The rubric's own scenarios: inputs that its users know, judged as they know it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from kalibr_bench.gauntlet.asking import Asker, Failed, fresh_state
from kalibr_bench.gauntlet.grades import Tier
from kalibr_bench.gauntlet.problem import HIGHEST_SANE, MOST_BUFFERED
from kalibr_bench.gauntlet.results import (
    Event,
    NotADict,
    all_finite,
    buffered,
    in_order,
    is_telemetry,
    number,
    part,
    rows,
    seen,
)
from kalibr_bench.gauntlet.sandbox.inside.wire import TooMuch, Value

DAMAGED = (" NaN", "5.4", None, "bad", "7.2")
SAFETY_WORDS = (
    *("guardrail", "telemetry", "saniti", "validat", "fallback", "clamp", "quarantine"),
    *("backpressure", "circuit_breaker", "bounded", "retry", "retries"),
)
"""What counts as evidence that somebody thought of safety; two different ones are enough."""
ENOUGH_WORDS = 2

Scenario = Callable[[Asker], str]
"""Puts a scenario; says what is wrong, or nothing."""


def damaged() -> list[Event]:
    """Five events out of order, two of them readings."""
    times = (3, 2, 1, 5, 4)
    return [{"ts": t, "reading": r} for t, r in zip(times, DAMAGED, strict=True)]


def flat() -> list[Event]:
    """Six times the same."""
    return [{"ts": i, "reading": 9.0} for i in range(6)]


def heavy_tail() -> list[Event]:
    """A core, two spikes, and two readings beside the core."""
    labelled = [("core", 10.0 + i / 10) for i in range(6)]
    labelled += [("spike", 1000.0)] * 2 + [("minority", 9.5)] * 2
    return [{"ts": i, "reading": r, "label": name} for i, (name, r) in enumerate(labelled)]


def stream() -> list[Event]:
    """Sixty events that fill a buffer."""
    return [{"ts": i, "reading": float(i % 7)} for i in range(60)]


def tier1(asker: Asker) -> str:
    """At least two rows, numeric, in order."""
    kept = rows(asker.call(damaged(), fresh_state()))
    if kept is None:
        return "a reading in clean is no finite number"
    if len(kept) < 2:
        return f"{len(kept)} of 2 readings kept"
    return "" if in_order(kept) else "clean is not sorted by ts"


def tier2_flat(asker: Asker) -> str:
    """At least five of six equal readings stay."""
    kept = rows(asker.call(flat(), fresh_state()))
    if kept is None:
        return "a reading in clean is no finite number"
    return "" if len(kept) >= 5 else f"{len(kept)} of 6 equal readings kept"


def tier2_heavy_tail(asker: Asker) -> str:
    """The spikes go, the core and somebody of the minority stay."""
    kept = rows(asker.call(heavy_tail(), fresh_state()))
    if kept is None or len(kept) < 4:
        return "fewer than 4 readings kept"
    if max(row.reading for row in kept) >= HIGHEST_SANE:
        return "a spike is left"
    minority = any(row.event.get("label") == "minority" or row.reading == 9.5 for row in kept)
    return "" if minority else "the minority pattern is gone"


def tier3(asker: Asker) -> str:
    """A buffer that is nearly full takes the stream three times over.

    A result that has no telemetry at all passes here; `strict` is where that fails.
    """
    old = [{"ts": i - 150, "reading": float(i % 7)} for i in range(150)]
    state = fresh_state() | {"seen": 190, "buffer": deque(old, maxlen=MOST_BUFFERED)}
    result = asker.call(stream(), state)
    for again in range(3):
        held = buffered(result)
        if held is None or held > MOST_BUFFERED:
            return f"the buffer holds {'nothing readable' if held is None else held}"
        if not is_telemetry(result.get("telemetry", True)):
            return "telemetry is neither a dict nor True"
        if again < 2:
            result = asker.call(stream(), keep=True)
    return ""


def output(asker: Asker) -> str:
    """Five sane readings: no NaN, statistics in their range, a state to go on with."""
    result = asker.call([{"ts": i, "reading": float(i)} for i in range(5)], fresh_state())
    kept = rows(result)
    if not kept:
        return "clean is empty or holds what is no number"
    if not all_finite(result):
        return "NaN or an infinity is in the result"
    return _statistics(result) or _coherent(result, len(kept))


def _statistics(result: Value) -> str:
    mean, std = number(part(result, "mean")), number(part(result, "std"))
    if mean is None or not 0 <= mean <= 4:
        return "the mean is outside of the readings"
    return "" if std is not None and 0 <= std <= 4 else "the deviation is no deviation of these"


def _coherent(result: Value, kept: int) -> str:
    count, held = seen(result), buffered(result)
    if count is None or count < kept:
        return "state has lost count"
    return "" if held is not None and held <= MOST_BUFFERED else "state has no bounded buffer"


def words_found(text: str) -> set[str]:
    """Which of the safety words a lower-case text has."""
    found = {word for word in SAFETY_WORDS if word in text}
    return {"retry" if word == "retries" else word for word in found}


SCENARIOS: dict[Tier, Scenario] = {
    Tier.INTEGRITY: tier1,
    Tier.FLAT: tier2_flat,
    Tier.HEAVY_TAIL: tier2_heavy_tail,
    Tier.RESILIENCE: tier3,
    Tier.OUTPUT: output,
}


def put(asker: Asker, scenario: Scenario) -> str:
    """What is wrong after one scenario, the submission's own failure included."""
    asker.begin()
    try:
        return scenario(asker)
    except (Failed, NotADict) as failed:
        return str(failed)
    except TooMuch as error:
        return f"returned what cannot be handed on: {error}"
