"""Provider exceptions are told apart by status, code and class name, whatever SDK raised them."""

from __future__ import annotations

import json
import math
from collections.abc import Callable

import pytest

from kalibr_core import (
    AllPathsFailed,
    BadResponse,
    ConfigError,
    FailureKind,
    KalibrError,
    OutputRejected,
    PathsBlocked,
    StreamInterrupted,
)
from kalibr_core.failures import OUT_OF_CREDIT_S, RULES, classify
from kalibr_core.testing import provider_error
from kalibr_core.types import EvidenceKind, Failure

K = FailureKind
NOW = 1_800_000_000.0


def told(error: BaseException) -> Failure:
    return classify(error, now=lambda: NOW)


def test_every_kind_has_its_rule() -> None:
    assert set(RULES) == set(FailureKind)


def test_only_a_failed_gate_speaks_of_quality() -> None:
    of_quality = {kind for kind, rule in RULES.items() if rule.evidence is EvidenceKind.QUALITY}
    assert of_quality == {K.BAD_OUTPUT}


STATUSES = {
    400: K.INVALID_REQUEST,
    401: K.AUTH,
    402: K.RATE_LIMIT,
    403: K.AUTH,
    404: K.NOT_FOUND,
    408: K.TIMEOUT,
    409: K.SERVER_ERROR,
    410: K.NOT_FOUND,
    413: K.CONTEXT_OVERFLOW,
    418: K.INVALID_REQUEST,
    422: K.INVALID_REQUEST,
    429: K.RATE_LIMIT,
    500: K.SERVER_ERROR,
    502: K.SERVER_ERROR,
    503: K.SERVER_ERROR,
    504: K.SERVER_ERROR,
    529: K.SERVER_ERROR,
}


@pytest.mark.parametrize("status", STATUSES)
def test_statuses(status: int) -> None:
    failure = told(provider_error(status))
    assert failure.kind is STATUSES[status]
    assert failure.status == status


TEXTS = [
    (400, "This model's maximum context length is 8192 tokens", K.CONTEXT_OVERFLOW),
    (400, "prompt is too long: 210000 tokens > 200000 maximum", K.CONTEXT_OVERFLOW),
    (400, "input token count exceeds; reduce the length", K.CONTEXT_OVERFLOW),
    (400, "The response was filtered: content management policy", K.CONTENT_FILTER),
    (400, "Your request was flagged by moderation", K.CONTENT_FILTER),
    (400, "API key not valid. Please pass a valid API key.", K.AUTH),
    (400, "Unsupported parameter: 'temperature'", K.UNSUPPORTED),
    (400, "tools is not supported by this model", K.UNSUPPORTED),
    (422, "Extra inputs are not permitted", K.UNSUPPORTED),
    (400, "model `x` does not exist", K.NOT_FOUND),
    (400, "The model has been decommissioned", K.NOT_FOUND),
    (400, "Your credit balance is too low", K.RATE_LIMIT),
    (403, "insufficient_quota", K.RATE_LIMIT),
    (403, "Country, region, or territory not supported", K.AUTH),
    (404, "this is not a chat model and not supported here", K.NOT_FOUND),
    (400, "messages.0.role must be one of user, system", K.INVALID_REQUEST),
    (500, "context length", K.SERVER_ERROR),
]


@pytest.mark.parametrize(("status", "text", "kind"), TEXTS)
def test_a_400s_text_decides_what_it_is(status: int, text: str, kind: FailureKind) -> None:
    assert told(provider_error(status, text)).kind is kind


class APITimeoutError(Exception):
    """As in the SDKs: told by its name."""


class Timeout(Exception):
    pass


class ReadTimeout(Timeout):
    pass


class TransportError(Exception):
    pass


class RemoteProtocolError(TransportError):
    pass


class RateLimitError(Exception):
    pass


class Coded(Exception):
    code = "rate_limit_exceeded"


