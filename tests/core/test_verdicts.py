"""Gate 1 on one output: what gates may say, and what the caller's own parsers add."""

from __future__ import annotations

import pytest

from kalibr_core import AllPathsFailed, Output, ToolCall, Verdict
from kalibr_core.testing import BrokenGate
from kalibr_core.types import Request

from .scene import DRIVES, Drive, Scene, every_drive, warnings_of

heals = pytest.mark.parametrize("drive", [d for d in DRIVES if d.heals_late], ids=str)


@every_drive
def test_a_broken_gate_lets_the_answer_pass_unverified_and_teaches_nothing(
    drive: Drive, caplog: pytest.LogCaptureFixture
) -> None:
    scene = Scene({"a": "good"}, drive, gate=BrokenGate())
    done = scene.run()
    assert done.output.text == "good"
    assert not done.decision.verified
    assert scene.booked == [("a", "passed", "none", None)]
    assert scene.learned == []
    (warning,) = warnings_of(caplog)
    assert "gate" in warning
    assert "'scene'" in warning


@pytest.mark.parametrize("verdict", [None, True, "passed"])
def test_what_is_no_verdict_of_a_gate_is_no_evidence(verdict: object) -> None:
    class Odd:
        def check(self, request: Request, output: Output) -> object:
            return verdict

    scene = Scene({"a": "good"}, gate=Odd())
    assert not scene.run().decision.verified
    assert [entry.reward for entry in scene.entries] == [None]


@pytest.mark.parametrize(("passed", "reward"), [(0, 0.0), (1, 1.0)])
def test_a_verdict_that_is_nearly_a_bool_counts_as_one(passed: int, reward: float) -> None:
    class Numpyish:
        def check(self, request: Request, output: Output) -> Verdict:
            return Verdict(passed=passed)  # type: ignore[arg-type]

    scene = Scene({"a": "good"}, gate=Numpyish(), on_exhausted="best", max_attempts=1)
    scene.run()
    assert [entry.reward for entry in scene.entries] == [reward]


def test_a_broken_gate_is_warned_of_once(caplog: pytest.LogCaptureFixture) -> None:
    scene = Scene({"a": "good"}, gate=BrokenGate())
    for _ in range(3):
        scene.run()
    assert len(warnings_of(caplog)) == 1


# The caller's own parser, as adapters give it.


def number(text: str) -> int:
    return int(text)


@heals
def test_a_text_that_the_caller_cannot_parse_fails_the_gate(drive: Drive) -> None:
    scene = Scene({"a": "no number", "b": "42"}, drive)
    done = scene.run(Request(parse=number))
    assert done.output.text == "42"
    assert scene.booked[0] == ("a", "bad_output", "quality", 0.0)
    assert done.decision.outcomes[0].failure is not None
    assert done.decision.outcomes[0].failure.reason == "schema"


def test_the_parser_is_not_asked_about_tool_calls() -> None:
    calls = Output(text="", tool_calls=(ToolCall(name="f", arguments="{}"),))
    scene = Scene({"a": calls})
    assert scene.run(Request(parse=number)).decision.verified


def test_a_parsers_error_may_quote_the_output_and_is_not_shown() -> None:
    scene = Scene({"a": "secret"}, max_attempts=1)
    error = scene.error(Request(parse=number))
    assert isinstance(error, AllPathsFailed)
    assert "secret" not in str(error)
    assert "secret" not in str(error.__cause__)
