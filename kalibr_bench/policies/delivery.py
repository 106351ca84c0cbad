"""How outcomes come back: at once, late and in batches, or with scores beside them.

What a policy gets is one `Evidence` for each arm; a twin gets the same outcomes one by one, in the
order of their calls, at the same moment.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import count
from typing import Generic, Protocol, TypeAlias, TypeVar

from kalibr_bench.policies.arrays import Bools, Floats, Ints
from kalibr_bench.policies.batch import Batch
from kalibr_bench.policies.chance import Run, judgements
from kalibr_bench.policies.scenarios import JUDGED, LATE, Scenario
from kalibr_bench.policies.worlds import World
from kalibr_core.ports import Policy
from kalibr_core.types import Evidence, EvidenceKind

DELAY = 20
"""Calls until a late outcome is ready."""
BATCH = 16
"""Ready outcomes that are handed over together."""
T = TypeVar("T")

Teach: TypeAlias = Callable[[int, bool], None]
"""Tells a policy that an arm's call has passed, or has not."""
TeachAll: TypeAlias = Callable[[Ints, Bools], None]
"""The same for N runs: arms (N,), passed (N,)."""


class Twin(Protocol):
    """A policy as numpy, for N runs at once."""

    def pull(self, t: int) -> Ints:
        """Each run's arm at call `t`, (N,)."""
        ...

    def learn(self, arms: Ints, gains: Floats, losses: Floats) -> None:
        """One outcome in each run, (N,) each; gain and loss are 0 where there is none."""
        ...


class Gathering(Generic[T]):
    """Holds outcomes back: that of call t is ready when call t + DELAY is over."""

    def __init__(self) -> None:
        self._waiting: list[T] = []

    def add(self, item: T) -> list[T]:
        """Take a call's outcome in; what is handed over now, mostly nothing."""
        self._waiting.append(item)
        if len(self._waiting) < DELAY + BATCH:
            return []
        ready, self._waiting = self._waiting[:BATCH], self._waiting[BATCH:]
        return ready


def teacher(policy: Policy, ids: Sequence[str], world: World, run: Run, of: Scenario) -> Teach:
    """How one run's outcomes reach a policy."""
    if of.feedback == LATE:
        return _late(policy, ids)
    if of.feedback == JUDGED:
        return _judged(policy, ids, world, run, of.calls)
    return _at_once(policy, ids)


GOOD, BAD = Evidence(EvidenceKind.QUALITY, 1.0, 0.0), Evidence(EvidenceKind.QUALITY, 0.0, 1.0)


def _at_once(policy: Policy, ids: Sequence[str]) -> Teach:
    update = policy.update

    def teach(arm: int, passed: bool) -> None:
        update(ids[arm], GOOD if passed else BAD)

    return teach


def _late(policy: Policy, ids: Sequence[str]) -> Teach:
    gathering: Gathering[tuple[int, bool]] = Gathering()

    def teach(arm: int, passed: bool) -> None:
        sums: dict[int, list[float]] = {}
        for one, good in gathering.add((arm, passed)):
            sums.setdefault(one, [0.0, 0.0])[0 if good else 1] += 1.0
        for one, (gain, loss) in sums.items():
            policy.update(ids[one], Evidence(EvidenceKind.QUALITY, gain, loss))

    return teach


def _judged(policy: Policy, ids: Sequence[str], world: World, run: Run, calls: int) -> Teach:
    judged, scores = judgements(world, run, calls)
    plain, at = _at_once(policy, ids), count()

    def teach(arm: int, passed: bool) -> None:
        plain(arm, passed)
        call = next(at)
        if judged[call]:
            score = float(scores[call, arm])
            policy.update(ids[arm], Evidence(EvidenceKind.SCORE, score, 1.0 - score))

    return teach


def teacher_of_all(twin: Twin, batch: Batch) -> TeachAll:
    """How the outcomes of N runs reach a twin.

    Where calls are judged, a twin has no place for a score: it sees the product of passing and
    (1 + score) / 2 as one fractional outcome of the judged calls, and nothing of the others.
    """
    if batch.scenario.feedback == LATE:
        return _all_late(twin)
    if batch.scenario.feedback == JUDGED:
        return _all_judged(twin, batch)

    def teach(arms: Ints, passed: Bools) -> None:
        gains = passed.astype(float)
        twin.learn(arms, gains, 1.0 - gains)

    return teach


def _all_late(twin: Twin) -> TeachAll:
    gathering: Gathering[tuple[Ints, Floats]] = Gathering()

    def teach(arms: Ints, passed: Bools) -> None:
        for chosen, gains in gathering.add((arms, passed.astype(float))):
            twin.learn(chosen, gains, 1.0 - gains)

    return teach


def _all_judged(twin: Twin, batch: Batch) -> TeachAll:
    judged, scores = batch.judgements()
    at = count()

    def teach(arms: Ints, passed: Bools) -> None:
        call = next(at)
        seen = judged[call].astype(float)
        worth = passed * (0.5 + 0.5 * scores[call, batch.rows, arms])
        twin.learn(arms, seen * worth, seen * (1.0 - worth))

    return teach
