"""What a caller asks for, and what is hung on its answer."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace as Thing
from typing import Any

import openai
import pytest
from pydantic import BaseModel, field_validator

from kalibr_core import ConfigError
from kalibr_core.requests import asked_of

MESSAGES = [{"role": "user", "content": "Where?"}]
DECISION: Any = Thing(verified=True)


class City(BaseModel):
    name: str

    @field_validator("name")
    @classmethod
    def _known(cls, name: str) -> str:
        if name == "Atlantis":
            raise RuntimeError("a validator of the caller's own")
        return name


def answered(content: Any, tool_calls: Any = None) -> Any:
    answer: Any = Thing(choices=[Thing(message=Thing(content=content, tool_calls=tool_calls))])
    asked = asked_of(MESSAGES, None, City, {})
    return asked.answered(answer, DECISION).choices[0].message


def test_an_answer_is_parsed_into_the_model() -> None:
    assert answered('{"name": "Paris"}').parsed == City(name="Paris")
    assert answered([{"type": "text", "text": '{"name": "Paris"}'}]).parsed == City(name="Paris")


@pytest.mark.parametrize("text", ["I will look.", '{"name": "Atlantis"}', "{}", "", None, 5])
def test_what_is_not_the_models_is_given_out_unparsed(text: Any) -> None:
    assert answered(text).parsed is None


def test_the_text_beside_tool_calls_is_not_parsed() -> None:
    assert answered("I will look.", [Thing()]).parsed is None
    assert answered('{"name": "Paris"}', [Thing()]).parsed is None


@pytest.mark.parametrize("absent", [openai.NOT_GIVEN, openai.Omit()], ids=["NotGiven", "Omit"])
def test_not_given_is_absent(absent: Any) -> None:
    params = dict.fromkeys(("stream", "stream_options", "n", "temperature", "tools"), absent)
    asked = asked_of(MESSAGES, None, absent, params)
    assert asked.arguments == {"messages": MESSAGES}
    assert asked.model is None
    assert not asked.shows_usage


class Work(BaseModel):
    done: Callable[[], int]


def test_a_model_without_a_schema_is_told_at_once() -> None:
    with pytest.raises(ConfigError, match="Work has no JSON schema"):
        asked_of(MESSAGES, None, Work, {})


def test_a_models_schema_is_made_once() -> None:
    formats = [asked_of(MESSAGES, None, City, {}).request.response_format for _ in range(2)]
    assert formats[0] is formats[1]
    assert formats[0] is not None
    assert formats[0]["type"] == "json_schema"


def test_what_a_caller_adds_to_its_list_after_the_call_is_not_of_its_request() -> None:
    """A judge reads the conversation later."""
    messages: list[Any] = [{"role": "system", "content": "Be kind."}, *MESSAGES]
    request = asked_of(messages, None, None, {}).request
    messages += [{"role": "assistant", "content": "There."}, *MESSAGES]
    assert callable(request.conversation)
    assert list(request.conversation()) == [{"role": "system", "content": "Be kind."}]
