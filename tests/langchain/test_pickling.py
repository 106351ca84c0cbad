"""Copies within a process share what is learned; those of another process have no keys."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest
from langchain_openai import AzureChatOpenAI, ChatOpenAI

from kalibr_bench.provider import LoopbackProvider
from kalibr_core import Path, Router
from kalibr_langchain import ChatKalibr

SECRET = "sk-secret-12345678"


@pytest.fixture(autouse=True)
def _at(shared_server: LoopbackProvider, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KALIBR_BASE_URL", shared_server.base_url)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-the-environment")
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", "sk-of-the-environment")
    monkeypatch.setenv("KALIBR_API_KEY", "sk-of-the-environment")


def is_long(text: str) -> bool:
    return len(text) > 1


def model(*paths: Any, **settings: Any) -> ChatKalibr:
    given = {"goal": "pickling", "paths": list(paths) or ["gpt-4o"], "ledger": "memory"}
    return ChatKalibr(**{**given, **settings})


def sent(one: ChatKalibr) -> ChatKalibr:
    text = pickle.dumps(one)
    assert SECRET.encode() not in text
    found = pickle.loads(text)
    assert isinstance(found, ChatKalibr)
    return found


def test_settings_survive() -> None:
    settings = {
        "task": "extraction",
        "timeout": 5.0,
        "max_attempts": 2,
        "temperature": 0.1,
        "max_tokens": 50,
        "stop": ["END"],
        "seed": 1,
        "model_kwargs": {"top_p": 0.5},
        "success_when": is_long,
        "stream_mode": "hold",
    }
    one = model("gpt-4o", {"model": "gpt-4o-mini", "params": {"temperature": 0.2}}, **settings)
    other = sent(one)
    for name in (*type(one).model_fields,):
        if name != "routers":
            assert getattr(other, name) == getattr(one, name)
    assert [path.id for path in other.core.paths] == [path.id for path in one.core.paths]


def test_another_process_has_a_router_of_its_own() -> None:
    one = model()
    other = sent(one)
    assert other.core is not one.core
    assert other.invoke("Hi").text


@pytest.mark.parametrize(
    "path",
    [
        {"model": "gpt-4o", "api_key": SECRET},
        Path(model="gpt-4o", api_key=SECRET),
        ChatOpenAI(model="gpt-4o", api_key=SECRET),  # type: ignore[arg-type]  # a plain key will do
        {"model": ChatOpenAI(model="gpt-4o", api_key=SECRET), "name": "gpt-4o"},  # type: ignore[arg-type]  # the same
    ],
    ids=["dict", "Path", "chat model", "chat model in a dict"],
)
def test_keys_stay_in_the_process(path: Any) -> None:
    one = model(path)
    assert [found.id for found in sent(one).core.paths] == ["gpt-4o"]
    assert one.core.paths[0].id == "gpt-4o"
    assert SECRET not in repr(one)


@pytest.mark.parametrize("name", ["authorization", "x-api-key"])
def test_headers_that_hold_keys_stay_and_the_paths_id_too(name: str) -> None:
    one = model({"model": "gpt-4o", "params": {"extra_headers": {name: SECRET, "x-team": "blue"}}})
    (path,), (other,) = one.core.paths, sent(one).core.paths
    assert other.id == path.id
    assert other.params == {"extra_headers": {"x-team": "blue"}}


def test_the_models_own_key_stays_too() -> None:
    one = model(api_key=SECRET)
    assert sent(one).api_key is None
    assert one.api_key is not None
    assert one.api_key.get_secret_value() == SECRET


def test_chat_models_are_remade_from_their_settings(shared_server: LoopbackProvider) -> None:
    given = ChatOpenAI(
        model="gpt-4o",
        base_url=shared_server.base_url,
        api_key=SECRET,  # type: ignore[arg-type]  # a plain key will do
        temperature=0.3,
        max_tokens=700,  # type: ignore[call-arg]  # its own name, beside the alias
        max_retries=5,
        default_headers={"x-team": "blue"},
    )
    other = sent(model(given, {"model": given, "name": "wrapped", "tools": False}))
    assert other.paths is not None
    remade, wrapped = other.paths[0], other.paths[1]["model"]
    for found in (remade, wrapped):
        assert type(found) is ChatOpenAI
        assert found is not given
        assert (found.model_name, found.temperature, found.max_tokens) == ("gpt-4o", 0.3, 700)
        assert (found.max_retries, found.default_headers) == (5, {"x-team": "blue"})
        assert found.root_client.api_key == "sk-of-the-environment"
    assert other.paths[1]["tools"] is False
    assert other.invoke("Hi").text


def test_a_chat_model_of_another_class_is_remade_as_such() -> None:
    given = AzureChatOpenAI(
        azure_deployment="gpt-4o",
        azure_endpoint="https://us.example.com",
        api_version="2024-10-21",
        api_key=SECRET,  # type: ignore[arg-type]  # a plain key will do
    )
    other = sent(model({"model": given, "name": "azure"}))
    assert other.paths is not None
    remade = other.paths[0]["model"]
    assert type(remade) is AzureChatOpenAI
    assert remade.azure_endpoint == "https://us.example.com"
    assert remade.deployment_name == "gpt-4o"


def test_a_ready_router_cannot_go_along() -> None:
    with Router(goal="pickling", paths=["gpt-4o"], ledger="memory") as router:
        one = ChatKalibr(router=router)
        with pytest.raises(pickle.PicklingError, match=r"ready router=.*give goal= and paths="):
            pickle.dumps(one)


@pytest.mark.parametrize(
    "copied",
    [
        copy.copy,
        copy.deepcopy,
        lambda one: one.model_copy(),
        lambda one: one.model_copy(deep=True),
    ],
)
def test_copies_within_the_process_learn_together(copied: Any) -> None:
    one = model({"model": "gpt-4o", "api_key": SECRET})
    other = copied(one)
    assert other is not one
    assert other.core is one.core
    assert other.paths == one.paths


def test_a_copy_of_a_given_router_has_it_too() -> None:
    with Router(goal="pickling", paths=["gpt-4o"], ledger="memory") as router:
        one = ChatKalibr(router=router)
        assert one.core is router
        assert all(found.core is router for found in (copy.copy(one), copy.deepcopy(one)))


@pytest.mark.parametrize(
    "update",
    [
        {"goal": "another"},
        {"paths": ["gpt-4o-mini"]},
        {"deadline_s": 5.0},
        {"success_when": is_long},
    ],
)
def test_a_copy_with_another_routers_settings_has_its_own(update: dict[str, Any]) -> None:
    one = model()
    other = one.model_copy(update=update)
    assert other.core is not one.core
    assert one.model_copy(update=update).core is other.core
    assert one.core is one.model_copy().core


@pytest.mark.parametrize(
    "update", [{"temperature": 0.5}, {"max_tokens": 5}, {"stop": ["x"]}, {"streaming": True}]
)
def test_a_copy_with_another_calls_settings_learns_along(update: dict[str, Any]) -> None:
    one = model()
    assert one.model_copy(update=update).core is one.core


def test_a_setting_that_is_changed_holds_from_then_on() -> None:
    one = model()
    before = one.core
    one.goal = "another"
    assert one.core.goal == "another"
    one.goal = "pickling"
    assert one.core is before


def test_the_key_of_a_server_is_found_again_in_the_environment(
    server: LoopbackProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = ChatKalibr(
        goal="g",
        paths=["gpt-4o"],
        base_url=server.base_url,
        api_key="sk-here-0123456789",  # type: ignore[arg-type]  # pydantic takes a plain key
        ledger="memory",
    )
    packed = pickle.dumps(model)
    assert b"sk-here-0123456789" not in packed
    monkeypatch.setenv("KALIBR_API_KEY", "sk-there-0123456789")
    pickle.loads(packed).invoke("hi")
    assert server.stats("sk-there-0123456789")["gpt-4o"].requests == 1
