"""Policies to compare with: uniform, fixed, and plain Thompson sampling."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ..types import JSON, Arm, Context, Evidence, EvidenceKind, Pull
from .bounds import MAX_COUNT, clamped, counts, field, items

if TYPE_CHECKING:
    import random


class UniformPolicy:
    """Every arm with equal probability; learns nothing."""

    def __init__(self, arms: Sequence[str], rng: random.Random) -> None:
        self._rng = rng

    def pull(self, arms: Sequence[Arm], context: Context) -> Pull:
        """Choose any arm."""
        arm = self._rng.choice(arms)
        return Pull(arm=arm.id, rule="uniform", propensity=1.0 / len(arms))

    def update(self, arm: str, evidence: Evidence) -> None:
        """Learn nothing."""


class FixedPolicy:
    """Always the first of `arms` that can be had: a hard-coded model, or a static chain."""

    def __init__(self, arms: Sequence[str], rng: random.Random) -> None:
        self._rank = {arm: rank for rank, arm in reversed(list(enumerate(arms)))}

    def pull(self, arms: Sequence[Arm], context: Context) -> Pull:
        """Choose the arm that was listed first; arms that were not listed come last."""
        last = len(self._rank)
        arm = min(arms, key=lambda arm: self._rank.get(arm.id, last))
        return Pull(arm=arm.id, rule="fixed", propensity=1.0)

    def update(self, arm: str, evidence: Evidence) -> None:
        """Learn nothing."""


class ThompsonPolicy:
    """Thompson sampling on Beta(1 + successes, 1 + failures); blind to cost and to change."""

    FORMAT = "thompson/1"

    def __init__(self, arms: Sequence[str], rng: random.Random) -> None:
        self._rng = rng
        self._counts = dict.fromkeys(arms, (1.0, 1.0))

    def pull(self, arms: Sequence[Arm], context: Context) -> Pull:
        """Choose the arm with the greatest draw from its posterior."""
        if len(arms) == 1:
            return Pull(arm=arms[0].id, rule="only", propensity=1.0)
        draws = [self._rng.betavariate(*self._counts.get(arm.id, (1.0, 1.0))) for arm in arms]
        return Pull(arm=arms[draws.index(max(draws))].id, rule="leader")

    def update(self, arm: str, evidence: Evidence) -> None:
        """Count an outcome; a provider that does not answer is a failure like any other."""
        if evidence.kind not in (EvidenceKind.QUALITY, EvidenceKind.AVAILABILITY):
            return
        gain, loss = counts(evidence.gain, evidence.loss)
        successes, failures = self._counts.get(arm, (1.0, 1.0))
        self._counts[arm] = min(successes + gain, MAX_COUNT), min(failures + loss, MAX_COUNT)

    def state(self) -> JSON:
        """All beliefs, exactly."""
        return {"format": self.FORMAT, "arms": {arm: [*ab] for arm, ab in self._counts.items()}}

    def restore(self, state: JSON) -> None:
        """Take up a written state; values out of bounds are clamped.

        Raises:
            ValueError: this is no state of this policy. Nothing has changed then.
        """
        arms = field(state, "arms")
        if field(state, "format") != self.FORMAT or not isinstance(arms, Mapping):
            raise ValueError(f"expected a state of format {self.FORMAT!r}, got {state!r:.80}")
        read = {str(arm): _read_counts(record) for arm, record in arms.items()}
        self._counts = dict.fromkeys(self._counts, (1.0, 1.0)) | read


def _read_counts(record: object) -> tuple[float, float]:
    successes, failures = items(record, 2)
    return clamped(successes, 1.0, MAX_COUNT), clamped(failures, 1.0, MAX_COUNT)
