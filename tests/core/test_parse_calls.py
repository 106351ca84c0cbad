"""What the caller says of an answer's tool calls: a further part of gate 1."""

from __future__ import annotations

import pytest

from kalibr_core import AllPathsFailed, Output, OutputRejected, ToolCall
from kalibr_core.testing import BrokenGate
from kalibr_core.types import Request

from .scene import BAD, DRIVES, Drive, Scene, every_drive

heals = pytest.mark.parametrize("drive", [d for d in DRIVES if d.heals_late], ids=str)
GOOD, ODD = (
    ToolCall(id="1", name="good", arguments="{}"),
    ToolCall(id="2", name="odd", arguments="{}"),
)


def calling(*calls: ToolCall, text: str = "") -> Output:
    return Output(text=text, tool_calls=calls, finish_reason="tool_calls")


def only_good(calls: tuple[ToolCall, ...]) -> None:
    if [call.name for call in calls] != ["good"]:
        raise LookupError("secret arguments")


ASKED = Request(parse_calls=only_good)


@heals
@pytest.mark.parametrize("refused", [calling(ODD), calling(GOOD, ODD), calling(text="none")])
def test_calls_that_the_caller_cannot_use_are_healed_and_charged_to_their_path(
    refused: Output, drive: Drive
) -> None:
    scene = Scene({"a": refused, "b": calling(GOOD)}, drive)
    done = scene.run(ASKED)
    assert done.decision.path.id == "b"
    assert done.decision.verified
    assert [(row[0], row[2:]) for row in scene.booked] == [
        ("a", ("quality", 0.0)),
        ("b", ("quality", 1.0)),
    ]
    assert scene.learned == [("a", "quality", 0.0, 1.0), ("b", "quality", 1.0, 0.0)]


@heals
def test_the_reason_is_told_and_no_text_of_the_fault(drive: Drive) -> None:
    error = Scene({"a": calling(ODD)}, drive).error(ASKED)
    assert isinstance(error, AllPathsFailed)
    first = error.errors[0]
    assert isinstance(first, OutputRejected)
    assert first.reason == "tool_call"
    assert "LookupError" in str(first)
    assert "secret" not in f"{error} {first}"


@heals
def test_an_answer_whose_calls_are_refused_is_of_use_where_the_request_tolerates_it(
    drive: Drive,
) -> None:
    asked = Request(parse_calls=only_good, tolerates=frozenset({"tool_call"}))
    done = Scene({"a": calling(ODD)}, drive).run(asked)
    assert not done.decision.verified
    assert done.output.tool_calls == (ODD,)


@every_drive
def test_calls_are_parsed_once_for_each_answer_and_as_they_came(drive: Drive) -> None:
    seen: list[tuple[ToolCall, ...]] = []
    Scene({"a": calling(GOOD, ODD)}, drive).run(Request(parse_calls=seen.append))
    assert seen == [(GOOD, ODD)]


@every_drive
def test_an_answer_without_calls_is_parsed_too(drive: Drive) -> None:
    seen: list[tuple[ToolCall, ...]] = []
    Scene({"a": "text"}, drive).run(Request(parse_calls=seen.append))
    assert seen == [()]


@every_drive
@pytest.mark.parametrize("said", [None, False, 0, "no"])
def test_only_raising_refuses(said: object, drive: Drive) -> None:
    done = Scene({"a": calling(GOOD)}, drive).run(Request(parse_calls=lambda calls: said))
    assert done.decision.verified


@heals
def test_what_the_gate_refuses_is_not_parsed_any_more(drive: Drive) -> None:
    seen: list[object] = []
    scene = Scene({"a": BAD, "b": "good"}, drive)
    assert scene.run(Request(parse_calls=seen.append)).decision.path.id == "b"
    assert seen == [()]


@every_drive
def test_where_the_gate_is_broken_nothing_else_refuses(drive: Drive) -> None:
    scene = Scene({"a": calling(ODD)}, drive, gate=BrokenGate())
    assert not scene.run(ASKED).decision.verified
    assert scene.learned == []


@heals
def test_text_and_calls_may_both_be_parsed_and_calls_come_first(drive: Drive) -> None:
    order: list[str] = []

    def text(said: str) -> None:
        order.append(said)
        if said != "good":
            raise ValueError

    asked = Request(parse=text, parse_calls=lambda calls: order.append("calls"))
    done = Scene({"a": "odd", "b": "good"}, drive).run(asked)
    assert done.decision.path.id == "b"
    assert order == ["calls", "odd", "calls", "good"]


@every_drive
def test_the_text_beside_tool_calls_is_not_parsed(drive: Drive) -> None:
    def text(said: str) -> None:
        raise AssertionError(said)

    asked = Request(parse=text, parse_calls=only_good)
    assert Scene({"a": calling(GOOD, text="thinking")}, drive).run(asked).decision.verified


def test_leaving_the_program_is_not_caught() -> None:
    def leave(calls: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Scene({"a": "text"}).run(Request(parse_calls=leave))
