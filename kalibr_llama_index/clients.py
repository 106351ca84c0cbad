"""An LLM as routed calls use it: no retries, no events, and connections of its own loop."""

from __future__ import annotations

import contextlib
from typing import Any

from llama_index.core.callbacks import CallbackManager
from llama_index.core.llms import LLM
from llama_index.llms.openai import OpenAI

from kalibr_core.adapter.sdk import can_be_limited, client_in, of_sdk, prepare, replaced
from kalibr_core.time_limit import keep_limits

from .quiet import quiet

SYNC = ("_client", "client", "_sync_client")
ASYNC = ("_aclient", "_async_client", "async_client", "aclient")
"""Where LLMs keep their SDK's clients."""
OWN_HTTP = ("_http_client", "_async_http_client", "http_client", "async_http_client")
"""Where they keep connections of the user's own; those are left as they are."""
OURS: dict[str, Any] = {"max_retries": 0, "rate_limiter": None, "reuse_client": True}
"""Settings that are the router's."""
USAGE = {"include_usage": True}


def unretried(llm: LLM, *, is_async: bool) -> LLM:
    """A copy that makes one HTTP call for each call, over connections that nobody shares.

    LlamaIndex's OpenAI LLM retries by itself, and its client does so once more for each try.
    """
    copy = llm.model_copy()
    object.__setattr__(copy, "__class__", quiet(type(llm)))
    vars(copy)["callback_manager"] = CallbackManager([])
    if getattr(copy, "is_routed", False):
        return copy  # it makes its attempts, and keeps its connections, itself
    for name, value in OURS.items():
        if name in type(copy).model_fields:
            vars(copy)[name] = value
    if isinstance(copy, OpenAI):  # a stream's cost is in its usage
        copy.additional_kwargs = {"stream_options": USAGE, **copy.additional_kwargs}
    own_http = not has_own_http(llm)
    if isinstance(copy, OpenAI) and held(copy, SYNC[0]) is None and own_http:
        _connect_openai(copy, is_async=is_async)
        return copy
    made: dict[int, Any] = {}
    for name in (*SYNC, *ASYNC):
        found = replaced(held(copy, name), made, own_http=own_http and (name in ASYNC) == is_async)
        if found is not None:
            with contextlib.suppress(AttributeError):  # a property, made anew each time
                setattr(copy, name, found)
    return copy


def has_own_http(llm: LLM) -> bool:
    """Are the connections the user's own?"""
    if any(held(llm, name) is not None for name in OWN_HTTP):
        return True
    clients = (client_in(held(llm, name)) for name in (*SYNC, *ASYNC))
    return any(client is not None and not _is_default(client) for client in clients)


def is_limited(llm: LLM) -> bool:
    """Do the LLM's copies keep a `TimeLimit`? Those over connections of our own do."""
    if has_own_http(llm):
        return False
    if isinstance(llm, OpenAI):
        return True  # it makes its clients when it is first called
    return any(can_be_limited(held(llm, name)) for name in (*SYNC, *ASYNC))


def _connect_openai(copy: OpenAI, *, is_async: bool) -> None:
    """Have the LLM make its client over connections of our own."""
    import openai  # slow to import

    if is_async:
        copy._async_http_client = keep_limits(
            openai.DefaultAsyncHttpxClient(follow_redirects=False)
        )
        copy._aclient = None
        prepare(copy._get_aclient())
    else:
        copy._http_client = keep_limits(openai.DefaultHttpxClient(follow_redirects=False))
        copy._client = None
        prepare(copy._get_client())


def _is_default(client: Any) -> bool:
    """Has the SDK made the client's connections itself?"""
    http = getattr(client, "_client", None)
    names = ("SyncHttpxClientWrapper", "AsyncHttpxClientWrapper")
    found = (of_sdk(client, name, module="_base_client") for name in names)
    wrappers = tuple(kind for kind in found if kind is not None)
    return http is None or not wrappers or isinstance(http, wrappers)


def held(llm: Any, name: str) -> Any:
    """What an LLM keeps under a name; None: nothing, or what cannot be made."""
    try:
        return getattr(llm, name, None)
    except Exception:  # noqa: BLE001  # a property that cannot be made: no key for it
        return None
