"""How much of a conversation a judge is shown."""

from __future__ import annotations

from kalibr_core.gates.shown import CONVERSATION, MESSAGE, cut_to_fit
from kalibr_core.types import Transcript


def said(*texts: str, role: str = "user") -> Transcript:
    return [{"role": role, "content": text} for text in texts]


def test_a_short_conversation_is_shown_whole_but_for_what_says_nothing() -> None:
    talk = [*said("Be kind.", role="system"), *said("a", "", "b")]
    assert cut_to_fit(talk) == [talk[0], talk[1], talk[3]]
    assert cut_to_fit(()) == []


def test_of_a_long_one_the_system_and_the_newest_are_shown() -> None:
    talk = [*said("Be kind.", role="system"), *said(*(f"{n}" * 900 for n in range(1, 10)))]
    shown = cut_to_fit(talk * 1)
    assert shown[0] == talk[0]
    assert shown[1] == {"role": "note", "content": "[... 1 messages left out ...]"}
    assert shown[2:] == talk[2:]
    assert sum(len(message["content"]) for message in shown) <= CONVERSATION + 100


def test_a_long_message_is_cut_in_the_middle() -> None:
    (shown,) = cut_to_fit(said("x" * MESSAGE + "y" * MESSAGE))
    assert shown["content"].startswith("xx")
    assert shown["content"].endswith("yy")
    assert "2036 characters left out" in shown["content"]
    assert MESSAGE - 1 <= len(shown["content"]) <= MESSAGE


def test_the_system_and_three_long_messages_have_room() -> None:
    talk = [*said("s" * 2_500, role="system"), *said(*["u" * 2_500] * 5)]
    assert [message["role"] for message in cut_to_fit(talk)] == ["system", "note", *["user"] * 3]


def test_however_much_was_said_what_is_shown_is_bounded() -> None:
    shown = cut_to_fit([*said("s" * 10_000, role="system"), *said(*["u" * 10_000] * 50)])
    assert sum(len(message["content"]) for message in shown) <= CONVERSATION + 200
