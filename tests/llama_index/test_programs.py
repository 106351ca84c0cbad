"""LlamaIndex's programs and structured predictions on a KalibrLLM over two paths."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import date
from typing import Any

import openai
import pytest
from llama_index.core.instrumentation.event_handlers import BaseEventHandler
from llama_index.core.instrumentation.events import BaseEvent
from llama_index.core.instrumentation.events.llm import (
    LLMChatStartEvent,
    LLMStructuredPredictEndEvent,
    LLMStructuredPredictStartEvent,
)
from llama_index.core.llms import ChatMessage, MockLLM
from llama_index.core.program import FunctionCallingProgram, LLMTextCompletionProgram
from llama_index.core.program.utils import get_program_for_llm
from llama_index.core.prompts import PromptTemplate
from llama_index.core.types import PydanticProgramMode as Mode
from llama_index.llms.openai_like import OpenAILike
from llama_index_instrumentation import get_dispatcher
from pydantic import BaseModel, ConfigDict, field_validator

from kalibr_bench.provider import Answer, Fault, LoopbackProvider, ToolCall
from kalibr_core.errors import AllPathsFailed, ConfigError
from kalibr_llama_index import KalibrLLM

from .ways import first_arm

FIRST, SECOND = "gpt-4o", "gpt-4o-mini"
KEY = "sk-of-the-test-123456"
PROMPT = PromptTemplate("Which city is the capital of {land}?")
MODES = (Mode.DEFAULT, Mode.FUNCTION, Mode.OPENAI, Mode.LLM)
PREDICTS = (
    "structured_predict",
    "astructured_predict",
    "stream_structured_predict",
    "astream_structured_predict",
)
STRUCTURED = ("chat", "achat", "complete", "acomplete", "stream_chat", "astream_chat")


class City(BaseModel):
    """A city and its country."""

    name: str
    country: str

    @field_validator("country")
    @classmethod
    def _is_a_country(cls, value: str) -> str:
        if value == "Texas":  # no JSON schema says so
            raise ValueError("Texas is no country")
        return value


PARIS = City(name="Paris", country="France")
GOOD = PARIS.model_dump_json()
BAD = {
    "lacks a field": '{"name": "Paris"}',
    "wrong type": '{"name": "Paris", "country": 7}',
    "validator": '{"name": "Paris", "country": "Texas"}',
    "cut": '{"name": "Paris", "cou',
    "no object": '["Paris", "France"]',
    "prose": "The city is Paris, and it is in France.",
}
every_mode = pytest.mark.parametrize("mode", MODES, ids=lambda mode: mode.value)
every_predict = pytest.mark.parametrize("way", PREDICTS)


def make(server: LoopbackProvider, *paths: Any, **options: Any) -> KalibrLLM:
    return first_arm(*(paths or (FIRST, SECOND)), base_url=server.base_url, api_key=KEY, **options)


def said(text: str, mode: Mode) -> Answer:
    """An answer in the form that a mode asks for."""
    if mode in (Mode.FUNCTION, Mode.OPENAI) and text != BAD["prose"]:
        return Answer(text=None, tool_calls=(ToolCall(name="City", arguments=text),))
    return Answer(text=text)


def predict(llm: Any, way: str, output_cls: Any = City, **options: Any) -> Any:
    """One prediction; of a stream, its last object."""

    async def apredict() -> Any:
        found = await getattr(llm, way)(output_cls, PROMPT, land="France", **options)
        return [one async for one in found][-1] if "stream" in way else found

    if way.startswith("a"):
        return asyncio.run(apredict())
    found = getattr(llm, way)(output_cls, PROMPT, land="France", **options)
    return list(found)[-1] if "stream" in way else found


def charged(llm: KalibrLLM) -> list[tuple[str | None, Any]]:
    """Each attempt's path and failure."""
    found = [e for _, e in llm.core._learner.ledger.entries() if e.kind == "attempt"]
    return [(entry.path_id, entry.data.get("failure")) for entry in found]


