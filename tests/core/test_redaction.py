"""No key stands in an error: not in its texts, nor in those of what caused it."""

from __future__ import annotations

import pytest

from kalibr_core import Path
from kalibr_core.redaction import header_secrets, redact

KEY = "sk-secret-12345678"


def test_keys_are_taken_out_of_an_error_and_its_causes() -> None:
    error, cause, around = RuntimeError(f"key {KEY}", 5), OSError(f"a {KEY}"), ValueError(KEY)
    error.body = {"key": KEY}  # type: ignore[attr-defined]
    error.__cause__, cause.__context__ = cause, around
    around.__context__ = error
    redact(error, (KEY,))
    assert error.args == ("key [API key]", "5")
    assert KEY not in f"{error!r} {vars(error)} {cause!r} {around!r}"


def test_an_error_that_tells_no_key_stays_as_it_is() -> None:
    error = RuntimeError("key", 5)
    redact(error, (KEY,))
    assert error.args == ("key", 5)


@pytest.mark.parametrize(
    ("headers", "found"),
    [
        ({"Authorization": "Bearer abcdefgh"}, ["Bearer abcdefgh", "abcdefgh"]),
        ({"x-key": "abcdefgh", "x-short": "abc", "x-number": 5}, ["abcdefgh"]),
        (None, []),
        ("no mapping", []),
    ],
)
def test_a_paths_own_headers_may_hold_keys(headers: object, found: list[str]) -> None:
    path = Path(model="m", params={"extra_headers": headers})  # type: ignore[dict-item]
    assert list(header_secrets(path)) == found
