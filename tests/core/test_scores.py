"""What is a score, of a judge's function, of `score_when` and of `report` alike."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy
import pytest

from kalibr_core.scores import no_score, score_of


@pytest.mark.parametrize(
    ("value", "score"),
    [
        (0, 0.0),
        (0.5, 0.5),
        (True, 1.0),
        (False, 0.0),
        (numpy.float32(0.5), 0.5),
        (numpy.float64(0.5), 0.5),
        (numpy.int64(1), 1.0),
        (numpy.bool_(True), 1.0),
        (numpy.array(0.5), 0.5),
        (Fraction(1, 2), 0.5),
        (Decimal("0.5"), 0.5),
    ],
)
def test_a_number_of_any_kind_is_a_score(value: Any, score: float) -> None:
    found = score_of(value)
    assert found == score
    assert type(found) is float


@pytest.mark.parametrize(
    "value",
    [None, "0.5", 7, -1, float("nan"), float("inf"), 10**400, [0.5], 1j, numpy.array([0.5, 0.6])],
)
def test_anything_else_is_none(value: Any) -> None:
    assert score_of(value) is None


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (7, "got 7"),
        (float("nan"), "got nan"),
        (10**400, "got a int"),
        (None, "got a NoneType"),
        ("my text", "got a str"),
        ({"text": 1}, "got a dict"),
    ],
)
def test_what_is_no_score_is_named_without_its_text(value: Any, told: str) -> None:
    assert no_score(value) == told