# Predictions.


@every_predict
@every_mode
@pytest.mark.parametrize("bad", BAD)
def test_an_answer_that_does_not_fit_the_class_is_healed_and_charged(
    bad: str, mode: Mode, way: str, server: LoopbackProvider
) -> None:
    """Whatever the mode asks for, and whether the schema or the class's own validator says so."""
    server.script(FIRST, [said(BAD[bad], mode)])
    server.script(SECOND, [said(GOOD, mode)])
    llm = make(server, pydantic_program_mode=mode)
    found = predict(llm, way)
    assert type(found) is City
    assert found == PARIS
    assert charged(llm) == [(FIRST, "bad_output"), (SECOND, None)]


@every_predict
@every_mode
def test_a_broken_path_is_healed(mode: Mode, way: str, server: LoopbackProvider) -> None:
    server.fault(FIRST, Fault(kind="server_error"))
    server.script(SECOND, [said(GOOD, mode)])
    llm = make(server, pydantic_program_mode=mode)
    assert predict(llm, way) == PARIS
    assert charged(llm) == [(FIRST, "server_error"), (SECOND, None)]


@every_predict
@every_mode
def test_where_no_path_fits_the_error_is_ours_and_a_value_error(
    mode: Mode, way: str, server: LoopbackProvider
) -> None:
    """LlamaIndex raises a ValueError for one LLM's; callers that catch it go on working."""
    for model in (FIRST, SECOND):
        server.script(model, [said(BAD["validator"], mode)] * 3)
    with pytest.raises(ValueError) as caught:
        predict(make(server, pydantic_program_mode=mode), way)
    assert isinstance(caught.value, AllPathsFailed)
    told = caught.value.kalibr
    assert told is not None
    assert {str(o.failure and o.failure.kind.value) for o in told.outcomes} == {"bad_output"}


@every_predict
def test_where_all_servers_fail_the_error_is_the_sdks_too(
    way: str, server: LoopbackProvider
) -> None:
    server.fault(None, Fault(kind="server_error"))
    with pytest.raises(openai.InternalServerError) as caught:
        predict(make(server, max_attempts=2), way)
    assert isinstance(caught.value, AllPathsFailed)


@every_predict
@every_mode
def test_json_in_a_fence_or_in_prose_is_understood(
    mode: Mode, way: str, server: LoopbackProvider
) -> None:
    """Of a stream, the last object is whole and of the class, as it is of a call."""
    server.script(FIRST, [f"Here it is:\n```json\n{GOOD}\n```\nAnything else?"])
    llm = make(server, pydantic_program_mode=mode)
    found = predict(llm, way)
    assert charged(llm) == [(FIRST, None)]
    assert type(found) is City
    assert found == PARIS


@every_predict
@pytest.mark.parametrize("mode", [Mode.FUNCTION, Mode.LLM])
def test_a_strict_class_is_filled_as_json_fills_it(
    mode: Mode, way: str, server: LoopbackProvider
) -> None:
    """A strict date is a text in JSON, and no text in Python."""

    class Day(BaseModel):
        model_config = ConfigDict(strict=True)
        day: date

    text = '{"day": "2026-07-14"}'
    call = ToolCall(name="Day", arguments=text)
    server.script(FIRST, [Answer(text=None, tool_calls=(call,)) if mode == Mode.FUNCTION else text])
    found = predict(make(server, pydantic_program_mode=mode), way, Day)
    assert type(found) is Day
    assert found.day == date(2026, 7, 14)


@every_predict
def test_a_call_of_an_unknown_tool_is_a_failure(way: str, server: LoopbackProvider) -> None:
    server.script(FIRST, [Answer(text=None, tool_calls=(ToolCall(name="Town", arguments=GOOD),))])
    server.script(SECOND, [said(GOOD, Mode.FUNCTION)])
    llm = make(server, pydantic_program_mode=Mode.FUNCTION)
    assert predict(llm, way) == PARIS
    assert charged(llm) == [(FIRST, "bad_output"), (SECOND, None)]


