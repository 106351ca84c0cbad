"""What paths cost: learned lengths of answers, and estimates that know what they do not know."""

from __future__ import annotations

import pytest

from kalibr_core import Path, Request, Usage
from kalibr_core.costs import Costs
from kalibr_core.prices import Price
from kalibr_core.types import EvidenceKind, Features, Outcome

A, B, C = (Path(model=f"gpt-{name}") for name in "abc")
REQUEST = Request(features=Features(1000, 1, 0, False, 0, None, None))


@pytest.fixture
def costs() -> Costs:
    return Costs({A.id: Price(1.0, 10.0, None, 8000), B.id: Price(1.0, 10.0), C.id: None})


def answered(path: Path, output_tokens: int) -> Outcome:
    return Outcome(
        path_id=path.id,
        number=1,
        reward=1.0,
        evidence=EvidenceKind.QUALITY,
        failure=None,
        latency_s=1.0,
        first_token_s=None,
        usage=Usage(input_tokens=1, output_tokens=output_tokens),
        cost_usd=None,
        finish_reason="stop",
        model=None,
    )


def test_before_any_answer_a_typical_length_is_assumed(costs: Costs) -> None:
    assert costs.expected(A, REQUEST) == pytest.approx(1e-3 + 2.56e-3, rel=0.02)


def test_an_untried_path_is_taken_to_answer_as_long_as_the_others(costs: Costs) -> None:
    costs.learn(answered(A, 50))
    assert costs.expected(A, REQUEST) == costs.expected(B, REQUEST) == pytest.approx(1.5e-3)


def test_the_typical_length_follows_the_answers(costs: Costs) -> None:
    for _ in range(60):
        costs.learn(answered(A, 100))
    costs.learn(answered(A, 200))
    assert costs.expected(A, REQUEST) == pytest.approx(1e-3 + 1.1e-3, rel=0.05)


def test_an_unknown_price_stays_unknown(costs: Costs) -> None:
    costs.learn(answered(C, 50))
    assert costs.expected(C, REQUEST) is None
    assert costs.at_most(C, REQUEST) is None
    assert costs.of(C, Usage(input_tokens=1, output_tokens=1)) is None


def test_a_calls_own_limit_bounds_what_it_may_cost(costs: Costs) -> None:
    limited = Request(features=REQUEST.features, max_output_tokens=1000)
    assert costs.at_most(A, limited) == pytest.approx(1e-3 + 1e-2)


def test_the_paths_own_window_comes_before_the_listed_one(costs: Costs) -> None:
    assert costs.window(A) == 8000
    assert costs.window(Path(model="gpt-a", context_window=5)) == 5
    assert costs.window(C) is None
