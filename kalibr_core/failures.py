"""Provider exceptions -> failure kinds -> what follows, in tables.

Exceptions are told by their status code, by their code and by the names in their class's order of
inheritance, so that the SDKs of all providers and frameworks are read without importing any.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Literal, NamedTuple

from .errors import OutputRejected
from .retry_after import asked_wait_s
from .types import EvidenceKind, Failure, FailureKind

K = FailureKind


class Rule(NamedTuple):
    """What follows from a failure."""

    evidence: EvidenceKind
    """What it says of the path; `none`: nothing."""
    then: Literal["next", "raise", "larger"]
    """Try the next path, give the error to the caller, or try only paths of a larger window."""
    again: bool = False
    """May the same path be tried again within the call, when no other is left?"""
    block: Literal["no", "for a while", "until changed"] = "no"
    often: EvidenceKind | None = None
    """What it says instead where much of the path's traffic ends so (`Blocks.is_storm`)."""


RULES: dict[FailureKind, Rule] = {
    K.BAD_OUTPUT: Rule(EvidenceKind.QUALITY, "next", again=True),
    K.SERVER_ERROR: Rule(EvidenceKind.AVAILABILITY, "next", again=True),
    K.CONNECTION: Rule(EvidenceKind.AVAILABILITY, "next", again=True),
    K.INTERRUPTED: Rule(EvidenceKind.AVAILABILITY, "next", again=True),
    K.BAD_RESPONSE: Rule(EvidenceKind.AVAILABILITY, "next", again=True),
    K.UNKNOWN: Rule(EvidenceKind.AVAILABILITY, "next", again=True),
    # A path that hung once is not waited for a second time by the same caller.
    K.TIMEOUT: Rule(EvidenceKind.AVAILABILITY, "next"),
    K.RATE_LIMIT: Rule(
        EvidenceKind.NONE,
        "next",
        again=True,
        block="for a while",
        often=EvidenceKind.AVAILABILITY,
    ),
    K.AUTH: Rule(EvidenceKind.NONE, "next", block="until changed"),
    K.NOT_FOUND: Rule(EvidenceKind.NONE, "next", block="until changed"),
    K.UNSUPPORTED: Rule(EvidenceKind.NONE, "next"),
    K.CONTEXT_OVERFLOW: Rule(EvidenceKind.NONE, "larger"),
    K.CONTENT_FILTER: Rule(EvidenceKind.NONE, "raise"),
    K.INVALID_REQUEST: Rule(EvidenceKind.NONE, "raise"),
    K.CALLER: Rule(EvidenceKind.NONE, "raise"),
}

STATUS: dict[int, FailureKind] = {
    400: K.INVALID_REQUEST,
    401: K.AUTH,
    402: K.RATE_LIMIT,  # out of credit: may be paid at any minute
    403: K.AUTH,
    404: K.NOT_FOUND,
    405: K.NOT_FOUND,
    408: K.TIMEOUT,
    409: K.SERVER_ERROR,
    410: K.NOT_FOUND,
    413: K.CONTEXT_OVERFLOW,
    422: K.INVALID_REQUEST,
    425: K.SERVER_ERROR,
    429: K.RATE_LIMIT,
}