@every_predict
def test_of_two_calls_the_class_is_found_or_the_answer_healed(
    way: str, server: LoopbackProvider
) -> None:
    """What gate 1 has passed is what the caller gets."""
    other = ToolCall(name="Town", arguments="{}")
    city = ToolCall(name="City", arguments=GOOD)
    server.script(FIRST, [Answer(text=None, tool_calls=(other, city))])
    server.script(SECOND, [said(GOOD, Mode.FUNCTION)])
    llm = make(server, pydantic_program_mode=Mode.FUNCTION)
    found = predict(llm, way)
    assert type(found) is City
    assert found == PARIS


@pytest.mark.parametrize("way", ["stream_structured_predict", "astream_structured_predict"])
@every_mode
def test_a_held_stream_grows_and_shows_no_trace_of_what_was_refused(
    mode: Mode, way: str, server: LoopbackProvider
) -> None:
    server.script(FIRST, [said('{"name": "Rome"}', mode)])
    server.script(SECOND, [said(GOOD, mode)])
    llm = make(server, pydantic_program_mode=mode)

    async def collected() -> list[Any]:
        stream = await llm.astream_structured_predict(City, PROMPT, land="France")
        return [one async for one in stream]

    found: list[Any] = (
        asyncio.run(collected())
        if way.startswith("a")
        else list(llm.stream_structured_predict(City, PROMPT, land="France"))
    )
    assert len(found) > 3
    assert all(one.name is None or "Paris".startswith(one.name) for one in found)
    assert isinstance(found[-1], City)


@pytest.mark.parametrize("way", ["stream_structured_predict", "astream_structured_predict"])
def test_a_live_stream_that_does_not_fit_raises_at_its_end(
    way: str, server: LoopbackProvider
) -> None:
    """What has been given out cannot be taken back; it never ends as a success."""
    server.script(FIRST, [BAD["lacks a field"]])
    llm = make(server, stream_mode="live")
    with pytest.raises(ValueError):
        predict(llm, way)
    assert charged(llm) == [(FIRST, "bad_output")]


@every_predict
def test_each_path_is_asked_in_the_way_that_suits_it(way: str, server: LoopbackProvider) -> None:
    """By a schema, by a tool, or in the prompt."""

    def like(model: str, **options: Any) -> OpenAILike:
        server_ = {"api_base": server.base_url, "api_key": KEY, "is_chat_model": True}
        return OpenAILike(model=model, **server_, **options)

    tools, text = like("gpt-3.5-turbo", is_function_calling_model=True), like("llama-3.3-70b")
    tools = tools.model_copy(update={"should_use_structured_outputs": False})
    for model in (FIRST, "gpt-3.5-turbo"):
        server.script(model, ["No."])
    server.script("llama-3.3-70b", [GOOD])
    llm = make(server, FIRST, {"model": tools, "name": "a"}, {"model": text, "name": "b"})
    assert predict(llm, way) == PARIS
    schema, tool, prompt = (request.body or {} for request in server.requests())
    assert schema["response_format"]["json_schema"]["name"] == "City"
    assert "tools" not in schema
    assert tool["tools"][0]["function"]["name"] == "City"
    assert tool["tool_choice"] == "required"
    assert "tools" not in prompt
    assert "response_format" not in prompt
    assert '"country"' in str(prompt["messages"])


@every_predict
def test_paths_that_call_no_tools_take_no_attempt_where_the_mode_demands_a_call(
    way: str, server: LoopbackProvider
) -> None:
    """However many of them there are: the path that can is asked, as with tools of the user's."""
    deaf = [{"model": MockLLM(), "name": f"mock {number}"} for number in range(3)]
    server.script(SECOND, [said(GOOD, Mode.FUNCTION)])
    named = {"model": FIRST, "tools": False}
    llm = make(server, *deaf, named, SECOND, pydantic_program_mode=Mode.FUNCTION)
    assert predict(llm, way) == PARIS
    assert charged(llm) == [(SECOND, None)]


