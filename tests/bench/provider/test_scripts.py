"""An app can say what the models answer: a queue of answers, or a function."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import openai
import pytest

from kalibr_bench.provider import Answer, Fault, LoopbackProvider, ToolCall

from .conftest import BROKEN, Ask, drain, joined


def test_scripted_answers_come_in_order_and_then_the_models_own(
    provider: LoopbackProvider, ask: Ask
) -> None:
    provider.script("gpt-4o", ["one", Answer(text="two", finish_reason="length")])
    provider.script("gpt-4o", ["three"])
    answers = [ask().choices[0] for _ in range(4)]
    assert [a.message.content for a in answers[:3]] == ["one", "two", "three"]
    assert answers[1].finish_reason == "length"
    assert answers[3].message.content not in ("one", "two", "three")


def test_a_script_is_sent_as_it_is(provider: LoopbackProvider, ask: Ask) -> None:
    """No injection, stop word or token limit touches it."""
    provider.degrade("gpt-4o", rate=1.0)
    provider.script("gpt-4o", ["exactly this"] * 2)
    assert ask.text(stop="this", max_tokens=1) == "exactly this"
    assert joined(ask.chunks()) == "exactly this"


def test_a_script_of_one_model_or_token_leaves_others_alone(provider: LoopbackProvider) -> None:
    a, b = Ask(provider, key="a"), Ask(provider, key="b")
    provider.script("gpt-4o", ["mine"], token="a")
    assert b.text() != "mine"
    assert a.text(model="gpt-4o-mini") != "mine"
    assert a.text() == "mine"


def test_scripted_tool_calls_get_ids(provider: LoopbackProvider, ask: Ask) -> None:
    calls = (ToolCall(name="f", arguments='{"x": 1}'), ToolCall(name="g", id="call_mine"))
    provider.script("gpt-4o", [Answer(text=None, tool_calls=calls)])
    choice = ask().choices[0]
    assert choice.finish_reason == "tool_calls"
    assert choice.message.content is None
    assert [c.function.name for c in choice.message.tool_calls] == ["f", "g"]
    assert choice.message.tool_calls[0].id.startswith("call_")
    assert choice.message.tool_calls[1].id == "call_mine"


def test_scripted_faults_strike_in_their_turn(provider: LoopbackProvider, ask: Ask) -> None:
    provider.script(
        "gpt-4o",
        [
            Fault(kind="unavailable"),
            "fine",
            Answer(text="a b c d e f", fault=Fault(kind="disconnect", after_tokens=2)),
            Fault(kind="length", after_tokens=2),
        ],
    )
    with pytest.raises(openai.InternalServerError):
        ask()
    assert ask.text() == "fine"
    seen: list[Any] = []
    with pytest.raises(BROKEN):
        drain(ask(stream=True), seen)
    assert joined(seen) == "a b"
    assert ask("Explain gravity").choices[0].finish_reason == "length"


def test_refusal_field_and_cached_tokens_can_be_scripted(
    provider: LoopbackProvider, ask: Ask
) -> None:
    answer = Answer(text=None, refusal="I can't do that.", cached_tokens=5)
    provider.script("gpt-4o", [answer, answer])
    whole = ask()
    assert whole.choices[0].message.refusal == "I can't do that."
    assert whole.usage.prompt_tokens_details.cached_tokens == 5
    pieces = [c.choices[0].delta.refusal or "" for c in ask.chunks()]
    assert "".join(pieces) == "I can't do that."


def test_a_bad_script_is_refused(provider: LoopbackProvider) -> None:
    with pytest.raises(TypeError, match="an answer is"):
        provider.script("gpt-4o", [5])  # type: ignore[list-item]
    with pytest.raises(ValueError, match="unknown model"):
        provider.script("gpt-9", ["x"])


def test_a_responder_answers_with_text_answer_fault_or_leaves_it_to_the_model() -> None:
    def responder(request: Mapping[str, Any]) -> Answer | Fault | str | None:
        text = request["messages"][-1]["content"]
        told: dict[str, Answer | Fault | str] = {
            "text": "plain",
            "json": Answer(text=json.dumps({"model": request["model"]})),
            "fault": Fault(kind="rate_limit"),
        }
        return told.get(text)

    with LoopbackProvider(responder=responder) as provider:
        ask = Ask(provider)
        assert ask.text("text") == "plain"
        assert json.loads(ask.text("json")) == {"model": "gpt-4o"}
        with pytest.raises(openai.RateLimitError):
            ask("fault")
        assert ask.text("Explain gravity")
        provider.degrade("gpt-4o", rate=1.0, kinds=["empty"])
        assert ask.text("text") == "", "a responder stands for the model, so injection follows it"


def test_a_responder_that_raises_is_a_500_and_the_server_lives_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def responder(request: Mapping[str, Any]) -> str:
        raise LookupError("no such thing")

    with LoopbackProvider(responder=responder) as provider:
        ask = Ask(provider)
        for _ in range(2):
            with pytest.raises(openai.InternalServerError, match="no such thing"):
                ask()
    assert "responder" in caplog.text


def test_a_responder_needs_thread_mode() -> None:
    with pytest.raises(ValueError, match="thread mode"):
        LoopbackProvider(process=True, responder=lambda request: "x")
