"""A path that is a model's name, and the LLM that calls it: any server, any model."""

from __future__ import annotations

from typing import Any

import pytest
from llama_index.core.llms import ChatMessage

from kalibr_bench.provider import LoopbackProvider
from kalibr_core import ConfigError, Path
from kalibr_core.providers import endpoint_of
from kalibr_llama_index.clients import unretried
from kalibr_llama_index.named import NamedLLM, named_llm

from .ways import WAYS, ask, text_of

KEY = "sk-12345678"


def made(model: str = "gpt-4o", *, base_url: str | None = None, **fields: Any) -> Any:
    path = Path(model=model, **fields)
    return named_llm(path, endpoint_of(path, base_url=base_url, api_key=KEY))


def arguments(llm: Any, **given: Any) -> dict[str, Any]:
    found: dict[str, Any] = llm._get_model_kwargs(**given)
    return found


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("model", ["gpt-4o", "claude-sonnet-4", "of-our-own"])
def test_any_model_is_called_any_way(model: str, way: str, shared_server: LoopbackProvider) -> None:
    llm = made(model, base_url=shared_server.base_url, context_window=1000)
    if model == "of-our-own":
        assert llm.metadata.context_window == 1000
        return
    assert text_of(ask(llm, way))


@pytest.mark.parametrize("model", ["gpt-3.5-turbo-instruct", "davinci-002", "of-our-own"])
def test_every_model_is_a_chat_model(model: str) -> None:
    assert made(model, base_url="http://host/v1", context_window=9).metadata.is_chat_model


@pytest.mark.parametrize(("tools", "calls"), [(None, True), (True, True), (False, False)])
def test_a_path_calls_tools_unless_it_says_no(tools: bool | None, calls: bool) -> None:
    assert made(tools=tools).metadata.is_function_calling_model is calls


def test_its_server_name_and_key_are_the_endpoints() -> None:
    llm = made("groq/llama-3.3-70b")
    assert llm.api_base == "https://api.groq.com/openai/v1"
    assert llm.model == "llama-3.3-70b-versatile"
    assert llm._get_client().api_key == KEY
    assert llm.max_retries == 0


def test_a_paths_parameters_are_its_settings_or_sent_as_they_are() -> None:
    llm = made(params={"temperature": 0.7, "max_tokens": 5, "top_p": 0.5, "top_k": 3})
    assert (llm.temperature, llm.max_tokens) == (0.7, 5)
    found = arguments(llm)
    assert (found["temperature"], found["max_tokens"], found["top_p"]) == (0.7, 5, 0.5)
    assert found["extra_body"] == {"top_k": 3}, "the SDK refuses names that it does not know"
    assert llm.metadata.num_output == 5


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("gpt-4o", "max_tokens"),
        ("claude-sonnet-4", "max_tokens"),
        ("o3-mini", "max_completion_tokens"),
        ("gpt-5", "max_completion_tokens"),
    ],
)
@pytest.mark.parametrize("given", ["max_tokens", "max_completion_tokens"])
def test_a_limit_of_tokens_has_the_one_name_that_the_server_knows(
    model: str, name: str, given: str
) -> None:
    found = arguments(made(model, context_window=9), **{given: 7})
    limits = {n: v for n, v in found.items() if n.startswith("max_")}
    assert limits == {name: 7} or (model == "gpt-4o" and limits == {given: 7})


def test_openais_account_goes_to_openai_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_ORG_ID", "org-secret")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "proj-secret")
    for is_async in (False, True):
        own, other = (unretried(llm, is_async=is_async) for llm in (made(), made("deepseek-chat")))
        for llm, known in ((own, "org-secret"), (other, None)):
            client: Any = llm._get_aclient() if is_async else llm._get_client()  # type: ignore[attr-defined]
            assert client.organization == known


@pytest.mark.parametrize(
    ("model", "knows"),
    [
        ("gpt-4o", True),
        ("gemini-2.5-flash", True),
        ("claude-sonnet-4", False),
        ("deepseek-chat", False),
    ],
)
def test_schemas_are_asked_for_where_the_server_knows_them(model: str, knows: bool) -> None:
    assert made(model)._should_use_structure_outputs() is knows
    assert made(model, base_url="http://host/v1")._should_use_structure_outputs() in (True, knows)


@pytest.mark.parametrize(
    "params", [{"temperature": "warm"}, {"temperature": 9}, {"max_tokens": "x"}, {"max_tokens": -1}]
)
def test_parameters_that_llama_index_refuses_are_told_with_the_path(params: Any) -> None:
    with pytest.raises(ConfigError, match=r"path 'gpt-4o.*its params do not fit") as caught:
        made(params=params)
    assert KEY not in str(caught.value)


def test_its_copies_are_of_its_kind() -> None:
    llm = made(context_window=77)
    copy = unretried(llm, is_async=False)
    assert isinstance(copy, NamedLLM)
    assert copy.metadata == llm.metadata


def test_the_callers_arguments_stay_as_they_are(shared_server: LoopbackProvider) -> None:
    llm = made(base_url=shared_server.base_url, params={"metadata": {"a": "b"}})
    messages = [ChatMessage(role="user", content="Hi")]
    given: dict[str, Any] = {"stop": ["END"], "max_tokens": 5, "top_k": 3}
    before, text = {**given, "stop": ["END"]}, messages[0].model_dump_json()
    llm.chat(messages, **given)
    assert given == before
    assert messages[0].model_dump_json() == text
