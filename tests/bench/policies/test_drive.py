"""Policies and twins are driven alike."""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np
import pytest

from kalibr_bench.policies.arrays import Floats, Ints
from kalibr_bench.policies.batch import Batch, batch_of
from kalibr_bench.policies.chance import generator
from kalibr_bench.policies.drive import play_policies, play_twin
from kalibr_bench.policies.simple import Fixed, Uniform
from kalibr_bench.policies.tally import tally
from kalibr_bench.policies.thompson import Thompson
from kalibr_core.bandit import FixedPolicy, RunLengthPolicy, ThompsonPolicy, UniformPolicy
from kalibr_core.types import Arm, Context, Evidence, Pull

SEEN: list[float] = []


class Watching(FixedPolicy):
    """Fixed; writes down what it sees."""

    def pull(self, arms: Sequence[Arm], context: Context) -> Pull:
        assert (context.at, context.number) == (0.0, 1)
        assert [arm.cost_usd for arm in arms] == [1.0, 0.06, 0.2]
        return super().pull(arms, context)

    def update(self, arm: str, evidence: Evidence) -> None:
        SEEN.append(evidence.gain)


class WatchingTwin(Fixed):
    def __init__(self, batch: Batch, rng: np.random.Generator) -> None:
        super().__init__(batch, rng)
        self.seen: list[list[float]] = []
        TWINS.append(self)

    def learn(self, arms: Ints, gains: Floats, losses: Floats) -> None:
        self.seen.append(gains.tolist())


TWINS: list[WatchingTwin] = []


def test_everybody_meets_the_same_luck() -> None:
    batch = batch_of("S1", [8, 9])
    SEEN.clear()
    play_policies(Watching, batch)
    play_twin(WatchingTwin, batch, generator("any"))
    twin = np.array(TWINS.pop().seen)
    assert twin.T.reshape(-1).tolist() == SEEN


def test_arms_that_only_fill_up_are_never_chosen() -> None:
    batch = batch_of("random", range(6))
    arms = np.array([len(world.costs) for world in batch.worlds])
    assert len(set(arms.tolist())) > 1
    chosen = play_twin(Uniform, batch, generator("any"))
    assert np.array_equal(chosen.max(axis=1), arms - 1)


def test_uniform_has_the_mean_of_the_arms() -> None:
    """Four standard errors; so does the core's own."""
    batch = batch_of("S4", range(2))
    for chosen in (play_twin(Uniform, batch, generator("u")), play_policies(UniformPolicy, batch)):
        share = tally(batch, chosen).success.mean() / batch.calls
        assert abs(share - 0.886) < 4 * 0.0546 / 40_000**0.5


def test_the_twin_of_thompson_sampling_is_the_cores() -> None:
    """The same mean success, within four standard errors of the difference."""
    batch = batch_of("S1", range(300))
    twin = tally(batch, play_twin(Thompson, batch, generator("ts"))).success
    core = tally(batch, play_policies(ThompsonPolicy, batch)).success
    error = ((twin.var() + core.var()) / 300) ** 0.5
    assert abs(twin.mean() - core.mean()) < 4 * error
    assert error < 0.3  # of 100 calls: the margin says something


@pytest.mark.parametrize("make", [RunLengthPolicy, ThompsonPolicy])
def test_a_run_can_be_repeated(make: type[RunLengthPolicy] | type[ThompsonPolicy]) -> None:
    batch = batch_of("S1", range(5, 8))
    first, again = play_policies(make, batch), play_policies(make, batch)
    assert np.array_equal(first, again)
    assert len({row.tobytes() for row in first}) == 3


def test_a_policys_chance_is_not_the_outcomes() -> None:
    class Drawing(UniformPolicy):
        def __init__(self, arms: Sequence[str], rng: random.Random) -> None:
            super().__init__(arms, rng)
            DRAWN.append(rng.random())

    DRAWN: list[float] = []
    play_policies(Drawing, batch_of("S1", range(3)))
    assert len(set(DRAWN)) == 3