NAMES: dict[str, FailureKind] = {
    "APITimeoutError": K.TIMEOUT,
    "TimeoutException": K.TIMEOUT,
    "TimeoutError": K.TIMEOUT,
    "Timeout": K.TIMEOUT,
    "StreamInterrupted": K.INTERRUPTED,
    "BadResponse": K.BAD_RESPONSE,
    "APIResponseValidationError": K.BAD_RESPONSE,
    "JSONDecodeError": K.BAD_RESPONSE,
    "DecodingError": K.BAD_RESPONSE,
    "UnicodeDecodeError": K.BAD_RESPONSE,
    "LengthFinishReasonError": K.BAD_OUTPUT,
    "ContentFilterFinishReasonError": K.CONTENT_FILTER,
    "APIConnectionError": K.CONNECTION,
    "TransportError": K.CONNECTION,
    "RequestError": K.CONNECTION,
    "ConnectionError": K.CONNECTION,
    "ClientConnectionError": K.CONNECTION,
    "RateLimitError": K.RATE_LIMIT,
    "AuthenticationError": K.AUTH,
    "PermissionDeniedError": K.AUTH,
    "NotFoundError": K.NOT_FOUND,
    "BadRequestError": K.INVALID_REQUEST,
    "InternalServerError": K.SERVER_ERROR,
    "APIError": K.SERVER_ERROR,  # an error event inside a stream has no status
    "OSError": K.CONNECTION,
    # LangChain's words, which its integrations' exceptions inherit beside their SDK's.
    "ContextOverflowError": K.CONTEXT_OVERFLOW,
    "ModelAuthenticationError": K.AUTH,
    "ModelPermissionDeniedError": K.AUTH,
    "ModelNotFoundError": K.NOT_FOUND,
    "ModelRateLimitError": K.RATE_LIMIT,
    "ModelTimeoutError": K.TIMEOUT,
    "ModelConnectionError": K.CONNECTION,
    "ModelAPIError": K.SERVER_ERROR,
    "ModelInvalidRequestError": K.INVALID_REQUEST,
    "ModelRefusalError": K.BAD_OUTPUT,
    "OutputParserException": K.BAD_OUTPUT,
    "LimiterError": K.RATE_LIMIT,  # a model's own rate limiter
    # Of a Router inside a Router's call: it has already tried, or another path may take it.
    "AllPathsFailed": K.UNKNOWN,
    "PathsBlocked": K.UNKNOWN,
    "NoEligiblePath": K.UNSUPPORTED,
    "BudgetExceeded": K.UNSUPPORTED,
    "KalibrError": K.CALLER,
    "LocalProtocolError": K.CALLER,  # a header that cannot be sent
    "UnicodeEncodeError": K.CALLER,
    "OverflowError": K.CALLER,
    "RecursionError": K.CALLER,
    "TypeError": K.CALLER,
    "AttributeError": K.CALLER,
    "NameError": K.CALLER,
    "ImportError": K.CALLER,
    "AssertionError": K.CALLER,
    "NotImplementedError": K.CALLER,
    "SyntaxError": K.CALLER,
}

TEXTS: tuple[tuple[FailureKind, re.Pattern[str]], ...] = (
    (
        K.CONTEXT_OVERFLOW,
        re.compile(
            r"context.?length|maximum context|context window|prompt is too long|too many tokens"
            r"|input.{0,20}too long|reduce the length|max_?(input_?)?tokens.{0,40}exceed",
            re.IGNORECASE,
        ),
    ),
    (
        K.CONTENT_FILTER,
        re.compile(
            r"content.?(filter|policy|management)|responsible.?ai|moderation|flagged|safety",
            re.IGNORECASE,
        ),
    ),
    (
        K.RATE_LIMIT,
        re.compile(r"insufficient.?(quota|balance|funds)|credit balance", re.IGNORECASE),
    ),
    (K.AUTH, re.compile(r"api.?key.{0,20}(invalid|not valid|expired)|invalid.?api.?key", re.I)),
    (
        K.NOT_FOUND,
        re.compile(r"model.{0,40}(not.?found|does not exist|decommissioned|not exist)", re.I),
    ),
    (
        K.UNSUPPORTED,
        re.compile(
            r"unsupported|not supported|does not support|doesn't support|unrecognized request arg"
            r"|extra inputs are not permitted|unknown (parameter|field|name)",
            re.IGNORECASE,
        ),
    ),
)
"""What a 400 or 403 says decides what it is: providers put most things under these two."""

UNSENDABLE = ("LocalProtocolError", "UnicodeEncodeError")
DEEPEST_CAUSE = 8
READS = ("_process_response", "__stream__")
"""The client's functions that read a response."""

