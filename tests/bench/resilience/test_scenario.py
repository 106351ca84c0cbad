"""Phases, windows and true rates."""

from __future__ import annotations

import pytest

from kalibr_bench.resilience import MODELS, scenario


@pytest.mark.parametrize(("size", "length"), [("quick", 35), ("default", 100), ("full", 200)])
def test_a_size_has_the_originals_length(size: str, length: int) -> None:
    assert scenario("original", size).length == length


def test_the_failure_begins_with_execution_31() -> None:
    story = scenario("original")
    assert story.window == (30, 100)
    assert [story.phase(n).name for n in (0, 29, 30, 69, 70, 99)] == [
        *["learning"] * 2,
        *["degradation"] * 2,
        *["observation"] * 2,
    ]


def test_a_degraded_model_keeps_thirty_percent_of_its_rate() -> None:
    story = scenario("original")
    assert story.rates(29) == dict(MODELS)
    assert story.rates(30) == dict(MODELS) | {"gpt-4o": pytest.approx(0.297)}


def test_the_preferred_path_is_the_cheap_one() -> None:
    assert scenario("preferred").rates(30)["gpt-4o-mini"] == pytest.approx(0.291)


def test_in_recovery_the_path_comes_back_with_the_observation() -> None:
    story = scenario("recovery")
    assert story.window == (30, 70)
    assert story.rates(70) == dict(MODELS)
    assert [phase.name for phase in story.phases][2:] == ["observation", "return"]
    assert story.length == 230


def test_an_unknown_name_is_told_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="original, preferred, recovery"):
        scenario("worst")
    with pytest.raises(ValueError, match="quick, default, full"):
        scenario("original", "huge")
    with pytest.raises(IndexError):
        scenario("original").phase(100)
