"""Learning policies behind one face: ours, plain Thompson sampling, and those of others."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from operator import attrgetter
from typing import Any, TypeAlias

from kalibr_core.bandit import RunLengthPolicy, ThompsonPolicy
from kalibr_core.types import Arm, Context, Evidence, EvidenceKind

SIZES_OF_REQUESTS = (0.3, 1.0, 1.7, 4.0)
"""Times a path's usual cost."""


class World:
    """Arms that mostly work, at prices that span three orders of magnitude.

    Args:
        size: number of arms.
        seed: of everything in it; equal seeds make equal worlds.
    """

    def __init__(self, size: int, seed: int) -> None:
        self.rng = random.Random(seed)
        self.names = [f"arm-{number}" for number in range(size)]
        self.truth = {name: self.rng.betavariate(12, 1) for name in self.names}
        self.costs = {name: 10.0 ** self.rng.uniform(-5, -2) for name in self.names}

    def priced(self, factor: float) -> list[tuple[str, float]]:
        """Arms and costs of requests of some size; to two digits, as the Router has them."""
        return [(name, float(f"{factor * cost:.2g}")) for name, cost in self.costs.items()]


@dataclass(frozen=True, slots=True, kw_only=True)
class Learner:
    """How to select and to update; nothing else stands between the clock's two readings.

    Attributes:
        offer: The arguments of the next `select`; made before the clock runs.
        select: Its result names an arm.
        arm_of: Reads the arm out of that.
        update: Takes the arm and a lesson.
        lessons: Of a failure and of a success.
    """

    offer: Callable[[], tuple[Any, ...]]
    select: Callable[..., Any]
    arm_of: Callable[[Any], Any]
    update: Callable[[Any, Any], object]
    lessons: tuple[Any, Any]


Maker: TypeAlias = Callable[[World], Learner]


def like_calls(world: World) -> Learner:
    """Ours, asked for requests of one size: equal arms each time."""
    return _ours(RunLengthPolicy(world.names, world.rng), world, (1.0,))


def unlike_calls(world: World) -> Learner:
    """Ours, asked for requests of changing size: other costs than last time."""
    return _ours(RunLengthPolicy(world.names, world.rng), world, SIZES_OF_REQUESTS)


def thompson(world: World) -> Learner:
    """Plain Thompson sampling, of the core."""
    return _ours(ThompsonPolicy(world.names, world.rng), world, (1.0,))


def _ours(
    policy: RunLengthPolicy | ThompsonPolicy, world: World, factors: Sequence[float]
) -> Learner:
    context = Context()
    menus = itertools.cycle([world.priced(factor) for factor in factors])
    quality = EvidenceKind.QUALITY
    return Learner(
        offer=lambda: ([Arm(name, cost) for name, cost in next(menus)], context),
        select=policy.pull,
        arm_of=attrgetter("arm"),
        update=policy.update,
        lessons=(Evidence(quality, 0.0, 1.0), Evidence(quality, 1.0, 0.0)),
    )


def _river(world: World) -> Learner:
    bandit, proba = import_module("river.bandit"), import_module("river.proba")
    policy = bandit.ThompsonSampling(reward_obj=proba.Beta(), seed=world.rng.randrange(10**6))
    return Learner(
        offer=lambda: (world.names,),
        select=policy.pull,
        arm_of=str,
        update=policy.update,
        lessons=(False, True),
    )


def _mabwiser(world: World) -> Learner:
    mab = import_module("mabwiser.mab")
    kind, seed = mab.LearningPolicy.ThompsonSampling(), world.rng.randrange(10**6)
    policy = mab.MAB(arms=world.names, learning_policy=kind, seed=seed)
    policy.fit(decisions=world.names, rewards=[1] * len(world.names))  # it must, before it predicts
    return Learner(
        offer=tuple,
        select=policy.predict,
        arm_of=str,
        update=lambda arm, reward: policy.partial_fit([arm], [reward]),
        lessons=(0, 1),
    )


PLAIN = "Thompson"
"""What the others are compared with."""
OWN: dict[str, Maker] = {"kalibr": like_calls, "kalibr, new costs": unlike_calls, PLAIN: thompson}
PEERS: dict[str, tuple[str, Maker]] = {
    "River": ("river", _river),
    "MABWiser": ("mabwiser", _mabwiser),
}
