"""Which conversation a call belongs to, by LlamaIndex's instrumentation tags."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import pytest
from llama_index_instrumentation.dispatcher import instrument_tags

from kalibr_llama_index.session import session_in, session_of_tags

NAMES = ["session_id", "thread_id", "conversation_id"]
ID = UUID("12345678-1234-5678-1234-567812345678")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("value", "session"), [("alice", "alice"), (7, "7"), (0, "0"), (ID, str(ID))]
)
def test_each_name_may_name_it(name: str, value: Any, session: str) -> None:
    assert session_in({name: value}) == session


@pytest.mark.parametrize(
    "tags",
    [
        {},
        None,
        {"session_id": None},
        {"session_id": ""},
        {"session_id": True},
        {"session_id": False},
        {"session_id": ["alice"]},
        {"session_id": {"id": "alice"}},
        {"session_id": 1.5},
        {"user": "alice"},
        {"SESSION_ID": "alice"},
    ],
)
def test_a_call_may_belong_to_none(tags: Any) -> None:
    assert session_in(tags) is None


@pytest.mark.parametrize(
    "tags",
    [
        {"session_id": "a", "thread_id": "b", "conversation_id": "c"},
        {"conversation_id": "c", "thread_id": "a"},
        {"session_id": None, "thread_id": "a"},
        {"session_id": ["b"], "conversation_id": "a"},
    ],
)
def test_the_narrower_name_wins(tags: dict[str, Any]) -> None:
    assert session_in(tags) == "a"


def test_tags_name_it_only_while_they_are_set() -> None:
    assert session_of_tags() is None
    with instrument_tags({"session_id": "alice"}):
        assert session_of_tags() == "alice"
        with instrument_tags({"session_id": "bob"}):
            assert session_of_tags() == "bob"
        assert session_of_tags() == "alice"
    assert session_of_tags() is None


async def test_each_task_has_its_own() -> None:
    async def call(name: str) -> str | None:
        with instrument_tags({"session_id": name}):
            await asyncio.sleep(0)
            return session_of_tags()

    assert await asyncio.gather(*map(call, "abc")) == ["a", "b", "c"]
