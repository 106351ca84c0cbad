"""What goes wrong is told once for each kind, and again when it had ended."""

from __future__ import annotations

import pytest

from kalibr_core.troubles import Troubles

from .scene import warnings_of


def test_each_kind_is_told_once_until_it_is_over(caplog: pytest.LogCaptureFixture) -> None:
    troubles = Troubles("my goal")
    for text in ("first", "second"):
        troubles.tell("ledger", text)
    troubles.tell("policy", "third")
    troubles.over("ledger")
    troubles.over("never told")
    troubles.tell("ledger", "fourth")
    found = warnings_of(caplog)
    assert [w.rpartition(": ")[2] for w in found] == ["first", "third", "fourth"]
    assert all("'my goal'" in w for w in found)
