"""A chat model as routed calls use it: no retries of its own, and connections of its own loop."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import cached_property
from typing import Any

from langchain_core.language_models import BaseChatModel
from pydantic import SecretStr

from kalibr_core.time_limit import keep_limits

SYNC = ("root_client", "client", "_client")
ASYNC = ("root_async_client", "async_client", "_async_client")
"""Where models keep their SDK's clients, or a resource of one (`client.chat.completions`)."""

OWN_HTTP = (
    "http_client",
    "http_async_client",
    "openai_proxy",
    "anthropic_proxy",
    "groq_proxy",
)
"""Fields that say that the connections are the user's own; those are left as they are."""


OURS = {"max_retries": 0, "streaming": False, "stream_chunk_timeout": None}
"""Settings that are the router's. The last one limits silence, as `timeout_s` does, by a way that
up to Python 3.11 swallows a cancellation that comes with a chunk."""


def unretried(model: BaseChatModel, *, is_async: bool) -> BaseChatModel:
    """A copy that makes one HTTP call for each call, over connections that nobody shares.

    The SDKs of OpenAI, Anthropic, Groq and others are made alike: a client has `with_options`. Such
    a client's asynchronous connections belong to the loop that they were opened in, and are of no
    use in another; so each loop gets a copy.
    """
    copy = model.model_copy()
    _forget_cached(copy)
    for name, value in OURS.items():
        if name in type(copy).model_fields:
            setattr(copy, name, value)
    if getattr(copy, "stream_usage", True) is None:
        copy.stream_usage = True  # type: ignore[attr-defined]  # a stream's cost is in its usage
    own_http = not has_own_http(model)
    made: dict[int, Any] = {}
    for name in (*SYNC, *ASYNC):
        ours = (name in ASYNC) == is_async
        _replace(copy, name, made, own_http=ours and own_http)
    return copy


def has_own_http(model: BaseChatModel) -> bool:
    """Are the model's connections the user's own? They are left as they are."""
    return any(getattr(model, name, None) is not None for name in OWN_HTTP)


def is_limited(model: BaseChatModel) -> bool:
    """Do the model's copies keep a `TimeLimit`? Those over connections of our own do."""
    if has_own_http(model):
        return False
    clients = (_sdk_client(_held(model, name)) for name in (*SYNC, *ASYNC))
    return any(client is not None and _maker(client) is not None for client in clients)


def secrets_of(model: BaseChatModel) -> tuple[str, ...]:
    """The model's keys, to be taken out of errors."""
    values = [v.get_secret_value() for v in vars(model).values() if isinstance(v, SecretStr)]
    return tuple(value for value in values if isinstance(value, str) and len(value) >= 8)


def _forget_cached(model: BaseChatModel) -> None:
    """Drop what was worked out from the settings before they were changed."""
    for cls in type(model).__mro__:
        for name, value in vars(cls).items():
            if isinstance(value, cached_property):
                vars(model).pop(name, None)


def _replace(model: BaseChatModel, name: str, made: dict[int, Any], *, own_http: bool) -> None:
    held = _held(model, name)
    client = _sdk_client(held)
    if client is None:
        return
    # `root_client` and the resource at `client` share one: its pool is made once.
    key = id(getattr(client, "_client", client))
    if key not in made:
        made[key] = client.with_options(max_retries=0, **_http(client, own_http=own_http))
    if client is held:
        vars(model)[name] = made[key]
        _make_plain(made[key])
    else:
        from .plain import quicker  # slow to import

        vars(model)[name] = quicker(type(held))(made[key])


def _make_plain(client: Any) -> None:
    """Where an OpenAI client has its completions, put the quicker ones."""
    from openai import AsyncOpenAI, OpenAI

    from .plain import quicker

    if isinstance(client, OpenAI | AsyncOpenAI):
        vars(client.chat)["completions"] = quicker(type(client.chat.completions))(client)


def _held(model: BaseChatModel, name: str) -> Any:
    try:
        return getattr(model, name, None)
    except Exception:  # noqa: BLE001  # a cached property that cannot be made: no key for it
        return None


def _sdk_client(held: Any) -> Any:
    """The SDK's client in what a model keeps; None: it is of another make."""
    for client in (held, getattr(held, "_client", None)):
        if hasattr(client, "with_options") and hasattr(client, "max_retries"):
            return client
    return None


def _http(client: Any, *, own_http: bool) -> dict[str, Any]:
    """Connections of our own for a client, which keep time limits; else it keeps its own."""
    make = _maker(client) if own_http else None
    if make is None:
        return {}
    # A redirect would send the prompt once more, and to whom the server likes.
    return {"http_client": keep_limits(make(follow_redirects=False))}


def _maker(client: Any) -> Callable[..., Any] | None:
    sdk = importlib.import_module(type(client).__module__.partition(".")[0])
    is_async = type(client).__name__.startswith("Async")
    found: Callable[..., Any] | None = getattr(
        sdk, "DefaultAsyncHttpxClient" if is_async else "DefaultHttpxClient", None
    )
    return found
