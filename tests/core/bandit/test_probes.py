"""Rule 5: probes are earned, one at a time per arm, and followed up while they succeed."""

from __future__ import annotations

import math

import pytest

from conftest import HOUR, MINUTE, NOON
from kalibr_core.bandit.arms import ArmState
from kalibr_core.bandit.constants import DEFAULTS
from kalibr_core.bandit.probes import Probes, interval, return_hazard
from kalibr_core.bandit.regime import Regime, Tally

C = DEFAULTS


def arm(name: str, mean: float) -> ArmState:
    state = ArmState(name, C)
    state.quality.fade(1.0)
    state.quality._take(
        [run._replace(successes=4 * mean, failures=4 - 4 * mean) for run in state.quality]
    )
    state.refresh(C)
    return state


def fallen(mean: float, home: tuple[float, float], *, since: float = 900.0) -> ArmState:
    state = arm("a", mean)
    state.regime = Regime(*home)
    state.regime.down, state.regime.since = True, since
    state.refresh(C)
    return state


def at(calls: float, *, rises: float = 0.0, drops: float = 0.0, returns: float = 0.0) -> Tally:
    tally = Tally()
    tally.calls, tally.rises, tally.drops, tally.returns = calls, rises, drops, returns
    return tally


def due(probes: Probes, arms: list[ArmState], tally: Tally, *, wall: float = 0.0) -> int | None:
    """The arm to probe while the first one is called otherwise."""
    return probes.due(arms, [1.0] * len(arms), 0, tally, len(arms), wall)


def test_interval_of_an_idle_cheaper_arm_by_hand():
    """Cost .4 + .005; gain (.1 + .02 * .9)^2 / 2; hazard 1 / (3 * 1000)."""
    wait = interval(arm("a", 0.5), arm("b", 0.9), 0.1, 1.0, at(950.0), 3, C)
    gain = (0.1 + 0.018) ** 2 / 2
    assert wait == pytest.approx(C.interval_factor * math.sqrt(0.405 / (gain / 3000)))


def test_interval_of_an_idle_dearer_arm_by_hand():
    """What it costs more is paid with each probe, and must be made up for."""
    wait = interval(arm("a", 0.5), arm("b", 0.9), 1.0, 0.1, at(950.0), 3, C)
    gain = (0.1 - 0.018) ** 2 / 2
    assert wait == pytest.approx(C.interval_factor * math.sqrt(0.423 / (gain / 3000)))


def test_an_arm_of_unknown_cost_is_neither_dearer_nor_cheaper():
    known = interval(arm("a", 0.5), arm("b", 0.9), 1.0, 1.0, at(950.0), 3, C)
    for costs in ((None, 1.0), (1.0, None), (None, None)):
        assert interval(arm("a", 0.5), arm("b", 0.9), *costs, at(950.0), 3, C) == known


def test_probes_come_more_often_where_arms_have_risen_before():
    calm = interval(arm("a", 0.5), arm("b", 0.9), 1.0, 1.0, at(950.0), 3, C)
    lively = interval(arm("a", 0.5), arm("b", 0.9), 1.0, 1.0, at(950.0, rises=3.0), 3, C)
    assert lively == pytest.approx(calm / 2)


def test_an_arm_that_is_down_is_probed_for_the_level_that_it_may_return_to():
    tally = at(950.0, drops=4.0, returns=3.0)
    wait = interval(fallen(0.2, (29.0, 1.0)), arm("b", 0.9), 1.0, 1.0, tally, 3, C)
    gain, hazard = 29 / 30 - 0.9, return_hazard(50.0, tally, C)
    assert wait == pytest.approx(C.outage_factor * math.sqrt(0.705 / (gain * hazard)))


def test_the_saving_of_a_cheaper_arm_that_is_down_is_part_of_the_gain():
    """A home below the chosen arm's level takes nothing off."""
    tally = at(950.0, drops=1.0)
    wait = interval(fallen(0.2, (17.0, 3.0)), arm("b", 0.9), 0.1, 1.0, tally, 3, C)
    hazard = return_hazard(50.0, tally, C)
    assert wait == pytest.approx(C.outage_factor * math.sqrt(0.705 / (0.018 * hazard)))


def test_outages_are_taken_for_short_where_they_have_been_seen_to_end():
    never, often = at(950.0, drops=4.0), at(950.0, drops=4.0, returns=4.0)
    assert return_hazard(10.0, often, C) > 4 * return_hazard(10.0, never, C)


def test_what_has_been_down_for_long_stays_down():
    hazards = [return_hazard(down, at(1e6, drops=1.0), C) for down in (0.0, 1e2, 1e4, 1e6)]
    assert hazards == sorted(hazards, reverse=True)
    assert hazards[-1] < 1e-6


def test_an_arm_that_could_gain_nothing_is_never_probed():
    assert interval(arm("a", 0.5), arm("b", 0.99), 1.0, 0.1, at(9.0), 3, C) == math.inf


