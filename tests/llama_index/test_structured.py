"""Structured output: how each path is asked for it, and how its answer is understood."""

from __future__ import annotations

import json
from typing import Any

import pytest
from llama_index.core.base.llms.types import ChatMessage, ChatResponse, TextBlock, ToolCallBlock
from llama_index.core.llms import MockLLM
from llama_index.core.types import PydanticProgramMode as Mode
from llama_index.llms.anthropic import Anthropic
from llama_index.llms.openai import OpenAI
from pydantic import BaseModel, ConfigDict, field_validator

from kalibr_core import ConfigError, NoEligiblePath, Output, Path, ToolCall, Usage
from kalibr_llama_index.path_llm import PathLLM
from kalibr_llama_index.structured import Structured

KEY = "sk-12345678"


class City(BaseModel):
    """A city."""

    name: str
    people: int = 0


class Odd(BaseModel):
    """A class that JSON cannot hold."""

    model_config = ConfigDict(arbitrary_types_allowed=True)
    held: Any = None
    hook: type(print) = None  # type: ignore[valid-type]


class Strict(BaseModel):
    """A class whose own check raises what it likes."""

    name: str

    @field_validator("name")
    @classmethod
    def _known(cls, name: str) -> str:
        return {"Paris": name}[name]


def path(llm: Any, **fields: Any) -> PathLLM:
    return PathLLM(Path(model="m", name="mine", provider="adapter", **fields), llm)


GPT = path(OpenAI(model="gpt-4o", api_key=KEY))
OLD = path(OpenAI(model="gpt-3.5-turbo", api_key=KEY))
CLAUDE = path(Anthropic(model="claude-sonnet-4-5", api_key=KEY))
TEXT = path(MockLLM())


def wanted(mode: Mode = Mode.DEFAULT, cls: Any = City) -> Structured:
    return Structured(cls, mode)


def asked(of: PathLLM, mode: Mode = Mode.DEFAULT) -> str:
    """How a path is asked: by a schema, a tool or in words."""
    found = wanted(mode).asked_of(of, [ChatMessage(role="user", content="Hi")])
    if "response_format" in found:
        return "schema"
    if "tools" in found:
        assert found["tool_choice"]
        return "tool"
    assert "City" in str(found["messages"]) or "people" in str(found["messages"])
    return "text"


@pytest.mark.parametrize(
    ("mode", "ways"),
    [
        (Mode.DEFAULT, ["schema", "tool", "tool", "text"]),
        (Mode.FUNCTION, ["tool", "tool", "tool", None]),
        (Mode.OPENAI, ["tool", "tool", "tool", None]),
        (Mode.LLM, ["text", "text", "text", "text"]),
    ],
)
def test_each_path_is_asked_as_it_can_be(mode: Mode, ways: list[str | None]) -> None:
    for of, way in zip((GPT, OLD, CLAUDE, TEXT), ways, strict=True):
        if way is None:
            with pytest.raises(NoEligiblePath, match="mine: its LLM cannot call tools"):
                asked(of, mode)
        else:
            assert asked(of, mode) == way


@pytest.mark.parametrize("of", [GPT, OLD, CLAUDE, TEXT])
@pytest.mark.parametrize("mode", [Mode.DEFAULT, Mode.LLM])
def test_asking_leaves_the_callers_messages_as_they_are(of: PathLLM, mode: Mode) -> None:
    """Else the schema stands in them for good, and once more with each path."""
    messages = [ChatMessage(role=role, content="Hi") for role in ("system", "user")]
    before = [message.model_dump_json() for message in messages]
    wanted(mode).asked_of(of, messages)
    assert [message.model_dump_json() for message in messages] == before


def test_a_path_that_may_not_be_given_tools_is_asked_in_words() -> None:
    assert asked(path(Anthropic(model="claude-sonnet-4-5", api_key=KEY), tools=False)) == "text"


@pytest.mark.parametrize("cls", [None, dict, "City", City(name="x"), int])
def test_what_is_no_pydantic_class_is_told(cls: Any) -> None:
    with pytest.raises(ConfigError, match="output_cls must be a pydantic class, got "):
        wanted(cls=cls)


