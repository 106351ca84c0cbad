"""Which conversation a call belongs to, by LlamaIndex's instrumentation tags."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from llama_index_instrumentation.dispatcher import active_instrument_tags

NAMES = ("session_id", "thread_id", "conversation_id")


def session_of_tags() -> str | None:
    """The conversation's id, as `instrument_tags({"session_id": ...})` names it; None: none is
    named."""
    return session_in(active_instrument_tags.get())


def session_in(tags: Mapping[str, Any]) -> str | None:
    """The conversation's id in tags."""
    for name in NAMES if tags else ():
        value = tags.get(name)
        if isinstance(value, str | int | UUID) and not isinstance(value, bool) and value != "":
            return str(value)
    return None
