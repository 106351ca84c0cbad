"""The policy alone: select (pull) and update, with few and with many arms."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from statistics import fmean
from time import perf_counter, thread_time
from typing import Any

from kalibr_bench.overhead.learners import OWN, PLAIN, Learner, Maker, World
from kalibr_bench.overhead.peers import Failed, failures, opened
from kalibr_bench.overhead.timing import Ratio, Times, ratio_of, times_of, turns

BARS_S: dict[int, float] = {3: 15e-6, 10: 27e-6, 100: 120e-6}
"""Number of arms -> what a select and an update may take together, on the mean."""
SEEDS = range(5)
BLOCK = 20
"""Calls that a policy makes in its turn."""
WARM_UP = 2_000
"""Calls that a policy has learned from in a world before it is timed."""
AWAY_S, AWAY = 5e-6, 0.1
"""A call counts if its thread stood still for at most this, or for this share of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyTimes:
    """Times in seconds of one policy, over all worlds.

    Attributes:
        select: Of choosing an arm.
        update: Of learning one outcome.
        both: Of both together.
        ratio: Mean of both by plain Thompson sampling's.
        worlds: Mean of both, world by world.
    """

    select: Times
    update: Times
    both: Times
    ratio: Ratio
    worlds: list[float]


def measure_policy(
    calls: int, *, peers: Mapping[str, Maker], sizes: Iterable[int] = BARS_S
) -> dict[int, dict[str, PolicyTimes | Failed]]:
    """By number of arms and by policy.

    Args:
        calls: Timed calls of each policy, in all worlds together.
        peers: Policies of others, by name.
        sizes: Numbers of arms.
    """
    return {size: _measured(size, calls, OWN | dict(peers)) for size in sizes}


def _measured(
    size: int, calls: int, makers: Mapping[str, Maker]
) -> dict[str, PolicyTimes | Failed]:
    blocks = max(calls // (len(SEEDS) * BLOCK), 1)
    warm_up = min(WARM_UP, calls) // BLOCK
    played: dict[str, list[Player]] = {name: [] for name in makers}
    errors: dict[str, Exception] = {}
    for seed in SEEDS:
        left = {name: make for name, make in makers.items() if name not in errors}
        players, broken = opened(
            {name: partial(Player, make, World(size, seed), seed) for name, make in left.items()}
        )
        things = {name: player.play for name, player in players.items()}
        errors |= broken | turns(things, rounds=blocks, warm_up=warm_up).failed
        for name, player in players.items():
            played[name].append(player.warmed(warm_up * BLOCK))
    failed = failures(errors, own=OWN)
    plain = _blocks(played[PLAIN])
    return {
        name: failed[name] if name in failed else _times(played[name], plain) for name in makers
    }


class Player:
    """A learner in its world, and the times of its calls."""

    def __init__(self, make: Maker, world: World, seed: int) -> None:
        self._learner: Learner = make(world)
        self._truth = world.truth
        self._rng = random.Random(f"outcomes {seed}")
        self.selects: list[float] = []
        self.updates: list[float] = []

    def play(self) -> None:
        """A block of calls; more where the machine did something else during some of them.

        Those say nothing of the policy, and a few would decide the mean. On a machine that is never
        quiet they count in the end.
        """
        spare = 2 * BLOCK
        until = len(self.selects) + BLOCK
        while len(self.selects) < until:
            offer = self._learner.offer()
            ran, began = thread_time(), perf_counter()
            select_s, update_s = self._call(offer)
            took, ran = perf_counter() - began, thread_time() - ran
            if spare and took - ran > max(AWAY_S, AWAY * took):
                spare -= 1
                continue
            self.selects.append(select_s)
            self.updates.append(update_s)

    def _call(self, offer: tuple[Any, ...]) -> tuple[float, float]:
        """One call. The outcome is drawn while no clock runs."""
        learner = self._learner
        select, update = learner.select, learner.update
        started = perf_counter()
        choice = select(*offer)
        selected = perf_counter()
        arm = learner.arm_of(choice)
        lesson = learner.lessons[self._rng.random() < self._truth[arm]]
        learned = perf_counter()
        update(arm, lesson)
        return selected - started, perf_counter() - learned

    def warmed(self, calls: int) -> Player:
        """Without the times of the first calls."""
        del self.selects[:calls], self.updates[:calls]
        return self

    @property
    def both(self) -> list[float]:
        """Select and update of each call together."""
        return [a + b for a, b in zip(self.selects, self.updates, strict=True)]


def _times(players: list[Player], plain: list[float]) -> PolicyTimes:
    return PolicyTimes(
        select=times_of([time for player in players for time in player.selects]),
        update=times_of([time for player in players for time in player.updates]),
        both=times_of([time for player in players for time in player.both]),
        ratio=ratio_of(_blocks(players), plain, of=fmean),
        worlds=[fmean(player.both) for player in players],
    )


def _blocks(players: list[Player]) -> list[float]:
    """The mean of each block: blocks of one round in one world belong together."""
    return [
        fmean(player.both[at : at + BLOCK])
        for player in players
        for at in range(0, len(player.both), BLOCK)
    ]