def test_the_most_overdue_arm_is_probed_and_never_the_chosen_one():
    arms = [arm("best", 0.7), arm("a", 0.5), arm("b", 0.5)]
    arms[1].last, arms[2].last = 4000.0, 1000.0
    assert due(Probes(C), arms, at(5000.0)) == 2


def test_no_arm_is_due_right_after_its_outcome():
    arms = [arm("best", 0.7), arm("a", 0.5)]
    arms[1].last = 5000.0
    assert due(Probes(C), arms, at(5000.0)) is None
    assert due(Probes(C), arms, at(5000.0 + C.min_interval - 1.0)) is None


def test_one_probe_is_outstanding_per_arm():
    probes, arms, tally = Probes(C), [arm("best", 0.7), arm("b", 0.5)], at(5000.0)
    assert due(probes, arms, tally) == 1
    probes.begin(arms[1], tally.calls)
    assert due(probes, arms, tally) is None


def test_a_probe_that_taught_nothing_may_be_repeated():
    probes, arms, tally = Probes(C), [arm("best", 0.7), arm("b", 0.5)], at(5000.0)
    probes.begin(arms[1], tally.calls)
    probes.end("b", tally.calls)
    assert due(probes, arms, tally) == 1


def test_probes_that_teach_nothing_again_and_again_wait_ever_longer():
    """Else a path that hangs until its callers leave would get most of the calls."""
    probes, arms, waits = Probes(C), [arm("best", 0.7), arm("b", 0.5)], []
    calls = last = 5000.0
    for _ in range(6):
        while due(probes, arms, at(calls)) != 1:
            calls += 1.0
        waits.append(calls - last)
        last = calls
        probes.begin(arms[1], calls)
        probes.end("b", calls)
    assert waits[1] == 0.0, "the first one is repeated"
    assert waits[2:] == pytest.approx([5.0, 15.0, 35.0, 75.0], abs=1.0)
    probes.learned(arms[1], 0.0, 1.0)
    probes.begin(arms[1], calls)
    probes.end("b", calls)
    assert due(probes, arms, at(calls)) == 1, "an outcome ends the series"


def test_a_lost_probe_does_not_block_its_arm_for_good():
    probes, arms = Probes(C), [arm("best", 0.7), arm("b", 0.5)]
    probes.begin(arms[1], 5000.0)
    assert due(probes, arms, at(5001.0 + C.lost_after)) == 1


def test_while_it_is_quiet_nothing_can_be_due():
    """At each call of which that is said, a look at all arms finds none."""
    arms = [arm("best", 0.7), arm("a", 0.5), fallen(0.2, (29.0, 1.0))]
    probes, fresh, looks = Probes(C), Probes(C), 0
    for call in range(900, 1500):
        tally = at(float(call), drops=1.0)
        if probes.quiet(tally.calls, 0.0):
            assert due(fresh, arms, tally) is None
            continue
        looks += 1
        index = due(probes, arms, tally)
        assert index == due(fresh, arms, tally)
        if index is not None:
            arms[index].last = tally.calls
    assert looks < 300


def down_for(minutes: float, *, until: float = NOON) -> list[ArmState]:
    """An arm that was last called at `until`, after so many minutes of outage."""
    down = fallen(0.2, (29.0, 1.0), since=0.0)
    down.last, down.last_at, down.since_at = 1e4, int(until), int(until - minutes * MINUTE)
    return [arm("best", 0.9), down]


@pytest.mark.parametrize(
    ("minutes", "due_s"), [(0.0, 30.0), (1.0, 30.0), (20.0, 300.0), (1000.0, 3600.0)]
)
def test_by_the_wall_clock_an_arm_that_is_down_is_due_after_a_quarter_of_its_time_down(
    minutes, due_s
):
    """From 30 s to an hour; and not before it was idle for twenty calls, if down for long."""
    probes, arms, calls = Probes(C), down_for(minutes), 1e4 + C.return_calls
    assert due(probes, arms, at(calls), wall=NOON + due_s - 1.0) is None
    assert due(probes, arms, at(calls), wall=NOON + due_s) == 1
    assert due(probes, arms, at(calls - 1.0), wall=NOON + due_s) is None


def test_an_arm_whose_first_calls_met_an_outage_is_tried_again_all_the_same():
    """Nothing is known of its answers, so that no gain can be reckoned: the clock alone asks."""
    new = ArmState("new", C)
    for call in range(3):
        new.learn_availability(0.0, 1.0, at(1e4 + call), NOON, C)
    arms = [arm("best", 0.98), new]
    assert new.down
    assert interval(new, arms[0], 1.0, 1.0, at(10_100.0), 2, C) == math.inf
    assert due(Probes(C), arms, at(10_100.0), wall=0.0) is None
    assert due(Probes(C), arms, at(10_100.0), wall=NOON + C.return_most_s) == 1


def test_the_wall_clock_is_watched_while_it_is_quiet():
    probes, arms = Probes(C), down_for(20.0)
    calls = 1e4 + C.min_interval
    assert due(probes, arms, at(calls), wall=NOON + 1.0) is None
    assert not probes.quiet(calls, NOON + 300.0)


