"""A named path -> the `ChatOpenAI` that calls it: its parameters are sent, and to that server
alone."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import HumanMessage
from langchain_openai import ChatOpenAI

from kalibr_bench.provider import LoopbackProvider
from kalibr_core import ConfigError, Path
from kalibr_core.providers import Endpoint, endpoint_of
from kalibr_langchain.named import default_method, named_model

KEYS = {
    "OPENAI_API_KEY": "sk-openai-1",
    "DEEPSEEK_API_KEY": "sk-deepseek-1",
    "GROQ_API_KEY": "sk-groq-1",
    "GEMINI_API_KEY": "sk-gemini-1",
}


def endpoint(path: Path) -> Endpoint:
    return endpoint_of(path, environ=KEYS)


def named(model: str, *, base_url: str | None = None, **params: Any) -> ChatOpenAI:
    path = Path(model=model, params=params, base_url=base_url)
    return named_model(path, endpoint(path))


def payload(model: ChatOpenAI, **arguments: Any) -> dict[str, Any]:
    found: dict[str, Any] = model._get_request_payload([HumanMessage("Hi")], **arguments)
    return found


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("temperature", 0.2),
        ("top_p", 0.5),
        ("seed", 7),
        ("frequency_penalty", 0.1),
        ("reasoning_effort", "low"),
        ("stop", ["END"]),
    ],
)
def test_what_chat_openai_has_a_field_for_is_sent_under_its_name(name: str, value: Any) -> None:
    sent = payload(named("gpt-4o", **{name: value}))
    assert sent[name] == value
    assert "extra_body" not in sent


@pytest.mark.parametrize(("name", "value"), [("top_k", 5), ("thinking", {"type": "enabled"})])
def test_what_it_has_no_field_for_goes_into_the_body(name: str, value: Any) -> None:
    sent = payload(named("deepseek-chat", **{name: value}))
    assert sent["extra_body"] == {name: value}
    assert name not in sent


def test_a_body_written_by_hand_wins_over_unknown_params() -> None:
    sent = payload(named("deepseek-chat", top_k=5, min_p=0.1, extra_body={"top_k": 6}))
    assert sent["extra_body"] == {"top_k": 6, "min_p": 0.1}


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("gpt-4o", "max_completion_tokens"),
        ("o3-mini", "max_completion_tokens"),
        ("deepseek-chat", "max_tokens"),
        ("groq/llama-3.3-70b", "max_tokens"),
        ("gemini-2.5-flash", "max_tokens"),
    ],
)
@pytest.mark.parametrize("given", ["max_tokens", "max_completion_tokens"])
def test_each_server_is_sent_one_limit_of_tokens_by_the_name_it_knows(
    model: str, name: str, given: str
) -> None:
    limit: dict[str, Any] = {given: 9}
    for sent in (payload(named(model, **limit)), payload(named(model), **limit)):
        assert {k: v for k, v in sent.items() if k.startswith("max")} == {name: 9}


def test_a_server_of_ones_own_knows_the_old_limit() -> None:
    sent = payload(named("mine", base_url="http://localhost:1/v1", max_tokens=9))
    assert sent["max_tokens"] == 9
    assert "max_completion_tokens" not in sent


def test_headers_and_queries_are_sent_with_each_call(server: LoopbackProvider) -> None:
    model = named(
        "gpt-4o",
        base_url=server.base_url,
        extra_headers={"x-team": "blue"},
        extra_query={"version": "2"},
    )
    model.invoke("Hi")
    (received,) = server.requests()
    assert received.headers["x-team"] == "blue"
    assert not {"extra_headers", "extra_query"} & set(received.body or {})
    assert model.root_client.default_query == {"version": "2"}


def test_unknown_params_reach_the_server(server: LoopbackProvider) -> None:
    named("gpt-4o", base_url=server.base_url, top_k=5).invoke("Hi")
    (received,) = server.requests()
    assert received.body is not None
    assert received.body["top_k"] == 5
    assert "extra_body" not in received.body


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_ORG_ID", "org-1")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "proj-1")


@pytest.mark.usefixtures("account")
def test_openais_account_goes_to_no_other_server(server: LoopbackProvider) -> None:
    named("gpt-4o", base_url=server.base_url).invoke("Hi")
    (received,) = server.requests()
    assert not {"openai-organization", "openai-project"} & set(received.headers)
    for model in (named("deepseek-chat"), named("gpt-4o", base_url="http://localhost:1/v1")):
        for client in (model.root_client, model.root_async_client):
            assert (client.organization, client.project) == (None, None)


@pytest.mark.usefixtures("account")
def test_openais_account_goes_to_openai() -> None:
    model = named("gpt-4o")
    assert (model.root_client.organization, model.root_client.project) == ("org-1", "proj-1")


@pytest.mark.parametrize("model", ["gpt-4o", "deepseek-chat", "groq/llama-3.3-70b"])
def test_the_endpoint_says_where_a_call_goes_with_which_key(model: str) -> None:
    path = Path(model=model)
    wanted, found = endpoint(path), named(model)
    assert str(found.root_client.base_url).rstrip("/") == wanted.base_url.rstrip("/")
    assert found.root_client.api_key == wanted.api_key
    assert found.model_name == wanted.model
    assert found.root_client.max_retries == 0
    assert found.stream_usage is True


@pytest.mark.parametrize(
    "params", [{"temperature": "warm"}, {"max_tokens": "many"}, {"extra_headers": 5}]
)
def test_params_that_do_not_fit_are_told(params: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=r"'gpt-4o.*: its params do not fit ChatOpenAI") as caught:
        named("gpt-4o", **params)
    assert KEYS["OPENAI_API_KEY"] not in str(caught.value)


@pytest.mark.parametrize(
    ("path", "method"),
    [
        (Path(model="gpt-4o"), "json_schema"),
        (Path(model="gemini-2.5-flash"), "json_schema"),
        (Path(model="mine", base_url="http://localhost:1/v1"), "json_schema"),
        (Path(model="deepseek-chat"), "function_calling"),
        (Path(model="groq/llama-3.3-70b"), "function_calling"),
    ],
)
def test_servers_are_asked_for_structure_in_a_way_that_they_know(path: Path, method: str) -> None:
    assert default_method(endpoint(path)) == method


def test_a_path_without_a_server_decides_by_itself() -> None:
    assert default_method(None) is None
