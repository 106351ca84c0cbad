"""A chat model as routed calls use it: no retries of its own, and connections of its own loop."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from langchain_core.language_models import BaseChatModel
from pydantic import SecretStr

from kalibr_core.adapter.sdk import can_be_limited, replaced

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
    """A copy that makes one HTTP call for each call, over connections that nobody shares."""
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
        found = replaced(_held(copy, name), made, own_http=ours and own_http)
        if found is not None:
            vars(copy)[name] = found
    return copy


def has_own_http(model: BaseChatModel) -> bool:
    """Are the model's connections the user's own? They are left as they are."""
    return any(getattr(model, name, None) is not None for name in OWN_HTTP)


def is_limited(model: BaseChatModel) -> bool:
    """Do the model's copies keep a `TimeLimit`? Those over connections of our own do."""
    if has_own_http(model):
        return False
    return any(can_be_limited(_held(model, name)) for name in (*SYNC, *ASYNC))


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


def _held(model: BaseChatModel, name: str) -> Any:
    try:
        return getattr(model, name, None)
    except Exception:  # noqa: BLE001  # a cached property that cannot be made: no key for it
        return None
