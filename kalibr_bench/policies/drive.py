"""Plays runs: a policy through its protocol one by one, a numpy twin in N runs at once."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

import numpy as np

from kalibr_bench.policies.arrays import Choices
from kalibr_bench.policies.batch import BLOCK, Batch
from kalibr_bench.policies.chance import Outcomes, Run, seed_of
from kalibr_bench.policies.delivery import Twin, teacher, teacher_of_all
from kalibr_bench.policies.scenarios import Scenario
from kalibr_bench.policies.worlds import World
from kalibr_core.ports import Policy
from kalibr_core.types import Arm, Context

NOW = Context()
"""Wall time stands still: worlds live in calls."""
MakePolicy = Callable[[Sequence[str], random.Random], Policy]
MakeTwin = Callable[[Batch, np.random.Generator], Twin]


def play_policy(make: MakePolicy, world: World, run: Run, scenario: Scenario) -> Choices:
    """One run; (T,), the arms that were chosen."""
    ids = [f"arm-{index}" for index in range(len(world.costs))]
    policy = make(ids, random.Random(seed_of("policy", *run)))
    arms = [Arm(name, float(cost)) for name, cost in zip(ids, world.costs, strict=True)]
    teach = teacher(policy, ids, world, run, scenario)
    index = {name: number for number, name in enumerate(ids)}
    outcomes, pull = Outcomes(world, run), policy.pull
    chosen = bytearray()
    for begin in range(0, scenario.calls, BLOCK):
        for passed in outcomes.next(min(BLOCK, scenario.calls - begin)).tolist():
            arm = index[pull(arms, NOW).arm]
            chosen.append(arm)
            teach(arm, passed[arm])
    return np.frombuffer(bytes(chosen), np.uint8)


def play_policies(make: MakePolicy, batch: Batch) -> Choices:
    """N runs, one after another; (N, T)."""
    pairs = zip(batch.worlds, batch.runs, strict=True)
    return np.array([play_policy(make, world, run, batch.scenario) for world, run in pairs])


def play_twin(make: MakeTwin, batch: Batch, rng: np.random.Generator) -> Choices:
    """N runs at once; (N, T)."""
    twin = make(batch, rng)
    teach = teacher_of_all(twin, batch)
    chosen = np.empty((batch.calls, batch.size), np.uint8)
    t = 0
    for block in batch.outcomes():
        for passed in block:
            arms = twin.pull(t)
            chosen[t] = arms
            teach(arms, passed.take(batch.offsets + arms))
            t += 1
    return chosen.T
