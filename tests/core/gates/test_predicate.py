"""`success_when` replaces the built-in check, and its own faults are nobody's failure."""

from __future__ import annotations

import asyncio
import functools
import logging
import threading

import numpy as np
import pytest

from kalibr_core.errors import ConfigError
from kalibr_core.gates.structural import PredicateGate, Reason
from kalibr_core.types import Output, Request, ToolCall, Verdict

TOOL = {"type": "function", "function": {"name": "now"}}


def check(predicate, text: str = "some text") -> Verdict:
    return PredicateGate(predicate, goal="g").check(Request(), Output(text=text))


def test_the_predicate_decides_and_sees_the_text():
    assert check(lambda text: "def " in text, "def f(): ...").passed is True
    verdict = check(lambda text: "def " in text, "nothing")
    assert (verdict.passed, verdict.reason) == (False, Reason.PREDICATE)


def test_the_built_in_check_no_longer_counts():
    assert check(lambda text: True, "I'm sorry, but I can't help with that.").passed is True
    assert check(lambda text: True, "").passed is True


@pytest.mark.parametrize(("answer", "passed"), [(np.True_, True), (np.False_, False)])
def test_numpys_bools_count(answer, passed):
    assert check(lambda text: answer).passed is passed


@pytest.mark.parametrize("answer", [1, 0.9, None, "yes", [], np.float64(1)])
def test_anything_but_a_bool_tells_nothing(answer):
    verdict = check(lambda text: answer)
    assert (verdict.passed, verdict.reason) == (None, Reason.PREDICATE_UNUSABLE)


def test_a_predicate_that_raises_is_logged_once_without_the_text(caplog):
    def fail(text):
        raise ValueError(f"cannot read {text}")

    gate = PredicateGate(fail, goal="billing")
    with caplog.at_level(logging.WARNING, "kalibr"):
        verdicts = [gate.check(Request(), Output(text="secret")) for _ in range(5)]
    assert all(verdict.passed is None for verdict in verdicts)
    (record,) = caplog.records
    assert "billing" in record.getMessage()
    assert "ValueError" in record.getMessage()
    assert "secret" not in caplog.text


def test_many_threads_log_once_together(caplog):
    gate = PredicateGate(lambda text: None, goal="g")
    with caplog.at_level(logging.WARNING, "kalibr"):
        threads = [
            threading.Thread(target=gate.check, args=(Request(), Output(text="x")))
            for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(caplog.records) == 1


def test_interrupts_are_not_swallowed():
    def interrupt(text):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        check(interrupt)


class AsyncCallable:
    async def __call__(self, text: str) -> bool:
        return True


async def _async(text: str) -> bool:
    return True


@pytest.mark.parametrize("predicate", [_async, AsyncCallable(), functools.partial(_async)])
def test_an_async_predicate_is_refused_at_once(predicate):
    with pytest.raises(ConfigError, match="async"):
        PredicateGate(predicate, goal="g")


@pytest.mark.parametrize("predicate", [None, True, "def "])
def test_what_cannot_be_called_is_refused_at_once(predicate):
    with pytest.raises(ConfigError, match="goal 'g'"):
        PredicateGate(predicate, goal="g")


@pytest.mark.filterwarnings("error")
def test_a_hidden_coroutine_tells_nothing_and_warns_nobody():
    assert check(lambda text: _async(text)).passed is None
    assert asyncio.run(_async("")) is True


def test_an_answer_of_tool_calls_alone_is_judged_by_its_calls():
    gate = PredicateGate(lambda text: "def " in text, goal="g")
    request = Request(tools=[TOOL])
    good = Output(text="", tool_calls=(ToolCall(name="now", arguments=""),))
    bad = Output(text="", tool_calls=(ToolCall(name="then", arguments=""),))
    assert gate.check(request, good).passed is True
    assert gate.check(request, bad).reason == Reason.TOOL_CALL
    cut = Output(text="", tool_calls=good.tool_calls, finish_reason="length")
    assert gate.check(request, cut).reason == Reason.TRUNCATED


def test_text_beside_tool_calls_goes_to_the_predicate():
    calls = (ToolCall(name="now", arguments=""),)
    output = Output(text="Let me see.", tool_calls=calls)
    gate = PredicateGate(lambda text: text == "Let me see.", goal="g")
    assert gate.check(Request(tools=[TOOL]), output).passed is True


def test_a_fallback_of_ones_own_judges_tool_calls():
    class No:
        def check(self, request: Request, output: Output) -> Verdict:
            return Verdict(passed=False, reason="no")

    gate = PredicateGate(lambda text: True, goal="g", fallback=No())
    output = Output(text="", tool_calls=(ToolCall(name="now", arguments=""),))
    assert gate.check(Request(tools=[TOOL]), output).reason == "no"
