"""An SDK's client as routed calls use it: no retries of its own, and connections of its own loop.

The SDKs of OpenAI, Anthropic, Groq and others are made alike: a client has `with_options`. Such a
client's asynchronous connections belong to the loop that they were opened in, and are of no use in
another; so each loop gets a client.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from typing import Any

from ..sendable import aresending, resending
from ..time_limit import keep_limits, note_stream


def replaced(held: Any, made: dict[int, Any], *, own_http: bool) -> Any:
    """The unretried like of what a model keeps; None: it is no such client.

    Args:
        held: a client, or a resource of one (`client.chat.completions`).
        made: the clients of this model so far; a client and a resource of it share one, so that
            its pool is made once.
        own_http: give it connections of our own, which keep time limits.
    """
    client = client_in(held)
    if client is None:
        return None
    key = id(getattr(client, "_client", client))
    if key not in made:
        made[key] = client.with_options(max_retries=0, **_http(client, own_http=own_http))
        prepare(made[key])
    if client is held:
        return made[key]
    from .plain import quicker  # slow to import

    return quicker(type(held))(made[key])


def prepare(client: Any) -> None:
    """Have a new client's streams noted; where an OpenAI client has its completions, put the
    quicker ones; half a character in a request is replaced."""
    from openai import AsyncOpenAI, OpenAI

    from .plain import quicker

    post = client.post
    is_async = inspect.iscoroutinefunction(post)
    client.post = _anoted(aresending(post)) if is_async else _noted(resending(post))
    if isinstance(client, OpenAI | AsyncOpenAI):
        vars(client.chat)["completions"] = quicker(type(client.chat.completions))(client)


def _noted(post: Callable[..., Any]) -> Callable[..., Any]:
    def noting(*args: Any, **kwargs: Any) -> Any:
        answer = post(*args, **kwargs)
        if kwargs.get("stream") and hasattr(answer, "close"):
            note_stream(answer)
        return answer

    return noting


def _anoted(post: Callable[..., Any]) -> Callable[..., Any]:
    async def noting(*args: Any, **kwargs: Any) -> Any:
        answer = await post(*args, **kwargs)
        if kwargs.get("stream") and hasattr(answer, "close"):
            note_stream(answer)
        return answer

    return noting


def client_in(held: Any) -> Any:
    """The SDK's client in what a model keeps; None: it is of another make."""
    for client in (held, getattr(held, "_client", None)):
        if hasattr(client, "with_options") and hasattr(client, "max_retries"):
            return client
    return None


def can_be_limited(held: Any) -> bool:
    """Can what a model keeps be given connections that keep a `TimeLimit`?"""
    client = client_in(held)
    return client is not None and _maker(client) is not None


def _http(client: Any, *, own_http: bool) -> dict[str, Any]:
    """Connections of our own for a client, which keep time limits; else it keeps its own."""
    make = _maker(client) if own_http else None
    if make is None:
        return {}
    # A redirect would send the prompt once more, and to whom the server likes.
    return {"http_client": keep_limits(make(follow_redirects=False))}


def of_sdk(client: Any, name: str, *, module: str = "") -> Any:
    """What the SDK of a client has under a name; None: it has no such thing.

    The client may be of a subclass that stands in a module of the user's own.
    """
    for cls in type(client).__mro__:
        sdk = cls.__module__.partition(".")[0]
        place = sys.modules.get(f"{sdk}.{module}" if module else sdk)
        if (found := getattr(place, name, None)) is not None:
            return found
    return None


def _maker(client: Any) -> Callable[..., Any] | None:
    kinds = ("AsyncAPIClient", "AsyncOpenAI", "AsyncAnthropic")
    is_async = inspect.iscoroutinefunction(getattr(client, "post", None)) or any(
        cls.__name__.startswith(kinds) for cls in type(client).__mro__
    )
    found: Callable[..., Any] | None = of_sdk(
        client, "DefaultAsyncHttpxClient" if is_async else "DefaultHttpxClient"
    )
    return found
