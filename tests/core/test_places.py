"""Where a user's function went wrong."""

from __future__ import annotations

from functools import partial
from typing import Any

from kalibr_core.places import where_from, where_raised


def divides(request: str, output: str) -> float:
    return 1 / len(request)


class Divides:
    def __call__(self, request: str, output: str) -> float:
        return divides(request, output)


def breaks(request: str, output: str) -> float:
    import json

    return float(json.loads(output))


def raised_by(function: Any) -> BaseException:
    try:
        function("", "secret")
    except Exception as error:  # noqa: BLE001  # whatever it is
        return error
    raise AssertionError


def test_the_line_of_the_users_own_function_is_told() -> None:
    line = divides.__code__.co_firstlineno + 1
    for function in (divides, partial(divides), Divides()):
        error = raised_by(function)
        assert where_raised(error, function) == f"ZeroDivisionError at {__file__}:{line}"


def test_an_error_from_within_a_library_is_told_where_it_was_called() -> None:
    line = breaks.__code__.co_firstlineno + 3
    told = where_raised(raised_by(breaks), breaks)
    assert told == f"JSONDecodeError at {__file__}:{line}"


def test_a_models_error_has_no_place() -> None:
    assert where_raised(raised_by(breaks), None) == "JSONDecodeError"


def test_all_places_are_told_from_within_and_none_of_the_texts() -> None:
    name, first, *rest = where_from(raised_by(breaks))
    assert name == "JSONDecodeError"
    assert "json" in first
    assert rest[-1].startswith(__file__)
    assert "secret" not in str([first, *rest])
