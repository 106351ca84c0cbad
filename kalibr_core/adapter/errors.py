"""When every path has failed: one error that `except` clauses written for one model still match."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeAlias

from ..errors import AllPathsFailed, KalibrError, NoEligiblePath, OutputRejected

Kind: TypeAlias = "tuple[type[Exception] | None, dict[str, Any]]"
"""A class that an error is caught by, and what its instances hold; None: by none but ours."""


def like_first(
    failed: AllPathsFailed, rejected: Callable[[OutputRejected], Kind]
) -> AllPathsFailed:
    """The same error, of the first attempt's kind too: `except openai.RateLimitError` goes on
    working.

    Args:
        rejected: what a framework raises itself for an answer that gate 1 rejects.
    """
    kind, held = _kind(failed.errors[0], rejected)
    mixed = None if kind is None else _mixed(kind)  # type: ignore[arg-type]  # a class is hashable
    if kind is None or mixed is None:
        return failed
    try:
        error: AllPathsFailed = kind.__new__(mixed)
    except TypeError:  # it asks for more than can be made up, as a group of exceptions does
        return failed
    error.args = failed.args
    vars(error).update({**held, **vars(failed)})
    return error


def _kind(first: Exception, rejected: Callable[[OutputRejected], Kind]) -> Kind:
    if isinstance(first, AllPathsFailed):
        return _kind(first.errors[0], rejected)  # a routed model among the paths
    if isinstance(first, NoEligiblePath) and isinstance(first.__cause__, Exception):
        return _kind(first.__cause__, rejected)
    if isinstance(first, OutputRejected):
        return rejected(first)
    return (None, {}) if isinstance(first, KalibrError) else (type(first), vars(first))


@lru_cache(maxsize=64)
def _mixed(kind: type[Exception]) -> type[AllPathsFailed] | None:
    """A class that is both; None: the interpreter cannot lay out such objects."""
    try:
        return type(
            AllPathsFailed.__name__,
            (AllPathsFailed, kind),
            {
                "__module__": __name__,
                "__doc__": AllPathsFailed.__doc__,
                "__init__": Exception.__init__,
                "__reduce__": _as_plain,
                "__str__": lambda self: str(self.args[0]) if self.args else "",
            },
        )
    except TypeError:
        return None


def _as_plain(self: AllPathsFailed) -> tuple[Any, ...]:
    """Another process gets it without the SDK's part, whose requests hold the key."""
    plain = AllPathsFailed.__new__(AllPathsFailed)
    plain.args = self.args
    for name in ("outcomes", "errors", "kalibr"):
        if name in vars(self):
            vars(plain)[name] = vars(self)[name]
    return AllPathsFailed.__reduce__(plain)
