"""Random worlds, drawn anew for each seed: the hardest to tune a policy to.

K in 2..12 arms; base success Beta(12, 1); a cost over some decades; Poisson(3) abrupt changes at
uniform times. A change meets the oracle's arm with probability .6, else any arm. An arm that is
not at its base returns to it with probability .6; else it falls to its base times U(0, .95).
"""

from __future__ import annotations

import numpy as np

from kalibr_bench.policies.arrays import Floats
from kalibr_bench.policies.chance import generator
from kalibr_bench.policies.worlds import World, lexicographic

CALLS = 3000
ARMS = (2, 12)
COST_DECADES = 2.0
"""Costs are spread evenly in the logarithm over so many powers of ten."""
CHANGES = 3.0
ON_ORACLE = 0.6
RETURNS = 0.6
DEEPEST = 0.95


def instance(seed: int) -> World:
    """The random world of a seed; all its runs share it."""
    rng = generator("instance", seed)
    arms = int(rng.integers(ARMS[0], ARMS[1] + 1))
    base = rng.beta(12.0, 1.0, arms)
    costs = drawn_costs(rng, arms)
    times = np.unique(rng.integers(1, CALLS, rng.poisson(CHANGES)))
    levels = [base]
    for _ in times:
        levels.append(changed(rng, levels[-1], base, costs))
    starts = np.concatenate(([0], times)).astype(np.int64)
    return World(costs=costs, starts=starts, levels=np.array(levels))


def drawn_costs(rng: np.random.Generator, arms: int) -> Floats:
    """10 ** U(-COST_DECADES, 0), scaled so that the dearest arm costs 1."""
    costs: Floats = 10.0 ** rng.uniform(-COST_DECADES, 0.0, arms)
    costs /= costs.max()
    return costs


def changed(rng: np.random.Generator, levels: Floats, base: Floats, costs: Floats) -> Floats:
    """The arms' success after one more change."""
    after = levels.copy()
    if rng.random() < ON_ORACLE:
        arm = int(lexicographic(levels[None, :], costs)[0])
    else:
        arm = int(rng.integers(len(levels)))
    returns = rng.random() < RETURNS
    if levels[arm] != base[arm] and returns:
        after[arm] = base[arm]
    else:
        after[arm] = base[arm] * rng.uniform(0.0, DEEPEST)
    return after
