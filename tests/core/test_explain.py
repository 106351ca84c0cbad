"""Explanations of damaged entries: what is there is told, and nothing is made up."""

from __future__ import annotations

import random
from typing import Any

import pytest

from kalibr_core.bandit import RunLengthPolicy, propensity
from kalibr_core.booking import basis_data, basis_from
from kalibr_core.explain import explain_entries
from kalibr_core.testing.ledger_checks import entry
from kalibr_core.types import Arm, Basis, Context, Evidence, EvidenceKind

GOOD = Basis("a", 0.5, False, ((1.0, 2.0, 3.0),), 0.25)
OTHER = Basis("b", 0.5, False, ((1.0, 3.0, 2.0),), 0.25)

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
    [["a", 0.5, False, [[1.0, 1.0, 1.0]], "much"]],
    [["a", 0.5, False, [[1.0, 1.0, 1.0]], float("nan")]],
    [["a", 0.5, False, [[1.0, 1.0, 1.0]], 0.1, 0.2]],
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


def test_a_basis_from_before_doubt_was_written_has_none() -> None:
    """Such records are still read; they say less of the cheaper arms."""
    (old,) = basis_from([basis_data(GOOD)[:4]])  # type: ignore[index, list-item]
    assert old == GOOD._replace(doubt=0.0)


def told(**data: Any) -> float | None:
    """The propensity of a choice of `b`."""
    basis = [basis_data(GOOD), basis_data(OTHER)]
    data = {"basis": basis, "rule": "leader", "chosen": "b", "propensity": None} | data
    return explain_entries([entry("d")._replace(data=data)]).propensity


def test_an_estimate_takes_the_probe_and_the_conversation_into_account() -> None:
    drawn, due, stays = told(), told(due="b"), told(previous="b", rule="conversation")
    assert drawn is not None
    assert due == pytest.approx(0.2 * drawn + 0.8)
    assert told(due="a") == pytest.approx(0.2 * drawn)
    assert stays is not None
    assert stays > drawn


def test_it_is_that_of_the_pull_itself() -> None:
    """Written down and read back it has lost nothing."""
    policy, arms = RunLengthPolicy(["a", "b"], random.Random(1)), [Arm("a", 1.0), Arm("b", 0.5)]
    for number in range(60):
        pull = policy.pull(arms, Context(previous="a" if number % 3 == 0 else None))
        basis = [basis_data(each) for each in pull.basis]
        data = {"basis": basis, "chosen": pull.arm, "due": pull.due, "previous": pull.previous}
        assert told(**data, rule=pull.rule) == pytest.approx(propensity(pull), abs=1e-9)
        gain = float(number % 4 > 0)
        policy.update(pull.arm, Evidence(EvidenceKind.QUALITY, gain, 1.0 - gain))


def test_what_was_recorded_as_certain_is_told_as_it_was() -> None:
    assert told(propensity=1.0, rule="only") == 1.0
    assert told(rule="first") is None, "another policy's rule"
    assert told(chosen="c") is None, "not among the arms"


@pytest.mark.parametrize("odd", [5, ["b"], {}, "nobody"])
def test_an_odd_probe_or_conversation_is_none(odd: Any) -> None:
    assert told(due=odd) == told(previous=odd) == told()


@pytest.mark.parametrize("number", ["1", 10**400, float("nan"), float("inf"), True, [1], {}])
def test_odd_figures_are_unknown(number: Any) -> None:
    data = {"cost_usd": number, "latency_s": number, "propensity": number}
    explanation = explain_entries([entry("d")._replace(data=data)])
    assert explanation.propensity is None
    assert "cost unknown" in str(explanation)


@pytest.mark.parametrize(
    ("kind", "data", "reward", "says"),
    [
        ("action", {"action": "output_copied"}, 0.85, "output_copied by the user (0.85)"),
        ("action", {}, 0.5, "None by the user (0.5)"),
        ("action", {"action": [5]}, None, "by the user (None)"),
        ("momentum", {}, 0.75, "the conversation converged (0.75)"),
        ("momentum", {}, 0.25, "the conversation diverged (0.25)"),
        ("momentum", {}, None, "diverged (None)"),
    ],
)
def test_what_the_user_did_is_told_among_what_came_later(
    kind: str, data: Any, reward: float | None, says: str
) -> None:
    later = entry("d")._replace(id=f"d:{kind}", kind=kind, data=data, reward=reward)
    (line,) = explain_entries([entry("d"), later]).later
    assert says in line


def test_what_scores_and_users_tell_is_not_called_outcomes() -> None:
    basis = [
        basis_data(b._replace(runs=r))
        for b, r in ((GOOD, ((1.0, 9.0, 3.0),)), (OTHER, ((1.0, 3.0, 1.0),)))
    ]
    data = {"basis": basis, "rule": "leader", "chosen": "a", "propensity": None}
    text = str(explain_entries([entry("d")._replace(data=data)]))
    assert "a: success 0.750 (as much as about 8 outcomes tell)" in text
    assert "b: success 0.750 (not tried yet)" in text


def test_an_action_that_another_one_replaced_is_told_as_such() -> None:
    replaced = entry("d")._replace(
        id="d:output_copied:replaced", kind="replaced", data={"action": "output_copied"}
    )
    (line,) = explain_entries([entry("d"), replaced]).later
    assert line == "output_copied counts no more: the user has done something else"
