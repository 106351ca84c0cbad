"""A text is told from an id."""

from __future__ import annotations

import pytest

from kalibr_core import ConfigError
from kalibr_core.adapter.ids import named_by_id
from kalibr_core.booking import new_id
from kalibr_core.outputs import Named


def test_an_id_is_one_and_a_text_is_none() -> None:
    for given in (new_id(0.0), "d1"):
        assert named_by_id(given, instead="") == Named(given)
    for text in ("The sea is wide.", "", "Grün", "x" * 65, "a\nb"):
        with pytest.raises(ConfigError, match="no decision's id; give the message") as caught:
            named_by_id(text, instead="give the message")
        assert not text or text not in str(caught.value)
