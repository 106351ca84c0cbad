"""Worlds to run a policy in, and the evidence they give."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

import pytest

from kalibr_core.ports import Policy
from kalibr_core.types import Arm, Context, Evidence, EvidenceKind

WIN = Evidence(EvidenceKind.QUALITY, 1.0, 0.0)
LOSS = Evidence(EvidenceKind.QUALITY, 0.0, 1.0)
OUTAGE = Evidence(EvidenceKind.AVAILABILITY, 0.0, 1.0)

World = Callable[[int], Sequence[float]]


class Play:
    """Runs a policy against success rates that may change; remembers the arms it pulled."""

    def __init__(self, policy: Policy, costs: Sequence[float | None], *, seed: int) -> None:
        self.policy = policy
        self.arms = tuple(Arm(f"a{index}", cost) for index, cost in enumerate(costs))
        self.rng = random.Random(seed)
        self.pulls: list[int] = []
        self.expected = 0.0

    def run(self, rates: Sequence[float], calls: int, *, fail: Evidence = LOSS) -> list[int]:
        """Call the policy's arms; returns those that it chose."""
        for _ in range(calls):
            index = int(self.policy.pull(self.arms, Context()).arm[1:])
            self.expected += rates[index]
            self.pulls.append(index)
            passed = self.rng.random() < rates[index]
            self.policy.update(f"a{index}", WIN if passed else fail)
        return self.pulls[-calls:]


@pytest.fixture
def play() -> type[Play]:
    return Play
