"""What all tests share: no key, ledger or proxy of the machine they run on."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from kalibr_bench.provider import LoopbackProvider

# The same examples in every run: a new counterexample is found by whoever looks for one.
settings.register_profile("kalibr", derandomize=True, database=None)
settings.load_profile("kalibr")

KEYS = ("_API_KEY", "_BASE_URL", "_PROXY", "_proxy")


@pytest.fixture(scope="session", autouse=True)
def no_certificates(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """All is plain HTTP on 127.0.0.1: no client need read the certificates, which takes 19 ms."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("SSL_CERT_FILE", raising=False)
        patch.setenv("SSL_CERT_DIR", str(tmp_path_factory.mktemp("no-certificates")))
        yield


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


@pytest.fixture(scope="session")
def shared_server() -> Iterator[LoopbackProvider]:
    """A provider whose models make no mistakes but by script."""
    with LoopbackProvider(quality=1.0) as provider:
        yield provider


@pytest.fixture
def server() -> Iterator[LoopbackProvider]:
    """One for a single test, which scripts its faults and counts its calls."""
    with LoopbackProvider(quality=1.0) as provider:
        yield provider
