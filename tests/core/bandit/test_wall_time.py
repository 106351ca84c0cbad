"""Two clocks: calls drive the rules, and wall time helps where calls are few."""

from __future__ import annotations

import math
import random
from collections import Counter
from statistics import median

import pytest

from conftest import DAY, HOUR, LOSS, NOON, OUTAGE, WIN, Play, router, share
from kalibr_core.bandit import RunLengthPolicy
from kalibr_core.types import Arm, Context, Evidence, EvidenceKind

COSTS = [1.0, 0.06, 0.2]
HEALTHY, FAILING = [0.97, 0.99, 0.93], [0.97, 0.0, 0.93]
CLOCKS = [math.nan, math.inf, -math.inf, 0.0, -5.0, 1e-300, 1e300, NOON - HOUR, NOON + 365 * DAY]


def calls_until_back(seed: int, fail: Evidence, *, wall: bool) -> int:
    """Ten calls a day, a day's outage of the cheap path: how many calls later it is back."""
    game = Play(router(3, seed), COSTS, seed=seed, at=NOON if wall else 0.0)
    game.run(HEALTHY, 500, step_s=60.0 if wall else 0.0)
    game.run(FAILING, 10, fail=fail, step_s=DAY / 10 if wall else 0.0)
    assert game.policy.is_down("a1")
    after = game.run(HEALTHY, 300, step_s=DAY / 10 if wall else 0.0)
    return next((n for n in range(290) if share(after[n : n + 10], 1) >= 0.7), 300)


@pytest.mark.parametrize("fail", [OUTAGE, LOSS], ids=["outage", "bad answers"])
def test_a_goal_with_ten_calls_a_day_returns_within_three_days(fail):
    """12 of 12 seeds within 30 calls, half of them at once; by calls alone it takes a week."""
    by_wall = [calls_until_back(seed, fail, wall=True) for seed in range(12)]
    by_calls = [calls_until_back(seed, fail, wall=False) for seed in range(12)]
    assert max(by_wall) <= 30
    assert median(by_wall) <= 5
    assert median(by_calls) > 15


def probes_of_an_outage(rate: float, hours: float, fail: Evidence) -> list[float]:
    """When, in seconds after its begin, a path that is out was called."""
    game = Play(router(2, 1), [1.0, 0.1], seed=1, at=NOON)
    game.run([0.97, 0.97], 600, step_s=1.0 / rate)
    begin, called = game.at, []
    for _ in range(int(rate * hours * HOUR)):
        if game.call([0.97, 0.0], fail=fail).arm == "a1":
            called.append(game.at - begin)
        game.at += 1.0 / rate
    return called


@pytest.mark.parametrize("fail", [OUTAGE, LOSS], ids=["outage", "bad answers"])
@pytest.mark.parametrize(("rate", "hours"), [(5.0, 0.5), (1.0, 2.5)])
def test_a_busy_goal_probes_by_wall_time_too(rate, hours, fail):
    """At the latest a quarter of the time down after the last probe (from 30 s to an hour), and
    20 calls: five at least are between, and one in five probes that are due waits for the next.
    """
    called = probes_of_an_outage(rate, hours, fail)
    for last, then in zip(called, [*called[1:], hours * HOUR], strict=True):
        assert then - last <= min(max(0.25 * last, 30.0), HOUR) + 20.0 / rate


def test_such_probes_are_few():
    """In an outage of two hours, at a call each second, one call in a hundred at most."""
    assert len(probes_of_an_outage(1.0, 2.0, LOSS)) <= 72


@pytest.mark.parametrize("jump_s", [-60.0, -HOUR, -365 * DAY, HOUR, 365 * DAY])
def test_a_clock_that_jumps_in_an_outage_holds_no_probe_up_for_more_than_an_hour(jump_s):
    game = Play(router(2, 2), [1.0, 0.1], seed=2, at=NOON)
    game.run([0.97, 0.97], 600, step_s=1.0)
    game.run([0.97, 0.0], 6000, step_s=1.0)
    game.at += jump_s
    assert 1 in game.run([0.97, 0.0], 3600, step_s=1.0)


