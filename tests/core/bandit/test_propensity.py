"""Propensities worked out from the record equal the frequencies of the choices."""

from __future__ import annotations

import json
import random
from collections import Counter

import pytest

from kalibr_core.bandit import RunLengthPolicy, propensity
from kalibr_core.types import Arm, Context, Evidence, EvidenceKind, Pull


def frozen(seed: int) -> tuple[RunLengthPolicy, list[Arm]]:
    """A policy with some experience; nothing is due for a probe."""
    world = random.Random(seed)
    arms = [Arm(f"a{index}", world.choice([0.1, 0.5, 1.0])) for index in range(4)]
    policy = RunLengthPolicy([arm.id for arm in arms], random.Random(seed))
    for arm in arms:
        for _ in range(world.randrange(3, 9)):
            gain = float(world.random() < 0.7)
            policy.update(arm.id, Evidence(EvidenceKind.QUALITY, gain, 1.0 - gain))
    return policy, arms


@pytest.mark.parametrize("seed", range(6))
def test_estimates_equal_the_frequency_of_pulls(seed):
    """Both sides have 4000 draws: three standard errors are .034, and .01 for the basis."""
    policy, arms = frozen(seed)
    pulls = [policy.pull(arms, Context()) for _ in range(4000)]
    drawn = {pull.arm: pull for pull in pulls if pull.propensity is None}
    frequency = Counter(pull.arm for pull in pulls if pull.propensity is None)
    for arm, pull in drawn.items():
        estimate = propensity(pull, rng=random.Random(seed), draws=4000)
        assert estimate == pytest.approx(frequency[arm] / frequency.total(), abs=0.044)


def test_probes_fallbacks_and_single_arms_are_certain():
    policy, arms = frozen(1)
    assert propensity(policy.pull(arms, Context(number=2)), rng=random.Random(1)) == 1.0
    assert propensity(policy.pull(arms[:1], Context()), rng=random.Random(1)) == 1.0
    for _ in range(3000):
        policy.update("a0", Evidence(EvidenceKind.QUALITY, 0.5, 0.5))
    pull = policy.pull(arms, Context())
    assert (pull.rule, propensity(pull, rng=random.Random(1))) == ("probe", 1.0)


def test_an_estimate_is_never_zero():
    basis = RunLengthPolicy(["a", "b"], random.Random(0))
    for _ in range(500):
        basis.update("a", Evidence(EvidenceKind.QUALITY, 1.0, 0.0))
        basis.update("b", Evidence(EvidenceKind.QUALITY, 0.0, 1.0))
    pull = basis.pull([Arm("a", 1.0), Arm("b", 1.0)], Context())
    other = Pull(arm="b", rule=pull.rule, basis=pull.basis)
    assert 0.0 < propensity(other, rng=random.Random(0), draws=100) < 0.02


def test_without_a_basis_it_is_refused():
    with pytest.raises(ValueError):
        propensity(Pull(arm="a", rule="leader"), rng=random.Random(0))


def test_a_basis_is_small_in_a_log():
    policy, arms = frozen(2)
    basis = policy.pull(arms, Context()).basis
    assert len(json.dumps(basis)) <= 110 * len(basis)
