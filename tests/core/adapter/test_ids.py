"""A decision is found in whatever holds it, and a text is told from an id."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from kalibr_core import ConfigError
from kalibr_core.adapter.ids import Named, named_by_id, named_in
from kalibr_core.booking import new_id

RECORD = {"kalibr": {"decision_id": "d1", "goal": "g"}}


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (SimpleNamespace(response_metadata=RECORD), Named("d1", "g")),
        (SimpleNamespace(response_metadata={}, additional_kwargs=RECORD), Named("d1", "g")),
        (
            SimpleNamespace(additional_kwargs={"kalibr": {"decision_id": "d1", "goal": 5}}),
            Named("d1"),
        ),
        (SimpleNamespace(response_metadata={"kalibr": {"decision_id": 5}}), None),
        (SimpleNamespace(response_metadata={"kalibr": "d1"}), None),
        (SimpleNamespace(kalibr="d1"), None),
        (RECORD, None),
        (None, None),
    ],
)
def test_a_decision_is_found_in_an_answer(answer: Any, found: Named | None) -> None:
    assert named_in(answer) == found


def test_an_id_is_one_and_a_text_is_none() -> None:
    for given in (new_id(0.0), "d1"):
        assert named_by_id(given, instead="") == Named(given)
    for text in ("The sea is wide.", "", "Grün", "x" * 65, "a\nb"):
        with pytest.raises(ConfigError, match="no decision's id; give the message") as caught:
            named_by_id(text, instead="give the message")
        assert not text or text not in str(caught.value)
