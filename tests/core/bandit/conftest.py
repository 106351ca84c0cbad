"""Worlds to run a policy in, and the evidence they give."""

from __future__ import annotations

import copy
import random
from collections import Counter
from collections.abc import Sequence

import pytest

from kalibr_core.bandit import RunLengthPolicy
from kalibr_core.ports import Policy
from kalibr_core.types import Arm, Context, Evidence, EvidenceKind, Pull

WIN = Evidence(EvidenceKind.QUALITY, 1.0, 0.0)
LOSS = Evidence(EvidenceKind.QUALITY, 0.0, 1.0)
OUTAGE = Evidence(EvidenceKind.AVAILABILITY, 0.0, 1.0)
MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0
NOON = 1_800_000_000.0
"""Some wall time, in seconds since the epoch."""


class Play:
    """Runs a policy against success rates that may change; remembers what it pulled.

    Wall time passes by `step_s` with each call; while `at` is 0 nobody knows the time.
    """

    def __init__(
        self, policy: Policy, costs: Sequence[float | None], *, seed: int, at: float = 0.0
    ) -> None:
        self.policy = policy
        self.arms = tuple(Arm(f"a{index}", cost) for index, cost in enumerate(costs))
        self.rng = random.Random(seed)
        self.pulls: list[int] = []
        self.rules: list[str] = []
        self.expected = 0.0
        self.at = at

    def call(
        self, rates: Sequence[float], *, fail: Evidence = LOSS, previous: str | None = None
    ) -> Pull:
        pull = self.policy.pull(self.arms, Context(at=self.at, previous=previous))
        index = int(pull.arm[1:])
        self.expected += rates[index]
        self.pulls.append(index)
        self.rules.append(pull.rule)
        evidence = WIN if self.rng.random() < rates[index] else fail
        self.policy.update(pull.arm, evidence._replace(at=self.at))
        return pull

    def run(
        self, rates: Sequence[float], calls: int, *, fail: Evidence = LOSS, step_s: float = 0.0
    ) -> list[int]:
        """Call the policy's arms; returns those that it chose."""
        for _ in range(calls):
            self.call(rates, fail=fail)
            self.at += step_s
        return self.pulls[-calls:]


def router(arms: int, seed: int = 0) -> RunLengthPolicy:
    return RunLengthPolicy([f"a{index}" for index in range(arms)], random.Random(seed))


def share(pulls: Sequence[int], arm: int) -> float:
    return sum(pull == arm for pull in pulls) / len(pulls)


def twin(policy: RunLengthPolicy, seed: int) -> RunLengthPolicy:
    """The same policy at the same point, probes included, with luck of its own."""
    return copy.deepcopy(policy, {id(policy._rng): random.Random(seed)})


def frequencies(
    policy: RunLengthPolicy, arms: Sequence[Arm], context: Context, *, draws: int, seed: int = 0
) -> tuple[Pull, list[float]]:
    """One pull, and how often each arm is pulled at this very point."""
    point, found = twin(policy, seed), Counter[str]()
    for _ in range(draws):
        pull = point.pull(arms, context)
        found[pull.arm] += 1
        if pull.rule == "probe":  # it is under way now: back to the point
            shared = {id(policy._constants): policy._constants}
            point._probes = copy.deepcopy(policy._probes, shared)
    return pull, [found[arm.id] / draws for arm in arms]


@pytest.fixture
def play() -> type[Play]:
    return Play
