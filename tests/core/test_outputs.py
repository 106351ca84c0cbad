"""What is given for an answer holds its text and its decision."""

from __future__ import annotations

from types import SimpleNamespace as Object
from typing import Any

import pytest

from kalibr_core import AllPathsFailed, ConfigError
from kalibr_core.outputs import Named, id_of, named_in, read_output
from kalibr_core.testing import provider_error

from .scene import Scene


def test_a_text_holds_no_decision() -> None:
    assert read_output("text") == ("text", None)
    assert read_output("") == ("", None)


def test_answers_of_all_kinds_hold_their_decision() -> None:
    decision = Scene({"a": "good"}).run().decision
    message = Object(content=[{"type": "text", "text": "good"}])
    completion = Object(kalibr=decision, choices=[Object(message=message)])
    assert read_output(completion) == ("good", decision.id)
    assert read_output(Object(kalibr=decision)) == ("", decision.id), "a stream that was read"
    record = {"kalibr": {"decision_id": "d1"}}
    assert read_output(Object(content="good", response_metadata=record)) == ("good", "d1")
    chat = Object(message=Object(content="good"), additional_kwargs=record)
    assert read_output(chat) == ("good", "d1")


@pytest.mark.parametrize(
    "output",
    [
        None,
        5,
        b"bytes",
        ["text"],
        {},
        Object(),
        Object(response_metadata={}),
        Object(response_metadata={"kalibr": 5}),
        Object(response_metadata={"kalibr": {"decision_id": 5}}),
        Object(response_metadata=5),
        Object(response_metadata="kalibr", additional_kwargs=[]),
    ],
    ids=repr,
)
def test_what_is_no_answer_is_refused(output: object) -> None:
    with pytest.raises(ConfigError, match="output must be"):
        read_output(output)


def test_what_holds_a_decision_may_be_given_for_its_id() -> None:
    decision = Scene({"a": "good"}).run().decision
    record = {"kalibr": {"decision_id": "d1"}}
    assert id_of("d1") == "d1"
    assert id_of(decision) == decision.id
    assert id_of(Object(kalibr=decision)) == decision.id
    assert id_of(Object(response_metadata=record)) == "d1"
    assert id_of(Object(message=Object(), additional_kwargs=record)) == "d1"
    with pytest.raises(AllPathsFailed) as caught:
        Scene({"a": provider_error(500)}).run()
    assert caught.value.kalibr is not None
    assert id_of(caught.value) == caught.value.kalibr.id


@pytest.mark.parametrize("other", [None, 5, b"d1", ["d1"], {"kalibr": 1}, Object(kalibr="d1")])
def test_what_holds_none_is_given_back(other: object) -> None:
    assert id_of(other) is other


RECORD = {"kalibr": {"decision_id": "d1", "goal": "g"}}


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (Object(response_metadata=RECORD), Named("d1", "g")),
        (Object(response_metadata={}, additional_kwargs=RECORD), Named("d1", "g")),
        (
            Object(additional_kwargs={"kalibr": {"decision_id": "d1", "goal": 5}}),
            Named("d1"),
        ),
        (Object(response_metadata={"kalibr": {"decision_id": 5}}), None),
        (Object(response_metadata={"kalibr": "d1"}), None),
        (Object(kalibr="d1"), None),
        (RECORD, None),
        (None, None),
    ],
)
def test_a_decision_is_found_in_an_answer(answer: Any, found: Named | None) -> None:
    assert named_in(answer) == found
