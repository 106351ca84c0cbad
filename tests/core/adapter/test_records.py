"""What an answer tells of its decision: plain JSON, and nothing of the conversation."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import SecretStr

from kalibr_bench.provider import Answer, LoopbackProvider
from kalibr_core import Path
from kalibr_core.adapter.records import attempt_of, failures_of, propensity_of, record_of
from kalibr_core.testing import FirstArm
from kalibr_core.types import Decision, EvidenceKind, Failure, FailureKind, Outcome, Pull, Usage
from kalibr_langchain import ChatKalibr

PULL = Pull("gpt-4o", "leader", propensity=0.25)
USAGE = Usage(input_tokens=10, output_tokens=5)
FAILED = Failure(kind=FailureKind.RATE_LIMIT, status=429, reason="quota")


def outcome(**given: Any) -> Outcome:
    fields = {
        "path_id": "gpt-4o",
        "number": 1,
        "reward": 1.0,
        "evidence": EvidenceKind.QUALITY,
        "failure": None,
        "latency_s": 0.12345678,
        "first_token_s": None,
        "usage": USAGE,
        "cost_usd": 0.5,
        "finish_reason": "stop",
        "model": "gpt-4o-2024",
    }
    return Outcome(**{**fields, **given})


def decision(*outcomes: Outcome, pull: Pull = PULL) -> Decision:
    return Decision(
        id="d1",
        goal="metadata",
        path=Path(model="gpt-4o", api_key="sk-12345678"),
        pull=pull,
        outcomes=outcomes,
        verified=True,
    )


UNKNOWN = outcome(usage=None, cost_usd=None, finish_reason=None, model=None, failure=FAILED)


def test_a_decision_is_told_as_plain_json() -> None:
    record = record_of(decision(outcome()))
    assert json.loads(json.dumps(record)) == record
    assert record == {
        "decision_id": "d1",
        "goal": "metadata",
        "path": "gpt-4o",
        "verified": True,
        "rule": "leader",
        "propensity": 0.25,
        "cost_usd": 0.5,
        "input_tokens": 10,
        "output_tokens": 5,
        "attempts": [attempt_of(outcome())],
    }


def test_all_attempts_are_counted_together() -> None:
    record = record_of(decision(outcome(), outcome(number=2)))
    assert (record["input_tokens"], record["output_tokens"]) == (20, 10)
    assert record["cost_usd"] == 1.0
    assert [attempt["number"] for attempt in record["attempts"]] == [1, 2]


def test_tokens_are_summed_as_far_as_they_are_known_and_costs_are_not() -> None:
    record = record_of(decision(UNKNOWN, outcome(number=2)))
    assert (record["input_tokens"], record["cost_usd"]) == (10, None)
    record = record_of(decision(UNKNOWN))
    assert (record["input_tokens"], record["output_tokens"]) == (None, None)


def test_no_tokens_are_a_count() -> None:
    nothing = outcome(usage=Usage(input_tokens=0, output_tokens=0))
    assert record_of(decision(nothing))["output_tokens"] == 0


def test_an_attempt_tells_what_is_known() -> None:
    assert attempt_of(outcome(first_token_s=0.1)) == {
        "path": "gpt-4o",
        "number": 1,
        "latency_s": 0.123457,
        "cost_usd": 0.5,
        "first_token_s": 0.1,
        "model": "gpt-4o-2024",
        "finish_reason": "stop",
        "input_tokens": 10,
        "output_tokens": 5,
    }


def test_an_attempt_leaves_out_what_is_unknown() -> None:
    told = attempt_of(outcome(usage=None, cost_usd=None, finish_reason=None, model=None))
    assert told == {"path": "gpt-4o", "number": 1, "latency_s": 0.123457, "cost_usd": None}


def test_cached_and_reasoning_tokens_are_told_where_they_are_counted() -> None:
    usage = Usage(input_tokens=10, output_tokens=5, cached_input_tokens=4, reasoning_tokens=0)
    told = attempt_of(outcome(usage=usage))
    assert (told["cached_input_tokens"], told["reasoning_tokens"]) == (4, 0)


def test_a_failure_is_told_by_its_kind_status_and_reason() -> None:
    told = attempt_of(outcome(failure=FAILED, abandoned=True))
    assert (told["failure"], told["status"], told["reason"]) == ("rate_limit", 429, "quota")
    assert told["abandoned"] is True
    assert type(told["failure"]) is str


def test_only_failed_attempts_are_failures() -> None:
    assert failures_of([outcome()]) == []
    assert failures_of([UNKNOWN, outcome(number=2)]) == [attempt_of(UNKNOWN)]


@pytest.mark.parametrize(
    ("pull", "told"),
    [
        (PULL, 0.25),
        (Pull("gpt-4o", "leader", propensity=0.123456), 0.123),
        (Pull("gpt-4o", "only", propensity=1.0), 1.0),
        (Pull("gpt-4o", "mine"), None),
    ],
)
def test_a_propensity_is_told_where_it_follows(pull: Pull, told: float | None) -> None:
    assert propensity_of(decision(outcome(), pull=pull)) == told


def test_an_answer_holds_its_record_and_none_of_the_conversation(
    server: LoopbackProvider,
) -> None:
    server.script("gpt-4o", [Answer(text="")])
    server.script("gpt-4o-mini", ["Lyon is by the Rhone."])
    model = ChatKalibr(
        goal="metadata",
        paths=["gpt-4o", "gpt-4o-mini"],
        policy=FirstArm(),
        ledger="memory",
        base_url=server.base_url,
        api_key=SecretStr("sk-secret-1"),
    )
    answer = model.invoke("Which city is by the Rhone?")
    record = answer.response_metadata["kalibr"]
    assert (record["goal"], record["path"]) == ("metadata", "gpt-4o-mini")
    assert [a.get("failure") for a in record["attempts"]] == ["bad_output", None]
    assert record["attempts"][0]["reason"] == "empty"
    text = json.dumps(record)
    for secret in ("Rhone", "sk-secret-1", "Lyon"):
        assert secret not in text
