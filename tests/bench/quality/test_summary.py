"""Figures over runs."""

from __future__ import annotations

import pytest

from kalibr_bench.quality import Results, Settings, summaries

from .conftest import result

SETTINGS = Settings(calls=200, policies=("kalibr",))


def test_figures_of_an_arm() -> None:
    runs = [result("1" * 200), result("0" * 50 + "1" * 150), result("0" * 200)]
    found = summaries(Results(settings=SETTINGS, runs=runs))
    assert list(found) == [("kalibr", "uniform")], "an arm without runs has no figures"
    one = found["kalibr", "uniform"]
    assert one.settled.median == 40.0
    assert one.settled.mean == pytest.approx((0 + 40 + 100) / 3), "never counts as the last window"
    assert one.settled.never == 1
    assert (one.settled.low, one.settled.high) == (pytest.approx(8.0), pytest.approx(88.0))
    assert one.kept == pytest.approx(2 / 3)
    assert one.to_best == pytest.approx(350 / 600)
    assert (one.passed, one.judged) == (1.0, 0.2)
    assert one.scores == (pytest.approx(0.8), pytest.approx(0.6))


def test_a_path_without_scores_has_no_mean() -> None:
    runs = [result("1" * 200, scores=((8.0, 10), (0.0, 0)))]
    one = summaries(Results(settings=SETTINGS, runs=runs))["kalibr", "uniform"]
    assert one.scores == (pytest.approx(0.8), None)
