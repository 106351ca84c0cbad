"""Arguments that a routed model does not take are told with what to write instead."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from kalibr_core import ConfigError
from kalibr_core.adapter.hints import check_names

KNOWN = ("goal", "paths", "temperature", "timeout_s")
ELSEWHERE = {"model": "name your models in paths="}


def check(*names: str) -> None:
    check_names(names, KNOWN, model="Routed", elsewhere=ELSEWHERE, further="extra")


def refusal(names: Iterable[str], known: Iterable[str]) -> str | None:
    """What is told of the first name that is not taken; None: all are."""
    try:
        check_names(names, known, model="Routed", elsewhere=ELSEWHERE, further="extra")
    except ConfigError as error:
        return str(error)
    return None


@pytest.mark.parametrize("names", [(), KNOWN, KNOWN[::-1], KNOWN[1:2]])
def test_known_names_pass_in_any_order(names: tuple[str, ...]) -> None:
    assert refusal(names, KNOWN) is None


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("model", r"^Routed takes no model=; name your models in paths=$"),
        ("temprature", r"^Routed takes no temprature=; did you mean temperature=\?$"),
        ("path", r"did you mean paths=\?$"),
        ("top_p", r"goes into extra=\{'top_p': \.\.\.\}$"),
        ("", "Routed takes no =;"),
        ("x" * 10_000, "Routed takes no x"),
    ],
)
def test_each_unknown_name_has_its_hint(name: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        check("goal", name)


def test_values_are_not_shown() -> None:
    with pytest.raises(ConfigError) as caught:
        check_names(
            {"key": "sk-secret"}, KNOWN, model="Routed", elsewhere=ELSEWHERE, further="extra"
        )
    assert "sk-secret" not in str(caught.value)


def test_what_is_known_wins_over_what_is_elsewhere() -> None:
    assert refusal(["model"], ["model"]) is None
    assert refusal(["model"], []) == "Routed takes no model=; name your models in paths="
