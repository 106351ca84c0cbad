"""Whose fault an attempt's error is: the request's, the answer's, the user's own code's."""

from __future__ import annotations

import logging
import sys
from functools import lru_cache
from types import FrameType
from typing import Any

from ..errors import BadResponse, KalibrError, NoEligiblePath
from ..redaction import redact
from ..time_limit import TimeLimit
from .callee import Callee

log = logging.getLogger("kalibr")

LIBRARIES = (
    "openai",
    "anthropic",
    "groq",
    "mistralai",
    "cohere",
    "google",
    "vertexai",
    "boto",
    "ollama",
    "langchain",
    "langgraph",
    "llama_index",
    "pydantic",
    "httpx",
    "httpcore",
    "h11",
    "aiohttp",
    "requests",
    "urllib3",
    "tenacity",
    "tiktoken",
)
"""How the names of packages begin whose faults after an answer came are the answer's."""

BUILTIN = (TypeError, ValueError, LookupError, AttributeError, NotImplementedError)
"""What is raised by code that meets what it did not expect, in a request or in an answer."""


def told_apart(error: Exception, callee: Callee, limit: TimeLimit) -> Exception:
    """The error as the router is to know it: without keys, and as what it is."""
    redact(error, callee.secrets)
    if _is_unexpected(error):
        if _was_read(error, tuple(callee.readers)):
            return _unread(error)
        if limit.was_used:  # something was sent: so it is of what came back, or the user's own
            return _unread(error) if _is_of_a_library(error) else error
    if _was_not_sent(error, callee):
        return _unable(callee, f"its model refuses the request: {error}", error)
    if _lacks_responses(error):
        return _unable(callee, "its server has no Responses API", error)
    return error


def _unread(error: Exception) -> Exception:
    """The model could not read what its provider answered."""
    unread = BadResponse(f"the answer cannot be read: {type(error).__name__}")
    unread.__cause__ = error
    told: Any = error.args[0] if error.args else None
    if isinstance(told, dict):
        unread.code = told.get("code")  # a gateway's 200 around another's 429
    return unread


def _is_unexpected(error: Exception) -> bool:
    """Is it of code that met what it did not expect: a request before, an answer after sending?"""
    return isinstance(error, BUILTIN) and not isinstance(error, KalibrError)


def _was_not_sent(error: Exception, callee: Callee) -> bool:
    """Did the model refuse what it was to send? That says nothing of the path, and another may
    take it. An argument that OpenAI's SDK does not know is the caller's to mend."""
    if type(error).__name__ == "OpenAIError":  # the client cannot be made: it has no key
        return True
    if not callee.is_limited or not _is_unexpected(error):
        return False
    return not (callee.is_openai and isinstance(error, TypeError))


def _is_of_a_library(error: Exception) -> bool:
    """Was it raised by an SDK, a framework or what they stand on, not by a class of the user's?"""
    frame = _frame_of(error)
    name = "" if frame is None else str(frame.f_globals.get("__name__", ""))
    package = name.partition(".")[0]
    return package in sys.stdlib_module_names or package.startswith(LIBRARIES)


def _lacks_responses(error: Exception) -> bool:
    url = str(getattr(getattr(error, "request", None), "url", ""))
    return (
        getattr(error, "status_code", None) == 404
        and url.endswith("/responses")
        and "model" not in str(getattr(error, "code", None))
    )


def _unable(callee: Callee, why: str, error: Exception) -> Exception:
    _warn(callee.path.id, type(error).__name__, _place_of(error))
    unable = NoEligiblePath([f"{callee.path.id}: {why}"])
    unable.__cause__ = error
    return unable


@lru_cache(maxsize=256)
def _warn(path_id: str, error: str, place: str) -> None:
    """Tell once that a path cannot be asked: it may never be. An error's text is not logged, for it
    may hold some of the prompt."""
    log.warning(
        "kalibr: path %r could not be asked (%s in %s): such calls go to the other paths",
        path_id,
        error,
        place,
    )


def _place_of(error: Exception) -> str:
    """Module and function that raised it."""
    frame = _frame_of(error)
    return "?" if frame is None else f"{frame.f_globals.get('__name__')}.{frame.f_code.co_name}"


def _frame_of(error: Exception) -> FrameType | None:
    """Where it was raised; None: nowhere yet."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return None if trace is None else trace.tb_frame


def _was_read(error: Exception, readers: tuple[str, ...]) -> bool:
    """Was it raised while the model read a response? Told by the names of its functions."""
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_name.startswith(readers):
            return True
        trace = trace.tb_next
    return False
