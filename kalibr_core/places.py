"""Where a user's function went wrong: files and lines, since an error's text may hold a prompt."""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Callable


def where_raised(error: BaseException, function: Callable[..., object] | None) -> str:
    """An error's class, and the line of a user's function that it came through; without one, the
    class alone."""
    name = type(error).__name__
    places = [] if function is None else _places(error)
    if not places:
        return name
    own = _file_of(function)
    file, line = next((place for place in reversed(places) if place[0] == own), places[-1])
    return f"{name} at {file}:{line}"


def where_from(error: BaseException) -> list[str]:
    """An error's class and all places that it came through, the innermost first."""
    return [type(error).__name__, *(f"{file}:{line}" for file, line in reversed(_places(error)))]


def _places(error: BaseException) -> list[tuple[str, int]]:
    found = traceback.walk_tb(error.__traceback__)
    return [(frame.f_code.co_filename, line) for frame, line in found]


def _file_of(function: object) -> str | None:
    inner = inspect.unwrap(getattr(function, "func", function))  # type: ignore[arg-type]  # any
    code = getattr(inner, "__code__", None) or getattr(type(inner).__call__, "__code__", None)
    return getattr(code, "co_filename", None)
