"""Scripted faults: what can go wrong between a request and its answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

HTTP_FAULTS: Mapping[str, tuple[int, str, str | None, str]] = MappingProxyType(
    {
        "server_error": (
            500,
            "server_error",
            None,
            "The server had an error while processing your request. Sorry about that!",
        ),
        "unavailable": (
            503,
            "server_error",
            None,
            "The engine is currently overloaded, please try again later.",
        ),
        "rate_limit": (
            429,
            "requests",
            "rate_limit_exceeded",
            "Rate limit reached for requests. Please slow down.",
        ),
        "quota": (
            429,
            "insufficient_quota",
            "insufficient_quota",
            "You exceeded your current quota, please check your plan and billing details.",
        ),
        "unauthorized": (
            401,
            "invalid_request_error",
            "invalid_api_key",
            "Incorrect API key provided.",
        ),
        "forbidden": (
            403,
            "invalid_request_error",
            "unsupported_country_region_territory",
            "Country, region, or territory not supported.",
        ),
        "not_found": (
            404,
            "invalid_request_error",
            "model_not_found",
            "The model does not exist or you do not have access to it.",
        ),
        "context_length": (
            400,
            "invalid_request_error",
            "context_length_exceeded",
            "This model's maximum context length was exceeded by your messages.",
        ),
        "content_filter": (
            400,
            "invalid_request_error",
            "content_filter",
            "The response was filtered due to the prompt triggering the content policy.",
        ),
        "bad_request": (
            400,
            "invalid_request_error",
            "invalid_value",
            "Invalid value in the request.",
        ),
    }
)
"""Kinds answered with an error: status, error type, error code, message."""

TRANSPORT_FAULTS = frozenset(
    {"reset", "hang", "slow_first_token", "trickle", "cut_body", "cut_json", "html", "no_usage"}
)
"""Kinds that harm the response as a whole, streamed or not."""

CONTENT_FAULTS = frozenset(
    {"malformed_json", "empty_content", "refusal", "error_text", "error_json", "length"}
)
"""Kinds that look like a good response, status 200, and hold a bad answer."""

STREAM_FAULTS = frozenset(
    {
        "disconnect",
        "silent_end",
        "error_event",
        "stall",
        "bad_event",
        "no_done",
        "slow_tokens",
    }
)
"""Kinds that only a stream can have; other requests neither meet them nor use them up."""

FAULT_KINDS = frozenset(HTTP_FAULTS) | TRANSPORT_FAULTS | CONTENT_FAULTS | STREAM_FAULTS


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One scripted fault.

    Attributes:
        kind: One of ``FAULT_KINDS``:

            * errors: ``server_error`` (500), ``unavailable`` (503), ``rate_limit`` and ``quota``
              (429), ``unauthorized`` (401), ``forbidden`` (403), ``not_found`` (404),
              ``context_length``, ``content_filter``, ``bad_request`` (400);
            * transport: ``reset`` (TCP reset before headers), ``hang`` (accepts, never answers),
              ``slow_first_token`` (``delay_s`` before the answer; in a stream after the headers
              and the role-only chunk), ``trickle`` (headers, then SSE comments or blank lines
              every ``delay_s``, no content), ``cut_body`` (fewer bytes than announced),
              ``cut_json`` (a whole body that stops in the middle of the JSON), ``html`` (a page
              instead of JSON), ``no_usage``;
            * content, status 200: ``malformed_json``, ``empty_content``, ``refusal``,
              ``error_text``, ``error_json``, ``length`` (cut at ``after_tokens``, says so);
            * streams only: ``disconnect`` (reset after ``after_tokens``), ``silent_end`` (clean
              end, no finish reason), ``error_event``, ``stall`` (``delay_s``, or until the
              client leaves), ``bad_event`` (one malformed event, then goes on), ``no_done``,
              ``slow_tokens`` (``delay_s`` before each token).
        times: How many requests it hits, >= 1; None: until it is cleared.
        rate: Probability in [0, 1] that a request is hit, drawn as ``Draws`` says.
        retry_after_s: ``Retry-After`` in seconds, >= 0; None sends no such header.
        retry_after_date: Send ``Retry-After`` as an HTTP date (whole seconds, rounded up).
        delay_s: Seconds, >= 0; None is forever for ``hang`` and ``stall``, else 0.05.
        after_tokens: Completion tokens that are sent before the fault, >= 0; None: 5.
        status: Another HTTP status for an error kind or ``html`` (200 if None).
        message: Another error message or content.
        when: Only requests whose ``seed`` (0 if absent) is in [start, stop).
    """

    kind: str
    times: int | None = None
    rate: float = 1.0
    retry_after_s: float | None = None
    retry_after_date: bool = False
    delay_s: float | None = None
    after_tokens: int | None = None
    status: int | None = None
    message: str | None = None
    when: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        if self.kind not in FAULT_KINDS:
            raise ValueError(
                f"unknown fault {self.kind!r}; one of {', '.join(sorted(FAULT_KINDS))}"
            )
        if self.times is not None and self.times < 1:
            raise ValueError(f"times must be >= 1 or None, got {self.times!r}")
        check_rate(self.rate)
        for name in ("retry_after_s", "delay_s", "after_tokens"):
            value = getattr(self, name)
            if value is not None and not value >= 0:
                raise ValueError(f"{name} must be >= 0 or None, got {value!r}")
        if self.status is not None and not 200 <= self.status <= 599:
            raise ValueError(f"status must be in [200, 599], got {self.status!r}")
        object.__setattr__(self, "when", check_range(self.when))

    @property
    def pause_s(self) -> float:
        """Seconds between beats where forever makes no sense."""
        return 0.05 if self.delay_s is None else self.delay_s

    @property
    def kept_tokens(self) -> int:
        """Tokens that are sent before the fault."""
        return 5 if self.after_tokens is None else self.after_tokens


def check_rate(rate: float) -> None:
    """Raise ValueError unless rate is a probability."""
    if not 0.0 <= rate <= 1.0:
        raise ValueError(f"rate must be in [0, 1], got {rate!r}")


def check_range(when: tuple[int, int] | None) -> tuple[int, int] | None:
    """A half-open range of request seeds as a tuple, checked."""
    if when is None:
        return None
    start, stop = when
    if start > stop:
        raise ValueError(f"when must be (start, stop) with start <= stop, got {when!r}")
    return (start, stop)
