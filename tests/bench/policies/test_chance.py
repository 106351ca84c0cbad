"""Luck is drawn once for each run, and is the same for everybody."""

from __future__ import annotations

import numpy as np
import pytest

from kalibr_bench.policies.chance import Outcomes, Run, judgements
from kalibr_bench.policies.scenarios import SCENARIOS

WORLD = SCENARIOS["S2"].make(0)


def test_blocks_do_not_matter() -> None:
    whole, cut = Outcomes(WORLD, Run("S2", 1)), Outcomes(WORLD, Run("S2", 1))
    parts = [cut.next(n) for n in (1, 700, 299)]
    assert np.array_equal(whole.next(1000), np.concatenate(parts))


@pytest.mark.parametrize("other", [Run("S2", 2), Run("S2", 1, 1), Run("S5", 1)])
def test_every_run_has_its_own(other: Run) -> None:
    assert not np.array_equal(
        Outcomes(WORLD, Run("S2", 1)).next(500), Outcomes(WORLD, other).next(500)
    )


def test_outcomes_follow_the_levels_over_a_change() -> None:
    passed = Outcomes(WORLD, Run("S2", 1)).next(6000)
    assert abs(passed[:3000, 1].mean() - 0.99) < 4 * 0.0995 / 3000**0.5
    assert abs(passed[3000:, 1].mean() - 0.297) < 4 * 0.457 / 3000**0.5


def test_a_fifth_is_judged_around_the_arms_quality() -> None:
    judged, scores = judgements(SCENARIOS["S10"].make(0), Run("S10", 0), 4000)
    assert abs(judged.mean() - 0.2) < 4 * 0.4 / 4000**0.5
    deviation = (0.85 * 0.15 / 9) ** 0.5
    assert abs(scores[:, 0].mean() - 0.85) < 4 * deviation / 4000**0.5
    assert abs(scores[:, 0].std() - deviation) < 0.01
    with pytest.raises(ValueError, match="no scores"):
        judgements(WORLD, Run("S2", 0), 10)
