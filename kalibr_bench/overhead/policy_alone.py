"""The policy alone: one pull and one update, with few and with many arms."""

from __future__ import annotations

import random
from collections.abc import Callable

from kalibr_bench.overhead.timing import Median, median_of, pairs
from kalibr_core.bandit import RunLengthPolicy, ThompsonPolicy
from kalibr_core.ports import Policy
from kalibr_core.types import Arm, Context, Evidence, EvidenceKind

SIZES = (3, 10, 100)
WARM_UP = 2_000
"""Calls that a policy has learned from before it is timed."""


def measure_policy(calls: int) -> dict[int, tuple[Median, Median]]:
    """By number of arms: the Router's policy, and plain Thompson sampling beside it."""
    found = {}
    for size in SIZES:
        timed = pairs(
            _step(size, RunLengthPolicy), _step(size, ThompsonPolicy), calls=calls, warm_up=WARM_UP
        )
        found[size] = (median_of(timed[0]), median_of(timed[1]))
    return found


def _step(size: int, kind: type[RunLengthPolicy] | type[ThompsonPolicy]) -> Callable[[], None]:
    """A pull and its update, in a world of arms that mostly work."""
    rng = random.Random(0)
    names = [f"arm-{number}" for number in range(size)]
    truth = {name: rng.betavariate(12, 1) for name in names}
    arms = [Arm(name, 10.0 ** rng.uniform(-5, -2)) for name in names]
    policy: Policy = kind(names, rng)
    context = Context()

    def step() -> None:
        chosen = policy.pull(arms, context).arm
        gain = float(rng.random() < truth[chosen])
        policy.update(chosen, Evidence(EvidenceKind.QUALITY, gain, 1.0 - gain))

    return step