@pytest.mark.parametrize("mode", [Mode.LM_FORMAT_ENFORCER, Mode.GUIDANCE])
def test_a_mode_for_one_kind_of_llm_is_told(mode: Mode) -> None:
    with pytest.raises(ConfigError, match=r"needs an LLM of one kind; .*default, function"):
        wanted(mode)


def test_a_class_without_a_schema_is_told() -> None:
    with pytest.raises(ConfigError, match="Odd has no JSON schema: "):
        wanted(cls=Odd)


def test_it_is_openais_response_format() -> None:
    found = json.loads(json.dumps(wanted()))
    assert found["type"] == "json_schema"
    assert found["json_schema"]["name"] == "City"
    assert found["json_schema"]["schema"]["required"] == ["name"]


JSON = '{"name": "Paris", "people": 2}'


def output(text: str = "", *calls: tuple[str, str], finish: str | None = "stop") -> Output:
    held = tuple(ToolCall(id="1", name=name, arguments=said) for name, said in calls)
    usage = Usage(input_tokens=1, output_tokens=2)
    return Output(text=text, tool_calls=held, finish_reason=finish, usage=usage, model="m")


@pytest.mark.parametrize(
    "said",
    [
        output(JSON),
        output(f"```json\n{JSON}\n```"),
        output(f"Here it is:\n{JSON}\nEnjoy."),
        output("", ("City", JSON), finish="tool_calls"),
        output("thinking", ("other", "{}"), ("City", JSON), finish="tool_calls"),
    ],
)
def test_the_gates_see_the_structure_as_text_however_it_came(said: Output) -> None:
    found = wanted().output(said)
    assert (found.text, found.tool_calls) == (JSON, ())
    assert found.finish_reason in ("stop", None)
    assert (found.usage, found.model) == (said.usage, "m")
    assert wanted().parse(found.text) == City(name="Paris", people=2)


def test_what_else_is_called_is_not_the_structure() -> None:
    said = output("", ("other", JSON), finish="tool_calls")
    assert wanted().output(said) is said


@pytest.mark.parametrize("finish", ["length", "content_filter", "max_tokens"])
def test_a_cut_stays_a_cut(finish: str) -> None:
    for said in (output(JSON, finish=finish), output("", ("City", "{"), finish=finish)):
        assert wanted().output(said).finish_reason == finish


@pytest.mark.parametrize("text", ["", "no JSON", "{", '{"nam": 1}', "[]", '{"people": "x"}'])
def test_what_does_not_fit_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError):  # pydantic's text
        wanted().parse(wanted().output(output(text)).text)


def test_a_classs_own_check_may_raise_anything() -> None:
    assert wanted(cls=Strict).parse('{"name": "Paris"}')
    with pytest.raises(KeyError):
        wanted(cls=Strict).parse('{"name": "London"}')


def response(text: str = "", arguments: Any = None) -> ChatResponse:
    blocks: list[Any] = [TextBlock(text=text)]
    if arguments is not None:
        blocks.append(ToolCallBlock(tool_name="City", tool_kwargs=arguments))
    return ChatResponse(message=ChatMessage(role="assistant", blocks=blocks))


@pytest.mark.parametrize(
    "given",
    [response(JSON), response("x", JSON), response("", {"name": "Paris", "people": 2}),
     response(f"It is {JSON}")],
)  # fmt: skip
def test_the_value_of_a_whole_answer(given: ChatResponse) -> None:
    assert wanted().value(given) == City(name="Paris", people=2)


def test_a_structure_grows_with_its_stream() -> None:
    found, seen = None, []
    for text in ('{"name": "Pa', '{"name": "Paris"', JSON):
        found = wanted().partial(response(text), found)
        seen.append((found.name, getattr(found, "people", None)))
    assert [name for name, _ in seen] == ["Pa", "Paris", "Paris"]
    assert seen[-1] == ("Paris", 2)


def test_two_answers_share_nothing() -> None:
    one, other = wanted(), wanted()
    one["json_schema"]["schema"]["title"] = "changed"
    assert other["json_schema"]["schema"]["title"] == "City"
    assert City.model_json_schema()["title"] == "City"
