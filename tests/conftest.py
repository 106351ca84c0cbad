"""What all tests share: no key, ledger or proxy of the machine they run on."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# The same examples in every run: a new counterexample is found by whoever looks for one.
settings.register_profile("kalibr", derandomize=True, database=None)
settings.load_profile("kalibr")

KEYS = ("_API_KEY", "_BASE_URL", "_PROXY", "_proxy")


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Tests write into their own folder, and no key of the machine's owner is ever used."""
    for name in list(os.environ):
        if name.endswith(KEYS) or name.startswith("OPENAI_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("KALIBR_LEDGER", str(tmp_path / "kalibr.db"))


@pytest.fixture(autouse=True)
def quiet_log() -> Iterator[None]:
    """Leave the library's logger as it was found."""
    log = logging.getLogger("kalibr")
    level, handlers = log.level, list(log.handlers)
    yield
    log.setLevel(level)
    log.handlers[:] = handlers
