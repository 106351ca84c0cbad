"""How long a provider asks to be left alone: seconds, a date or milliseconds, and no nonsense."""

from __future__ import annotations

import pytest

from kalibr_core.retry_after import LONGEST_RETRY_AFTER_S, asked_wait_s
from kalibr_core.testing import provider_error

NOW = 1_800_000_000.0


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("2", 2.0),
        ("0.5", 0.5),
        ("0", 0.0),
        ("-3", 0.0),
        ("999999999", LONGEST_RETRY_AFTER_S),
        ("nan", None),
        ("inf", None),
        ("soon", None),
        ("", None),
        ("Fri, 15 Jan 2027 08:00:30 GMT", 30.0),
        ("Fri, 15 Jan 2027 07:00:00 GMT", 0.0),
        ("Fri, 99 Jan 2027 07:00:00 GMT", None),
    ],
)
def test_retry_after(value: str, seconds: float | None) -> None:
    error = provider_error(429)
    error.response.headers = {"retry-after": value}
    assert asked_wait_s(error, now=lambda: NOW) == seconds


def test_milliseconds_are_the_finer_word() -> None:
    error = provider_error(429)
    error.response.headers = {"retry-after": "1", "retry-after-ms": "250"}
    assert asked_wait_s(error, now=lambda: NOW) == 0.25


def test_an_error_without_headers_asks_for_nothing() -> None:
    assert asked_wait_s(TimeoutError(), now=lambda: NOW) is None
