"""Scores and users' behaviour move the routing, and never the alarm."""

from __future__ import annotations

import random
from collections.abc import Sequence
from statistics import median

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import LOSS, WIN, router, share
from kalibr_core.bandit.arms import ArmState
from kalibr_core.bandit.constants import Constants
from kalibr_core.types import Arm, Context, Evidence, EvidenceKind

SCORE, BEHAVIOUR = EvidenceKind.SCORE, EvidenceKind.BEHAVIOUR
CONSTANTS = Constants()


def calls_until_found(seed: int, calls: int = 700) -> int:
    """S10: all pass, one is judged .85 and costs the most, the others .60; one in five is judged.

    Returns the call from which on 45 of 50 go to the good one.
    """
    quality, costs = [0.85, 0.60, 0.60], [1.0, 0.06, 0.3]
    policy, world = router(3, seed), random.Random(seed)
    arms = [Arm(f"a{index}", cost) for index, cost in enumerate(costs)]
    pulls: list[int] = []
    for _ in range(calls):
        index = int(policy.pull(arms, Context()).arm[1:])
        pulls.append(index)
        policy.update(f"a{index}", WIN if world.random() < 0.97 else LOSS)
        if world.random() < 0.2:
            score = quality[index]
            policy.update(f"a{index}", Evidence(SCORE, score, 1.0 - score))
    return next((n for n in range(calls - 50) if share(pulls[n : n + 50], 0) >= 0.9), calls)


def test_the_better_scored_arm_is_found():
    """On half of 15 seeds within 60 calls, on 13 of them within 230."""
    found = sorted(calls_until_found(seed) for seed in range(15))
    assert median(found) <= 60
    assert found[12] <= 230


@pytest.mark.parametrize("scores", [1, 5])
def test_a_score_does_not_unlearn_outcomes(scores):
    """After 300 good calls a few good scores leave nearly all traffic where it was."""
    arms = [Arm("a0", 1.0), Arm("a1", 0.06), Arm("a2", 0.25)]
    stayed = 0
    for seed in range(6):
        policy = router(3, seed)
        for call in range(400):
            if call == 300:
                for _ in range(scores):
                    policy.update("a1", Evidence(SCORE, 0.9, 0.1))
            arm = policy.pull(arms, Context()).arm
            policy.update(arm, WIN)
            stayed += call >= 300 and arm == "a1"
    assert stayed >= 6 * 85


def test_an_unjudged_call_says_nothing_of_the_score():
    policy = router(2)
    policy.update("a0", Evidence(SCORE, 0.9, 0.1))
    one = policy.belief("a0")[0]
    for _ in range(50):
        policy.update("a0", WIN)
    worth = 0.5 + 0.5 * (3 + 4 * 0.9) / 8
    assert one == pytest.approx(0.75 * worth)
    assert policy.belief("a0")[0] == pytest.approx(worth, abs=0.03)


def behaving(signals: int, liked: float) -> Sequence[float]:
    """An arm's mean success after 100 good calls, without and with so many signals."""
    policy = router(2)
    for _ in range(100):
        policy.update("a0", WIN)
    before = policy.belief("a0")[0]
    for _ in range(signals):
        policy.update("a0", Evidence(BEHAVIOUR, liked, 1.0 - liked))
    assert not policy.is_down("a0")
    return before, policy.belief("a0")[0]


@pytest.mark.parametrize("signals", [5, 20, 400])
def test_behaviour_is_a_fifth_of_the_value_from_the_fifth_signal_on(signals):
    """0.8 V + 0.2 (5 V + n B) / (5 + n), B beside V as the users' mean beside an ordinary .6."""
    for liked in (0.0, 0.3, 0.6, 0.8, 1.0):
        value, heard = behaving(signals, liked)
        beside = value * liked / 0.6 if liked < 0.6 else value + (1.0 - value) * (liked - 0.6) / 0.4
        mixed = (5.0 * value + signals * beside) / (5.0 + signals)
        assert heard == pytest.approx(0.8 * value + 0.2 * mixed, abs=1e-6)
        before, unheard = behaving(4, liked)
        assert unheard == before


@pytest.mark.parametrize("liked", [0.7, 0.75, 0.85, 1.0])
def test_no_praise_speaks_against_an_arm(liked):
    """However often it succeeds, and though nobody was heard of the others."""
    value, heard = behaving(50, liked)
    assert value > 0.95
    assert heard >= value


@pytest.mark.parametrize("kind", [SCORE, BEHAVIOUR])
def test_the_worst_scores_and_behaviour_never_ring_the_alarm(kind):
    policy = router(2)
    for _ in range(50):
        policy.update("a0", WIN)
    for _ in range(300):
        policy.update("a0", Evidence(kind, 0.0, 1.0))
        policy.update("a0", WIN)
        assert not policy.is_down("a0")
    tally = policy.state()["tally"]
    assert tally[1:] == [0, 0, 0], "no rise, no drop, no return"


def test_disliked_answers_cost_an_arm_its_traffic_only_where_it_is_close():
    """A fifth of the value outweighs no broken path: 0.8 * .97 is more than .3."""
    arms = [Arm("a0", 1.0), Arm("a1", 1.0)]
    for other, wanted in ((0.97, "a1"), (0.3, "a0")):
        policy, world = router(2, 1), random.Random(1)
        for _ in range(200):
            policy.update("a0", WIN if world.random() < 0.97 else LOSS)
            policy.update("a1", WIN if world.random() < other else LOSS)
        for _ in range(50):
            policy.update("a0", Evidence(BEHAVIOUR, 0.0, 1.0))
        pulls = [policy.pull(arms, Context(number=2)).arm for _ in range(20)]
        assert set(pulls) == {wanted}


REWARD = st.floats(0.0, 1.0)


@settings(max_examples=200, deadline=None)
@given(st.integers(5, 500), REWARD, REWARD, REWARD, REWARD)
def test_a_value_rises_with_what_users_think_and_with_success(
    count: int, one: float, other: float, success: float, more: float
) -> None:
    """And an ordinary reward leaves it as it is."""

    def value(reward: float, success: float) -> float:
        arm = ArmState("a", CONSTANTS)
        arm.behave(count * reward, count * (1.0 - reward), CONSTANTS)
        found = arm._worth(success, 1.0, CONSTANTS)
        assert 0.0 < found < 1.0
        return found

    unheard = ArmState("a", CONSTANTS)._worth(success, 1.0, CONSTANTS)
    assert value(min(one, other), success) <= value(max(one, other), success) + 1e-9
    assert value(one, min(success, more)) <= value(one, max(success, more)) + 1e-9
    assert value(0.6, success) == pytest.approx(unheard)
    assert value(0.75, success) >= unheard >= value(0.5, success)
