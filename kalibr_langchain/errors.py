"""When every path has failed: one error that `except` clauses written for one model still match."""

from __future__ import annotations

from typing import Any, NoReturn

import openai
from langchain_core.exceptions import (
    ContextOverflowError,
    ModelRateLimitError,
    ModelRefusalError,
    OutputParserException,
)
from langchain_openai.chat_models.base import OpenAIContextOverflowError

from kalibr_core.adapter import errors
from kalibr_core.adapter.errors import Kind
from kalibr_core.errors import AllPathsFailed, OutputRejected, PathsBlocked
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


def like_first(failed: AllPathsFailed, *, structured: bool) -> AllPathsFailed:
    """The same error, of the first attempt's kind too: `except openai.RateLimitError`,
    `except ModelRateLimitError` and `except OutputParserException` go on working."""
    return errors.like_first(failed, _parser_kind if structured else lambda _: (None, {}))


def _parser_kind(rejected: OutputRejected) -> Kind:
    if rejected.reason == "refusal":
        return Refused, {"raw_message": None, **UNPARSED}
    return OutputParserException, UNPARSED
