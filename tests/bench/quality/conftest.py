"""One loopback provider for the folder, and runs that several tests look at."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kalibr_bench.provider import LoopbackProvider
from kalibr_bench.quality import RunResult, Settings
from kalibr_bench.quality.run import loopback

SHORT = Settings(calls=150, policies=("kalibr",))


@pytest.fixture(scope="session")
def provider() -> Iterator[LoopbackProvider]:
    with loopback(SHORT) as running:
        yield running


def result(to_best: str, *, seed: int = 0, **more: object) -> RunResult:
    """A run of which `1` went to the best path."""
    fields: dict[str, object] = {
        "seed": seed,
        "policy": "kalibr",
        "sampling": "uniform",
        "to_best": tuple(one == "1" for one in to_best),
        "passed": len(to_best),
        "judged": {"judged": len(to_best) // 5},
        "scores": ((8.0, 10), (6.0, 10)),
    }
    return RunResult(**fields | more)  # type: ignore[arg-type]