@every_predict
def test_arguments_of_a_prediction_are_the_calls(way: str, server: LoopbackProvider) -> None:
    """Those of LlamaIndex's own programs are taken and not needed."""
    server.script(SECOND, [GOOD])
    options = {"model": SECOND, "temperature": 0.7, "session_id": "s", "tool_choice": "City"}
    llm = make(server)
    assert predict(llm, way, llm_kwargs=options) == PARIS
    assert charged(llm) == [(SECOND, None)]
    (request,) = server.requests()
    assert request.body
    assert request.body["temperature"] == 0.7
    assert "session_id" not in request.body


class Counting(BaseEventHandler):
    """Counts LlamaIndex's events of predictions and of calls."""

    seen: list[type] = []  # noqa: RUF012  # a pydantic field: each has its own

    def handle(self, event: BaseEvent, **kwargs: Any) -> None:
        self.seen.append(type(event))


@every_predict
def test_a_healed_prediction_starts_and_ends_once(way: str, server: LoopbackProvider) -> None:
    server.script(FIRST, [BAD["prose"]])
    server.script(SECOND, [GOOD])
    dispatcher, handler = get_dispatcher(), Counting()
    dispatcher.add_event_handler(handler)
    try:
        predict(make(server), way)
    finally:
        dispatcher.event_handlers = [h for h in dispatcher.event_handlers if h is not handler]
    for kind in (LLMStructuredPredictStartEvent, LLMStructuredPredictEndEvent, LLMChatStartEvent):
        assert handler.seen.count(kind) == 1, kind


# Classes and modes that cannot be used.


class Odd(BaseModel):
    """Holds what JSON cannot."""

    call: Callable[[], int]


@every_predict
@pytest.mark.parametrize("cls", [dict, City(name="a", country="b"), None, Odd], ids=str)
def test_a_class_that_is_none_is_refused_before_any_call(
    cls: Any, way: str, server: LoopbackProvider
) -> None:
    with pytest.raises(ConfigError, match=r"pydantic class|JSON schema"):
        predict(make(server), way, cls)
    assert server.requests() == []


@every_predict
@pytest.mark.parametrize("mode", [Mode.GUIDANCE, Mode.LM_FORMAT_ENFORCER])
def test_a_mode_of_one_kind_of_llm_is_refused(
    mode: Mode, way: str, server: LoopbackProvider
) -> None:
    with pytest.raises(ConfigError, match="several paths"):
        predict(make(server, pydantic_program_mode=mode), way)


# A structured LLM.


def ask(llm: Any, way: str, question: str = "Where?") -> Any:
    """The last object of a structured LLM's answer, as its raw value and as text."""
    given: Any = question if "complete" in way else [ChatMessage(role="user", content=question)]

    async def aask() -> Any:
        answer = await getattr(llm, way)(given)
        return [chunk async for chunk in answer][-1] if "stream" in way else answer

    if way.startswith("a"):
        return asyncio.run(aask())
    answer = getattr(llm, way)(given)
    return list(answer)[-1] if "stream" in way else answer


@pytest.mark.parametrize("way", STRUCTURED)
@every_mode
@pytest.mark.parametrize("bad", ["validator", "prose"])
def test_a_structured_llm_is_healed_in_all_its_forms(
    bad: str, mode: Mode, way: str, server: LoopbackProvider
) -> None:
    server.script(FIRST, [said(BAD[bad], mode)])
    server.script(SECOND, [said(GOOD, mode)])
    llm = make(server, pydantic_program_mode=mode)
    answer = ask(llm.as_structured_llm(City), way)
    assert answer.raw == PARIS
    text = answer.text if "complete" in way else answer.message.content
    assert City.model_validate_json(text) == PARIS
    assert charged(llm) == [(FIRST, "bad_output"), (SECOND, None)]


