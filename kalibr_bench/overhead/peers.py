"""What others offer for the same work; used where it is installed, and never required."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import TypeVar

T = TypeVar("T")

OFFLINE = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LANGSMITH_TRACING_V2": "false"}
"""Read when they are imported: no price list is fetched, and no trace is sent anywhere."""
DISTRIBUTIONS = (
    "openai",
    "langchain-openai",
    "llama-index-llms-openai",
    "litellm",
    "river",
    "mabwiser",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """A peer that could not be measured.

    Attributes:
        failed: The type of what it raised; never its text, which may hold an address.
    """

    failed: str


def installed(module: str) -> bool:
    """Can a top-level module be imported? It is not imported for the answer."""
    return importlib.util.find_spec(module) is not None


def chosen(
    peers: Mapping[str, tuple[str, T]], *, has: Callable[[str], bool] = installed
) -> dict[str, T]:
    """The peers whose module is there.

    >>> chosen({"River": ("river", 1), "MABWiser": ("mabwiser", 2)}, has=lambda name: name < "n")
    {'MABWiser': 2}
    """
    return {name: make for name, (module, make) in peers.items() if has(module)}


def opened(makers: Mapping[str, Callable[[], T]]) -> tuple[dict[str, T], dict[str, Exception]]:
    """Make all that can be made; and by name what the others raised."""
    made: dict[str, T] = {}
    errors: dict[str, Exception] = {}
    for name, make in makers.items():
        try:
            made[name] = make()
        except Exception as error:  # noqa: BLE001  # whatever a peer's import may raise
            errors[name] = error
    return made, errors


def failures(errors: Mapping[str, Exception], *, own: Collection[str]) -> dict[str, Failed]:
    """A line for each peer that failed.

    Raises:
        Exception: what one of our `own` raised; that is no finding but a bug.
    """
    for name in own:
        if name in errors:
            raise errors[name]
    return {name: Failed(failed=type(error).__name__) for name, error in errors.items()}


@contextmanager
def offline() -> Iterator[None]:
    """Keep peers that are imported meanwhile from the network."""
    before = {name: os.environ.get(name) for name in OFFLINE}
    os.environ.update(OFFLINE)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def versions() -> dict[str, str]:
    """Of what is measured, as far as it is installed."""
    found = {}
    for name in DISTRIBUTIONS:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
