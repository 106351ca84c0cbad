"""Which answers are judged."""

from __future__ import annotations

import random

import pytest

from kalibr_core.bandit import RunLengthPolicy
from kalibr_core.sampling import FIRST, Sampler
from kalibr_core.types import Arm, Context, Evidence, EvidenceKind


def sampler(*, informative: bool, rate: float = 0.2, seed: int = 7) -> Sampler:
    one = Sampler(rate, informative=informative, rng=random.Random(seed))
    one.has_score()
    return one


@pytest.mark.parametrize("informative", [False, True])
@pytest.mark.parametrize("rate", [0.005, 0.05, 0.2, 0.5, 1.0])
def test_the_rate_holds_on_the_whole(rate: float, informative: bool) -> None:
    one = sampler(informative=informative, rate=rate)
    drawn = sum(one.draws(f"path{n % 3}") for n in range(6000))
    assert drawn / 6000 == pytest.approx(rate, abs=0.02)


def test_uniform_judges_all_paths_alike() -> None:
    one = sampler(informative=False)
    first = sum(one.draws("often") for _ in range(4000)) / 4000
    assert sum(one.draws("seldom") for _ in range(1000)) / 1000 == pytest.approx(first, abs=0.04)


def test_informative_judges_a_paths_first_answers_all() -> None:
    one = sampler(informative=True)
    assert [one.draws("new") for _ in range(FIRST)] == [True] * FIRST
    for _ in range(1000):
        one.draws("new")
    assert [one.draws("newer") for _ in range(FIRST)] == [True] * FIRST


def test_what_was_judged_in_advance_is_made_up_for() -> None:
    one = sampler(informative=True)
    for n in range(3 * FIRST):
        one.draws(f"path{n % 3}")
    later = sum(one.draws(f"path{n % 3}") for n in range(200))
    assert later / 200 < 0.2


def calls_until_the_best_has_the_traffic(seed: int, *, informative: bool) -> int:
    """Three paths pass gate 1 alike, and the first is better: when have 90 of the next 100 calls
    gone there?"""
    policy = RunLengthPolicy(["0", "1", "2"], rng=random.Random(seed))
    world = random.Random(seed + 1)
    one = sampler(informative=informative, seed=seed + 2)
    arms = [Arm("0", 0.001), Arm("1", 0.00006), Arm("2", 0.0003)]
    chosen: list[bool] = []
    for _ in range(500):
        arm = policy.pull(arms, Context()).arm
        chosen.append(arm == "0")
        passed = world.random() < 0.97
        policy.update(arm, Evidence(EvidenceKind.QUALITY, float(passed), float(not passed)))
        if passed and one.draws(arm):
            good = 0.85 if arm == "0" else 0.60
            score = world.betavariate(8 * good, 8 * (1 - good))
            policy.update(arm, Evidence(EvidenceKind.SCORE, score, 1 - score))
    return next((n for n in range(400) if sum(chosen[n : n + 100]) >= 90), 400)


@pytest.mark.parametrize(("informative", "bar"), [(False, 250), (True, 150)])
def test_the_better_path_gets_the_traffic_soon(informative: bool, bar: int) -> None:
    found = sorted(
        calls_until_the_best_has_the_traffic(seed, informative=informative) for seed in range(40)
    )
    assert found[20] <= bar / 2
    assert found[35] <= bar


def test_what_was_scored_before_or_elsewhere_is_known() -> None:
    """A program that runs for ten calls a time does not judge them all each time."""
    known = {"old": 50.0}
    one = Sampler(
        0.2, informative=True, rng=random.Random(7), known=lambda path_id: known.get(path_id, 0.0)
    )
    one.has_score()
    assert [one.draws("new") for _ in range(FIRST)] == [True] * FIRST
    assert sum(one.draws("old") for _ in range(100)) < 30


def test_many_paths_are_not_all_judged_in_advance() -> None:
    one = sampler(informative=True)
    assert sum(one.draws(f"path{n}") for n in range(5000)) / 5000 == pytest.approx(0.2, abs=0.02)


def test_what_came_to_nothing_is_drawn_again() -> None:
    one = sampler(informative=True)
    for _ in range(FIRST):
        assert one.draws("a")
        one.give_back("a")
    assert one.draws("a")


@pytest.mark.parametrize("rate", [0.05, 0.2, 0.5])
def test_behind_the_rate_as_much_more_is_judged_as_less_ahead_of_it(rate: float) -> None:
    """Many runs: a single one's chance would hide a rate that is always a little short."""
    drawn = calls = 0
    for seed in range(20):
        one = sampler(informative=True, rate=rate, seed=seed)
        for n in range(2000):
            drawn += one.draws(f"path{n % 3}")
            calls += 1
    assert drawn / calls == pytest.approx(rate, rel=0.01)


def test_a_queue_that_was_full_for_long_is_not_made_up_for() -> None:
    one = sampler(informative=True)
    for _ in range(2000):
        if one.draws("a"):
            one.give_back("a")
    known = [one.draws("a") for _ in range(100 + 500)][100:]
    assert sum(known) / 500 == pytest.approx(0.2, abs=0.05)


def test_a_judge_that_gives_no_score_judges_nothing_in_advance() -> None:
    """Not in a long process, and not in one after the other that each begin anew."""
    one = Sampler(0.2, informative=True, rng=random.Random(7))
    assert [one.draws("a") for _ in range(FIRST)] == [True] * FIRST
    one.give_back("a")  # else the count of draws itself would end it
    assert sum(one.draws("a") for _ in range(100)) <= 20
    asked = 0
    for answers in range(1, 101):
        begun = Sampler(
            0.2,
            informative=True,
            rng=random.Random(answers),
            answers=lambda path_id, n=answers: n,  # type: ignore[misc]  # bound now
        )
        asked += begun.draws("a")
    assert asked < 10 + 2 * 0.3 * 90


def test_where_a_score_has_come_a_new_path_is_judged_in_advance() -> None:
    one = Sampler(0.2, informative=True, rng=random.Random(7), answers=lambda path_id: 1000.0)
    before = sum(one.draws("a") for _ in range(10))
    one.has_score()
    assert before < 10
    assert [one.draws("new") for _ in range(FIRST)] == [True] * FIRST