OUT_OF_CREDIT = re.compile(r"insufficient.?(quota|balance|funds)|credit balance|billing", re.I)
OUT_OF_CREDIT_S = 60.0


def classify(error: BaseException, *, now: Callable[[], float]) -> Failure:
    """What kind of failure an exception is.

    Args:
        now: seconds since the epoch, for a `Retry-After` that is a date.

    >>> classify(TimeoutError(), now=lambda: 0.0).kind
    <FailureKind.TIMEOUT: 'timeout'>
    """
    if isinstance(error, OutputRejected):
        return Failure(kind=K.BAD_OUTPUT, reason=error.reason)
    status = _status(error)
    kind = _by_status(error, status) if status is not None else _by_name(error)
    retry_after_s = None
    if kind is K.RATE_LIMIT or kind is K.SERVER_ERROR:
        retry_after_s = asked_wait_s(error, now=now)
    if kind is K.RATE_LIMIT and retry_after_s is None and OUT_OF_CREDIT.search(_text(error)):
        retry_after_s = OUT_OF_CREDIT_S
    return Failure(
        kind=kind, status=status, retry_after_s=retry_after_s, reason=type(error).__name__
    )


def _status(error: BaseException) -> int | None:
    for holder in (error, getattr(error, "response", None)):
        for name in ("status_code", "http_status", "status", "code"):
            value = getattr(holder, name, None)
            if isinstance(value, str) and len(value) == 3 and value.isdecimal():
                value = int(value)  # an error event inside a stream has its status as a text
            if isinstance(value, int) and 400 <= value <= 599:
                return value
    return None


def _by_status(error: BaseException, status: int) -> FailureKind:
    if status in (400, 403, 404, 413, 422):
        text = _text(error)
        for kind, pattern in TEXTS:
            # "Country not supported" under a 403 is no parameter: it stays so for every request.
            if pattern.search(text) and (kind is not K.UNSUPPORTED or status in (400, 422)):
                return kind
    if status >= 500:
        return K.SERVER_ERROR
    return STATUS.get(status, K.INVALID_REQUEST)


def _by_name(error: BaseException) -> FailureKind:
    if getattr(error, "code", None) in ("rate_limit_exceeded", "rate_limit_error"):
        return K.RATE_LIMIT
    if any(cls.__name__ == "ContextOverflowError" for cls in type(error).__mro__):
        return K.CONTEXT_OVERFLOW  # more exact than the SDK's own class before it
    kind = _by_class(error)
    if kind is K.CONNECTION and _was_unsendable(error):
        return K.CALLER
    if isinstance(error, ValueError | RecursionError) and kind in (K.UNKNOWN, K.CALLER):
        return _by_place(error) or kind
    return kind


def _by_class(error: BaseException) -> FailureKind:
    for cls in type(error).__mro__:
        if cls.__name__ in NAMES:
            return NAMES[cls.__name__]
    return K.UNKNOWN


def _was_unsendable(error: BaseException) -> bool:
    """Clients call it a failed connection, whatever kept them from sending.

    Only by `raise ... from`: the caller may be handling an error of its own around the call.
    """
    cause = error.__cause__
    for _ in range(DEEPEST_CAUSE):
        if cause is None:
            return False
        if any(cls.__name__ in UNSENDABLE for cls in type(cause).__mro__):
            return True
        cause = cause.__cause__
    return False


def _by_place(error: BaseException) -> FailureKind | None:
    """Where it was raised tells whose numbers or nesting JSON cannot hold: sent, or received."""
    trace = error.__traceback__
    while trace is not None:
        frame = trace.tb_frame
        module = frame.f_globals.get("__name__")
        if module == "json.encoder":
            return K.CALLER
        if module == "json.decoder" or frame.f_code.co_name in READS:
            return K.BAD_RESPONSE
        trace = trace.tb_next
    return None


def _text(error: BaseException) -> str:
    """Code and message, to be searched and never to be kept."""
    return f"{getattr(error, 'code', '')} {getattr(error, 'type', '')} {error}"[:4000]
