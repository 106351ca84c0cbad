"""An SDK's clients as routed calls use them: unretried, over connections of their own."""

from __future__ import annotations

from typing import Any

import openai
import pytest

from kalibr_core.adapter.plain import AsyncPlainCompletions, PlainCompletions
from kalibr_core.adapter.sdk import can_be_limited, client_in, prepare, replaced
from kalibr_core.time_limit import _AsyncBackend, _Backend

KEY = "sk-secret-12345678"
each_kind = pytest.mark.parametrize("kind", [openai.OpenAI, openai.AsyncOpenAI])


def client(kind: Any = openai.OpenAI, **settings: Any) -> Any:
    return kind(**{"api_key": KEY, "base_url": "http://host/v1", "max_retries": 3, **settings})


class Mine(openai.OpenAI):
    """A client of the user's own making."""


class Other:
    """A client of an SDK that is made alike, and tells no connections."""

    def __init__(self, **options: Any) -> None:
        self.options, self.max_retries = options, options.get("max_retries", 3)

    def with_options(self, **options: Any) -> Other:
        return Other(**options)

    def post(self) -> None: ...


@each_kind
def test_a_client_is_replaced_by_one_that_does_not_retry(kind: Any) -> None:
    held = client(kind)
    found = replaced(held, {}, own_http=True)
    assert type(found) is kind
    assert (found.max_retries, held.max_retries) == (0, 3)
    assert (found.api_key, found.base_url) == (held.api_key, held.base_url)


@each_kind
def test_its_connections_are_its_own_keep_limits_and_follow_no_redirects(kind: Any) -> None:
    held = client(kind)
    found = replaced(held, {}, own_http=True)
    assert found._client is not held._client
    assert not found._client.follow_redirects
    backend = found._client._transport._pool._network_backend
    assert isinstance(backend, _Backend | _AsyncBackend)
    assert held._client.follow_redirects


@each_kind
def test_the_users_connections_are_kept_where_they_are_asked_for(kind: Any) -> None:
    held = client(kind)
    found = replaced(held, {}, own_http=False)
    assert found._client is held._client
    assert found.max_retries == 0


@each_kind
def test_a_client_and_its_resource_share_one(kind: Any) -> None:
    held, made = client(kind), {}
    both = [replaced(one, made, own_http=True) for one in (held.chat.completions, held)]
    assert both[0]._client is both[1]
    assert len(made) == 1


@each_kind
def test_completions_are_the_quicker_ones_and_only_there(kind: Any) -> None:
    held = client(kind)
    before = type(held.chat.completions)
    found = replaced(held, {}, own_http=True)
    assert isinstance(found.chat.completions, PlainCompletions | AsyncPlainCompletions)
    resource = replaced(held.chat.completions, {}, own_http=True)
    assert isinstance(resource, PlainCompletions | AsyncPlainCompletions)
    assert type(held.chat.completions) is before


def test_a_resource_that_has_no_quicker_like_stays_of_its_kind() -> None:
    held = client()
    found = replaced(held.embeddings, {}, own_http=True)
    assert type(found) is type(held.embeddings)
    assert found is not held.embeddings


@pytest.mark.parametrize("held", [None, "client", 7, object(), {"max_retries": 3}, type])
def test_what_is_no_client_is_not_replaced(held: Any) -> None:
    made: dict[int, Any] = {}
    assert client_in(held) is None
    assert replaced(held, made, own_http=True) is None
    assert not can_be_limited(held)
    assert made == {}


def test_a_client_of_another_make_is_unretried_and_keeps_its_connections() -> None:
    held = Other()
    assert replaced(held, {}, own_http=True).options == {"max_retries": 0}
    assert client_in(held) is held
    assert not can_be_limited(held)


@each_kind
def test_preparing_a_client_is_for_that_client_alone(kind: Any) -> None:
    held, other = client(kind), client(kind)
    prepare(held)
    assert isinstance(held.chat.completions, PlainCompletions | AsyncPlainCompletions)
    assert not isinstance(other.chat.completions, PlainCompletions | AsyncPlainCompletions)
    assert "post" not in vars(other)


@each_kind
def test_clients_of_openai_can_be_limited(kind: Any) -> None:
    assert can_be_limited(client(kind))
    assert can_be_limited(client(kind).chat.completions)
    assert client_in(client(kind).chat.completions) is not None


def test_a_subclass_of_the_users_own_is_replaced_by_one_of_its_kind() -> None:
    """It may stand in a module that is no SDK."""
    held = client(Mine)
    found = replaced(held, {}, own_http=True)
    assert type(found) is Mine
    assert found.max_retries == 0
    assert can_be_limited(held)
    assert found._client is not held._client


def test_a_subclass_of_a_module_that_cannot_be_imported_is_replaced_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A notebook's or a plugin's, say."""
    monkeypatch.setattr(Mine, "__module__", "plugin_that_is_nowhere")
    assert replaced(client(Mine), {}, own_http=True).max_retries == 0


def test_two_clients_are_replaced_by_two() -> None:
    made: dict[int, Any] = {}
    first, second = client(), client(base_url="http://other/v1")
    found = [replaced(one, made, own_http=True) for one in (first, second, first)]
    assert found[0] is found[2]
    assert found[0] is not found[1]
    assert found[0].base_url != found[1].base_url


class Text(str):
    """Is shown as it is."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def refusing(bodies: list[Any]) -> Any:
    """A client's `post`, which encodes before it sends, as the SDKs do."""

    def post(*_: Any, body: Any = None, **__: Any) -> str:
        bodies.append(body)
        str(body).encode()
        return "answer"

    return post


def test_a_body_with_half_a_surrogate_pair_is_sent_without_it() -> None:
    held, bodies = client(), list[Any]()
    held.post = refusing(bodies)
    prepare(held)
    sent = {"messages": [{"content": Text("half \ud800")}]}
    assert held.post("/chat/completions", body=sent) == "answer"
    assert bodies == [sent, {"messages": [{"content": "half \ufffd"}]}]
    assert sent["messages"][0]["content"] == "half \ud800"


async def test_so_is_one_that_is_awaited() -> None:
    held, bodies = client(openai.AsyncOpenAI), list[Any]()
    post = refusing(bodies)

    async def awaited(*args: Any, **kwargs: Any) -> Any:
        return post(*args, **kwargs)

    held.post = awaited
    prepare(held)
    assert await held.post("/chat/completions", body=[Text("\ud800")]) == "answer"
    assert bodies == [["\ud800"], ["\ufffd"]]


def test_a_request_whose_body_is_not_at_fault_is_made_once() -> None:
    """It may have been sent."""
    held, bodies = client(), list[Any]()
    post = refusing(bodies)
    held.post = lambda *args, **kwargs: post(*args, **kwargs) and "\ud800".encode()
    prepare(held)
    with pytest.raises(UnicodeEncodeError):
        held.post("/chat/completions", body=["whole"])
    assert bodies == [["whole"]]
