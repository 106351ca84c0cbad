"""Arguments of LlamaIndex's `OpenAI`, and what becomes of them."""

from __future__ import annotations

from typing import Any

import pytest
from llama_index.llms.openai import OpenAI

from kalibr_core import ConfigError
from kalibr_llama_index import KalibrLLM
from kalibr_llama_index.arguments import ELSEWHERE, check_names


def check(*names: str) -> None:
    check_names(names, KalibrLLM.model_fields)


def refusal(name: str) -> str | None:
    try:
        check(name)
    except ConfigError as error:
        return str(error)
    return None


@pytest.mark.parametrize("name", [*KalibrLLM.model_fields, "timeout", "request_timeout"])
def test_every_field_and_its_other_names_are_arguments(name: str) -> None:
    assert refusal(name) is None


@pytest.mark.parametrize("name", ELSEWHERE)
def test_what_stands_elsewhere_is_told_with_where(name: str) -> None:
    with pytest.raises(ConfigError, match=rf"^KalibrLLM takes no {name}=; ") as caught:
        check("goal", name)
    assert ELSEWHERE[name] in str(caught.value)


def test_every_argument_of_openais_is_taken_or_has_a_hint_or_is_a_parameter() -> None:
    """None of them is lost without a word."""
    for name in OpenAI.model_fields:
        told = refusal(name)
        assert told is None or len(told) > 40


def test_no_hint_stands_for_an_argument_that_is_taken() -> None:
    assert not set(ELSEWHERE) & set(KalibrLLM.model_fields)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"model": "gpt-4o"}, r"paths=\["),
        ({"top_p": 0.5}, r"goes into additional_kwargs=\{'top_p': \.\.\.\}"),
        ({"temprature": 0.5}, r"did you mean temperature=\?"),
        ({"timeouts": 5}, "did you mean timeout"),
        ({"_routers": None}, "KalibrLLM takes no _routers="),
    ],
)
def test_the_constructor_tells_them(given: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        KalibrLLM(goal="g", paths=["gpt-4o"], **given)


def test_no_value_is_shown() -> None:
    with pytest.raises(ConfigError) as caught:
        KalibrLLM(goal="g", paths=["gpt-4o"], openai_api_key="sk-secret")
    assert "sk-secret" not in str(caught.value)
