"""When every path has failed: one error that `except` clauses written for one LLM still match."""

from __future__ import annotations

from typing import NoReturn

from kalibr_core.adapter.errors import Kind, like_first
from kalibr_core.errors import AllPathsFailed, OutputRejected


def raised(error: Exception, *, structured: bool) -> NoReturn:
    """Raise what a call ended with: `except openai.RateLimitError` goes on working, and where
    structured output was asked for `except ValueError`, which LlamaIndex raises for one that does
    not fit."""
    if type(error) is AllPathsFailed:
        raise like_first(error, _value_error if structured else _ours) from error.__cause__
    raise error


def _value_error(_: OutputRejected) -> Kind:
    return ValueError, {}


def _ours(_: OutputRejected) -> Kind:
    return None, {}
