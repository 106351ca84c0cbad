"""Copies of chat models for routed calls: no retries, no shared connections, the original as it
was."""

from __future__ import annotations

from typing import Any

import openai
import pytest
from langchain_anthropic import ChatAnthropic
from langchain_core.language_models import BaseChatModel, FakeListChatModel
from langchain_openai import AzureChatOpenAI, ChatOpenAI

from kalibr_bench.provider import Fault, LoopbackProvider
from kalibr_langchain.clients import is_limited, secrets_of, unretried

KEY = "sk-12345678"


def chat_openai(**settings: Any) -> ChatOpenAI:
    return ChatOpenAI(**{"model": "gpt-4o", "api_key": KEY, "max_retries": 3, **settings})


def azure(**settings: Any) -> AzureChatOpenAI:
    given = {
        "azure_deployment": "gpt-4o",
        "azure_endpoint": "https://us.example.com",
        "api_version": "2024-10-21",
        "api_key": KEY,
        "max_retries": 3,
    }
    return AzureChatOpenAI(**{**given, **settings})


def claude(**settings: Any) -> ChatAnthropic:
    return ChatAnthropic(
        **{"model": "claude-sonnet-4-5", "api_key": KEY, "max_retries": 3, **settings}
    )


MAKERS = [chat_openai, azure, claude]
each_model = pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)
each_side = pytest.mark.parametrize("is_async", [False, True], ids=["blocking", "in a loop"])


def client_of(model: Any, *, is_async: bool) -> Any:
    if isinstance(model, ChatAnthropic):
        return model._async_client if is_async else model._client
    return model.root_async_client if is_async else model.root_client


def http_of(model: Any, *, is_async: bool) -> Any:
    """The client's `httpx` client: its connections."""
    return client_of(model, is_async=is_async)._client


@each_model
@each_side
def test_a_copy_does_not_retry_and_the_original_still_does(make: Any, is_async: bool) -> None:
    model = make()
    copy = unretried(model, is_async=is_async)
    for side in (False, True):
        assert client_of(copy, is_async=side).max_retries == 0
        assert client_of(model, is_async=side).max_retries == 3
    assert (copy.max_retries, model.max_retries) == (0, 3)  # type: ignore[attr-defined]  # all have it


@each_model
@each_side
def test_two_copies_and_the_original_share_no_connections(make: Any, is_async: bool) -> None:
    model = make()
    copies = [unretried(model, is_async=is_async) for _ in range(2)]
    https = [http_of(one, is_async=is_async) for one in (model, *copies)]
    assert len(set(map(id, https))) == 3


@each_model
def test_a_copys_connections_follow_no_redirects(make: Any) -> None:
    assert not http_of(unretried(make(), is_async=False), is_async=False).follow_redirects


@pytest.mark.parametrize("make", [chat_openai, azure], ids=lambda make: make.__name__)
@each_side
def test_a_resource_and_its_client_share_their_connections(make: Any, is_async: bool) -> None:
    copy = unretried(make(), is_async=is_async)
    held = copy.async_client if is_async else copy.client  # type: ignore[attr-defined]  # OpenAI's have it
    assert held._client._client is http_of(copy, is_async=is_async)


def test_the_users_connections_are_kept() -> None:
    http, in_loop = openai.DefaultHttpxClient(), openai.DefaultAsyncHttpxClient()
    model = chat_openai(http_client=http, http_async_client=in_loop)
    assert http_of(unretried(model, is_async=False), is_async=False) is http
    assert http_of(unretried(model, is_async=True), is_async=True) is in_loop
    assert client_of(unretried(model, is_async=False), is_async=False).max_retries == 0
    assert not is_limited(model)


@each_model
def test_a_copy_has_the_same_server_key_and_settings(make: Any) -> None:
    model = make(temperature=0.5)
    copy = unretried(model, is_async=False)
    one, other = (client_of(m, is_async=False) for m in (model, copy))
    assert (one.base_url, one.api_key, type(one)) == (other.base_url, other.api_key, type(other))
    assert one.timeout == other.timeout
    assert copy.temperature == 0.5  # type: ignore[attr-defined]  # all have it


@each_model
def test_a_copy_streams_only_where_it_is_told_to(make: Any) -> None:
    model = make(streaming=True)
    copy = unretried(model, is_async=False)
    assert (copy.streaming, model.streaming) == (False, True)  # type: ignore[attr-defined]  # all have it


@pytest.mark.parametrize(("given", "kept"), [(None, True), (True, True), (False, False)])
def test_a_streams_usage_is_asked_for_unless_it_is_declined(given: bool | None, kept: bool) -> None:
    # With a server of one's own, LangChain leaves the usage out where nothing is said.
    model = chat_openai(base_url="http://localhost:1/v1", stream_usage=given)
    copy = unretried(model, is_async=False)
    assert copy.stream_usage is kept  # type: ignore[attr-defined]  # OpenAI's have it
    assert model.stream_usage is given


def test_a_failing_server_is_asked_once(server: LoopbackProvider) -> None:
    server.fault("gpt-4o", Fault(kind="server_error", times=None))
    copy = unretried(chat_openai(base_url=server.base_url), is_async=False)
    with pytest.raises(openai.InternalServerError):
        copy.invoke("Hi")
    assert server.stats()["gpt-4o"].requests == 1


async def test_a_failing_server_is_asked_once_in_a_loop(server: LoopbackProvider) -> None:
    server.fault("gpt-4o", Fault(kind="server_error", times=None))
    copy = unretried(chat_openai(base_url=server.base_url), is_async=True)
    with pytest.raises(openai.InternalServerError):
        await copy.ainvoke("Hi")
    assert server.stats()["gpt-4o"].requests == 1


def test_a_model_without_an_sdk_is_copied_as_it_is() -> None:
    model = FakeListChatModel(responses=["a"])
    copy = unretried(model, is_async=False)
    assert copy is not model
    assert copy.invoke("Hi").content == "a"
    assert not is_limited(model)


@each_model
def test_keys_are_known_to_be_taken_out_of_errors(make: Any) -> None:
    model: BaseChatModel = make()
    assert secrets_of(model) == (KEY,)
    assert is_limited(model)
