"""One loopback provider for the folder, and runs that several tests look at."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kalibr_bench.provider import LoopbackProvider
from kalibr_bench.resilience import ARMS, Results, Settings, benchmark, loopback, scenario


def settings_of(
    name: str = "original", size: str = "quick", arms: tuple[str, ...] = ()
) -> Settings:
    return Settings(scenario=scenario(name, size), arms=arms or tuple(ARMS))


@pytest.fixture(scope="session")
def provider() -> Iterator[LoopbackProvider]:
    with loopback(settings_of()) as running:
        yield running


@pytest.fixture(scope="session")
def quick() -> Results:
    """All arms, one quick run."""
    return benchmark(settings_of(), [3])
