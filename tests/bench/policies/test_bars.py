"""Limits are kept or not, and the record says which."""

from __future__ import annotations

import math

import pytest

from kalibr_bench.policies.bars import BARS, DONE, KINDS, MOONSHOT, WHOLE, Bar, Held, Limit, held
from kalibr_bench.policies.results import Settings, laboratory
from kalibr_bench.policies.scenarios import SCENARIOS


@pytest.mark.parametrize(
    ("limit", "found", "kept"),
    [
        (Limit("S1", "success", 95.3), 95.3, True),
        (Limit("S1", "success", 95.3), 95.29, False),
        (Limit("S1", "cps", 0.15), 0.15, True),
        (Limit("S1", "cps", 0.15), 0.151, False),
        (Limit("S2", "back50", 300), math.inf, False),
        (Limit("S10", "found", 230), 20.0, True),
        (Limit("random", "cps_over_oracle", -0.015), -0.02, True),
        (Limit("random", "cps_over_oracle", -0.015), 0.0, False),
        (Limit("S4", "regret", 50), math.nan, False),
    ],
)
def test_a_limit(limit: Limit, found: float, kept: bool) -> None:
    assert limit.holds(found) is kept


@pytest.mark.parametrize(
    ("found", "met"), [((1.0, 1.0), True), ((3.0, None), False), ((1.0, None), None)]
)
def test_a_bar_is_met_by_all_its_figures(found: tuple[float | None, ...], met: bool | None) -> None:
    bar = Bar(row="S2", level=DONE, limits=(Limit("S2", "loss", 2), Limit("S6", "loss", 2)))
    assert Held(bar=bar, found=found).met is met


def test_every_bar_speaks_of_a_figure_that_there_is() -> None:
    for bar in BARS:
        assert bar.level in (DONE, MOONSHOT)
        for limit in bar.limits:
            assert limit.figure in KINDS
            assert limit.scenario in SCENARIOS or limit.scenario == WHOLE
    assert len({(bar.row, bar.level) for bar in BARS}) == len(BARS) == 30


def test_only_what_was_run_is_held_against_a_bar() -> None:
    settings = Settings(
        scenarios=("S1", "S2"),
        policies=("kalibr", "oracle"),
        seeds={"S1": range(3), "S2": range(1)},
    )
    results = laboratory(settings)
    assert {one.bar.row for one in held(results)} == {"S1", "S2"}
    oracle = {(one.bar.row, one.bar.level): one for one in held(results, "oracle")}
    assert oracle["S2", DONE].met is True
    assert oracle["S1", DONE].met is False  # it pays for .99 until the fall: cps .35
