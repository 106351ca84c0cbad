"""Who judges, and with whose key: nobody gets to see prompts or keys who should not."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from kalibr_bench.provider import DEFAULT_MODELS, LoopbackProvider
from kalibr_core import ConfigError, Judge, Router

from .judged import KEY, judges, make


@pytest.fixture
def provider() -> Iterator[LoopbackProvider]:
    served = [replace(model, quality=1.0) for model in DEFAULT_MODELS]
    with LoopbackProvider(served) as running:
        yield running


def test_only_the_judges_goals_are_judged(provider: LoopbackProvider) -> None:
    judge = Judge(model=lambda request, output: 1.0, rate=1.0, goals=["research"])
    assert make(provider, judge)._judging is None
    assert make(provider, judge, goal="research")._judging is not None


ON_PREMISES = {"model": "deepseek-r1", "base_url": "http://10.0.0.5:8000/v1"}


OWN_KEY = {"model": "deepseek-chat", "api_key": "sk-of-this-path"}


@pytest.mark.parametrize(
    ("goal", "paths", "judged"),
    [
        ("research", ["gpt-4o", "deepseek-coder"], True),
        ("outreach_generation", ["deepseek-coder"], True),
        ("research", [OWN_KEY], True),
        ("research", ["gpt-4o"], False),
        ("research", [ON_PREMISES], False),
        ("support", ["deepseek-coder"], False),
    ],
)
def test_by_default_nobody_gets_to_see_prompts_who_does_not_anyway(
    goal: str, paths: list[Any], judged: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEEPSEEK_API_KEY", KEY)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    router = Router(goal, paths=paths, ledger="memory")
    assert (router._judging is not None) is judged
    assert Router(goal, paths=paths, ledger="memory", judge=None)._judging is None


@pytest.mark.parametrize("judge", [7, "gpt-4o", Judge, {"model": "gpt-4o"}])
def test_what_is_no_judge_is_told(judge: Any, provider: LoopbackProvider) -> None:
    with pytest.raises(ConfigError, match="judge"):
        make(provider, judge)


def test_a_judge_without_a_key_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with pytest.raises(ConfigError, match="DEEPSEEK_API_KEY"):
        Router("g", paths=["gpt-4o"], ledger="memory", judge=Judge())


def test_the_routers_key_goes_to_no_judge_of_another_server(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DEEPSEEK_API_KEY", "sk-the-judges-own")
    router = Router("g", paths=["gpt-4o"], api_key=KEY, ledger="memory", judge=Judge())
    assert [endpoint.api_key for endpoint in judges(router)] == ["sk-the-judges-own"]


def test_the_routers_key_goes_to_no_server_that_the_judge_names_itself(
    provider: LoopbackProvider,
) -> None:
    judge = Judge(model={"model": "m", "base_url": "http://other.example/v1"})
    (endpoint,) = judges(make(provider, judge))
    assert (endpoint.base_url, endpoint.api_key) == ("http://other.example/v1", "none")


def test_a_gateways_key_is_the_judges_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KALIBR_BASE_URL", "http://gateway.example/v1")
    router = Router("g", paths=["gpt-4o"], api_key=KEY, ledger="memory", judge=Judge())
    assert [(e.base_url, e.api_key) for e in judges(router)] == [("http://gateway.example/v1", KEY)]


def test_the_default_judge_has_the_key_of_the_path_that_it_is_there_for() -> None:
    router = Router("research", paths=[OWN_KEY], ledger="memory")
    assert [endpoint.api_key for endpoint in judges(router)] == ["sk-of-this-path"]


def test_no_key_is_shown() -> None:
    import pickle

    judge = Judge(model=[{"model": "x", "api_key": KEY, "base_url": "http://x.example"}])
    assert KEY not in repr(judge) + str(pickle.dumps(judge))
    with pytest.raises(ConfigError) as caught:
        Router("g", paths=["ollama/a"], ledger="memory", judge={"model": "x", "api_key": KEY})  # type: ignore[arg-type]
    assert KEY not in str(caught.value)


def test_a_budget_that_cannot_be_kept_is_told(
    provider: LoopbackProvider, caplog: pytest.LogCaptureFixture
) -> None:
    unpriced = {"model": "nobody-7b", "base_url": provider.base_url}
    with caplog.at_level(logging.WARNING, "kalibr"):
        make(provider, Judge(model=unpriced))
        make(provider, Judge(model=unpriced, daily_budget_usd=None))
        make(provider, Judge())
    assert [
        record.message for record in caplog.records if "daily_budget_usd" in record.message
    ] == [
        "kalibr: goal 'test': a judge's price is unknown, so that its daily_budget_usd cannot be "
        "kept; declare input_usd_per_mtok and output_usd_per_mtok"
    ]


def test_a_judges_missing_key_is_told_as_the_judges(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with pytest.raises(ConfigError, match=r"^the judge's model: path 'deepseek-chat' needs a key"):
        Router("g", paths=["gpt-4o"], ledger="memory", judge=Judge())


@pytest.mark.parametrize(
    ("goal", "judge", "told"),
    [
        (
            "research",
            Judge(goals=["reserch"]),
            "goals are ['reserch']; is 'reserch' meant to be this one?",
        ),
        ("support", Judge(goals=["research"]), "goals are ['research']"),
        ("Research", "default", "by default those of goal 'research' are"),
        ("research", "default", "none of its paths is DeepSeek's"),
        ("support", "default", None),
        ("code_generation", "default", None),  # a task of its own, however like another's name
        ("research", None, None),
    ],
)
def test_why_a_judge_is_off_is_told(
    goal: str,
    judge: Any,
    told: str | None,
    provider: LoopbackProvider,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.INFO, "kalibr"):
        router = make(provider, judge, goal=goal)
    assert router._judging is None
    found = [record.message for record in caplog.records if "not judged" in record.message]
    assert len(found) == (told is not None)
    assert (told or "") in "".join(found)
    assert ("meant" in "".join(found)) is ("meant" in (told or ""))


class Chat:
    """Looks like a framework's model."""

    def invoke(self, messages: object) -> object:
        raise NotImplementedError


class Completes:
    """Looks like another's."""

    def complete(self, prompt: str) -> object:
        raise NotImplementedError


@pytest.mark.parametrize(
    ("model", "home"), [(Chat(), "kalibr_langchain"), (Completes(), "kalibr_llama_index")]
)
def test_a_frameworks_model_is_shown_the_way(
    model: Any, home: str, provider: LoopbackProvider
) -> None:
    with pytest.raises(ConfigError, match=f"judged_by.*from {home} import judged_by"):
        make(provider, model)
    with pytest.raises(ConfigError, match="judged_by"):
        Judge(model=model)
