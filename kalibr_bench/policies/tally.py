"""What one policy did in one scenario, summed: small enough to be sent between processes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

import numpy as np

from kalibr_bench.policies.arrays import Choices, Floats, Ints
from kalibr_bench.policies.batch import Batch
from kalibr_bench.policies.worlds import World


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tally:
    """Sums by run, (N,), and over the runs by call, (T,) and (T, K).

    Attributes:
        seeds: The run's seed.
        success: Expected successes of the chosen arms.
        cost: Their cost, the dearest arm's is 1.
        loss: What was lost to the oracle, in failures.
        regret: Successes lost to the arm with the most.
        bad: Calls of the fallen arm between its fall and its return.
        oracle_success: The oracle's successes in the same worlds.
        oracle_cost: What the oracle pays in them.
        success_at: By call.
        cost_at: By call.
        counts: By call and arm; in worlds of different size arms have no identity, but a number.
    """

    seeds: Ints
    success: Floats
    cost: Floats
    loss: Floats
    regret: Floats
    bad: Floats
    oracle_success: Floats
    oracle_cost: Floats
    success_at: Floats
    cost_at: Floats
    counts: Ints


BY_CALL = ("success_at", "cost_at", "counts")


def tally(batch: Batch, choices: Choices) -> Tally:
    """Sum what was chosen, (N, T)."""
    names = ("success", "cost", "loss", "regret", "bad", "oracle_success", "oracle_cost")
    sums = {name: np.zeros(batch.size) for name in names}
    success_at, cost_at = np.zeros(batch.calls), np.zeros(batch.calls)
    until = batch.scenario.rise.at if batch.scenario.rise else batch.calls
    for row, world in enumerate(batch.worlds):
        track = _track(world, choices[row])
        success_at += track.success
        cost_at += track.cost
        for name, part in track._asdict().items():
            sums[name][row] = part.sum()
        sums["oracle_success"][row], sums["oracle_cost"][row] = _oracle(world, batch.calls)
        if fall := batch.scenario.fall:
            sums["bad"][row] = np.count_nonzero(choices[row, fall.at : until] == fall.arm)
    counts = [(choices == arm).sum(axis=0) for arm in range(batch.arms)]
    return Tally(
        seeds=np.array([run.seed for run in batch.runs]),
        success_at=success_at,
        cost_at=cost_at,
        counts=np.stack(counts, axis=1),
        **sums,
    )


class _Track(NamedTuple):
    """One run call by call, (T,) each."""

    success: Floats
    cost: Floats
    loss: Floats
    regret: Floats


def _track(world: World, chosen: Choices) -> _Track:
    at = world.segments(0, len(chosen))
    return _Track(
        world.values[at, chosen],
        world.costs[chosen],
        world.losses[at, chosen],
        world.regrets[at, chosen],
    )


def _oracle(world: World, calls: int) -> tuple[float, float]:
    """Successes and cost of the oracle."""
    lengths = np.diff(np.append(world.starts, max(calls, world.starts[-1])))
    lengths = np.minimum(lengths, np.maximum(0, calls - world.starts))
    values = np.take_along_axis(world.values, world.oracle[:, None], axis=1)[:, 0]
    return float(lengths @ values), float(lengths @ world.costs[world.oracle])


def merged(parts: Sequence[Tally]) -> Tally:
    """The parts as one; those of the first come first."""
    if len(parts) == 1:
        return parts[0]
    joined: dict[str, Any] = {}
    for field in fields(Tally):
        arrays = [getattr(part, field.name) for part in parts]
        joined[field.name] = _added(arrays) if field.name in BY_CALL else np.concatenate(arrays)
    return Tally(**joined)


def _added(arrays: Sequence[Floats]) -> Floats:
    """Their sum; where the widest has more arms, the others had none of those."""
    widest = max(arrays, key=lambda array: array.size)
    total = np.zeros_like(widest)
    for array in arrays:
        total[tuple(slice(length) for length in array.shape)] += array
    return total
