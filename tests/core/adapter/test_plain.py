"""Plain requests are posted as they are, and all others as the SDK does it: the server sees no
difference."""

from __future__ import annotations

import json
from typing import Any

import openai
import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_openai import ChatOpenAI
from pydantic import BaseModel

from kalibr_bench.provider import Answer, Fault, LoopbackProvider
from kalibr_bench.provider.stats import Received
from kalibr_core.adapter.plain import AsyncPlainCompletions, PlainCompletions, _is_whole
from kalibr_langchain.clients import unretried


class City(BaseModel):
    """A city."""

    name: str


TEXTS = [
    SystemMessage("Answer in JSON."),
    HumanMessage("Grüß Gott, 你好"),
    AIMessage("Hi."),
    HumanMessage("?"),
]
CALL = {"name": "f", "args": {"a": 1}, "id": "call_1", "type": "tool_call"}
TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
FORMAT = {"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "object"}}}

ASKED: dict[str, tuple[list[Any], dict[str, Any]]] = {
    "texts": (TEXTS, {}),
    "plain parameters": (TEXTS, {"temperature": 0.5, "max_tokens": 5, "seed": 1, "user": "u"}),
    "a format": (TEXTS, {"response_format": {"type": "json_object"}}),
    "a schema": (TEXTS, {"response_format": FORMAT}),
    "headers": (TEXTS, {"extra_headers": {"x-team": "blue"}}),
    "stops": (TEXTS, {"stop": ["END"]}),
    "tools": (TEXTS, {"tools": [TOOL], "tool_choice": "auto"}),
    "tool results": (
        [
            HumanMessage("?"),
            AIMessage("", tool_calls=[CALL]),
            ToolMessage("1", tool_call_id="call_1"),
        ],
        {"tools": [TOOL]},
    ),
    "a picture": (
        [HumanMessage([{"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}}])],
        {},
    ),
    "a body": (TEXTS, {"extra_body": {"top_k": 5}}),
    "a timeout": (TEXTS, {"timeout": 5.0}),
    "a class": (TEXTS, {"response_format": City}),
}
each_request = pytest.mark.parametrize(("messages", "arguments"), ASKED.values(), ids=ASKED)
HEADERS = ("x-team", "content-type", "user-agent")


def chat(provider: LoopbackProvider, **settings: Any) -> ChatOpenAI:
    given = {"model": "gpt-4o", "base_url": provider.base_url, "api_key": "sk-1", "max_retries": 0}
    return ChatOpenAI(**{**given, **settings})


def said(received: Received) -> str:
    """The body's text; the SDK's `parse` leaves out that no stream is wanted."""
    return json.dumps({"stream": False, **(received.body or {})}, sort_keys=True)


def last_two(provider: LoopbackProvider) -> tuple[Received, Received]:
    one, other = provider.requests()[-2:]
    return one, other


@each_request
def test_the_server_gets_the_same_bytes(
    messages: list[Any], arguments: dict[str, Any], shared_server: LoopbackProvider
) -> None:
    model = chat(shared_server)
    copy = unretried(model, is_async=False)
    assert isinstance(copy.client, PlainCompletions)  # type: ignore[attr-defined]  # OpenAI's have it
    for asked in (model, copy):
        asked._generate(messages, **arguments)
    one, other = last_two(shared_server)
    assert said(one) == said(other)
    assert one.path == other.path
    for name in HEADERS:
        assert one.headers.get(name) == other.headers.get(name)


@each_request
async def test_the_server_gets_the_same_bytes_in_a_loop(
    messages: list[Any], arguments: dict[str, Any], shared_server: LoopbackProvider
) -> None:
    # LangChain's own models share their connections, beyond the loop that they were opened in.
    model = chat(shared_server, http_async_client=openai.DefaultAsyncHttpxClient())
    copy = unretried(chat(shared_server), is_async=True)
    assert isinstance(copy.async_client, AsyncPlainCompletions)  # type: ignore[attr-defined]  # OpenAI's have it
    for one in (model, copy):
        await one._agenerate(messages, **arguments)
    first, second = last_two(shared_server)
    assert said(first) == said(second)


def test_the_server_gets_the_same_stream_request(shared_server: LoopbackProvider) -> None:
    model = chat(shared_server, stream_usage=True)
    copy = unretried(model, is_async=False)
    texts = ["".join(chunk.text for chunk in one._stream(TEXTS)) for one in (model, copy)]
    first, second = last_two(shared_server)
    assert said(first) == said(second)
    assert '"stream": true' in said(first)
    assert all(texts)


MESSAGES = [{"role": "user", "content": "Hi"}]


@pytest.mark.parametrize(
    ("arguments", "is_whole"),
    [
        ({}, True),
        ({"stream": False, "temperature": 0.1, "seed": 1, "user": "u"}, True),
        ({"response_format": {"type": "json_object"}}, True),
        ({"stream": True}, False),
        ({"timeout": 5}, False),
        ({"extra_body": {}}, False),
        ({"extra_query": {}}, False),
        ({"temperature": None}, False),
        ({"temperature": openai.NOT_GIVEN}, False),
        ({"tools": [TOOL]}, False),
        ({"response_format": City}, False),
        ({"messages": [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}]}, False),
        ({"messages": [{**MESSAGES[0], "name": "alice"}]}, False),
        ({"messages": [{"role": "assistant", "content": None}]}, False),
        ({"messages": iter(MESSAGES)}, False),
    ],
)
def test_only_what_is_json_as_it_stands_is_posted_as_it_is(
    arguments: dict[str, Any], is_whole: bool
) -> None:
    assert _is_whole({"model": "gpt-4o", "messages": MESSAGES, **arguments}) is is_whole


def answered(model: Any) -> Any:
    return model._generate(TEXTS).generations[0].message


def test_an_answer_is_read_as_from_the_sdk(server: LoopbackProvider) -> None:
    server.script("gpt-4o", ["Paris.", "Paris."])
    model = chat(server)
    one, other = answered(model), answered(unretried(model, is_async=False))
    assert one.content == other.content == "Paris."
    assert one.usage_metadata == other.usage_metadata
    assert one.response_metadata.keys() == other.response_metadata.keys()


@pytest.mark.parametrize(
    ("fault", "kind"),
    [("rate_limit", openai.RateLimitError), ("server_error", openai.InternalServerError)],
)
def test_an_error_is_the_sdks(fault: str, kind: type[Exception], server: LoopbackProvider) -> None:
    server.fault("gpt-4o", Fault(kind=fault, times=None))
    with pytest.raises(kind):
        answered(unretried(chat(server), is_async=False))


def _told(message: Any) -> dict[str, Any]:
    """What a message says, without what differs from answer to answer, or says nothing."""

    def bare(value: Any) -> Any:
        if isinstance(value, dict):
            return {k: bare(v) for k, v in value.items() if v is not None and k != "id"}
        return [bare(part) for part in value] if isinstance(value, list) else value

    found: dict[str, Any] = bare(message.model_dump())
    return found


@pytest.mark.parametrize("asked", ["texts", "plain parameters", "a schema", "tools"])
async def test_the_message_says_what_the_sdks_way_says(
    asked: str, server: LoopbackProvider
) -> None:
    messages, arguments = ASKED[asked]
    given = ChatOpenAI(model="gpt-4o", base_url=server.base_url, api_key="key-of-a")  # type: ignore[arg-type]
    other = ChatOpenAI(model="gpt-4o", base_url=server.base_url, api_key="key-of-b")  # type: ignore[arg-type]
    of_the_sdk = given.invoke(messages, **arguments)
    quick = unretried(other, is_async=False).invoke(messages, **arguments)
    awaited = await unretried(
        ChatOpenAI(model="gpt-4o", base_url=server.base_url, api_key="key-of-c"),  # type: ignore[arg-type]
        is_async=True,
    ).ainvoke(messages, **arguments)
    assert _told(quick) == _told(of_the_sdk) == _told(awaited)


def test_a_refusal_is_read_as_the_sdk_reads_it(server: LoopbackProvider) -> None:
    server.script("gpt-4o", [Answer(text=None, refusal="I cannot.")])
    given = ChatOpenAI(model="gpt-4o", base_url=server.base_url, api_key="key-of-a")  # type: ignore[arg-type]
    answer = unretried(given, is_async=False).invoke("hi")
    assert answer.additional_kwargs["refusal"] == "I cannot."
