"""What the policy's beliefs take, in memory and in a snapshot, as they grow in a world."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import fmean

from kalibr_bench.overhead.footprint import Footprint, in_memory, in_snapshot
from kalibr_bench.overhead.learners import World
from kalibr_core.bandit import RunLengthPolicy
from kalibr_core.types import Arm, Context, Evidence, EvidenceKind

MEMORY_BAR = 2048
SNAPSHOT_BAR = 300
ARMS = 10
SEEDS = range(3)
MOST_CALLS = 4_000
LOOK_EVERY = 100
"""Calls between two looks at the beliefs, in the second half of a run."""
CHANGE = 1 / 200
"""Chance per call that some arm changes, in a world that does."""
OUTAGE = 0.25
"""Share of the drops that are outages of the provider."""
SCORED, WATCHED = 0.3, 0.1
"""Shares of the answers that are scored, and whose users are heard of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StateSize:
    """Bytes per arm in one world: the mean over all looks, and the largest arm of any look."""

    memory: Footprint
    snapshot: Footprint


@dataclass(frozen=True, slots=True)
class Kind:
    """What happens in a world."""

    changing: bool
    rated: bool


KINDS = {
    "steady": Kind(False, False),
    "with changes": Kind(True, False),
    "changes, scores": Kind(True, True),
}


def measure_state(calls: int) -> dict[str, StateSize]:
    """By world; as many calls as are asked for, within bounds."""
    calls = max(2 * LOOK_EVERY, min(MOST_CALLS, calls))
    found = {}
    for name, kind in KINDS.items():
        looks = [look for seed in SEEDS for look in _looks(kind, seed, calls)]
        found[name] = StateSize(
            memory=_over([memory for memory, _ in looks]),
            snapshot=_over([snapshot for _, snapshot in looks]),
        )
    return found


def _over(looks: list[Footprint]) -> Footprint:
    return Footprint(mean=fmean(look.mean for look in looks), most=max(look.most for look in looks))


def _looks(kind: Kind, seed: int, calls: int) -> Iterator[tuple[Footprint, Footprint]]:
    world = Changing(kind, seed)
    policy = RunLengthPolicy(world.names, world.rng)
    for number in range(calls):
        world.call(policy)
        if 2 * number >= calls and number % LOOK_EVERY == 0:
            yield in_memory(policy, world.names), in_snapshot(policy.state(), world.names)


class Changing(World):
    """Arms fall below their level, or their provider falls silent; later they return."""

    def __init__(self, kind: Kind, seed: int) -> None:
        super().__init__(ARMS, seed)
        self._kind = kind
        self._arms = [Arm(name, cost) for name, cost in self.priced(1.0)]
        self._level = dict(self.truth)
        self._silent: set[str] = set()

    def call(self, policy: RunLengthPolicy) -> None:
        """One call, and what is learned from it."""
        rng = self.rng
        if self._kind.changing and rng.random() < CHANGE:
            self._change(rng.choice(self.names))
        arm = policy.pull(self._arms, Context()).arm
        if arm in self._silent:
            policy.update(arm, Evidence(EvidenceKind.AVAILABILITY, 0.0, 1.0))
            return
        good = float(rng.random() < self._level[arm])
        policy.update(arm, Evidence(EvidenceKind.QUALITY, good, 1.0 - good))
        if good and self._kind.rated:
            self._rate(policy, arm)

    def _change(self, arm: str) -> None:
        rng, level = self.rng, self._level
        if arm in self._silent or level[arm] < self.truth[arm]:
            self._silent.discard(arm)
            level[arm] = self.truth[arm]
        elif rng.random() < OUTAGE:
            self._silent.add(arm)
        else:
            level[arm] *= rng.uniform(0.0, 0.95)

    def _rate(self, policy: RunLengthPolicy, arm: str) -> None:
        for kind, share in ((EvidenceKind.SCORE, SCORED), (EvidenceKind.BEHAVIOUR, WATCHED)):
            if self.rng.random() < share:
                score = self.rng.betavariate(8, 2)
                policy.update(arm, Evidence(kind, score, 1.0 - score))
