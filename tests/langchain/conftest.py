"""What the LangChain tests share: a provider of their own, and no network beside it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kalibr_bench.provider import LoopbackProvider


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
