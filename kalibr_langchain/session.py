"""Which conversation a call belongs to, by what LangChain and LangGraph call it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal
from uuid import UUID

from langchain_core.runnables import RunnableConfig

PLACES: tuple[Literal["configurable", "metadata"], ...] = ("configurable", "metadata")
NAMES = ("session_id", "thread_id", "conversation_id")


def session_of(config: RunnableConfig | None) -> str | None:
    """The conversation's id, from a run's `configurable` or `metadata`; None: it names none."""
    if config is None:
        return None
    places = [place for key in PLACES if (place := config.get(key))]
    if not places:
        return None
    for name in NAMES:
        for place in places:
            value = place.get(name) if isinstance(place, Mapping) else None
            if isinstance(value, str | int | UUID) and not isinstance(value, bool) and value != "":
                return str(value)
    return None
