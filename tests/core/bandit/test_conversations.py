"""A switch inside a conversation has a price; a failing path is left all the same."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from statistics import fmean

import pytest

from conftest import LOSS, OUTAGE, WIN, Play, router
from kalibr_core.bandit import RunLengthPolicy
from kalibr_core.types import Arm, Context, Evidence


def talk(game: Play, rates: Sequence[float], turns: int, *, begins: str | None = None) -> list[str]:
    """A conversation's arms, turn by turn."""
    told: list[str] = [] if begins is None else [begins]
    for _ in range(turns):
        told.append(game.call(rates, previous=told[-1] if told else None).arm)
    return told


def switches(told: Sequence[str]) -> float:
    return fmean(one != then for one, then in pairwise(told))


@pytest.mark.parametrize("rate", [0.97, 0.9, 0.7])
@pytest.mark.parametrize("costs", [[1.0] * 3, [None] * 3, [1.0, 0.7, 0.9]], ids=str)
def test_with_equal_paths_few_turns_switch(costs, rate):
    """300 conversations of 10 turns: at most 15 % of the turns, with the learning from nothing."""
    game = Play(router(3, 1), costs, seed=1)
    told = [talk(game, [rate] * 3, 10) for _ in range(300)]
    assert fmean(map(switches, told)) <= 0.15


def test_they_would_switch_more_often_without_the_price():
    """Known ones, of 97 %: hardly ever with it, every tenth turn and more without."""
    game, free = (Play(knowing(1), [1.0, 1.0], seed=1) for _ in range(2))
    told = [talk(game, [0.97] * 2, 10) for _ in range(50)]
    alone = [[free.call([0.97] * 2).arm for _ in range(10)] for _ in range(50)]
    assert fmean(map(switches, told)) < 0.02
    assert fmean(map(switches, alone)) > 0.1


@pytest.mark.parametrize(("fail", "turns"), [(LOSS, 8), (OUTAGE, 4)], ids=["bad answers", "out"])
def test_a_failing_path_is_left_within_few_turns(fail, turns):
    for seed in range(8):
        game = Play(router(3, seed), [1.0, 0.06, 0.2], seed=seed)
        game.run([0.97, 0.97, 0.93], 300)
        previous = "a1"
        for _ in range(turns):
            previous = game.call([0.97, 0.0, 0.93], fail=fail, previous=previous).arm
            if previous != "a1":
                break
        assert previous != "a1", f"seed {seed}: still there"


def knowing(seed: int) -> RunLengthPolicy:
    """Two arms that have passed 97 of 100 calls each."""
    policy = router(2, seed)
    for call in range(100):
        for name in ("a0", "a1"):
            policy.update(name, LOSS if call % 40 == 20 else WIN)
    return policy


def test_a_conversation_that_began_on_a_path_twice_as_dear_moves_to_the_cheap_one():
    for seed in range(5):
        game = Play(knowing(seed), [1.0, 0.4], seed=seed)
        told = talk(game, [0.97, 0.97], 10, begins="a0")
        assert told[-1] == "a1"


def test_one_on_a_slightly_dearer_path_stays():
    for seed in range(5):
        game = Play(knowing(seed), [1.0, 0.8], seed=seed)
        assert set(talk(game, [0.97, 0.97], 10, begins="a0")) == {"a0"}


def test_there_are_no_probes_inside_a_conversation():
    game = Play(router(2, 1), [1.0, 1.0], seed=1)
    for _ in range(5):
        game.policy.update("a1", LOSS)
    told = talk(game, [0.7, 0.3], 2000, begins="a0")
    assert set(told[1000:]) == {"a0"}
    assert "probe" not in game.rules
    game.run([0.7, 0.3], 200)
    assert "probe" in game.rules, "outside of it they come"


def known() -> list[Arm]:
    return [Arm("a0", 1.0), Arm("a1", 1.0), Arm("a2", 1.0)]


@pytest.mark.parametrize("previous", ["a2", "a9", "", None])
def test_a_path_that_is_not_offered_is_no_place_to_stay(previous):
    """The choice is the same as without it, probes included."""
    with_it, without = router(3, 5), router(3, 5)
    for call in range(300):
        pulls = [
            with_it.pull(known()[:2], Context(previous=previous)),
            without.pull(known()[:2], Context()),
        ]
        assert pulls[0] == pulls[1]
        for policy in (with_it, without):
            policy.update(pulls[0].arm, WIN if call % 5 else LOSS)


def test_nor_is_one_that_is_down():
    policy = router(3, 6)
    for _ in range(50):
        policy.update("a2", WIN)
    for _ in range(6):
        policy.update("a2", OUTAGE)
    assert policy.is_down("a2")
    pulls = [policy.pull(known(), Context(previous="a2")) for _ in range(50)]
    assert all(pull.previous is None for pull in pulls)
    assert "conversation" not in {pull.rule for pull in pulls}


def test_a_stay_says_so_and_names_the_path():
    policy = router(2, 7)
    for _ in range(40):
        policy.update("a0", WIN)
        policy.update("a1", Evidence(WIN.kind, 0.97, 0.03))
    pull = policy.pull(known()[:2], Context(previous="a1"))
    assert (pull.arm, pull.rule, pull.previous) == ("a1", "conversation", "a1")
