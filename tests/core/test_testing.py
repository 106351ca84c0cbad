"""The public check lists find what is wrong with a policy or a ledger."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from kalibr_core import MemoryLedger
from kalibr_core.bandit import FixedPolicy, RunLengthPolicy, ThompsonPolicy, UniformPolicy
from kalibr_core.testing import BrokenPolicy, FakeClock, FirstArm, check_ledger, check_policy
from kalibr_core.types import JSON, Arm, Context, Entry, Evidence, Pull


@pytest.mark.parametrize(
    "policy",
    [FixedPolicy, RunLengthPolicy, ThompsonPolicy, UniformPolicy],
    ids=lambda c: c.__name__,
)
def test_our_policies_keep_the_rules(policy: type) -> None:
    """`check_policy` asserts each of them."""
    check_policy(policy)


class Other(ThompsonPolicy):
    def pull(self, arms: Sequence[Arm], context: Context) -> Pull:
        return Pull(arm="a", rule="x")


class Unseeded(ThompsonPolicy):
    def pull(self, arms: Sequence[Arm], context: Context) -> Pull:
        return Pull(arm=random.choice(arms).id, rule="x")


class Fragile(ThompsonPolicy):
    def update(self, arm: str, evidence: Evidence) -> None:
        assert 0.0 <= evidence.gain <= 1.0


class LearnsByPulling(ThompsonPolicy):
    def pull(self, arms: Sequence[Arm], context: Context) -> Pull:
        pull = super().pull(arms, context)
        self._counts[pull.arm] = (2.0, self._counts.get(pull.arm, (1.0, 1.0))[1] + 1)
        return pull


class Rounds(ThompsonPolicy):
    def state(self) -> JSON:
        return {
            "format": self.FORMAT,
            "arms": {a: [round(x), 1] for a, (x, _) in self._counts.items()},
        }


class TakesAnything(ThompsonPolicy):
    def restore(self, state: JSON) -> None:
        if isinstance(state, dict) and state.get("format") == self.FORMAT:
            super().restore(state)


class Halfway(ThompsonPolicy):
    def restore(self, state: JSON) -> None:
        self._counts = {}
        super().restore(state)


class Improbable(ThompsonPolicy):
    def pull(self, arms: Sequence[Arm], context: Context) -> Pull:
        return Pull(arm=arms[0].id, rule="x", propensity=1.5)


@pytest.mark.parametrize(
    "policy",
    [Other, Unseeded, Fragile, LearnsByPulling, Rounds, TakesAnything, Halfway, Improbable],
    ids=lambda c: c.__name__,
)
def test_a_policy_that_breaks_a_rule_is_found(policy: type) -> None:
    with pytest.raises(AssertionError):
        check_policy(policy)


def test_a_broken_policy_is_found() -> None:
    with pytest.raises(RuntimeError):
        check_policy(lambda arms, rng: BrokenPolicy())
    check_policy(lambda arms, rng: FirstArm())


class Twice(MemoryLedger):
    def append(self, entry: Entry) -> bool:
        super().append(entry)
        return True


class Backwards(MemoryLedger):
    def entries(self, **query: object) -> object:  # type: ignore[override]
        return reversed(list(super().entries(**query)))  # type: ignore[arg-type]


class Forgetful(MemoryLedger):
    def __init__(self) -> None:
        super().__init__(most=5)


class Prefixed(MemoryLedger):
    def entries(self, *, goal=None, decision_id=None, after=0):  # type: ignore[no-untyped-def, override]
        for position, entry in super().entries(goal=goal, after=after):
            if decision_id is None or entry.decision_id.startswith(decision_id):
                yield position, entry


@pytest.mark.parametrize(
    "ledger", [Twice, Backwards, Forgetful, Prefixed], ids=lambda c: c.__name__
)
def test_a_ledger_that_breaks_a_rule_is_found(ledger: type) -> None:
    with pytest.raises(AssertionError):
        check_ledger(ledger)


def test_a_fake_clock_moves_wall_and_monotonic_time_together() -> None:
    clock = FakeClock(wall=5.0)
    before = clock.monotonic()
    clock.sleep(2)
    clock.advance(1)
    assert clock.monotonic() - before == 3
    assert clock.wall() == 8
    assert clock.slept == [2]
    clock.set_wall(0)
    assert clock.monotonic() - before == 3
