"""Copies of LLMs for routed calls: no retries, no shared connections, the original as it was."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import openai
import pytest
from llama_index.core.llms import LLM, CompletionResponse, MockLLM
from llama_index.core.rate_limiter import TokenBucketRateLimiter
from llama_index.llms.anthropic import Anthropic
from llama_index.llms.openai import OpenAI, OpenAIResponses
from llama_index.llms.openai_like import OpenAILike

from kalibr_bench.provider import Fault, LoopbackProvider
from kalibr_core import Path
from kalibr_llama_index.clients import has_own_http, is_limited, unretried
from kalibr_llama_index.path_llm import PathLLM

from .ways import STREAMS, WAYS, ask, text_of

KEY = "sk-12345678"
URL = "http://127.0.0.1:9/v1"


def gpt(**settings: Any) -> OpenAI:
    return OpenAI(
        **{"model": "gpt-4o", "api_key": KEY, "api_base": URL, "max_retries": 3, **settings}
    )


def like(**settings: Any) -> OpenAILike:
    given = {"model": "gpt-4o", "api_key": KEY, "api_base": URL, "max_retries": 3}
    return OpenAILike(**{**given, "is_chat_model": True, **settings})


def responses(**settings: Any) -> OpenAIResponses:
    given = {"model": "gpt-4o", "api_key": KEY, "api_base": URL, "max_retries": 3}
    return OpenAIResponses(**{**given, **settings})


def claude(**settings: Any) -> Anthropic:
    return Anthropic(**{"model": "claude-sonnet-4-5", "api_key": KEY, "max_retries": 3, **settings})


MAKERS = [gpt, like, responses, claude]
each_llm = pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)
each_side = pytest.mark.parametrize("is_async", [False, True], ids=["blocking", "in a loop"])


def client_of(llm: Any, *, is_async: bool) -> Any:
    if isinstance(llm, OpenAI):
        return llm._get_aclient() if is_async else llm._get_client()
    return llm._aclient if is_async else llm._client


def http_of(llm: Any, *, is_async: bool) -> Any:
    """The client's `httpx` client: its connections."""
    return client_of(llm, is_async=is_async)._client


@each_llm
@each_side
def test_a_copy_does_not_retry_and_the_original_still_does(make: Any, is_async: bool) -> None:
    llm = make()
    copy: Any = unretried(llm, is_async=is_async)
    assert client_of(copy, is_async=is_async).max_retries == 0
    assert (copy.max_retries, llm.max_retries) == (0, 3)
    assert client_of(llm, is_async=is_async).max_retries == 3


@each_llm
@each_side
def test_a_copy_leaves_the_original_as_it_was(make: Any, is_async: bool) -> None:
    llm = make(additional_kwargs={"user": "me"})
    before, private = dict(vars(llm)), dict(llm.__pydantic_private__)
    kwargs = dict(llm.additional_kwargs)
    unretried(llm, is_async=is_async)
    assert vars(llm) == before
    assert llm.__pydantic_private__ == private
    assert llm.additional_kwargs == kwargs
    assert type(llm).__module__.startswith("llama_index")


@each_llm
@each_side
def test_two_copies_and_the_original_share_no_connections(make: Any, is_async: bool) -> None:
    llm = make()
    copies = [unretried(llm, is_async=is_async) for _ in range(2)]
    https = [http_of(one, is_async=is_async) for one in (llm, *copies)]
    assert len(set(map(id, https))) == 3


@each_llm
@each_side
def test_a_copys_connections_follow_no_redirects(make: Any, is_async: bool) -> None:
    assert not http_of(unretried(make(), is_async=is_async), is_async=is_async).follow_redirects


@each_llm
def test_a_copy_has_the_same_server_key_and_settings(make: Any) -> None:
    llm = make(temperature=0.5, timeout=7.0)
    copy: Any = unretried(llm, is_async=False)
    one, other = (client_of(found, is_async=False) for found in (llm, copy))
    assert (one.base_url, one.api_key, type(one)) == (other.base_url, other.api_key, type(other))
    assert one.timeout == other.timeout
    assert (copy.temperature, copy.model) == (0.5, llm.model)


@each_llm
def test_connections_made_by_the_sdk_are_replaced_by_limited_ones(make: Any) -> None:
    assert is_limited(make())
    assert not has_own_http(make())


@pytest.mark.parametrize("make", [gpt, like, responses])
@each_side
def test_the_users_connections_are_kept(make: Any, is_async: bool) -> None:
    http, in_loop = httpx.Client(), httpx.AsyncClient()
    llm = make(http_client=http, async_http_client=in_loop)
    copy = unretried(llm, is_async=is_async)
    assert http_of(copy, is_async=is_async) is (in_loop if is_async else http)
    assert client_of(copy, is_async=is_async).max_retries == 0
    assert not is_limited(llm)


