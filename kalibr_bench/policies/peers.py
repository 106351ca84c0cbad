"""Other libraries' Thompson sampling behind the core's protocol. Neither is a dependency."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from kalibr_core.types import Arm, Context, Evidence, EvidenceKind, Pull

if TYPE_CHECKING:
    import random


def installed(module: str) -> bool:
    """Whether a module can be imported."""
    return importlib.util.find_spec(module) is not None


class MabWiser:
    """MABWiser's `ThompsonSampling`, which wants some outcome of every arm before it chooses."""

    def __init__(self, arms: Sequence[str], rng: random.Random) -> None:
        from mabwiser.mab import MAB, LearningPolicy  # type: ignore[import-not-found,unused-ignore]

        self._mab: Any = MAB(
            list(arms), LearningPolicy.ThompsonSampling(), seed=rng.getrandbits(31)
        )
        self._untried = list(arms)
        self._begun = False

    def pull(self, arms: Sequence[Arm], context: Context) -> Pull:
        """Choose an arm; each of them once first."""
        if self._untried:
            return Pull(arm=self._untried.pop(0), rule="first")
        return Pull(arm=self._mab.predict() if self._begun else arms[0].id, rule="leader")

    def update(self, arm: str, evidence: Evidence) -> None:
        """Learn a batch, outcome by outcome."""
        if evidence.kind != EvidenceKind.QUALITY:
            return
        rewards = _rewards(evidence)
        learn = self._mab.partial_fit if self._begun else self._mab.fit
        learn([arm] * len(rewards), rewards)
        self._begun = True


class River:
    """River's `ThompsonSampling` with a Beta for each arm."""

    def __init__(self, arms: Sequence[str], rng: random.Random) -> None:
        from river import bandit, proba  # type: ignore[import-not-found,unused-ignore]

        self._arms = list(arms)
        seed = rng.getrandbits(31)
        self._policy: Any = bandit.ThompsonSampling(
            reward_obj=proba.Beta(seed=seed), seed=seed, burn_in=1
        )

    def pull(self, arms: Sequence[Arm], context: Context) -> Pull:
        """Choose an arm."""
        return Pull(arm=self._policy.pull([arm.id for arm in arms]), rule="leader")

    def update(self, arm: str, evidence: Evidence) -> None:
        """Learn a batch, outcome by outcome."""
        if evidence.kind == EvidenceKind.QUALITY:
            for reward in _rewards(evidence):
                self._policy.update(arm, reward)


def _rewards(evidence: Evidence) -> list[int]:
    """The outcomes of a batch, one by one."""
    return [1] * round(evidence.gain) + [0] * round(evidence.loss)
