"""Explanations of damaged entries: what is there is told, and nothing is made up."""

from __future__ import annotations

from typing import Any

import pytest

from kalibr_core.booking import basis_data, basis_from
from kalibr_core.explain import explain_entries
from kalibr_core.testing.ledger_checks import entry
from kalibr_core.types import Basis

GOOD = Basis("a", 0.5, False, ((1.0, 2.0, 3.0),))

DAMAGED: list[Any] = [
    None,
    5,
    "abcd",
    [["a", 0.5, False, []]],
    [["a", 0.5, False, [[1.0, 0.0, 0.0]]]],
    [["a", 0.5, False, [[1.0, -1.0, 1.0]]]],
    [["a", 0.5, False, [[0.0, 1.0, 1.0]]]],
    [["a", 0.5, False, [[-1.0, 1.0, 1.0], [2.0, 1.0, 1.0]]]],
    [["a", 0.5, False, [["1", "2", "3"]]]],
    [["a", 0.5, False, ["123"]]],
    [["a", 0.5, False, "123"]],
    [["a", 0.5, False, [[1.0, float("nan"), 1.0]]]],
    [["a", 0.5, False, [[1.0, 10**400, 1.0]]]],
    [["a", "cheap", False, [[1.0, 1.0, 1.0]]]],
    [["a", [1], False, [[1.0, 1.0, 1.0]]]],
]


@pytest.mark.parametrize("basis", DAMAGED, ids=repr)
@pytest.mark.parametrize("rule", ["leader", "cheaper", "probe", 5])
def test_a_damaged_basis_is_none(basis: Any, rule: Any) -> None:
    assert basis_from(basis) == ()
    data = {"basis": basis, "rule": rule, "chosen": "a", "propensity": None}
    explanation = explain_entries([entry("d")._replace(data=data)])
    assert explanation.arms == ()
    assert explanation.propensity is None
    assert "attempts:" in str(explanation)


def test_a_basis_is_read_back_as_it_was() -> None:
    assert basis_from([basis_data(GOOD)]) == (GOOD,)
    unpriced = GOOD._replace(cost_usd=None)
    assert basis_from([basis_data(unpriced)]) == (unpriced,)


@pytest.mark.parametrize("number", ["1", 10**400, float("nan"), float("inf"), True, [1], {}])
def test_odd_figures_are_unknown(number: Any) -> None:
    data = {"cost_usd": number, "latency_s": number, "propensity": number}
    explanation = explain_entries([entry("d")._replace(data=data)])
    assert explanation.propensity is None
    assert "cost unknown" in str(explanation)
