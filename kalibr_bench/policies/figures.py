"""Figures out of sums: one set for each policy and scenario."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from kalibr_bench.policies import curves
from kalibr_bench.policies.arrays import Floats, Ints
from kalibr_bench.policies.contenders import CONTENDERS
from kalibr_bench.policies.scenarios import SUITE, Scenario
from kalibr_bench.policies.tally import Tally


class Estimate(NamedTuple):
    """A mean, and its standard error; NaN where there is no second run."""

    mean: float
    error: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """One policy in one scenario. None: there is no such figure; inf: it never happened.

    Attributes:
        runs: Runs that it rests on.
        success: Percent of the calls, by the expected success of the chosen arm.
        cps: All calls' cost by all successes; the dearest arm costs 1.
        loss: U, failures lost to the oracle in a run.
        regret: Successes lost to the best arm in a run, whatever it costs.
        leave: L90, calls until 90 % of a fallen arm's share has left.
        back50: R50, calls until half of the share is back.
        back90: R90.
        bad: Calls of a fallen arm, in a run.
        cheapest: Percent of the calls that went to the cheapest arm.
        found: Calls until the good arm has 90 % of the calls.
        oracle_cps: The oracle's cps in the same worlds.
    """

    runs: int
    success: Estimate
    cps: float
    loss: Estimate
    regret: Estimate
    leave: float | None
    back50: float | None
    back90: float | None
    bad: Estimate | None
    cheapest: float | None
    found: float | None
    oracle_cps: float

    @property
    def cps_over_oracle(self) -> float:
        """Cost per success less the oracle's."""
        return self.cps - self.oracle_cps


class Suite(NamedTuple):
    """U by the best published policy's, over the suite."""

    geomean: float
    worst: float
    where: str


def estimate(values: Floats) -> Estimate:
    """The mean of independent values, (N,)."""
    size = len(values)
    error = float(values.std(ddof=1)) / math.sqrt(size) if size > 1 else math.nan
    return Estimate(float(values.mean()) if size else math.nan, error)


def figures(of: Scenario, sums: Tally) -> Figures:
    """The figures of a scenario's runs; runs of one seed count as one for the errors."""
    runs = len(sums.seeds)
    until = of.rise.at if of.rise else of.calls
    return Figures(
        runs=runs,
        success=estimate(100.0 * by_seed(sums.success, sums.seeds) / of.calls),
        cps=float(sums.cost.sum() / sums.success.sum()),
        loss=estimate(by_seed(sums.loss, sums.seeds)),
        regret=estimate(by_seed(sums.regret, sums.seeds)),
        leave=curves.left(sums.counts, runs, of.fall, until) if of.fall else None,
        back50=curves.back(sums.counts, runs, of.fall, of.rise, 0.5) if of.rise else None,
        back90=curves.back(sums.counts, runs, of.fall, of.rise, 0.9) if of.rise else None,
        bad=estimate(by_seed(sums.bad, sums.seeds)) if of.fall else None,
        cheapest=_cheapest(of, sums) if of.runs == 1 else None,
        found=curves.found(sums.counts, runs, of.good) if of.good is not None else None,
        oracle_cps=float(sums.oracle_cost.sum() / sums.oracle_success.sum()),
    )


def _cheapest(of: Scenario, sums: Tally) -> float:
    arm = int(np.argmin(of.make(0).costs))
    return float(100.0 * sums.counts[:, arm].sum() / sums.counts.sum())


def by_seed(values: Floats, seeds: Ints) -> Floats:
    """Means over each seed's runs."""
    _, inverse, counts = np.unique(seeds, return_inverse=True, return_counts=True)
    means: Floats = np.bincount(inverse, weights=values) / counts
    return means


Table = Mapping[tuple[str, str], Figures]
"""By (scenario, policy)."""


def best_published(table: Table, scenario: str, policies: Iterable[str]) -> float | None:
    """The lowest U of a published policy here; None where none was run."""
    losses = [
        table[scenario, name].loss.mean
        for name in policies
        if CONTENDERS[name].published and (scenario, name) in table
    ]
    return min(losses, default=None)


def suite(table: Table, policy: str, policies: Iterable[str]) -> Suite | None:
    """U by the best published U over the suite; None unless all of it was run."""
    everyone, ratios = tuple(policies), {}
    for scenario in SUITE:
        best = best_published(table, scenario, everyone)
        if best is None or (scenario, policy) not in table:
            return None
        ratios[scenario] = table[scenario, policy].loss.mean / max(best, 1e-9)
    where = max(ratios, key=lambda scenario: ratios[scenario])
    product = sum(math.log(max(ratio, 1e-9)) for ratio in ratios.values())
    return Suite(math.exp(product / len(ratios)), ratios[where], where)
