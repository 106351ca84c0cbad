"""The rule: at least 90 of the next 100 calls go to the best path."""

from __future__ import annotations

import pytest

from kalibr_bench.quality import Settings

from .conftest import result


@pytest.mark.parametrize(
    ("to_best", "settled", "for_good"),
    [
        ("1" * 200, 0, 0),
        ("0" * 200, None, None),
        ("0" * 50 + "1" * 150, 40, 40),
        ("1" * 90 + "0" * 110, 0, None),
        ("1" * 100 + "0" * 11 + "1" * 189, 0, 101),
        ("0" * 11 + "1" * 89, None, None),
        ("0" * 10 + "1" * 90, 0, 0),
    ],
)
def test_when_the_best_path_has_the_traffic(
    to_best: str, settled: int | None, for_good: int | None
) -> None:
    run = result(to_best)
    assert (run.settled, run.settled_for_good) == (settled, for_good)


def test_arms_are_all_pairs() -> None:
    settings = Settings(policies=("kalibr", "scores"), samplings=("uniform",))
    assert settings.arms == (("kalibr", "uniform"), ("scores", "uniform"))