NAMED: list[tuple[BaseException, FailureKind]] = [
    (APITimeoutError(), K.TIMEOUT),
    (ReadTimeout(), K.TIMEOUT),
    (TimeoutError(), K.TIMEOUT),
    (RemoteProtocolError(), K.CONNECTION),
    (ConnectionRefusedError(), K.CONNECTION),
    (OSError("network is unreachable"), K.CONNECTION),
    (StreamInterrupted("cut"), K.INTERRUPTED),
    (BadResponse("HTML"), K.BAD_RESPONSE),
    (json.JSONDecodeError("x", "y", 0), K.BAD_RESPONSE),
    (UnicodeDecodeError("utf-8", b"", 0, 1, "x"), K.BAD_RESPONSE),
    (RateLimitError(), K.RATE_LIMIT),
    (Coded(), K.RATE_LIMIT),
    (OutputRejected("empty"), K.BAD_OUTPUT),
    (TypeError("unexpected keyword"), K.CALLER),
    (AttributeError("x"), K.CALLER),
    (ImportError("x"), K.CALLER),
    (ValueError("x"), K.UNKNOWN),
    (KalibrError("closed"), K.CALLER),
    (ConfigError("x"), K.CALLER),
    (AllPathsFailed([], [], stopped="x"), K.UNKNOWN),
    (PathsBlocked(1.0, []), K.UNKNOWN),
]


@pytest.mark.parametrize(("error", "kind"), NAMED, ids=lambda x: type(x).__name__)
def test_without_a_status_the_class_decides(error: BaseException, kind: FailureKind) -> None:
    assert told(error).kind is kind


def test_a_response_that_holds_the_status_is_looked_into() -> None:
    error = Exception("x")
    error.response = provider_error(503)  # type: ignore[attr-defined]  # it has a status_code
    assert told(error).status == 503


def test_a_limit_says_how_long_to_wait() -> None:
    assert told(provider_error(429, retry_after_s=5)).retry_after_s == 5
    assert told(provider_error(503, retry_after_s=5)).retry_after_s == 5


def test_a_client_error_has_no_retry_after() -> None:
    assert told(provider_error(401, retry_after_s=5)).retry_after_s is None


def test_out_of_credit_is_not_tried_again_at_once() -> None:
    assert told(provider_error(429, "insufficient_quota")).retry_after_s == OUT_OF_CREDIT_S
    assert told(provider_error(429, "insufficient_quota", retry_after_s=3)).retry_after_s == 3


def test_the_reason_is_a_class_name_and_never_the_errors_text() -> None:
    failure = told(provider_error(500, "the prompt was: my secret"))
    assert failure.reason == "ProviderError"
    assert "secret" not in repr(failure)


class LocalProtocolError(TransportError):
    """As in httpx: what was to be sent cannot be."""


class APIConnectionError(Exception):
    pass


def raised(work: Callable[[], object]) -> Exception:
    with pytest.raises(Exception) as caught:
        work()
    return caught.value


def circular() -> dict[str, object]:
    params: dict[str, object] = {}
    params["params"] = params
    return params


def nested(depth: int) -> object:
    value: object = 0
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    "work",
    [
        lambda: json.dumps({"temperature": math.nan}, allow_nan=False),
        lambda: json.dumps(circular()),
        lambda: json.dumps(nested(100_000)),
        lambda: json.dumps(10**5000),
        lambda: "ü".encode("ascii"),
        lambda: math.exp(1e9),
    ],
    ids=["nan", "circular", "nested", "digits", "header", "overflow"],
)
def test_a_request_that_cannot_be_sent_is_the_callers(work: Callable[[], object]) -> None:
    assert told(raised(work)).kind is K.CALLER


@pytest.mark.parametrize("text", ["[" * 100_000, "9" * 5000, "{"])
def test_a_response_that_cannot_be_read_is_the_providers(text: str) -> None:
    assert told(raised(lambda: json.loads(text))).kind is K.BAD_RESPONSE


def test_an_unsendable_header_is_no_failed_connection() -> None:
    error = APIConnectionError()
    error.__cause__ = LocalProtocolError("Illegal header value")
    assert told(error).kind is K.CALLER
    error.__cause__ = RemoteProtocolError()
    assert told(error).kind is K.CONNECTION


def test_what_the_caller_handles_around_the_call_does_not_count() -> None:
    error = APIConnectionError()
    error.__context__ = UnicodeEncodeError("ascii", "x", 0, 1, "x")
    assert told(error).kind is K.CONNECTION


class StreamEvent(Exception):
    """An error event in a stream: the client makes its code a string."""

    def __init__(self, code: str) -> None:
        super().__init__("event")
        self.code = code


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("429", K.RATE_LIMIT),
        ("401", K.AUTH),
        ("400", K.INVALID_REQUEST),
        ("1301", K.UNKNOWN),
        ("200", K.UNKNOWN),
        ("server_error", K.UNKNOWN),
    ],
)
def test_a_code_of_digits_is_a_status(code: str, kind: FailureKind) -> None:
    assert told(StreamEvent(code)).kind is kind