def test_connections_in_a_client_of_the_users_are_kept() -> None:
    http = httpx.Client()
    client = openai.OpenAI(api_key=KEY, base_url=URL, http_client=http, max_retries=3)
    llm = gpt(openai_client=client)
    copy = unretried(llm, is_async=False)
    assert http_of(copy, is_async=False) is http
    assert (client_of(copy, is_async=False).max_retries, client.max_retries) == (0, 3)
    assert has_own_http(llm)


def test_a_client_of_the_users_with_the_sdks_connections_gets_limited_ones() -> None:
    client = openai.OpenAI(api_key="sk-another-1", base_url="http://other/v1", max_retries=3)
    copy = unretried(gpt(openai_client=client), is_async=False)
    made = client_of(copy, is_async=False)
    assert made._client is not client._client
    assert (made.api_key, made.base_url) == (client.api_key, client.base_url)
    assert made.max_retries == 0


class Mine(openai.OpenAI):
    """A client class of the user's own."""


def test_a_client_class_of_the_users_own_works(server: LoopbackProvider) -> None:
    client = Mine(api_key=KEY, base_url=server.base_url, max_retries=3)
    copy = unretried(gpt(openai_client=client), is_async=False)
    assert text_of(copy.complete("Hi"))
    assert client_of(copy, is_async=False).max_retries == 0


@each_side
def test_an_llm_that_makes_a_client_for_each_call_makes_one(is_async: bool) -> None:
    copy = unretried(gpt(reuse_client=False), is_async=is_async)
    assert client_of(copy, is_async=is_async) is client_of(copy, is_async=is_async)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("make", [gpt, like, responses], ids=lambda make: make.__name__)
def test_a_failing_server_is_asked_once(make: Any, way: str, server: LoopbackProvider) -> None:
    server.fault("gpt-4o", Fault(kind="server_error", times=None))
    llm = make(api_base=server.base_url)
    copy = unretried(llm, is_async=way.startswith("a"))
    with pytest.raises(openai.APIStatusError):
        ask(copy, way)
    stats = server.stats()
    known = [name for name in ("gpt-4o",) if make is not responses]
    assert [stats[name].requests for name in known] == [1 for _ in known]


@pytest.mark.parametrize("way", STREAMS)
@pytest.mark.parametrize("told", [None, {"include_usage": False}])
def test_a_streams_usage_is_asked_for_unless_the_user_says_otherwise(
    way: str, told: Any, server: LoopbackProvider
) -> None:
    own = {} if told is None else {"additional_kwargs": {"stream_options": told}}
    copy = unretried(gpt(api_base=server.base_url, **own), is_async=way.startswith("a"))
    last = ask(copy, way)
    assert (last.raw.usage is not None) is (told is None)


def test_each_event_loop_has_a_client_of_its_own(server: LoopbackProvider) -> None:
    path = PathLLM(Path(model="gpt-4o"), gpt(api_base=server.base_url))

    async def used() -> Any:
        assert text_of(await path.in_loop.acomplete("Hi"))
        assert path.in_loop is path.in_loop
        return http_of(path.in_loop, is_async=True)

    first, second = asyncio.run(used()), asyncio.run(used())
    assert first is not second


def test_an_llm_without_an_sdk_is_copied_as_it_is() -> None:
    llm = MockLLM(max_tokens=3)
    copy = unretried(llm, is_async=False)
    assert copy is not llm
    assert text_of(copy.complete("a b c d")) == text_of(llm.complete("a b c d"))
    assert not is_limited(llm)


def test_a_copys_rate_limiter_is_the_paths_and_the_originals_stays() -> None:
    llm = gpt(rate_limiter=TokenBucketRateLimiter(requests_per_minute=1))
    assert unretried(llm, is_async=False).rate_limiter is None
    assert llm.rate_limiter is not None


class Odd(MockLLM):
    """An LLM with a client that is made anew each time, and one that cannot be made."""

    @property
    def client(self) -> openai.OpenAI:
        return openai.OpenAI(api_key=KEY, base_url=URL)

    @property
    def _sync_client(self) -> Any:
        raise ImportError("not installed")


def test_an_llm_whose_client_cannot_be_replaced_is_called_as_it_is() -> None:
    copy: LLM = unretried(Odd(max_tokens=1), is_async=False)
    assert isinstance(copy.complete("a"), CompletionResponse)
