"""Half a surrogate pair in a request: no character, so that no server could be sent it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kalibr_core.sendable import sendable


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ("half \ud800", "half \ufffd"),
        ("\udc00\ud800", "\ufffd\ufffd"),
        ("cut \ud83d\ude00 in two", "cut \U0001f600 in two"),
        ("\ufeffmark", "\ufeffmark"),
        ({"\ud800": [("\udfff",)]}, {"\ufffd": [["\ufffd"]]}),
        ([1, 2.5, None, True, {}], [1, 2.5, None, True, {}]),
    ],
)
def test_halves_that_stand_alone_are_replaced_and_the_rest_is_left(value: Any, wanted: Any) -> None:
    assert sendable(value) == wanted


@given(st.text())
@settings(max_examples=50, deadline=None)
def test_any_text_can_be_encoded_and_a_sound_one_is_the_same(text: str) -> None:
    sendable(f"{text}\ud800").encode()
    assert sendable(text) == text
