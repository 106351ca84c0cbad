"""Many processes: each folds the others' outcomes in as batches, in the record's order."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from statistics import fmean

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import LOSS, WIN, router
from kalibr_core.bandit import RunLengthPolicy
from kalibr_core.types import Arm, Context, Evidence, EvidenceKind

NAMES = ("a0", "a1", "a2")
STEADY = (0.97, 0.9, 0.6)
Record = Sequence[tuple[int, float]]
"""(arm, reward) of each outcome, in order."""


def record(rates: Sequence[float], calls: int, seed: int, *, then: float = 0.0) -> Record:
    """Most outcomes are the first arm's; `then` is its rate in the second half, if any."""
    world, rows = random.Random(seed), []
    for call in range(calls):
        arm = world.choices(range(3), [8, 1, 1])[0]
        rate = then if then and arm == 0 and call >= calls / 2 else rates[arm]
        rows.append((arm, float(world.random() < rate)))
    return rows


def folded(rows: Record, sizes: Sequence[int]) -> RunLengthPolicy:
    """In batches of these sizes, in turn: each arm's outcomes summed, as a ledger does."""
    policy, start, turn = router(3), 0, 0
    while start < len(rows):
        part = rows[start : start + sizes[turn % len(sizes)]]
        for arm in sorted({arm for arm, _ in part}):
            gains = [gain for each, gain in part if each == arm]
            gain = sum(gains)
            policy.update(f"a{arm}", Evidence(EvidenceKind.QUALITY, gain, len(gains) - gain))
        start += len(part)
        turn += 1
    return policy


def distances(rows: Record, sizes: Sequence[int]) -> list[float]:
    """Of each arm's mean from the one that the same outcomes give one by one."""
    batches, single = folded(rows, sizes), folded(rows, [1])
    return [abs(batches.belief(name)[0] - single.belief(name)[0]) for name in NAMES]


@given(
    sizes=st.lists(st.integers(1, 60), min_size=1, max_size=8),
    calls=st.integers(1, 400),
    seed=st.integers(0, 10**6),
)
@settings(max_examples=60, deadline=None)
def test_any_batches_of_a_steady_record_stay_close_to_one_by_one(sizes, calls, seed):
    """No arm's mean is .2 off: a batch hides whether its failures came last, in a row."""
    assert max(distances(record(STEADY, calls, seed), sizes)) < 0.2


@pytest.mark.parametrize(("size", "most"), [(5, 0.01), (40, 0.02), (400, 0.03)])
def test_on_the_mean_they_are_hardly_off(size, most):
    """The worst arm of three, over 40 records of 400 outcomes."""
    worst = [max(distances(record(STEADY, 400, seed), [size])) for seed in range(40)]
    assert fmean(worst) < most


@pytest.mark.parametrize("size", [5, 20, 80])
def test_a_collapse_within_a_batch_is_found_all_the_same(size):
    """160 outcomes of the failed arm later its mean is within .1 of one by one, on all seeds."""
    for seed in range(12):
        rows = record(STEADY, 400, seed, then=0.3)
        assert distances(rows, [size])[0] < 0.1
        assert folded(rows, [size]).belief("a0")[0] < 0.5


def test_one_batch_of_everything_is_the_best_estimate_of_a_steady_arm():
    policy = router(3)
    policy.update("a0", Evidence(EvidenceKind.QUALITY, 9_700.0, 300.0))
    assert policy.belief("a0")[0] == pytest.approx(0.97, abs=0.005)
    assert policy.belief("a0")[1] == pytest.approx(10_000.0, rel=0.05)


@given(st.lists(st.tuples(st.sampled_from(NAMES), st.floats(0, 40), st.floats(0, 40)), max_size=40))
@settings(max_examples=80, deadline=None)
def test_fractions_of_rewards_leave_every_belief_in_its_bounds(batches):
    """And exact: rewards that sum to no whole number of calls are read back as they were."""
    policy = router(3)
    for arm, gain, loss in batches:
        policy.update(arm, Evidence(EvidenceKind.QUALITY, gain, loss))
    for name in NAMES:
        mean, count = policy.belief(name)
        assert 0.0 < mean < 1.0
        assert 0.0 <= count < math.inf
    copied = router(3)
    copied.restore(policy.state())
    assert copied.state() == policy.state()


def test_calls_are_counted_in_whole_numbers_whatever_the_rewards_sum_to():
    """A birth says by its half whether a run is a return; fractions would make all of them so."""
    policy = router(2)
    for gain, loss in ((0.3, 0.1), (0.7 + 0.7 + 0.7, 0.3 + 0.3 + 0.3), (2.4, 1.1), (0.5, 0.5)):
        policy.update("a0", Evidence(EvidenceKind.QUALITY, gain, loss))
    assert policy.state()["tally"][0] == 1 + 3 + 4 + 1


def worker_and_fleet(seed: int) -> float:
    """The failed arm's share of a worker that sees 15 others' outcomes 50 of its calls late."""
    rng, failed = random.Random(seed), 0
    policy = router(3, seed)
    arms = [Arm(name, cost) for name, cost in zip(NAMES, (1.0, 0.06, 0.2), strict=True)]
    waiting = {name: [0.0, 0.0] for name in NAMES}
    for call in range(700):
        rates = (0.97, 0.30 if call >= 400 else 0.99, 0.93)
        index = int(policy.pull(arms, Context()).arm[1:])
        failed += call >= 500 and index == 1
        policy.update(NAMES[index], WIN if rng.random() < rates[index] else LOSS)
        for _ in range(15):  # the others choose as this one does
            passed = rng.random() < rates[index]
            waiting[NAMES[index]][0 if passed else 1] += 1.0
        if call % 50 == 49:
            for name, (gain, loss) in waiting.items():
                if gain + loss:
                    policy.update(name, Evidence(EvidenceKind.QUALITY, gain, loss))
            waiting = {name: [0.0, 0.0] for name in NAMES}
    return failed / 200


def test_a_worker_of_many_leaves_a_failed_path_too():
    assert fmean(worker_and_fleet(seed) for seed in range(6)) < 0.1
