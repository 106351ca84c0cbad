"""What instrumentation gets to see of a routed call: one event for each failed attempt, and one
for the decision."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from llama_index.core.instrumentation.event_handlers import BaseEventHandler
from llama_index_instrumentation import get_dispatcher
from pydantic import Field

from kalibr_bench.provider import Fault, LoopbackProvider
from kalibr_core import Path
from kalibr_core.types import Decision, EvidenceKind, Failure, FailureKind, Outcome, Pull
from kalibr_llama_index import AttemptFailedEvent, DecisionEvent, KalibrLLM
from kalibr_llama_index.events import _is_heard, decision_of, dispatcher, tell

from .ways import WAYS, ask, first_arm

KEY = "sk-secret-12345678"


class Heard(BaseEventHandler):
    """Keeps events."""

    seen: list[Any] = Field(default_factory=list)

    @classmethod
    def class_name(cls) -> str:
        return "Heard"

    def handle(self, event: Any, **kwargs: Any) -> None:
        self.seen.append(event)


@pytest.fixture
def heard() -> Iterator[list[Any]]:
    handler, root = Heard(seen=[]), get_dispatcher()
    root.add_event_handler(handler)
    yield handler.seen
    root.event_handlers = [found for found in root.event_handlers if found is not handler]


def outcome(failure: FailureKind | None, number: int = 1) -> Outcome:
    return Outcome(
        path_id="mine",
        number=number,
        reward=None,
        evidence=EvidenceKind.NONE,
        failure=failure and Failure(kind=failure, status=429),
        latency_s=1.0,
        first_token_s=None,
        usage=None,
        cost_usd=0.5,
        finish_reason=None,
        model=None,
    )


def decision(*failures: FailureKind | None) -> Decision:
    path = Path(model="m", name="mine", api_key=KEY, base_url=f"http://user:{KEY}@host/v1")
    outcomes = tuple(outcome(kind, n) for n, kind in enumerate(failures, 1))
    return Decision(
        id="d1", goal="g", path=path, pull=Pull("mine", "only"), outcomes=outcomes, verified=True
    )


FAILED = FailureKind.RATE_LIMIT


def test_each_failed_attempt_is_told_and_then_the_decision(heard: list[Any]) -> None:
    tell(decision(FAILED, FAILED, None), "span")
    first, second, last = heard
    assert [type(event) for event in heard] == [AttemptFailedEvent] * 2 + [DecisionEvent]
    assert [event.attempt["number"] for event in (first, second)] == [1, 2]
    assert (first.attempt["failure"], first.attempt["status"]) == (FAILED.value, 429)
    assert {event.span_id for event in heard} == {"span"}
    assert {(event.decision_id, event.goal) for event in heard} == {("d1", "g")}
    assert (last.path, last.attempts, last.verified, last.cost_usd) == ("mine", 3, True, 1.5)


def test_events_hold_no_key_and_are_json(heard: list[Any]) -> None:
    tell(decision(FAILED, None), None)
    for event in heard:
        assert KEY not in f"{event!r} {event.model_dump_json()}"
        assert json.dumps(event.model_dump(mode="json"))


def test_their_names_are_their_own() -> None:
    assert AttemptFailedEvent.class_name() == "KalibrAttemptFailedEvent"
    assert DecisionEvent.class_name() == "KalibrDecisionEvent"


def test_where_nothing_was_decided_nothing_is_told(heard: list[Any]) -> None:
    tell(None, "span")
    assert heard == []


def test_where_nobody_listens_no_event_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not _is_heard()
    monkeypatch.setattr(type(dispatcher), "event", lambda self, event: 1 / 0)
    tell(decision(FAILED, None), "span")


def test_a_handler_at_any_height_hears() -> None:
    for found in (get_dispatcher(), dispatcher):
        handler = Heard(seen=[])
        found.add_event_handler(handler)
        try:
            assert _is_heard()
            tell(decision(None), None)
            assert [type(event) for event in handler.seen] == [DecisionEvent]
        finally:
            found.event_handlers = [h for h in found.event_handlers if h is not handler]


class Odd(Exception):
    """One whose record is of another make."""

    kalibr = "d"


def test_only_a_decision_is_one() -> None:
    assert decision_of(ValueError()) is None
    assert decision_of(Odd()) is None
    error: Any = ValueError()
    error.kalibr = decision()
    assert decision_of(error) is error.kalibr


def llm(server: LoopbackProvider, *models: str, **options: Any) -> KalibrLLM:
    return first_arm(*models, base_url=server.base_url, api_key=KEY, **options)


@pytest.mark.parametrize("way", WAYS)
def test_a_routed_call_is_one_start_one_end_and_its_own_events(
    way: str, server: LoopbackProvider, heard: list[Any]
) -> None:
    server.fault("gpt-4o", Fault(kind="server_error", times=None))
    ask(llm(server, "gpt-4o", "gpt-4o-mini"), way)
    names = [event.class_name() for event in heard]
    assert names.count("KalibrAttemptFailedEvent") == 1
    assert names.count("KalibrDecisionEvent") == 1
    assert sum(name.endswith("StartEvent") for name in names) == 1
    assert sum(name.endswith("EndEvent") for name in names) == 1
    assert KEY not in "".join(repr(event) for event in heard)
    own = [event for event in heard if isinstance(event, DecisionEvent | AttemptFailedEvent)]
    assert len({event.span_id for event in own}) == 1
    assert own[0].span_id is not None
    assert way in str(own[0].span_id)


@pytest.mark.parametrize("way", WAYS)
def test_a_call_that_fails_is_told_too(
    way: str, server: LoopbackProvider, heard: list[Any]
) -> None:
    server.fault("gpt-4o", Fault(kind="server_error", times=None))
    with pytest.raises(Exception):  # noqa: B017  # its kind is another test's
        ask(llm(server, "gpt-4o", max_attempts=1), way)
    (event,) = [event for event in heard if isinstance(event, DecisionEvent)]
    assert not event.verified
