"""When every path has failed: one error that `except` clauses written for one model still match."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from langchain_core.exceptions import ModelRefusalError, OutputParserException

from kalibr_core.errors import AllPathsFailed, KalibrError, OutputRejected

UNREAD = ("schema", "tool_call", "malformed_json", "no_json")
"""Gate 1's codes for an answer that has not the form that was asked for."""


def like_first(failed: AllPathsFailed, *, structured: bool) -> AllPathsFailed:
    """The same error, of the first attempt's kind too: `except openai.RateLimitError`,
    `except ModelRateLimitError` and `except OutputParserException` go on working.

    Args:
        structured: was structured output asked for? Then a refusal is one of LangChain's.
    """
    first = failed.errors[0]
    kind = _kind(first, structured=structured)
    if kind is None:
        return failed
    mixed = _mixed(kind)  # type: ignore[arg-type]  # a class is hashable, as it stands
    if mixed is None:
        return failed
    error = mixed.__new__(mixed)
    error.args = failed.args
    error.__dict__.update({**_told_by(kind), **vars(first), **vars(failed)})
    return error


def _kind(first: Exception, *, structured: bool) -> type[Exception] | None:
    if isinstance(first, OutputRejected):
        if not structured:
            return None
        return ModelRefusalError if first.reason == "refusal" else OutputParserException
    return None if isinstance(first, KalibrError) else type(first)


def _told_by(kind: type[Exception]) -> dict[str, Any]:
    """What LangChain's own kinds carry, and their `__init__` would have set."""
    if kind is OutputParserException:
        return {"observation": None, "llm_output": None, "send_to_llm": False}
    return {"raw_message": None} if kind is ModelRefusalError else {}


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
