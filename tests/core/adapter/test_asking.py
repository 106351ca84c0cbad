"""What one call asks of the Router, whatever framework it came through."""

from __future__ import annotations

from typing import Any

import pytest

from kalibr_core import ConfigError
from kalibr_core.adapter.asking import (
    check_call,
    checked_exhaustion,
    checked_parameters,
    most_tokens,
    tolerated,
    without_limits,
)


def refusal(arguments: dict[str, Any], session: Any) -> str | None:
    """Why a call is refused; None: it is not."""
    try:
        check_call(arguments, session)
    except ConfigError as error:
        return str(error)
    return None


@pytest.mark.parametrize("session", [None, "alice", ""])
@pytest.mark.parametrize(
    "arguments",
    [{}, {"n": 1}, {"n": None}, {"model": "gpt-4o"}, {"model": None}, {"api_key": None},
     {"stream": True}, {"temperature": 0.5}],
)  # fmt: skip
def test_what_a_routed_call_does_anyway_is_no_fault(
    arguments: dict[str, Any], session: str | None
) -> None:
    assert refusal(arguments, session) is None


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"n": 2}, r"a routed call does not take n=; .*call n times"),
        ({"n": 0}, "does not take n="),
        ({"api_key": "sk-secret"}, "does not take api_key=; give it to the Router or to a path"),
        ({"base_url": "http://user:sk-secret@host"}, "does not take base_url="),
        ({"max_retries": 3}, "does not take max_retries=; .*max_attempts="),
        ({"max_retries": 0}, "does not take max_retries="),
        ({"model": 7}, "model= names one of the paths, got int"),
        ({"model": ["gpt-4o"]}, "got list"),
    ],
)
def test_what_it_cannot_do_is_told_without_its_value(arguments: Any, told: str) -> None:
    with pytest.raises(ConfigError, match=told) as caught:
        check_call(arguments, None)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("session", [7, b"a", ["a"], object(), 0])
def test_a_session_is_a_string(session: Any) -> None:
    with pytest.raises(ConfigError, match="session_id must be a string, got "):
        check_call({}, session)


@pytest.mark.parametrize("value", ["raise", "best", None])
def test_exhaustion_is_one_of_two_words_or_unsaid(value: Any) -> None:
    assert checked_exhaustion(value) == value


@pytest.mark.parametrize("value", ["", "RAISE", True, 0, ["best"], object()])
def test_any_other_word_for_exhaustion_is_told(value: Any) -> None:
    with pytest.raises(ConfigError, match=r"on_exhausted must be 'raise' or 'best', got "):
        checked_exhaustion(value)


@pytest.mark.parametrize("name", ["model", "messages", "stream", "tools", "n", "api_key"])
def test_a_parameter_that_is_the_routers_is_told(name: str) -> None:
    with pytest.raises(ValueError, match=f"extra has '{name}'; "):
        checked_parameters("extra", {"top_p": 0.5, name: "sk-secret"})
    checked_parameters("extra", {"top_p": 0.5})


DEFAULTS = {"max_tokens": 10, "temperature": 0.5}


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
def test_a_calls_limit_of_tokens_is_in_the_place_of_the_models(name: str) -> None:
    assert without_limits(DEFAULTS, {name: 5}) == {"temperature": 0.5}
    assert most_tokens(DEFAULTS, {name: 5}, None) == 5
    assert DEFAULTS == {"max_tokens": 10, "temperature": 0.5}


@pytest.mark.parametrize("given", [{}, {"max_tokens": None}, {"top_p": 1}])
def test_a_call_without_a_limit_has_the_models(given: dict[str, Any]) -> None:
    assert without_limits(DEFAULTS, given) == DEFAULTS
    if "max_tokens" not in given:
        assert most_tokens(DEFAULTS, given, None) == 10


@pytest.mark.parametrize(
    ("given", "own", "most"),
    [({}, None, None), ({}, 7, 7), ({"max_tokens": 3}, 7, 3), ({"max_tokens": "x"}, 7, 7),
     ({"max_tokens": 0}, 7, 0)],
)  # fmt: skip
def test_the_paths_own_limit_counts_where_nobody_says_another(
    given: dict[str, Any], own: int | None, most: int | None
) -> None:
    assert most_tokens({}, given, own) == most


@pytest.mark.parametrize("tools", [False, True])
@pytest.mark.parametrize("limited", [False, True])
@pytest.mark.parametrize("structured", [False, True])
def test_each_fault_is_tolerated_by_who_can_use_the_answer(
    tools: bool, limited: bool, structured: bool
) -> None:
    found = tolerated(tools=tools, limited=limited, structured=structured)
    assert ("tool_call" in found) is tools
    assert ("truncated" in found) is limited
    assert ("refusal" in found) is not structured
    assert found <= {"tool_call", "truncated", "refusal"}
