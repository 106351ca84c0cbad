"""What a path adds to what the caller asked for, as its provider takes it."""

from __future__ import annotations

from typing import Any

import pytest

from kalibr_core import Path
from kalibr_core.arguments import arguments_of, for_create, is_plain
from kalibr_core.providers import endpoint_of

KEYS = {"OPENAI_API_KEY": "k", "DEEPSEEK_API_KEY": "k", "GROQ_API_KEY": "k"}
HELLO = [{"role": "user", "content": "hello"}]


def sent(model: str, asked: dict[str, Any], **path: Any) -> dict[str, Any]:
    made = Path(model=model, **path)
    return arguments_of(made, endpoint_of(made, environ=KEYS), asked)


def test_the_paths_params_win_since_they_are_what_it_is() -> None:
    found = sent("gpt-4o", {"temperature": 0.9, "seed": 7}, params={"temperature": 0.2})
    assert found == {"temperature": 0.2, "seed": 7, "model": "gpt-4o"}


def test_the_model_is_named_as_its_server_knows_it() -> None:
    assert sent("groq/llama-3.3-70b", {})["model"] == "llama-3.3-70b-versatile"


LIMITS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("gpt-4o", {"max_tokens": 5}, {"max_tokens": 5}),
    ("gpt-4o", {"max_completion_tokens": 5}, {"max_completion_tokens": 5}),
    ("o3-mini", {"max_tokens": 5}, {"max_completion_tokens": 5}),
    ("gpt-5", {"max_tokens": 5}, {"max_completion_tokens": 5}),
    ("deepseek-chat", {"max_completion_tokens": 5}, {"max_tokens": 5}),
    ("deepseek-chat", {"max_tokens": 5}, {"max_tokens": 5}),
]


@pytest.mark.parametrize(("model", "asked", "want"), LIMITS)
def test_a_limit_of_tokens_goes_by_the_providers_own_name(
    model: str, asked: dict[str, Any], want: dict[str, Any]
) -> None:
    found = sent(model, asked)
    assert {k: v for k, v in found.items() if k.startswith("max")} == want


OLD, NEW = "max_tokens", "max_completion_tokens"
BOTH: list[tuple[str, dict[str, Any], dict[str, Any], dict[str, Any]]] = [
    ("gpt-4o", {NEW: 5}, {OLD: 9}, {OLD: 9}),
    ("gpt-4o", {OLD: 5}, {NEW: 9}, {NEW: 9}),
    ("gpt-4o", {OLD: 5, NEW: 6}, {}, {NEW: 6}),
    ("gpt-4o", {OLD: 5, NEW: None}, {}, {OLD: 5}),
    ("o3-mini", {NEW: 5}, {OLD: 9}, {NEW: 9}),
    ("o3-mini", {OLD: 5}, {NEW: 9}, {NEW: 9}),
    ("deepseek-chat", {OLD: 5}, {NEW: 9}, {OLD: 9}),
    ("deepseek-chat", {NEW: 5}, {OLD: 9}, {OLD: 9}),
    ("deepseek-chat", {OLD: 5, NEW: 6}, {}, {OLD: 5}),
]


@pytest.mark.parametrize(("model", "asked", "params", "want"), BOTH)
def test_one_limit_of_tokens_is_sent_and_the_paths_wins(
    model: str, asked: dict[str, Any], params: dict[str, Any], want: dict[str, Any]
) -> None:
    found = sent(model, asked, params=params)
    assert {k: v for k, v in found.items() if k.startswith("max")} == want


def test_names_that_create_refuses_go_into_the_body() -> None:
    given = {"model": "m", "top_k": 5, "min_p": 1, "extra_body": {"min_p": 2, "x": 3}}
    found = for_create(given)
    assert found == {"model": "m", "extra_body": {"top_k": 5, "min_p": 2, "x": 3}}
    assert given["extra_body"] == {"min_p": 2, "x": 3}
    assert for_create({"model": "m", "extra_headers": {}}) == {"model": "m", "extra_headers": {}}


def test_what_the_caller_gave_is_left_as_it_was() -> None:
    asked = {"max_tokens": 5, "messages": HELLO}
    sent("o3-mini", asked)
    assert asked == {"max_tokens": 5, "messages": HELLO}


class Message(dict[str, str]):
    """Something like a client's own object."""


PLAIN: list[tuple[dict[str, Any], bool]] = [
    ({"model": "m", "messages": HELLO}, True),
    ({"messages": HELLO, "temperature": 0.5, "seed": 1, "user": "u", "logprobs": True}, True),
    ({"messages": HELLO, "response_format": {"type": "json_object"}}, True),
    ({"messages": HELLO, "response_format": Message(type="json_object")}, False),
    ({"messages": tuple(HELLO)}, False),
    ({"messages": [Message(role="user", content="x")]}, False),
    ({"messages": [{"role": "user", "content": [{"type": "text", "text": "x"}]}]}, False),
    ({"messages": [{"role": "assistant", "content": None}]}, False),
    ({"messages": HELLO, "tools": []}, False),
    ({"messages": HELLO, "temperature": None}, False),
    ({"messages": HELLO, "extra_headers": {"x": "y"}}, False),
    ({"messages": HELLO, "extra_body": {"x": "y"}}, False),
]


@pytest.mark.parametrize(("arguments", "plain"), PLAIN, ids=str)
def test_only_what_is_json_as_it_stands_goes_past_the_clients_translation(
    arguments: dict[str, Any], plain: bool
) -> None:
    assert is_plain(arguments) is plain
