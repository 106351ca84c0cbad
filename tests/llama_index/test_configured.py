"""What a KalibrLLM is made of: its settings, the Router behind them, and its copies."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from llama_index.core.llms import MockLLM
from llama_index.llms.openai import OpenAI

from kalibr_bench.provider import LoopbackProvider
from kalibr_core import ConfigError, Path, Router
from kalibr_core.errors import RouterClosed
from kalibr_core.testing import FirstArm
from kalibr_llama_index import KalibrLLM
from tests.core.scene import warnings_of

SECRET = "sk-secret-12345678"


@pytest.fixture(autouse=True)
def _at(shared_server: LoopbackProvider, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KALIBR_BASE_URL", shared_server.base_url)


def llm(*paths: Any, **settings: Any) -> KalibrLLM:
    given = {"goal": "g", "paths": list(paths) or ["gpt-4o"], "ledger": "memory"}
    return KalibrLLM(**{**given, **settings})


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, "needs goal and paths, such as KalibrLLM"),
        ({"goal": "g"}, "needs goal and paths"),
        ({"paths": ["gpt-4o"]}, "needs goal and paths"),
        ({"goal": " ", "paths": ["gpt-4o"]}, "goal must be a non-empty string"),
        ({"goal": "g", "paths": []}, "paths is empty"),
        ({"goal": "g", "paths": ["a", "a"]}, "two paths have the id"),
        ({"goal": "g", "paths": ["gpt-4o"], "max_attempts": 0}, "max_attempts"),
        ({"goal": "g", "paths": ["gpt-4o"], "max_attempts": 1, "max_retries": 1}, "not both"),
        ({"goal": "g", "paths": ["gpt-4o"], "timeout": -1}, "timeout_s"),
        ({"goal": "g", "paths": ["gpt-4o"], "policy": object()}, "policy must have"),
        ({"router": object()}, r"router must be a kalibr_core\.Router"),
    ],
)
def test_what_cannot_be_routed_is_told_at_once(given: Any, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        KalibrLLM(**given)


@pytest.mark.parametrize("name", ["goal", "paths"])
def test_a_router_stands_in_the_place_of_goal_and_paths(name: str) -> None:
    router = Router(goal="g", paths=["gpt-4o"], ledger="memory")
    with router, pytest.raises(ConfigError, match="router, or goal and paths, not both"):
        KalibrLLM(router=router, **{name: {"goal": "g", "paths": ["a"]}[name]})


@pytest.mark.parametrize(
    "given",
    [
        {"paths": {"model": "gpt-4o", "api_key": SECRET}},
        {"paths": Path(model="gpt-4o", api_key=SECRET)},
        {"paths": [{"model": "gpt-4o", "api_key": SECRET, "odd": 1}]},
        {"paths": [{"model": "gpt-4o", "api_key": SECRET, "timeout_s": -1}]},
        {"paths": [OpenAI(model="gpt-4o", api_key=SECRET)] * 2},
        {"api_key": [SECRET]},
        {"temperature": "warm", "api_key": SECRET},
        {"additional_kwargs": {"api_key": SECRET}},
        {"additional_kwargs": {"extra_headers": {"x-api-key": SECRET}, "model": "m"}},
    ],
    ids=range(9),
)
def test_what_is_told_of_wrong_settings_holds_no_key(given: dict[str, Any]) -> None:
    with pytest.raises(ValueError) as caught:  # pydantic's or ours
        llm(**given)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("paths", ["gpt-4o", {"model": "gpt-4o"}, MockLLM()])
def test_paths_that_are_no_list_are_told(paths: Any) -> None:
    with pytest.raises(ValueError):  # pydantic's or ours
        KalibrLLM(goal="g", paths=paths, ledger="memory")


@pytest.mark.parametrize("name", ["timeout", "request_timeout", "timeout_s"])
def test_llama_indexs_words_for_a_time_out_are_taken(name: str) -> None:
    one = llm(**{name: 3.0})
    assert one.timeout_s == 3.0
    assert one.core.limits.timeout_s == 3.0


def test_retries_are_attempts_after_the_first() -> None:
    assert llm(max_retries=0).core.limits.max_attempts == 1
    assert llm(max_retries=4).core.limits.max_attempts == 5
    assert llm().core.limits.max_attempts == 3


@pytest.mark.parametrize("name", ["model", "messages", "stream", "tools", "n", "timeout"])
def test_further_parameters_are_the_providers_alone(name: str) -> None:
    with pytest.raises(ValueError, match=f"additional_kwargs has '{name}'"):
        llm(additional_kwargs={name: 1})


def test_defaults_are_what_was_said() -> None:
    assert llm()._defaults == {}
    assert llm(temperature=0.0, max_tokens=5)._defaults == {"temperature": 0.0, "max_tokens": 5}
    assert llm(additional_kwargs={"top_p": 1, "top_k": 3})._defaults == {
        "top_p": 1,
        "extra_body": {"top_k": 3},
    }


def test_settings_that_reach_no_path_are_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    llm(MockLLM(), temperature=0.5)
    (warning,) = (told for told in warnings_of(caplog) if "temperature" in told)
    assert "temperature of KalibrLLM is for paths that are named" in warning
    llm("gpt-4o", MockLLM(), temperature=0.5)
    assert [told for told in warnings_of(caplog) if "temperature" in told] == [warning]


def test_the_callers_list_and_dicts_stay_as_they_are() -> None:
    paths: list[Any] = ["gpt-4o", {"model": "gpt-4o-mini", "api_key": SECRET, "params": {}}]
    kwargs = {"extra_body": {"a": 1}}
    one = llm(*paths, additional_kwargs=kwargs)
    one.complete("Hi")
    assert paths == ["gpt-4o", {"model": "gpt-4o-mini", "api_key": SECRET, "params": {}}]
    assert type(paths[1]["api_key"]) is str
    assert kwargs == {"extra_body": {"a": 1}}


@pytest.mark.parametrize(
    "update",
    [{"goal": "another"}, {"paths": ["gpt-4o-mini"]}, {"deadline_s": 5.0}, {"seed": 3},
     {"policy": FirstArm()}],
)  # fmt: skip
def test_a_copy_with_another_routers_settings_has_its_own(update: dict[str, Any]) -> None:
    one = llm()
    other = one.model_copy(update=update)
    assert other.core is not one.core
    assert one.model_copy(update=update).core is other.core
    assert one.core is one.model_copy().core


@pytest.mark.parametrize(
    "update", [{"temperature": 0.5}, {"max_tokens": 5}, {"additional_kwargs": {"top_p": 1}}]
)
def test_a_copy_with_another_calls_settings_learns_along(update: dict[str, Any]) -> None:
    one = llm()
    other = one.model_copy(update=update)
    assert other.core is one.core
    assert other._defaults == {**update.pop("additional_kwargs", {}), **update}
    assert one._defaults == {}


def test_a_setting_that_is_changed_holds_from_then_on() -> None:
    one = llm()
    before = one.core
    one.goal = "another"
    assert one.core.goal == "another"
    one.goal = "g"
    assert one.core is before
    one.temperature = 0.3
    assert one._defaults == {"temperature": 0.3}


def test_a_key_that_is_changed_holds_from_then_on() -> None:
    one = llm()
    changed = one.model_copy(update={"api_key": SECRET})
    assert SECRET not in repr(changed)
    assert changed.core is not one.core
    one.api_key = SECRET  # type: ignore[assignment]  # as LlamaIndex's OpenAI takes it
    assert one.complete("Hi").text


def test_copies_for_two_users_headers_are_two() -> None:
    """A web service may make a copy for each of its users."""
    paths = [
        [{"model": "gpt-4o", "params": {"extra_headers": {"authorization": f"Bearer {who}"}}}]
        for who in ("alice-12345678", "bob-12345678")
    ]
    one = llm()
    first, second = (one.model_copy(update={"paths": found}) for found in paths)
    assert first.core is not second.core


def test_threads_make_one_router() -> None:
    one = llm()
    copies = [one.model_copy(update={"goal": "threads"}) for _ in range(32)]
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(lambda copy: id(copy.core), copies))
    assert len(found) == 1


def test_after_closing_calls_raise_and_closing_again_does_not() -> None:
    one = llm()
    one.complete("Hi")
    one.close()
    one.close()
    with pytest.raises(RouterClosed):
        one.complete("Hi")


def test_it_is_told_by_its_name_everywhere() -> None:
    assert KalibrLLM.class_name() == "KalibrLLM"
    assert llm().to_dict()["class_name"] == "KalibrLLM"
    assert llm().metadata.model_name == "kalibr/g"
