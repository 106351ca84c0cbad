"""Random worlds follow their law."""

from __future__ import annotations

import numpy as np

from kalibr_bench.policies import instances
from kalibr_bench.policies.instances import changed, drawn_costs, instance
from kalibr_bench.policies.worlds import lexicographic

WORLDS = [instance(seed) for seed in range(600)]


def test_a_seed_is_a_world() -> None:
    again = instance(7)
    assert np.array_equal(again.levels, WORLDS[7].levels)
    assert np.array_equal(again.costs, WORLDS[7].costs)
    assert not np.array_equal(WORLDS[7].levels[0], WORLDS[8].levels[0])


def test_arms_base_success_and_number_of_changes() -> None:
    """Each mean within four standard errors of the law's."""
    arms = [len(w.costs) for w in WORLDS]
    assert (min(arms), max(arms)) == (2, 12)
    assert abs(np.mean(arms) - 7.0) < 4 * 3.16 / 600**0.5
    base = np.concatenate([w.levels[0] for w in WORLDS])
    assert abs(base.mean() - 12 / 13) < 4 * 0.0714 / len(base) ** 0.5
    changes = [len(w.starts) - 1 for w in WORLDS]
    assert abs(np.mean(changes) - 3.0) < 4 * 3.0**0.5 / 600**0.5
    times = np.concatenate([w.starts[1:] for w in WORLDS])
    assert abs(times.mean() - 1500) < 4 * 866 / len(times) ** 0.5


def test_costs_are_even_in_the_logarithm_and_the_dearest_is_one() -> None:
    rng = np.random.default_rng(1)
    costs = [drawn_costs(rng, 12) for _ in range(300)]
    assert all(c.max() == 1.0 and c.min() >= 10.0**-instances.COST_DECADES for c in costs)
    spread = [np.ptp(np.log10(c)) for c in costs]  # of 12 uniforms on two decades: 2 * 11 / 13
    assert abs(np.mean(spread) - 22 / 13) < 0.07


def test_every_change_is_one_arm_that_falls_or_returns() -> None:
    for w in WORLDS:
        base = w.levels[0]
        for before, after in zip(w.levels, w.levels[1:], strict=False):
            (moved,) = np.flatnonzero(before != after)
            assert after[moved] == base[moved] or after[moved] <= 0.95 * base[moved]
            assert before[moved] == base[moved] or after[moved] != before[moved]


def test_changes_meet_the_oracles_arm_more_often_and_mostly_end() -> None:
    """.6 and a third of the rest meet it; of changes at an arm that is down .6 are returns."""
    rng, base, costs = np.random.default_rng(2), np.array([0.9, 0.8, 0.7]), np.ones(3)
    oracle = int(lexicographic(base[None, :], costs)[0])
    falls = [changed(rng, base, base, costs) for _ in range(4000)]
    hit = np.mean([after[oracle] != base[oracle] for after in falls])
    assert abs(hit - (0.6 + 0.4 / 3)) < 4 * 0.442 / 4000**0.5
    down = np.array([0.5, 0.1, 0.1])
    moves = [changed(rng, down, base, costs) for _ in range(4000)]
    returned = np.mean([(after == base).any() for after in moves])
    assert abs(returned - 0.6) < 4 * 0.49 / 4000**0.5
