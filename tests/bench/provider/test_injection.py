"""Degradation spoils a requested model's answers, and nothing else's."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from kalibr_bench.provider import (
    DEFAULT_MODELS,
    INJECTION_KINDS,
    LoopbackProvider,
    Model,
    count_tokens,
)

from .conftest import Ask, joined
from .tasks import document, is_valid, prompt_of


def injected(provider: LoopbackProvider, **more: Any) -> int:
    return sum(counts.injected for counts in provider.stats(**more).models.values())


def test_the_rate_is_the_share_of_spoilt_answers_and_all_kinds_occur(
    provider: LoopbackProvider, ask: Ask
) -> None:
    """500 documents at 0.7: within 4 standard errors, 0.082."""
    provider.degrade("gpt-4o", rate=0.7)
    good = sum(is_valid(ask.text(prompt_of(document(i)))) for i in range(500))
    assert abs(injected(provider) / 500 - 0.7) < 0.082
    assert good <= 500 - injected(provider)
    kinds = Counter(r.outcome for r in provider.requests() if r.outcome.startswith("injected"))
    assert set(kinds) == {f"injected:{kind}" for kind in INJECTION_KINDS}
    assert min(kinds.values()) > 30


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("kind", INJECTION_KINDS)
def test_every_kind_fails_the_task(
    provider: LoopbackProvider, ask: Ask, kind: str, stream: bool
) -> None:
    provider.degrade("gpt-4o", rate=1.0, kinds=[kind])
    prompt = prompt_of(document(1))
    text = joined(ask.chunks(prompt)) if stream else ask.text(prompt)
    assert not is_valid(text)
    assert (text == "") is (kind == "empty")
    if kind == "rate_limit_json":
        assert json.loads(text)["error"]["code"] == "rate_limit_exceeded"
    if kind == "empty_values":
        value = json.loads(text)
        assert set(value) == {"summary", "key_entities", "sentiment", "action_items"}
        assert value["summary"] == ""
        assert value["key_entities"] == []
        assert value["sentiment"] == {"label": "", "confidence": 0}


def test_a_dated_answer_name_does_not_escape_nor_does_a_dated_request(
    provider: LoopbackProvider, ask: Ask
) -> None:
    provider.degrade("gpt-4o", rate=1.0, kinds=["empty"])
    answer = ask(model="gpt-4o")
    assert answer.model == "gpt-4o-2024-08-06"
    assert answer.choices[0].message.content == ""
    assert ask.text(model="gpt-4o-2024-08-06") == ""


def test_it_is_keyed_on_the_request_even_if_the_answer_bears_the_degraded_name() -> None:
    disguised = Model(
        name="other",
        quality=1.0,
        latency_s=0.0,
        tokens_per_s=100.0,
        input_usd_per_mtok=1.0,
        output_usd_per_mtok=1.0,
        response_name="gpt-4o",
    )
    with LoopbackProvider([*DEFAULT_MODELS, disguised]) as provider:
        provider.degrade("gpt-4o", rate=1.0, kinds=["empty"])
        answer = Ask(provider)(model="other")
    assert answer.model == "gpt-4o"
    assert answer.choices[0].message.content


def test_other_models_are_left_alone_and_restore_ends_it(
    provider: LoopbackProvider, ask: Ask
) -> None:
    provider.degrade("gpt-4o", rate=1.0, kinds=["empty"])
    assert ask.text(model="gpt-4o-mini")
    assert ask.text() == ""
    provider.restore("gpt-4o")
    assert ask.text()


def test_tokens_may_be_in_different_phases(provider: LoopbackProvider) -> None:
    a, b = Ask(provider, key="a"), Ask(provider, key="b")
    provider.degrade("gpt-4o", rate=1.0, kinds=["empty"], token="a")
    assert (a.text(), bool(b.text())) == ("", True)
    provider.degrade("gpt-4o", rate=1.0, kinds=["empty"], token="b")
    provider.restore("gpt-4o", token="a")
    assert (bool(a.text()), b.text()) == (True, "")
    assert injected(provider, token="a") == injected(provider, token="b") == 1


def test_when_makes_the_phase_a_pure_function_of_the_requests_seed(
    provider: LoopbackProvider, ask: Ask
) -> None:
    provider.degrade("gpt-4o", rate=1.0, kinds=["empty"], when=(3, 5))
    assert [ask.text(seed=i) == "" for i in range(7)] == [False] * 3 + [True] * 2 + [False] * 2
    assert ask.text(), "no seed is seed 0"


def test_the_rule_added_last_holds(provider: LoopbackProvider, ask: Ask) -> None:
    provider.degrade("gpt-4o", rate=1.0, kinds=["empty"])
    provider.degrade("gpt-4o", rate=0.0, token="key-a")
    assert ask.text()
    assert Ask(provider, key="other").text() == ""


def test_the_injection_does_not_depend_on_the_answers_quality(
    provider: LoopbackProvider,
) -> None:
    """The share of injected answers is the same, whatever the model would have answered."""
    good, bad = Ask(provider, key="good"), Ask(provider, key="bad")
    plain = [good.text(prompt_of(document(i)), "gpt-3.5-turbo") for i in range(400)]
    provider.degrade("gpt-3.5-turbo", rate=0.5)
    spoilt = [bad.text(prompt_of(document(i)), "gpt-3.5-turbo") for i in range(400)]
    passed = sum(map(is_valid, plain))
    assert abs(sum(map(is_valid, spoilt)) - passed * 0.5) < 4 * (400 * 0.25) ** 0.5
    kept = [after for before, after in zip(plain, spoilt, strict=True) if before == after]
    assert kept, "what is not injected is the very answer of the healthy model"


def test_a_flawed_answer_is_injected_as_often_as_a_good_one() -> None:
    """Quality 0.5 and rate 0.5 over 400 documents: half of the injected ones were flawed before,
    within 4 standard errors of 200 (0.14)."""
    coin = replace(DEFAULT_MODELS[0], quality=0.5)
    with LoopbackProvider([coin]) as provider:
        healthy, degraded = Ask(provider, key="healthy"), Ask(provider, key="degraded")
        provider.degrade("gpt-4o", rate=0.5, token="degraded")
        for i in range(400):
            for ask in (healthy, degraded):
                ask(prompt_of(document(i)))
        before = [r.outcome for r in provider.requests(token="healthy")]
        after = [r.outcome for r in provider.requests(token="degraded")]
    spoilt = [b for b, a in zip(before, after, strict=True) if a.startswith("injected")]
    assert abs(sum(b.startswith("flawed") for b in spoilt) / len(spoilt) - 0.5) < 0.14


def test_the_executed_answer_is_billed_or_on_request_the_sent_one(
    provider: LoopbackProvider, ask: Ask
) -> None:
    prompt = prompt_of(document(3))
    whole = Ask(provider, key="z")(prompt).usage.completion_tokens
    provider.degrade("gpt-4o", rate=1.0, kinds=["refusal"])
    assert ask(prompt).usage.completion_tokens == whole
    provider.degrade("gpt-4o", rate=1.0, kinds=["refusal"], billed="sent")
    sent = ask(prompt)
    assert sent.usage.completion_tokens == count_tokens(sent.choices[0].message.content)


@pytest.mark.parametrize("kind", INJECTION_KINDS)
def test_tool_calls_are_spoilt_too(provider: LoopbackProvider, ask: Ask, kind: str) -> None:
    provider.degrade("gpt-4o", rate=1.0, kinds=[kind])
    schema = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    tool = {"type": "function", "function": {"name": "get_weather", "parameters": schema}}
    message = ask("Weather in Paris?", tools=[tool]).choices[0].message
    if kind == "empty_values":
        assert json.loads(message.tool_calls[0].function.arguments) == {"city": ""}
    else:
        assert not message.tool_calls


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        ({"rate": 1.5}, "rate must be"),
        ({"kinds": ["gremlin"]}, "kinds must be"),
        ({"kinds": []}, "kinds must be"),
        ({"when": (5, 3)}, "when must be"),
        ({"billed": "twice"}, "billed must be"),
    ],
)
def test_bad_degradations_are_refused(
    provider: LoopbackProvider, bad: dict[str, Any], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        provider.degrade("gpt-4o", **bad)


def test_an_unknown_model_is_refused(provider: LoopbackProvider) -> None:
    with pytest.raises(ValueError, match="unknown model"):
        provider.degrade("gpt-9")
    with pytest.raises(ValueError, match="unknown model"):
        provider.restore("gpt-9")
