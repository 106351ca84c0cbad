"""Sums can be cut and put together."""

from __future__ import annotations

import numpy as np

from kalibr_bench.policies.batch import batch_of
from kalibr_bench.policies.tally import merged, tally


def test_a_run_by_hand() -> None:
    batch = batch_of("S1", [5])
    chosen = np.zeros((1, 100), np.uint8)
    chosen[0, 40:] = 1
    sums = tally(batch, chosen)
    assert np.isclose(sums.success[0], 30 * 0.99 + 10 * 0.297 + 60 * 0.97)
    assert np.isclose(sums.cost[0], 40 + 60 * 0.06)
    assert sums.bad.tolist() == [10.0]
    assert np.isclose(sums.loss[0], 10 * (0.97 - 0.02 * 0.06 - (0.297 - 0.02)))
    assert np.isclose(sums.oracle_success[0], 30 * 0.99 + 70 * 0.97)
    assert sums.counts[39].tolist() == [1, 0, 0]
    assert sums.counts[40].tolist() == [0, 1, 0]


def test_parts_add_up_also_where_worlds_have_different_arms() -> None:
    whole = batch_of("random", range(5))
    chosen = np.random.default_rng(1).integers(0, 2, (20, 3000)).astype(np.uint8)
    parts = [
        tally(batch_of("random", [seed]), chosen[4 * seed : 4 * seed + 4]) for seed in range(5)
    ]
    one, many = tally(whole, chosen), merged(parts)
    for name in ("seeds", "success", "loss", "oracle_cost", "success_at", "counts"):
        mine, theirs = getattr(one, name), getattr(many, name)
        assert np.allclose(mine, theirs)
