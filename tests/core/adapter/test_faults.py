"""Errors of an attempt: no key in their text, and whose fault each was."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from kalibr_core import BadResponse, ConfigError, NoEligiblePath
from kalibr_core.time_limit import TimeLimit

from .drivers import KEY, Call, Callee, every_driver


def raising(error: Exception, *, sent: bool = False) -> Call:
    def call(limit: TimeLimit) -> Any:
        limit.was_used = sent
        raise error

    return call


def in_a_library(error: Exception) -> Call:
    """Raised in installed code, such as an SDK's, after something was sent."""
    made: dict[str, Any] = {"__name__": "openai._models"}
    exec("def fail(error): raise error", made)

    def call(limit: TimeLimit) -> Any:
        limit.was_used = True
        made["fail"](error)

    return call


def _read_answer(error: Exception) -> None:
    raise error


def reading(error: Exception) -> Call:
    return lambda limit: _read_answer(error)


@every_driver
def test_an_error_is_the_models_own_without_its_key(driver: Any) -> None:
    error = RuntimeError(f"wrong key {KEY}", 5)
    error.body = {"key": KEY}  # type: ignore[attr-defined]
    error.__cause__ = OSError(f"Bearer {KEY}")
    with pytest.raises(RuntimeError) as caught:
        driver(Callee(), raising(error))
    assert caught.value is error
    assert KEY not in f"{error!r} {vars(error)} {error.__cause__!r}"


@every_driver
@pytest.mark.parametrize("error", [KeyError("x"), TypeError(), AttributeError(), IndexError()])
def test_what_breaks_on_the_answer_is_the_paths(driver: Any, error: Exception) -> None:
    for call in (in_a_library(error), reading(error)):
        with pytest.raises(BadResponse, match=f"cannot be read: {type(error).__name__}") as caught:
            driver(Callee(), call)
        assert caught.value.__cause__ is error


@every_driver
def test_what_breaks_in_the_users_own_class_is_the_users(driver: Any) -> None:
    """Its model may be the user's own subclass, with a fault of its own after the answer came."""
    with pytest.raises(KeyError):
        driver(Callee(), raising(KeyError("x"), sent=True))


@every_driver
def test_a_gateways_error_in_an_answer_keeps_its_code(driver: Any) -> None:
    with pytest.raises(BadResponse) as caught:
        driver(Callee(), in_a_library(ValueError({"code": 429, "message": "slow"})))
    assert caught.value.code == 429


@every_driver
@pytest.mark.parametrize("error", [ValueError("no audio"), NotImplementedError(), LookupError()])
def test_what_is_refused_before_it_is_sent_leaves_the_call_to_other_paths(
    driver: Any, error: Exception
) -> None:
    with pytest.raises(NoEligiblePath, match="mine: its model refuses the request") as caught:
        driver(Callee(), raising(error))
    assert caught.value.__cause__ is error


@every_driver
def test_an_argument_that_openais_sdk_does_not_know_is_the_callers(driver: Any) -> None:
    with pytest.raises(TypeError):
        driver(Callee(), raising(TypeError("unexpected keyword")))
    with pytest.raises(NoEligiblePath):
        driver(Callee(openai=False), raising(TypeError("unexpected keyword")))


@every_driver
@pytest.mark.parametrize("error", [ValueError("a"), TypeError("a")])
def test_where_sending_cannot_be_told_the_error_stays_as_it_is(
    driver: Any, error: Exception
) -> None:
    with pytest.raises(type(error)) as caught:
        driver(Callee(limited=False), raising(error))
    assert caught.value is error


@every_driver
@pytest.mark.parametrize("error", [ConfigError("a"), NoEligiblePath(["a"]), BadResponse("a")])
def test_errors_of_ours_stay_as_they_are(driver: Any, error: Exception) -> None:
    with pytest.raises(type(error)) as caught:
        driver(Callee(), raising(error, sent=True))
    assert caught.value is error


class Missing(Exception):
    """A server's 404."""

    def __init__(self, url: str, code: str | None = None) -> None:
        super().__init__(url)
        self.request, self.status_code, self.code = SimpleNamespace(url=url), 404, code


@every_driver
def test_a_server_without_the_responses_api_leaves_the_call_to_others(driver: Any) -> None:
    with pytest.raises(NoEligiblePath, match="no Responses API"):
        driver(Callee(), raising(Missing("http://host/v1/responses")))
    for error in (Missing("http://h/responses", "model_not_found"), Missing("http://h/chat")):
        with pytest.raises(Missing):
            driver(Callee(), raising(error))