@pytest.mark.parametrize("clock", CLOCKS, ids=str)
def test_a_strange_clock_stops_nothing_and_unlearns_no_mean(clock):
    """Now and then each kind of outcome has this for its time, and each kind of pull."""
    game = Play(router(3, 3), COSTS, seed=3, at=NOON)
    game.run(HEALTHY, 400, step_s=1.0)
    known = game.policy.belief("a1")[0]
    for evidence in (WIN, OUTAGE, WIN, LOSS, WIN):
        game.policy.pull(game.arms, Context(at=clock))
        game.policy.update("a1", evidence._replace(at=clock))
        game.run(HEALTHY, 20, step_s=1.0)
    assert game.policy.belief("a1")[0] == pytest.approx(known, abs=0.08)
    assert share(game.run(HEALTHY, 100, step_s=1.0), 1) > 0.8
    game.at = clock
    game.run(FAILING, 200)
    assert share(game.run(FAILING, 100), 1) < 0.2, "it still learns"


def test_a_year_of_silence_leaves_the_mean_and_hardly_any_outcomes():
    game = Play(router(3, 4), COSTS, seed=4, at=NOON)
    game.run(HEALTHY, 500, step_s=1.0)
    known = game.policy.belief("a1")[0]
    game.policy.update("a1", WIN._replace(at=NOON + 365 * DAY))
    mean, outcomes = game.policy.belief("a1")
    assert mean == pytest.approx(known, abs=0.02)
    assert outcomes < 3.0


def test_what_was_known_of_the_provider_is_forgotten_in_an_hour():
    """The next failure after that counts for more than all the answers before it."""
    policy = router(1)
    for _ in range(100):
        policy.update("a0", WIN._replace(at=NOON))
    policy.update("a0", OUTAGE._replace(at=NOON))
    for _ in range(50):
        policy.update("a0", WIN._replace(at=NOON))
    soon, late = router(1), router(1)
    soon.restore(policy.state())
    late.restore(policy.state())
    soon.update("a0", OUTAGE._replace(at=NOON + 1.0))
    late.update("a0", OUTAGE._replace(at=NOON + HOUR))
    much_later = router(1)
    much_later.restore(policy.state())
    much_later.update("a0", OUTAGE._replace(at=NOON + 30 * DAY))
    assert late.belief("a0")[0] < soon.belief("a0")[0] - 0.05
    assert much_later.belief("a0")[0] <= late.belief("a0")[0] + 0.01


def played(policy, arms, rates, calls, *, start, step_s, seed=5):
    """Shares of the arms in calls that are `step_s` apart."""
    world, found = random.Random(seed), Counter()
    for call in range(calls):
        at = start + call * step_s
        arm = policy.pull(arms, Context(at=at)).arm
        found[arm] += 1
        passed = float(world.random() < rates[arm])
        policy.update(arm, Evidence(EvidenceKind.QUALITY, passed, 1.0 - passed, at))
    return {arm.id: found[arm.id] / calls for arm in arms}


def test_a_cheap_path_that_becomes_better_is_found_beside_a_nearly_perfect_one():
    arms = [Arm("cheap", 0.06), Arm("dear", 1.0)]
    policy = RunLengthPolicy(["cheap", "dear"], random.Random(1))
    played(policy, arms, {"cheap": 0.5, "dear": 0.98}, 2000, start=NOON, step_s=6.0)
    rates = {"cheap": 0.99, "dear": 0.98}
    played(policy, arms, rates, 6000, start=NOON + 12e3, step_s=6.0)
    late = played(policy, arms, rates, 1000, start=NOON + 48e3, step_s=6.0)
    assert late["cheap"] > 0.8


def test_many_dead_paths_do_not_get_most_calls_of_a_goal_with_ten_a_day():
    names = ["well", *(f"dead{index}" for index in range(4))]
    arms = [Arm(name, 1.0 if name == "well" else 0.1) for name in names]
    policy, day = RunLengthPolicy(names, random.Random(2)), 86_400.0
    played(policy, arms, dict.fromkeys(names, 0.98), 300, start=NOON, step_s=day / 10)
    rates = {name: 0.98 if name == "well" else 0.02 for name in names}
    played(policy, arms, rates, 300, start=NOON + 30 * day, step_s=day / 10)
    late = played(policy, arms, rates, 400, start=NOON + 60 * day, step_s=day / 10)
    assert late["well"] > 0.7
