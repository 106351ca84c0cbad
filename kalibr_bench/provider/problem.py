"""Error answers in OpenAI's shape."""

from __future__ import annotations

import math
import time
from email.utils import formatdate
from typing import Any

from kalibr_bench.provider.fault import HTTP_FAULTS, Fault


class Problem(Exception):
    """A request that is answered with an error.

    Attributes:
        status: HTTP status.
        body: The JSON body, ``{"error": {"message", "type", "param", "code"}}``.
        headers: Extra headers, e.g. ``Retry-After``.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        type: str = "invalid_request_error",
        param: str | None = None,
        code: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.body = error_body(message, type=type, param=param, code=code)
        self.headers = headers or {}


def error_body(
    message: str, *, type: str, param: str | None = None, code: str | None = None
) -> dict[str, Any]:
    """OpenAI's error object."""
    return {"error": {"message": message, "type": type, "param": param, "code": code}}


def invalid(message: str, *, param: str | None = None, code: str | None = None) -> Problem:
    """A 400 for a request that cannot be served."""
    return Problem(400, message, param=param, code=code)


def no_key() -> Problem:
    """A 401 for a request without a key."""
    return Problem(
        401,
        "You didn't provide an API key. You need to provide your API key in an Authorization"
        " header using Bearer auth (i.e. Authorization: Bearer YOUR_KEY).",
    )


def no_model(name: str) -> Problem:
    """A 404 for a model that is not served."""
    message = f"The model `{name}` does not exist or you do not have access to it."
    return Problem(404, message, code="model_not_found")


def too_long(*, window: int, prompt: int, completion: int) -> Problem:
    """A 400 for a prompt that does not fit; all in tokens."""
    return invalid(
        f"This model's maximum context length is {window} tokens. However, you requested"
        f" {prompt + completion} tokens ({prompt} in the messages, {completion} in the completion)."
        " Please reduce the length of the messages or completion.",
        param="messages",
        code="context_length_exceeded",
    )


def of_fault(fault: Fault) -> Problem:
    """The error that a scripted error kind asks for."""
    status, type_, code, message = HTTP_FAULTS[fault.kind]
    return Problem(
        fault.status or status,
        fault.message or message,
        type=type_,
        code=code,
        headers=_retry_after(fault),
    )


def _retry_after(fault: Fault) -> dict[str, str]:
    if fault.retry_after_s is None:
        return {}
    if fault.retry_after_date:
        return {
            "Retry-After": formatdate(math.ceil(time.time() + fault.retry_after_s), usegmt=True)
        }
    return {"Retry-After": f"{fault.retry_after_s:g}"}
