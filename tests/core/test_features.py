"""Features of a request hold none of its text."""

from __future__ import annotations

import pytest

from kalibr_core.features import besides, features_of, last_text, script_of, text_of


def user(content: object) -> dict[str, object]:
    return {"role": "user", "content": content}


def test_what_is_counted() -> None:
    messages = [
        {"role": "system", "content": "x" * 400},
        user([{"type": "text", "text": "Was?"}, {"type": "image_url", "image_url": {"url": "u"}}]),
    ]
    found = features_of(messages, tools=2, schema=True, session="alice")
    assert (found.turns, found.tools, found.schema, found.images) == (2, 2, True, 1)
    assert 100 <= found.input_tokens <= 120
    assert found.script == "latin"
    assert found.session is not None
    assert "alice" not in found.session


def test_a_session_is_the_same_hash_each_time() -> None:
    sessions = [features_of([], tools=0, schema=False, session=s).session for s in ("a", "a", "b")]
    assert sessions[0] == sessions[1] != sessions[2]
    assert features_of([], tools=0, schema=False, session=None).session is None


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("Hello", "latin"),
        ("Grüße", "latin"),
        ("Привет", "cyrillic"),
        ("你好世界", "han"),
        ("こんにちは", "kana"),
        ("안녕하세요", "hangul"),
        ("שלום", "hebrew"),
        ("مرحبا", "arabic"),
        ("नमस्ते", "devanagari"),
        ("123 !?", None),
        ("", None),
        ("🙂", None),
    ],
)
def test_scripts(text: str, script: str | None) -> None:
    assert script_of(text) == script


@pytest.mark.parametrize("content", [None, 5, {"a": 1}, [None, 5, {"type": "text"}], b"x"])
def test_odd_contents_have_no_text(content: object) -> None:
    assert text_of(content) == ""


def test_the_last_users_text() -> None:
    messages = [user("first"), user("second"), {"role": "assistant", "content": "third"}, object()]
    assert last_text(messages) == "second"
    assert last_text([{"role": "system", "content": "x"}]) == ""


def test_all_but_the_request_was_said_besides() -> None:
    called = {"function": {"name": "weather", "arguments": '{"city": "Rome"}'}, "id": "1"}
    messages = [
        {"role": "system", "content": "Be kind."},
        user("first"),
        {"role": "assistant", "content": "answer"},
        user([{"type": "text", "text": "second"}]),
        {"role": "assistant", "content": None, "tool_calls": [called]},
        {"role": "tool", "content": "Sunny.", "tool_call_id": "1"},
    ]
    assert besides(messages) == [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "first"},
        {"role": "assistant", "content": "answer"},
        {"role": "assistant", "content": 'weather({"city": "Rome"})'},
        {"role": "tool", "content": "Sunny."},
    ]
    assert besides([user("alone")]) == []
    assert [message["content"] for message in besides([object(), {"tool_calls": [7]}])] == [
        "",
        "None(None)",
    ]