@pytest.mark.parametrize("way", STRUCTURED)
def test_a_structured_llms_failure_is_a_value_error(way: str, server: LoopbackProvider) -> None:
    for model in (FIRST, SECOND):
        server.script(model, [BAD["validator"]] * 3)
    with pytest.raises(ValueError) as caught:
        ask(make(server).as_structured_llm(City), way)
    assert isinstance(caught.value, AllPathsFailed)


# Programs.


def run(program: Any, way: str) -> Any:
    async def arun() -> Any:
        return await program.acall(land="France")

    async def astreamed() -> list[Any]:
        return [one async for one in await program.astream_call(land="France")]

    if way == "acall":
        return asyncio.run(arun())
    if way == "astream_call":
        return asyncio.run(astreamed())[-1]
    if way == "stream_call":
        return list(program.stream_call(land="France"))[-1]
    return program(land="France")


PROGRAMS = ("call", "acall", "stream_call", "astream_call")


@pytest.mark.parametrize("way", PROGRAMS)
@pytest.mark.parametrize("bad", ["lacks a field", "wrong type", "validator", "cut", "no object"])
def test_a_function_calling_programs_bad_call_is_healed(
    bad: str, way: str, server: LoopbackProvider
) -> None:
    """A stream holds its tool calls until gate 1 has passed, so it is healed too."""
    server.script(FIRST, [said(BAD[bad], Mode.FUNCTION)])
    server.script(SECOND, [said(GOOD, Mode.FUNCTION)])
    llm = make(server)
    program = FunctionCallingProgram.from_defaults(output_cls=City, llm=llm, prompt=PROMPT)
    assert run(program, way) == PARIS
    assert charged(llm) == [(FIRST, "bad_output"), (SECOND, None)]


@pytest.mark.parametrize("way", ["call", "acall"])
def test_a_function_calling_program_that_gets_text_is_healed(
    way: str, server: LoopbackProvider
) -> None:
    server.script(FIRST, ["It is Paris."])
    server.script(SECOND, [said(GOOD, Mode.FUNCTION)])
    program = FunctionCallingProgram.from_defaults(output_cls=City, llm=make(server), prompt=PROMPT)
    assert run(program, way) == PARIS


@pytest.mark.parametrize("way", PROGRAMS)
def test_a_text_program_is_healed_by_a_check_of_the_users(
    way: str, server: LoopbackProvider
) -> None:
    """It parses after the call, where no gate can see it; `success_when` can say what fits."""

    def fits(text: str) -> bool:
        return "country" in text

    for bad in (Fault(kind="server_error"), Answer(text=BAD["lacks a field"])):
        server.reset()
        server.script(FIRST, [bad])
        server.script(SECOND, [GOOD])
        llm = make(server, success_when=fits, stream_mode="hold")
        program = LLMTextCompletionProgram.from_defaults(output_cls=City, llm=llm, prompt=PROMPT)
        assert run(program, way) == PARIS
        assert [path for path, _ in charged(llm)] == [FIRST, SECOND]


@pytest.mark.parametrize("mode", [Mode.DEFAULT, Mode.FUNCTION, Mode.LLM])
def test_a_program_for_this_llm_is_of_the_kind_that_its_paths_can_do(
    mode: Mode, server: LoopbackProvider
) -> None:
    server.fault(FIRST, Fault(kind="server_error"))
    server.script(SECOND, [said(GOOD, Mode.LLM if mode == Mode.LLM else Mode.FUNCTION)])
    program = get_program_for_llm(City, PROMPT, make(server), pydantic_program_mode=mode)
    kind = LLMTextCompletionProgram if mode == Mode.LLM else FunctionCallingProgram
    assert isinstance(program, kind)
    assert program(land="France") == PARIS


def test_a_program_for_paths_that_call_no_tools_is_one_of_text(server: LoopbackProvider) -> None:
    llm = make(server, {"model": FIRST, "tools": False}, {"model": SECOND, "tools": False})
    assert isinstance(get_program_for_llm(City, PROMPT, llm), LLMTextCompletionProgram)