@pytest.mark.parametrize("wall", [0.0, -5.0, math.nan])
def test_without_a_wall_clock_calls_alone_count(wall):
    assert due(Probes(C), down_for(20.0), at(1e4 + C.min_interval), wall=wall) is None
    assert due(Probes(C), down_for(20.0), at(2e6), wall=wall) == 1


def test_right_after_its_begin_an_outage_is_looked_at_after_five_calls():
    probes, arms = Probes(C), down_for(0.0)
    arms[1].regime.since = arms[1].last
    calls = 1e4 + C.min_interval
    assert due(probes, arms, at(calls - 1.0), wall=NOON + 30.0) is None
    assert due(probes, arms, at(calls), wall=NOON + 30.0) == 1


def test_a_probe_without_an_outcome_is_taken_for_lost_after_an_hour_too():
    probes, arms = Probes(C), down_for(1000.0)
    calls = 1e4 + C.return_calls
    probes.begin(arms[1], calls, NOON)
    assert due(probes, arms, at(calls), wall=NOON + HOUR) is None
    assert due(probes, arms, at(calls), wall=NOON + 2 * HOUR) == 1


def test_a_cheaper_arm_that_is_up_is_looked_at_once_an_hour():
    """After some hundred calls; one that saves nothing is not."""
    idle = arm("a", 0.9)
    idle.last, idle.last_at = 1e4, int(NOON)
    arms, calls = [arm("best", 0.99), idle], 1e4 + C.look_calls
    for costs, wanted in (([1.0, 0.1], 1), ([1.0, 1.0], None), ([None, 0.1], None)):
        probes = Probes(C)
        assert probes.due(arms, costs, 0, at(calls), 2, NOON + HOUR - 1.0) is None
        assert probes.due(arms, costs, 0, at(calls), 2, NOON + HOUR) == wanted
        assert probes.due(arms, costs, 0, at(calls - 1.0), 2, NOON + HOUR) is None


def test_an_outcome_ends_the_rests_after_fruitless_probes():
    probes, arms = Probes(C), [arm("best", 0.7), arm("b", 0.5)]
    for _ in range(9):
        probes.begin(arms[1], 5000.0)
        probes.end("b", 5000.0)
    assert due(probes, arms, at(5100.0)) is None
    probes.learned(arms[1], 0.0, 1.0)
    assert due(probes, arms, at(5100.0)) == 1


def test_an_arm_that_is_up_is_not_hurried_by_the_wall_clock():
    arms = [arm("best", 0.9), arm("a", 0.5)]
    arms[1].last, arms[1].last_at = 1e4, int(NOON)
    assert due(Probes(C), arms, at(1e4 + 20.0), wall=NOON + 1000 * HOUR) is None


@pytest.mark.parametrize("back_s", [60.0, HOUR, 1e8])
def test_a_clock_that_was_set_back_holds_no_probe_up(back_s):
    """Not even by the hour that it may take at most: the arm's last call lies in the future."""
    wall = NOON - back_s
    assert due(Probes(C), down_for(1000.0), at(1e4 + C.return_calls), wall=wall) == 1


def follow(state: ArmState, outcomes: list[tuple[float, float]]) -> bool:
    """Is the arm probed once more after these outcomes?"""
    probes, tally = Probes(C), at(5000.0)
    state.last = 5000.0
    for gain, loss in outcomes:
        probes.begin(state, tally.calls)
        probes.learned(state, gain, loss)
    return due(probes, [arm("best", 0.9), state], tally) == 1


def test_a_successful_probe_of_a_poor_arm_is_followed_at_once():
    assert follow(arm("a", 0.3), [(1.0, 0.0)])
    assert not follow(arm("a", 0.3), [(0.0, 1.0)])
    assert not follow(arm("a", 0.3), [(1.0, 0.0), (0.0, 1.0)])


def test_a_success_of_a_good_arm_tells_nothing_and_is_not_followed():
    assert not follow(arm("a", 0.8), [(1.0, 0.0)])


def test_only_so_many_follow():
    assert follow(arm("a", 0.3), [(1.0, 0.0)] * C.max_follow)
    assert not follow(arm("a", 0.3), [(1.0, 0.0)] * (C.max_follow + 1))


def test_where_outcomes_come_late_followers_grow_with_the_successes():
    """Two under way after one success, four after two; no more before the next outcome."""
    probes, poor, tally = Probes(C), arm("a", 0.3), at(5000.0)
    arms, under_way = [arm("best", 0.9), poor], []
    poor.last = 5000.0
    probes.begin(poor, tally.calls)
    for _ in range(2):
        probes.learned(poor, 1.0, 0.0)
        begun = 0
        while due(probes, arms, tally) == 1:
            probes.begin(poor, tally.calls)
            begun += 1
        under_way.append(begun)
    assert under_way == [2, 3]
