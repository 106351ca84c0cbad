"""Which conversation a call belongs to, wherever LangChain or LangGraph says it."""

from __future__ import annotations

from typing import Any

import pytest

from kalibr_langchain.session import session_of


@pytest.mark.parametrize("place", ["configurable", "metadata"])
@pytest.mark.parametrize("name", ["session_id", "thread_id", "conversation_id"])
@pytest.mark.parametrize(("value", "session"), [("alice", "alice"), (7, "7"), (0, "0")])
def test_each_name_in_each_place(place: str, name: str, value: Any, session: str) -> None:
    config: Any = {place: {name: value}}
    assert session_of(config) == session


@pytest.mark.parametrize(
    "config",
    [
        None,
        {},
        {"configurable": {}, "metadata": {}},
        {"configurable": {"session_id": None}},
        {"configurable": {"session_id": ["alice"]}},
        {"metadata": {"user": "alice"}},
        {"configurable": None},
        {"tags": ["session_id"]},
    ],
)
def test_a_call_may_belong_to_none(config: Any) -> None:
    assert session_of(config) is None


@pytest.mark.parametrize(
    "config",
    [
        {"configurable": {"session_id": "a", "thread_id": "b"}},
        {"configurable": {"session_id": "a"}, "metadata": {"session_id": "b"}},
        {"configurable": {"thread_id": "b"}, "metadata": {"session_id": "a"}},
        {"configurable": {"session_id": None}, "metadata": {"thread_id": "a"}},
    ],
)
def test_the_narrower_name_wins_and_then_what_is_configured(config: Any) -> None:
    assert session_of(config) == "a"
