"""One profile for several models: what any can do, unless an answer's form depends on it."""

from __future__ import annotations

from typing import Any

import pytest

from kalibr_langchain import ChatKalibr
from kalibr_langchain.profile import ANY, common_profile


@pytest.mark.parametrize("profiles", [[], [None], [None, {}]])
def test_of_models_without_profiles_nothing_is_known(profiles: list[Any]) -> None:
    assert common_profile(profiles) is None


@pytest.mark.parametrize("name", ANY)
@pytest.mark.parametrize(
    ("first", "second", "common"), [(True, False, True), (False, False, False), (True, None, True)]
)
def test_what_one_path_can_do_the_model_can(
    name: str, first: bool, second: bool | None, common: bool
) -> None:
    profiles: list[Any] = [{name: first}, {"x": 1} if second is None else {name: second}]
    assert (common_profile(profiles) or {}).get(name) is common


def test_what_no_profile_tells_is_not_told() -> None:
    found = common_profile([{"tool_calling": True}])
    assert found == {"tool_calling": True, "structured_output": False}


@pytest.mark.parametrize(
    ("profiles", "common"),
    [
        ([{"structured_output": True}] * 2, True),
        ([{"structured_output": True}, {"structured_output": False}], False),
        ([{"structured_output": True}, {"tool_calling": True}], False),
        ([{"structured_output": True}, None], False),
    ],
)
def test_structured_output_takes_all_of_them(profiles: list[Any], common: bool) -> None:
    assert (common_profile(profiles) or {})["structured_output"] is common


def test_the_smallest_known_window_is_the_models() -> None:
    profiles: list[Any] = [
        {"max_input_tokens": 1000, "max_output_tokens": 50},
        {"max_input_tokens": 2000},
        {"max_input_tokens": None},
        None,
    ]
    found = common_profile(profiles) or {}
    assert (found["max_input_tokens"], found["max_output_tokens"]) == (1000, 50)


def test_a_routed_model_has_one_of_its_paths(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-12345678")
    model = ChatKalibr(goal="profile", paths=["gpt-4o", "gpt-4o-mini"], ledger="memory")
    assert model.profile is not None
    assert model.profile["tool_calling"] is True
    assert model.profile["max_input_tokens"] == 128_000
