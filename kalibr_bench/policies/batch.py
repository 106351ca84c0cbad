"""Runs side by side: what the numpy twins see of their worlds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from kalibr_bench.policies.arrays import Bools, Floats, Ints
from kalibr_bench.policies.chance import Outcomes, Run, judgements
from kalibr_bench.policies.scenarios import SCENARIOS, Scenario
from kalibr_bench.policies.worlds import World

BLOCK = 500
"""Calls whose outcomes are drawn together."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Batch:
    """N runs of one scenario. Worlds with fewer than K arms are filled up with closed ones.

    Attributes:
        scenario: Theirs.
        runs: (N,), their names.
        worlds: (N,), runs of a seed share one.
    """

    scenario: Scenario
    runs: tuple[Run, ...]
    worlds: tuple[World, ...]

    @property
    def calls(self) -> int:
        return self.scenario.calls

    @property
    def size(self) -> int:
        return len(self.runs)

    @cached_property
    def arms(self) -> int:
        """K, the most arms of a world."""
        return max(len(world.costs) for world in self.worlds)

    @cached_property
    def rows(self) -> Ints:
        """(N,), 0 to N - 1: `table[rows, arms]` picks each run's arm."""
        return np.arange(self.size)

    @cached_property
    def offsets(self) -> Ints:
        """(N,), K * row: `flat_table[offsets + arms]` picks it too, and faster."""
        return self.rows * self.arms

    @cached_property
    def costs(self) -> Floats:
        """(N, K); closed arms cost 1."""
        return np.array([_filled(world.costs, self.arms, 1.0) for world in self.worlds])

    @cached_property
    def closed(self) -> Floats:
        """(N, K), 0 for an arm and -inf for what only fills up: added to what is maximised."""
        zeros = [np.zeros(len(world.costs)) for world in self.worlds]
        return np.array([_filled(row, self.arms, -np.inf) for row in zeros])

    def outcomes(self) -> Iterator[Bools]:
        """Blocks of (calls, N, K): would this arm's answer pass?"""
        sources = [Outcomes(w, run) for w, run in zip(self.worlds, self.runs, strict=True)]
        for begin in range(0, self.calls, BLOCK):
            length = min(BLOCK, self.calls - begin)
            block = np.zeros((length, self.size, self.arms), bool)
            for row, source in enumerate(sources):
                passed = source.next(length)
                block[:, row, : passed.shape[1]] = passed
            yield block

    def judgements(self) -> tuple[Bools, Floats]:
        """(calls, N) and (calls, N, K): which calls are judged, and how well."""
        drawn = [
            judgements(w, run, self.calls) for w, run in zip(self.worlds, self.runs, strict=True)
        ]
        judged, scores = zip(*drawn, strict=True)
        return np.stack(judged, axis=1), np.stack(scores, axis=1)


def batch_of(scenario: str, seeds: Sequence[int]) -> Batch:
    """All runs of these seeds."""
    chosen = SCENARIOS[scenario]
    runs, worlds = [], []
    for seed in seeds:
        world = chosen.make(seed)
        for number in range(chosen.runs):
            runs.append(Run(scenario, seed, number))
            worlds.append(world)
    return Batch(scenario=chosen, runs=tuple(runs), worlds=tuple(worlds))


def _filled(row: Floats, length: int, value: float) -> Floats:
    return np.pad(row, (0, length - len(row)), constant_values=value)
