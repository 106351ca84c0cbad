"""When every path has failed: one error that `except` clauses written for one model still match."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NoReturn

import openai
from langchain_core.exceptions import (
    ContextOverflowError,
    ModelRateLimitError,
    ModelRefusalError,
    OutputParserException,
)
from langchain_openai.chat_models.base import OpenAIContextOverflowError

from kalibr_core.errors import (
    AllPathsFailed,
    KalibrError,
    NoEligiblePath,
    OutputRejected,
    PathsBlocked,
)
from kalibr_core.types import FailureKind

UNPARSED: dict[str, Any] = {"observation": None, "llm_output": None, "send_to_llm": False}
"""What an `OutputParserException` holds."""


class RateLimited(PathsBlocked, ModelRateLimitError):
    """`PathsBlocked`, which `except ModelRateLimitError` matches too: every path is limited now."""

    def __init__(self, blocked: PathsBlocked) -> None:
        super().__init__(blocked.retry_after_s, blocked.reasons)
        self.kalibr = blocked.kalibr

    def __reduce__(self) -> tuple[Any, ...]:
        return PathsBlocked, (self.retry_after_s, self.reasons)


class Refused(ModelRefusalError, OutputParserException):
    """A refusal where structured output was asked for: LangChain's own kind, and what parsing it
    as if it were an answer raises."""


def raised(error: Exception, *, structured: bool) -> NoReturn:
    """Raise what a call ended with, so that `except` clauses written for one model match.

    Args:
        structured: was structured output asked for? Then a refusal is one of LangChain's.
    """
    if type(error) is AllPathsFailed:
        raise like_first(error, structured=structured) from error.__cause__
    if type(error) is PathsBlocked and error.retry_after_s is not None:
        raise RateLimited(error) from error.__cause__
    decision = getattr(error, "kalibr", None)
    failure = decision.outcomes[-1].failure if decision and decision.outcomes else None
    if failure is not None and failure.kind is FailureKind.CONTEXT_OVERFLOW:
        told = as_overflow(error)
        raise told from told.__cause__
    raise error


def like_first(failed: AllPathsFailed, *, structured: bool) -> AllPathsFailed:
    """The same error, of the first attempt's kind too: `except openai.RateLimitError`,
    `except ModelRateLimitError` and `except OutputParserException` go on working."""
    kind, held = _kind(failed.errors[0], structured=structured)
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


def as_overflow(error: Exception) -> Exception:
    """An overflow as LangChain names it, where the model's own integration has not known it.

    Those look for words in the error's text, which SDKs change.
    """
    if isinstance(error, ContextOverflowError):
        return error
    if isinstance(error, openai.BadRequestError):
        told: Exception = OpenAIContextOverflowError(
            error.message, response=error.response, body=error.body
        )
    else:
        told = ContextOverflowError(str(error))
    vars(told).setdefault("kalibr", getattr(error, "kalibr", None))
    told.__cause__ = error
    return told


def _kind(first: Exception, *, structured: bool) -> tuple[type[Exception] | None, dict[str, Any]]:
    """The class that an error is caught by, and what it holds; None: by none but ours."""
    if isinstance(first, AllPathsFailed):
        return _kind(first.errors[0], structured=structured)  # a routed model among the paths
    if isinstance(first, NoEligiblePath) and isinstance(first.__cause__, Exception):
        return _kind(first.__cause__, structured=structured)
    if isinstance(first, OutputRejected) and structured:
        if first.reason == "refusal":
            return Refused, {"raw_message": None, **UNPARSED}
        return OutputParserException, UNPARSED
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
