"""Policies in worlds: what is timed, and what a broken one leaves."""

from __future__ import annotations

from itertools import pairwise

import pytest

from kalibr_bench.overhead.learners import OWN, SIZES_OF_REQUESTS, Learner, World, unlike_calls
from kalibr_bench.overhead.peers import Failed
from kalibr_bench.overhead.policy_alone import (
    BLOCK,
    SEEDS,
    Player,
    PolicyTimes,
    measure_policy,
)


def test_arms_mostly_work_and_worlds_differ() -> None:
    worlds = [World(100, seed) for seed in SEEDS]
    assert all(0.85 < sum(world.truth.values()) / 100 < 0.97 for world in worlds)
    assert len({tuple(world.truth.values()) for world in worlds}) == len(worlds)
    assert World(3, 1).truth == World(3, 1).truth


def test_requests_of_other_sizes_offer_other_costs() -> None:
    learner = unlike_calls(World(3, 0))
    offers = [tuple(learner.offer()[0]) for _ in range(2 * len(SIZES_OF_REQUESTS))]
    assert len(set(offers)) == len(SIZES_OF_REQUESTS)
    assert all(a != b for a, b in pairwise(offers))


@pytest.mark.parametrize("name", OWN)
def test_a_player_keeps_the_times_of_each_call(name: str) -> None:
    player = Player(OWN[name], World(3, 0), 0)
    player.play()
    player.play()
    assert len(player.selects) == len(player.updates) == 2 * BLOCK
    assert player.both[0] == player.selects[0] + player.updates[0] > 0
    assert len(player.warmed(BLOCK).both) == BLOCK


def test_a_broken_peer_is_a_line_and_the_others_are_measured() -> None:
    def unmade(world: World) -> Learner:
        raise ImportError("no such peer")

    def broken(world: World) -> Learner:
        return Learner(
            offer=tuple,
            select=lambda: world.names[0],
            arm_of=str,
            update=lambda arm, lesson: 1 / 0,
            lessons=(0, 1),
        )

    found = measure_policy(1, peers={"unmade": unmade, "broken": broken}, sizes=[3])
    assert [*found] == [3]
    for rows in found.values():
        assert [*rows] == [*OWN, "unmade", "broken"]
        assert rows["unmade"] == Failed(failed="ImportError")
        assert rows["broken"] == Failed(failed="ZeroDivisionError")
        for name in OWN:
            row = rows[name]
            assert isinstance(row, PolicyTimes)
            assert row.both.count == BLOCK * len(SEEDS)
            assert row.both.mean == pytest.approx(row.select.mean + row.update.mean)
            assert len(row.worlds) == len(SEEDS)
    assert found[3]["Thompson"].ratio.value == 1.0  # type: ignore[union-attr]
