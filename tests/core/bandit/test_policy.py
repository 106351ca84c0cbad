"""The policy as a whole, on fixed seeds with written margins."""

from __future__ import annotations

import random
from statistics import fmean

import pytest

from conftest import LOSS, OUTAGE, WIN
from kalibr_core.bandit import RunLengthPolicy
from kalibr_core.types import Arm, Context, Evidence, EvidenceKind

COSTS = [1.0, 0.06, 0.2]
HEALTHY = [0.97, 0.99, 0.93]
NONE = Evidence(EvidenceKind.NONE)


def policy(arms: int, seed: int = 0) -> RunLengthPolicy:
    return RunLengthPolicy([f"a{index}" for index in range(arms)], random.Random(seed))


def share(pulls, arm):
    return sum(pull == arm for pull in pulls) / len(pulls)


def test_a_collapse_after_10000_good_calls_moves_the_traffic_within_12_calls(play):
    for seed in range(3):
        game = play(policy(3, seed), COSTS, seed=seed)
        assert share(game.run(HEALTHY, 10_000)[-1000:], 1) > 0.9
        assert share(game.run([0.97, 0.30, 0.93], 112)[12:], 1) < 0.15


def test_the_traffic_comes_back_after_recovery(play):
    back = []
    for seed in range(8):
        game = play(policy(3, seed), COSTS, seed=seed)
        game.run(HEALTHY, 500)
        game.run([0.97, 0.30, 0.93], 300)
        back.append(share(game.run(HEALTHY, 600)[-100:], 1))
    assert fmean(back) > 0.7


def test_an_outage_moves_the_traffic_and_its_end_brings_it_back_with_quality_kept(play):
    for seed in range(4):
        game = play(policy(3, seed), COSTS, seed=seed)
        game.run(HEALTHY, 500)
        known = game.policy._arms["a1"].quality.mean
        gone = game.run([0.97, 0.0, 0.93], 60, fail=OUTAGE)
        assert share(gone[6:], 1) < 0.15
        assert game.policy._arms["a1"].quality.mean == pytest.approx(known, abs=0.01)
        assert share(game.run(HEALTHY, 400)[-150:], 1) > 0.7


def test_the_main_path_degrades_60_seeds(play):
    """S1: success within .4 points of the reference's 95.5 %, 1.5 standard errors of 60 seeds."""
    games = [play(policy(3, seed), COSTS, seed=seed) for seed in range(60)]
    for game in games:
        game.run([0.99, 0.97, 0.93], 30)
        game.run([0.297, 0.97, 0.93], 70)
    success = fmean(game.expected / 100 for game in games)
    cost = fmean(sum(COSTS[pull] for pull in game.pulls) / game.expected for game in games)
    assert success >= 0.953
    assert cost <= 0.15


def test_the_preferred_path_degrades_60_seeds(play):
    """S1b: the reference reaches 92.8 %; a seed's deviation is 1.8 points."""
    games = [play(policy(3, seed), COSTS, seed=seed) for seed in range(60)]
    for game in games:
        game.run(HEALTHY, 30)
        game.run([0.97, 0.297, 0.93], 70)
    assert fmean(game.expected / 100 for game in games) >= 0.917


def test_the_better_scored_arm_wins_where_it_is_worth_it():
    """S10: all pass, one is judged .85 and costs the most, the others are judged .60."""
    rates, quality, costs = [0.97] * 3, [0.85, 0.60, 0.60], [1.0, 0.06, 0.3]
    late = []
    for seed in range(5):
        router, world = policy(3, seed), random.Random(seed)
        arms = [Arm(f"a{index}", cost) for index, cost in enumerate(costs)]
        pulls = []
        for _ in range(700):
            index = int(router.pull(arms, Context()).arm[1:])
            pulls.append(index)
            router.update(f"a{index}", WIN if world.random() < rates[index] else LOSS)
            if world.random() < 0.2:
                score = quality[index]
                router.update(f"a{index}", Evidence(EvidenceKind.SCORE, score, 1.0 - score))
        late.append(share(pulls[-200:], 0))
    assert fmean(late) > 0.8


