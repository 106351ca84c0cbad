"""What is written down with each decision: what was known then, and little of it."""

from __future__ import annotations

import json
import random

import pytest

from conftest import LOSS, OUTAGE, WIN, router
from kalibr_core.bandit.basis import LIGHT
from kalibr_core.booking import basis_data
from kalibr_core.types import Arm, Context, Evidence, EvidenceKind

ARMS = [Arm("a0", 1.0), Arm("a1", 0.5)]


def test_it_tells_the_costs_of_this_very_call():
    policy = router(2)
    for cost in (1.0, 2.0, None, 2.0):
        pull = policy.pull([Arm("a0", cost), Arm("a1", 5.0)], Context())
        assert [basis.cost_usd for basis in pull.basis] == [cost, 5.0]


def test_it_tells_which_arm_is_down():
    policy = router(2)
    for _ in range(40):
        policy.update("a0", WIN)
    for _ in range(4):
        policy.update("a0", OUTAGE)
    assert [basis.down for basis in policy.pull(ARMS, Context()).basis] == [True, False]


def test_it_is_of_the_moment_and_does_not_change_afterwards():
    policy = router(2)
    before = policy.pull(ARMS, Context()).basis
    kept = json.dumps([basis_data(basis) for basis in before])
    for _ in range(30):
        policy.update("a0", LOSS)
    after = policy.pull(ARMS, Context()).basis
    assert json.dumps([basis_data(basis) for basis in before]) == kept
    assert after[0] != before[0]
    assert after[1] == before[1]


def test_its_components_weigh_nearly_one_and_have_the_arms_mean():
    """What is left out is lighter than a thousandth each: the mean stays within .002."""
    policy, world = router(2), random.Random(1)
    for call in range(600):
        policy.update("a0", WIN if world.random() < (0.9 if call < 400 else 0.6) else LOSS)
        basis = policy.pull(ARMS, Context()).basis[0]
        total = sum(weight for weight, _, _ in basis.runs)
        assert min(weight for weight, _, _ in basis.runs) >= LIGHT
        assert total == pytest.approx(1.0, abs=0.01)
        mean = sum(weight * a / (a + b) for weight, a, b in basis.runs) / total
        assert mean == pytest.approx(policy.belief("a0")[0], abs=0.002)


@pytest.mark.parametrize("scores", [False, True])
def test_it_is_small_in_a_log(scores):
    """After 300 outcomes at most 160 bytes of JSON per arm."""
    policy, world = router(2), random.Random(2)
    for _ in range(300):
        for name in ("a0", "a1"):
            policy.update(name, WIN if world.random() < 0.9 else LOSS)
            if scores:
                policy.update(name, Evidence(EvidenceKind.SCORE, 0.8, 0.2))
    written = json.dumps([basis_data(basis) for basis in policy.pull(ARMS, Context()).basis])
    assert len(written) <= 160 * 2
