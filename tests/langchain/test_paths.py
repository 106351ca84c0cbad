"""What may stand in `paths`, how each is named, and what is told where one cannot be."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_anthropic import ChatAnthropic
from langchain_core.language_models import BaseChatModel, FakeListChatModel
from langchain_openai import ChatOpenAI

from kalibr_core import ConfigError, Path
from kalibr_core.adapter.listing import Listed
from kalibr_langchain.paths import CHAT_MODELS, capabilities

SECRET = "sk-12345678"


def openai_model(**settings: Any) -> ChatOpenAI:
    return ChatOpenAI(**{"model": "gpt-4o", "api_key": SECRET, **settings})


def claude(**settings: Any) -> ChatAnthropic:
    return ChatAnthropic(**{"model": "claude-sonnet-4-5", "api_key": SECRET, **settings})


def fake() -> FakeListChatModel:
    return FakeListChatModel(responses=["a"])


def listed(spec: Any) -> Listed[BaseChatModel]:
    return CHAT_MODELS.listed([spec])[0]


def ids(*specs: Any) -> list[str]:
    return [entry.path.id for entry in CHAT_MODELS.listed(specs)]


def test_names_dicts_paths_and_chat_models_may_be_mixed() -> None:
    model = openai_model(model="gpt-4.1")
    path = Path(model="deepseek-chat")
    named, parsed, given, wrapped, adapted = CHAT_MODELS.listed(
        ["gpt-4o", {"model": "gpt-4o-mini"}, path, {"model": model, "name": "mine"}, claude()]
    )
    assert [named.model, parsed.model, given.model] == [None, None, None]
    assert given.path is path
    assert wrapped.model is model
    assert (wrapped.path.id, wrapped.path.model) == ("mine", "gpt-4.1")
    assert (adapted.path.model, adapted.path.provider) == ("claude-sonnet-4-5", "adapter")


@pytest.mark.parametrize("make", [tuple, list])
def test_any_sequence_will_do(make: Any) -> None:
    assert [entry.path.id for entry in CHAT_MODELS.listed(make(["a", "b"]))] == ["a", "b"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (openai_model(temperature=0.1), openai_model(temperature=0.2)),
        (openai_model(max_tokens=10), openai_model(max_tokens=20)),
        (openai_model(), openai_model(base_url="http://localhost:8000/v1")),
        (openai_model(), openai_model(reasoning_effort="low")),
        (claude(temperature=0.1), claude(temperature=0.2)),
    ],
)
def test_models_that_differ_have_two_ids(one: BaseChatModel, other: BaseChatModel) -> None:
    assert len(set(ids(one, other))) == 2


def test_the_same_settings_have_the_same_id_each_time() -> None:
    one, other = (openai_model(temperature=0.1, top_p=0.5) for _ in range(2))
    assert ids(one) == ids(other) == ["gpt-4o?temperature=0.1&top_p=0.5"]


def test_what_does_not_tell_two_paths_apart_is_not_in_an_id() -> None:
    plain = ids(openai_model())
    assert ids(openai_model(streaming=True)) == plain
    assert ids(openai_model(timeout=3, max_retries=7)) == plain
    assert ids(claude(max_retries=7)) == ids(claude())


@pytest.mark.parametrize(
    "model",
    [
        openai_model(default_headers={"x-key": "hunter2"}),
        openai_model(model_kwargs={"user": "hunter2" * 8}),
        openai_model(base_url="http://user:hunter2@localhost:8000/v1"),
        openai_model(organization="hunter2"),
        openai_model(extra_body={"key": "hunter2"}),
        claude(default_headers={"x-key": "hunter2"}),
    ],
)
def test_no_secret_is_in_an_id_or_repr(model: BaseChatModel) -> None:
    path = listed(model).path
    for text in (path.id, repr(path)):
        assert "hunter2" not in text
        assert SECRET not in text


def test_a_models_own_server_is_in_its_id() -> None:
    model = openai_model(base_url="http://localhost:8000/v1")
    assert ids(model) == ["gpt-4o@localhost:8000/v1"]
    assert ids({"model": model, "name": "mine"}) == ["mine"]


def test_what_is_declared_wins_over_the_profile() -> None:
    model = openai_model(
        profile={"tool_calling": True, "image_inputs": True, "max_input_tokens": 1000}
    )
    assert capabilities(model) == {"tools": True, "images": True, "context_window": 1000}
    path = listed({"model": model, "tools": False, "context_window": 50}).path
    assert (path.tools, path.images, path.context_window) == (False, True, 50)


def test_what_no_profile_tells_is_unknown() -> None:
    path = listed(openai_model(model="of-our-own")).path
    assert (path.tools, path.images, path.context_window) == (None, None, None)


def test_a_model_that_binds_no_tools_has_none() -> None:
    path = listed(fake()).path
    assert path.tools is False


def test_prices_and_times_may_be_declared() -> None:
    said = {"input_usd_per_mtok": 1.0, "output_usd_per_mtok": 2.0, "timeout_s": 3.0}
    path = listed({"model": fake(), **said}).path
    assert {name: getattr(path, name) for name in said} == said


ERRORS: list[tuple[Any, str]] = [
    ("gpt-4o", r"paths must be a list, got str; write paths=\[...\]"),
    ({"model": "gpt-4o"}, "paths must be a list, got dict"),
    (Path(model="gpt-4o"), "paths must be a list, got Path"),
    (openai_model(), "paths must be a list, got ChatOpenAI"),
    (5, "paths must be a list, got int"),
    ([], "paths is empty"),
    (["gpt-4o", "gpt-4o"], "two paths have the id 'gpt-4o'; .*name="),
    ([openai_model(), openai_model()], "two paths have the id 'gpt-4o'"),
    ([5], "a path is a model's name, a dict, a Path or a chat model, got int$"),
    ([openai_model().bind(stop=["x"])], "got .*Binding; bind_tools .* go on ChatKalibr itself"),
    ([{"name": "x"}], "a path needs a model"),
    ([{"model": "m", "temperature": 0.1}], "unknown path field 'temperature'.*params="),
    ([{"model": openai_model(), "params": {}}], "does not take 'params': set it on the model"),
    ([{"model": openai_model(), "provider": "x"}], "does not take 'provider'"),
    ([openai_model(n=2)], "ChatOpenAI has n=2; several answers"),
    ([{"model": "gpt-4o", "params": {"n": 2}}], "params has 'n'"),
    ([{"model": "m", "provider": "adapter"}], "provider='adapter', but a chat model is not given"),
    ([{"model": openai_model(), "timeout_s": -1}], "timeout_s must not be zero or negative"),
]


@pytest.mark.parametrize(("specs", "text"), ERRORS)
def test_what_is_no_list_of_paths_is_told(specs: Any, text: str) -> None:
    with pytest.raises(ConfigError, match=text) as caught:
        CHAT_MODELS.listed(specs)
    assert SECRET not in str(caught.value)