def test_a_fallback_takes_the_best_known_arm_and_never_probes():
    router = policy(3)
    for _ in range(60):
        router.update("a0", WIN)
        router.update("a1", LOSS)
        router.update("a2", WIN)
    for _ in range(5000):
        router.update("a0", WIN)
    pull = router.pull([Arm("a1", 0.01), Arm("a2", 0.5)], Context(number=2))
    assert (pull.arm, pull.propensity) == ("a2", 1.0)


def test_untried_equal_arms_are_all_tried(play):
    game = play(policy(5), [None] * 5, seed=1)
    assert set(game.run([0.6] * 5, 60)) == set(range(5))


def test_pull_moves_no_state():
    router, arms = policy(3), [Arm(f"a{index}", 1.0) for index in range(3)]
    for _ in range(200):
        router.update("a0", WIN)
    before = router.state()
    for _ in range(100):
        router.pull(arms, Context())
    assert router.state() == before


def test_evidence_of_nothing_moves_no_state():
    router = policy(2)
    before = router.state()
    for evidence in (NONE, Evidence(EvidenceKind.QUALITY), Evidence(EvidenceKind.QUALITY, -1.0)):
        router.update("a0", evidence)
    assert router.state() == before


def test_an_unjudged_arm_is_still_one_after_a_restore():
    live, copy = policy(2), policy(2)
    live.update("a1", Evidence(EvidenceKind.SCORE, 0.9, 0.1))
    copy.restore(live.state())
    assert copy._arms["a0"].mean == live._arms["a0"].mean == 0.75 * 0.875


def test_the_basis_tells_the_costs_of_this_very_call():
    router = policy(2)
    for cost in (1.0, 2.0, None):
        pull = router.pull([Arm("a0", cost), Arm("a1", 5.0)], Context(number=2))
        assert [basis.cost_usd for basis in pull.basis] == [cost, 5.0]


def test_a_cancelled_probe_is_made_again():
    router, arms = policy(2), [Arm("a0", 1.0), Arm("a1", 1.0)]
    for _ in range(3):
        router.update("a1", LOSS)
    for _ in range(3000):
        router.update("a0", Evidence(EvidenceKind.QUALITY, 0.6, 0.4))
    assert router.pull(arms, Context()).rule == "probe"
    assert router.pull(arms, Context()).rule != "probe"
    router.update("a1", NONE)
    assert router.pull(arms, Context()).rule == "probe"


def test_a_dear_untried_arm_is_not_bought_without_need(play):
    """A cheap arm that has never failed keeps its traffic: of 60 calls, 7 go astray at most."""
    games = [play(policy(2, seed), [1.0, 0.01], seed=seed) for seed in range(20)]
    assert fmean(share(game.run([1.0, 1.0], 60), 0) for game in games) < 0.12


def test_late_outcomes_in_batches_of_16(play):
    """S9's stress: 20 calls under way at any time, outcomes in bursts."""
    router, world = policy(3), random.Random(5)
    arms = [Arm(f"a{index}", cost) for index, cost in enumerate(COSTS)]
    waiting: list[tuple[int, int]] = []
    pulls = []
    for call in range(2000):
        rates = [0.97, 0.297, 0.93] if call >= 1000 else HEALTHY
        index = int(router.pull(arms, Context()).arm[1:])
        pulls.append(index)
        waiting.append((index, world.random() < rates[index]))
        if len(waiting) >= 36:
            for arm, passed in waiting[:16]:
                router.update(f"a{arm}", WIN if passed else LOSS)
            del waiting[:16]
    assert share(pulls[500:1000], 1) > 0.85
    assert share(pulls[1060:], 1) < 0.2


@pytest.mark.parametrize("scores", [1, 5])
def test_a_score_does_not_unlearn_outcomes(scores: int):
    """After 300 good calls a few good scores leave nearly all traffic where it was."""
    costs = {"dear": 1.0, "cheap": 0.06, "middle": 0.25}
    stayed = 0
    for seed in range(6):
        policy = RunLengthPolicy(list(costs), random.Random(seed))
        arms = [Arm(name, cost) for name, cost in costs.items()]
        for call in range(400):
            if call == 300:
                for _ in range(scores):
                    policy.update("cheap", Evidence(EvidenceKind.SCORE, 0.9, 0.1))
            arm = policy.pull(arms, Context()).arm
            policy.update(arm, Evidence(EvidenceKind.QUALITY, 1.0, 0.0))
            stayed += call >= 300 and arm == "cheap"
    assert stayed >= 6 * 90
