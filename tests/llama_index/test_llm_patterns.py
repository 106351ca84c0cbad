"""What LlamaIndex expects of any LLM, asked of a KalibrLLM: shapes, requests, events, spans."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import openai
import pytest
from llama_index.core.base.llms.base import BaseLLM
from llama_index.core.base.llms.types import (
    ChatResponse,
    CompletionResponse,
    CompletionResponseGen,
)
from llama_index.core.callbacks import CallbackManager, CBEventType
from llama_index.core.callbacks.base_handler import BaseCallbackHandler
from llama_index.core.instrumentation.event_handlers import BaseEventHandler
from llama_index.core.instrumentation.events import BaseEvent
from llama_index.core.instrumentation.span_handlers import NullSpanHandler
from llama_index.core.llms import LLM, MockLLM
from llama_index.core.llms.callbacks import llm_chat_callback, llm_completion_callback
from llama_index.core.llms.custom import CustomLLM
from llama_index.core.llms.function_calling import FunctionCallingLLM
from llama_index.core.llms.mock import MockLLMWithNonyieldingChatStream
from llama_index.core.prompts import PromptTemplate
from llama_index.core.tools import FunctionTool
from llama_index.llms.openai import OpenAI
from llama_index.llms.openai_like import OpenAILike
from llama_index_instrumentation import get_dispatcher

from kalibr_bench.provider import Answer, Fault, LoopbackProvider, ToolCall
from kalibr_core.errors import AllPathsFailed
from kalibr_llama_index import KalibrLLM

from .ways import QUESTION, STREAMS, WAYS, ask, asked, failures, first_arm, record, text_of

FIRST, SECOND = "gpt-4o", "gpt-4o-mini"
KEY = "sk-of-the-test-123456"
every_way = pytest.mark.parametrize("way", WAYS)
every_stream = pytest.mark.parametrize("way", STREAMS)


def make(server: LoopbackProvider, *paths: Any, **options: Any) -> KalibrLLM:
    return first_arm(*(paths or (FIRST, SECOND)), base_url=server.base_url, api_key=KEY, **options)


def chunks(llm: Any, way: str, **options: Any) -> list[Any]:
    """All of a stream's chunks."""

    async def collected() -> list[Any]:
        stream = await getattr(llm, way)(asked(way), **options)
        return [chunk async for chunk in stream]

    if way.startswith("a"):
        return asyncio.run(collected())
    return list(getattr(llm, way)(asked(way), **options))


def called(llm: Any, method: str, *args: Any, **options: Any) -> Any:
    """A method's answer, awaited where it is to be."""

    async def awaited() -> Any:
        return await getattr(llm, method)(*args, **options)

    return (
        asyncio.run(awaited()) if method.startswith("a") else getattr(llm, method)(*args, **options)
    )


# What it is, and the shapes of its answers.


def test_it_is_an_llm_of_each_kind_that_llama_index_asks_for() -> None:
    names = [base.__name__ for base in KalibrLLM.__mro__]
    assert {BaseLLM.__name__, LLM.__name__, FunctionCallingLLM.__name__} <= set(names)
    assert KalibrLLM.class_name() == "KalibrLLM"


@every_way
@pytest.mark.parametrize("fault", [None, "server_error", "empty_content"])
def test_an_answer_has_the_shape_of_its_form_healed_or_not(
    way: str, fault: str | None, server: LoopbackProvider
) -> None:
    if fault is not None:
        server.fault(FIRST, Fault(kind=fault))
    answer: Any = ask(make(server, stream_mode="hold"), way)
    assert type(answer) is (ChatResponse if "chat" in way else CompletionResponse)
    if "chat" in way:
        assert answer.message.role == "assistant"
    assert text_of(answer)
    model = FIRST if fault is None else SECOND
    assert answer.raw.model.startswith(model)


@every_way
@pytest.mark.parametrize("fault", [None, "empty_content"])
def test_token_counts_are_the_answering_providers(
    way: str, fault: str | None, server: LoopbackProvider
) -> None:
    """Under OpenAI's names, as LlamaIndex's own handlers read them; the record has them all."""
    if fault is not None:
        server.fault(FIRST, Fault(kind=fault))
    answer = ask(make(server, stream_mode="hold"), way)
    told = answer.additional_kwargs
    last = record(answer)["attempts"][-1]
    assert told["prompt_tokens"] == last["input_tokens"] > 0
    assert told["completion_tokens"] == last["output_tokens"] > 0
    assert told["total_tokens"] == told["prompt_tokens"] + told["completion_tokens"]
    sent = server.stats()
    billed = sent[FIRST].prompt_tokens + sent[SECOND].prompt_tokens
    assert record(answer)["input_tokens"] == billed


@every_stream
@pytest.mark.parametrize("mode", [None, "live", "hold"])
def test_deltas_are_new_text_and_each_chunk_holds_all_so_far(
    mode: Any, way: str, server: LoopbackProvider
) -> None:
    """No text comes twice, though the last chunk once more holds all of it."""
    server.fault(FIRST, Fault(kind="server_error"))
    got = chunks(make(server, stream_mode=mode), way)
    so_far = ""
    for chunk in got:
        so_far += chunk.delta or ""
        assert text_of(chunk) == so_far
    assert len(got) > 5
    assert got[-1].delta == ""
    assert got[-1].additional_kwargs["kalibr"]["verified"]
    assert sum("attempts" in chunk.additional_kwargs["kalibr"] for chunk in got) == 1


@every_stream
@pytest.mark.parametrize("mode", [None, "live", "hold"])
def test_the_last_text_comes_once_where_no_chunk_follows_it(mode: Any, way: str) -> None:
    """OpenAI's streams end with an empty chunk; other LLMs' with text."""
    got = chunks(first_arm({"model": Works(), "name": FIRST}, stream_mode=mode), way)
    assert "".join(chunk.delta or "" for chunk in got) == "The capital of France is Paris."
    assert text_of(got[-1]) == "The capital of France is Paris."


def test_the_prompt_may_be_named_and_is_given_once(server: LoopbackProvider) -> None:
    llm = make(server)
    assert llm.complete(prompt=QUESTION).text
    assert "".join(str(chunk.delta) for chunk in llm.stream_complete(prompt=QUESTION))
    with pytest.raises(TypeError):
        llm.complete(QUESTION, prompt=QUESTION)
    assert len(server.requests()) == 2


@every_way
def test_a_completion_and_a_chat_send_the_same_message(way: str, server: LoopbackProvider) -> None:
    ask(make(server), way)
    (request,) = server.requests()
    assert request.body
    assert request.body["messages"] == [{"role": "user", "content": QUESTION}]
    assert bool(request.body.get("stream")) is (way in STREAMS)


def test_arguments_of_a_call_win_over_the_models(server: LoopbackProvider) -> None:
    """`additional_kwargs` are sent as they are."""
    extra = {"seed": 5, "extra_body": {"thinking": {"type": "disabled"}}}
    llm = make(server, temperature=0.2, max_tokens=500, additional_kwargs=extra)
    llm.chat(asked("chat"))
    llm.chat(asked("chat"), temperature=0.9, max_tokens=300, seed=6)
    first, second = (request.body or {} for request in server.requests())
    names = ("temperature", "max_tokens", "seed")
    assert [first.get(name) for name in names] == [0.2, 500, 5]
    assert [second.get(name) for name in names] == [0.9, 300, 6]
    assert first["thinking"] == second["thinking"] == {"type": "disabled"}


# Prompts.


def test_prompt_functions_of_the_model_shape_what_predict_sends() -> None:
    llm = first_arm(
        {"model": MockLLM(), "name": "mock"},
        completion_to_prompt=lambda text: f"<s>{text}</s>",
        system_prompt="Be brief.",
    )
    text = llm.predict(PromptTemplate("Name {what}, please."), what="a city")
    assert text == "Be brief.\n\n<s>Name a city, please.</s>"


def test_prompt_functions_of_a_path_are_its_own() -> None:
    path = MockLLM(messages_to_prompt=lambda messages: f"[{len(messages)} said] {messages[0]}")
    llm = first_arm({"model": path, "name": "mock"})
    for way in ("chat", "achat", "stream_chat", "astream_chat"):
        assert text_of(ask(llm, way)).startswith("[1 said] ")


def test_a_system_prompt_goes_to_every_path_once(server: LoopbackProvider) -> None:
    server.fault(FIRST, Fault(kind="server_error"))
    make(server, system_prompt="Be brief.").predict(PromptTemplate("Name a city."))
    bodies = [request.body or {} for request in server.requests()]
    assert [len(body["messages"]) for body in bodies] == [2, 2]
    assert all(body["messages"][0]["content"] == "Be brief." for body in bodies)


# Tools.


def weather(city: str) -> str:
    """The weather in a city."""
    return f"Sunny in {city}."


TOOL = FunctionTool.from_defaults(weather)
PARIS = ToolCall(name="weather", arguments='{"city": "Paris"}')
ROME = ToolCall(name="weather", arguments='{"city": "Rome"}')
NAMED = {"type": "function", "function": {"name": "weather"}}


@pytest.mark.parametrize(
    ("options", "choice", "parallel"),
    [
        ({}, "auto", False),
        ({"tool_required": True}, "required", False),
        ({"allow_parallel_tool_calls": True}, "auto", True),
        ({"tool_choice": "weather"}, NAMED, False),
        ({"tool_choice": NAMED}, NAMED, False),
        ({"tool_choice": "none"}, "none", False),
        ({"tool_choice": "auto", "tool_required": True}, "auto", False),
    ],
    ids=str,
)
def test_tools_are_sent_to_both_paths_as_llama_indexs_own_llm_sends_them(
    options: Any, choice: Any, parallel: bool, server: LoopbackProvider
) -> None:
    own = OpenAI(model=FIRST, api_base=server.base_url, api_key=KEY, max_retries=0)
    own.chat_with_tools([TOOL], "The weather in Paris?", **options)
    server.fault(FIRST, Fault(kind="server_error"))
    make(server).chat_with_tools([TOOL], "The weather in Paris?", **options)
    wanted, *bodies = (request.body or {} for request in server.requests())
    assert len(bodies) == 2
    for body in bodies:
        for name in ("tools", "tool_choice", "parallel_tool_calls", "messages"):
            assert body.get(name) == wanted.get(name), name
        assert body["tool_choice"] == choice
        assert body["parallel_tool_calls"] is parallel


@pytest.mark.parametrize("healed", [False, True], ids=["first", "healed"])
@pytest.mark.parametrize("way", ["chat_with_tools", "achat_with_tools"])
def test_of_several_calls_one_is_kept_unless_parallel_ones_are_allowed(
    way: str, healed: bool, server: LoopbackProvider
) -> None:
    for allowed, cities in ((False, ["Paris"]), (True, ["Paris", "Rome"])):
        server.reset()
        if healed:
            server.fault(FIRST, Fault(kind="server_error"))
        server.script(SECOND if healed else FIRST, [Answer(text=None, tool_calls=(PARIS, ROME))])
        llm: Any = make(server)
        response = called(llm, way, [TOOL], "Where?", allow_parallel_tool_calls=allowed)
        calls = llm.get_tool_calls_from_response(response)
        assert [call.tool_kwargs["city"] for call in calls] == cities
        assert [call.tool_name for call in calls] == ["weather"] * len(cities)
        assert all(call.tool_id for call in calls)


@pytest.mark.parametrize("way", ["stream_chat_with_tools", "astream_chat_with_tools"])
def test_a_stream_holds_its_tool_calls_until_they_have_passed(
    way: str, server: LoopbackProvider
) -> None:
    bad = ToolCall(name="weather", arguments='{"city": ')
    server.script(FIRST, [Answer(text=None, tool_calls=(bad,))])
    server.script(SECOND, [Answer(text=None, tool_calls=(PARIS, ROME))])
    llm = make(server)

    async def collected() -> list[ChatResponse]:
        stream = await llm.astream_chat_with_tools([TOOL], "Where?", allow_parallel_tool_calls=True)
        return [chunk async for chunk in stream]

    if way.startswith("a"):
        got = asyncio.run(collected())
    else:
        got = list(llm.stream_chat_with_tools([TOOL], "Where?", allow_parallel_tool_calls=True))
    assert {chunk.additional_kwargs["kalibr"]["path"] for chunk in got} == {SECOND}
    calls = llm.get_tool_calls_from_response(got[-1])
    assert [call.tool_kwargs for call in calls] == [{"city": "Paris"}, {"city": "Rome"}]
    assert failures(got[-1]) == ["bad_output", None]


def test_without_a_call_it_is_the_callers_choice_whether_that_is_an_error(
    server: LoopbackProvider,
) -> None:
    server.script(FIRST, ["It is sunny, I guess."])
    llm = make(server)
    response = llm.chat_with_tools([TOOL], "Where?")
    assert llm.get_tool_calls_from_response(response, error_on_no_tool_call=False) == []
    with pytest.raises(ValueError, match="at least one tool call"):
        llm.get_tool_calls_from_response(response)


@pytest.mark.parametrize("way", ["predict_and_call", "apredict_and_call"])
def test_predict_and_call_calls_the_tool_with_what_has_passed(
    way: str, server: LoopbackProvider
) -> None:
    server.script(FIRST, [Answer(text=None, tool_calls=(ToolCall(name="wheather"),))])
    server.script(SECOND, [Answer(text=None, tool_calls=(ROME,))])
    response = called(make(server), way, [TOOL], "The weather?")
    assert response.response == "Sunny in Rome."
    assert [source.raw_input["kwargs"] for source in response.sources] == [{"city": "Rome"}]


@pytest.mark.parametrize("way", ["predict_and_call", "apredict_and_call"])
def test_a_tool_that_raises_is_no_failure_of_the_path(way: str, server: LoopbackProvider) -> None:
    def broken(city: str) -> str:
        raise RuntimeError("no weather today")

    tool = FunctionTool.from_defaults(broken, name="weather")
    server.script(FIRST, [Answer(text=None, tool_calls=(PARIS,))])
    llm = make(server)
    with pytest.raises(ValueError, match="no weather today"):
        called(llm, way, [tool], "The weather?", error_on_tool_error=True)
    assert [e.reward for _, e in llm.core._learner.ledger.entries()] == [1.0]


# Events, callbacks and spans.


class Broken(CustomLLM):
    """A user's own LLM whose server is down."""

    @property
    def metadata(self) -> Any:
        return MockLLM().metadata

    @llm_completion_callback()
    def complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponse:
        raise ConnectionError("down")

    @llm_completion_callback()
    def stream_complete(
        self, prompt: str, formatted: bool = False, **kwargs: Any
    ) -> CompletionResponseGen:
        raise ConnectionError("down")
        yield  # a generator


class Works(CustomLLM):
    """One that wraps its own methods, and calls others of its own."""

    @property
    def metadata(self) -> Any:
        return MockLLM(is_chat_model=True).metadata

    @llm_chat_callback()
    def chat(self, messages: Any, **kwargs: Any) -> ChatResponse:
        return super().chat(messages, **kwargs)

    @llm_completion_callback()
    def complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponse:
        return CompletionResponse(text="The capital of France is Paris.")

    @llm_completion_callback()
    def stream_complete(
        self, prompt: str, formatted: bool = False, **kwargs: Any
    ) -> CompletionResponseGen:
        text = ""
        for word in ("The capital ", "of France ", "is Paris."):
            text += word
            yield CompletionResponse(text=text, delta=word)


class BrokenMock(MockLLM):
    """A subclass of LlamaIndex's own."""

    @llm_completion_callback()
    def complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponse:
        raise ConnectionError("down")

    @llm_completion_callback()
    def stream_complete(
        self, prompt: str, formatted: bool = False, **kwargs: Any
    ) -> CompletionResponseGen:
        raise ConnectionError("down")
        yield  # a generator


def of_openai(server: LoopbackProvider, cls: Any, manager: CallbackManager) -> list[Any]:
    known = {"is_chat_model": True} if cls is OpenAILike else {}
    return [
        {
            "model": cls(
                model=model,
                api_base=server.base_url,
                api_key=KEY,
                callback_manager=manager,
                **known,
            ),
            "name": model,
        }
        for model in (FIRST, SECOND)
    ]


def of_process(server: LoopbackProvider, first: Any, second: Any) -> list[Any]:
    return [{"model": first, "name": FIRST}, {"model": second, "name": SECOND}]


PATHS = {
    "named": lambda server, manager: [FIRST, SECOND],
    "OpenAI": lambda server, manager: of_openai(server, OpenAI, manager),
    "OpenAILike": lambda server, manager: of_openai(server, OpenAILike, manager),
    "CustomLLM": lambda server, manager: of_process(
        server, Broken(callback_manager=manager), Works(callback_manager=manager)
    ),
    "MockLLM": lambda server, manager: of_process(
        server,
        BrokenMock(callback_manager=manager),
        MockLLM(max_tokens=9, callback_manager=manager),
    ),
}


class Told(BaseCallbackHandler):
    """Counts what callbacks are told of LLM calls."""

    def __init__(self) -> None:
        super().__init__([], [])
        self.counts: Counter[tuple[CBEventType, str]] = Counter()
        self.payloads: list[dict[Any, Any]] = []

    def on_event_start(self, event_type: Any, payload: Any = None, *a: Any, **k: Any) -> str:
        self.counts[event_type, "start"] += 1
        self.payloads.append(payload or {})
        return str(k.get("event_id", ""))

    def on_event_end(self, event_type: Any, payload: Any = None, *a: Any, **k: Any) -> None:
        self.counts[event_type, "end"] += 1
        self.payloads.append(payload or {})

    def of(self, event_type: CBEventType) -> dict[str, int]:
        return {when: count for (kind, when), count in self.counts.items() if kind is event_type}

    def start_trace(self, trace_id: str | None = None) -> None: ...

    def end_trace(self, *args: Any, **kwargs: Any) -> None: ...


class Heard(BaseEventHandler):
    """Counts events by class, and keeps them."""

    events: list[BaseEvent] = []  # noqa: RUF012  # a pydantic field: each has its own

    def handle(self, event: BaseEvent, **kwargs: Any) -> None:
        self.events.append(event)

    @property
    def counts(self) -> dict[str, int]:
        """LlamaIndex's own, but for the many of a stream."""
        names = Counter(type(event).__name__ for event in self.events)
        return {
            name: count
            for name, count in names.items()
            if "InProgress" not in name and name not in ("AttemptFailedEvent", "DecisionEvent")
        }


class Spans(NullSpanHandler):
    """Keeps the ids of spans as they come and go."""

    entered: list[str] = []  # noqa: RUF012  # a pydantic field: each has its own
    left: list[str] = []  # noqa: RUF012
    dropped: list[str] = []  # noqa: RUF012

    def span_enter(self, *args: Any, **kwargs: Any) -> None:
        self.entered.append(str(kwargs.get("id_") or args[0]))

    def span_exit(self, *args: Any, **kwargs: Any) -> None:
        self.left.append(str(kwargs.get("id_") or args[0]))

    def span_drop(self, *args: Any, **kwargs: Any) -> None:
        self.dropped.append(str(kwargs.get("id_") or args[0]))


@pytest.fixture
def heard() -> Iterator[Heard]:
    dispatcher, handler = get_dispatcher(), Heard()
    dispatcher.add_event_handler(handler)
    yield handler
    dispatcher.event_handlers = [h for h in dispatcher.event_handlers if h is not handler]


@pytest.fixture
def spans() -> Iterator[Spans]:
    dispatcher, handler = get_dispatcher(), Spans()
    dispatcher.add_span_handler(handler)
    yield handler
    dispatcher.span_handlers = [h for h in dispatcher.span_handlers if h is not handler]


@every_way
@pytest.mark.parametrize("kind", PATHS)
def test_a_call_that_was_healed_starts_and_ends_once_for_all_who_listen(
    kind: str, way: str, server: LoopbackProvider, heard: Heard, spans: Spans
) -> None:
    """Whatever its paths are made of, and though they have the same callbacks of their own."""
    server.fault(FIRST, Fault(kind="server_error"))
    told = Told()
    manager = CallbackManager([told])
    llm = make(server, *PATHS[kind](server, manager), callback_manager=manager)
    answer = ask(llm, way)
    assert record(answer)["path"] == SECOND
    assert len(failures(answer)) == 2
    assert failures(answer)[-1] is None
    form = "Chat" if "chat" in way else "Completion"
    assert heard.counts == {f"LLM{form}StartEvent": 1, f"LLM{form}EndEvent": 1}
    assert told.of(CBEventType.LLM) == {"start": 1, "end": 1}
    (span,) = spans.entered
    assert span.startswith(f"KalibrLLM.{way}-")
    assert (spans.left, spans.dropped) == ([span], [])
    assert {event.span_id for event in heard.events} == {span}


@every_way
@pytest.mark.parametrize("kind", ["named", "OpenAI", "OpenAILike"])
def test_a_call_that_failed_everywhere_starts_once_and_tells_of_one_exception(
    kind: str, way: str, server: LoopbackProvider, heard: Heard, spans: Spans
) -> None:
    server.fault(None, Fault(kind="server_error"))
    told = Told()
    manager = CallbackManager([told])
    # Each path once: further attempts would wait first.
    llm = make(server, *PATHS[kind](server, manager), callback_manager=manager, max_attempts=2)
    with pytest.raises(openai.InternalServerError):
        ask(llm, way)
    form = "Chat" if "chat" in way else "Completion"
    counts = heard.counts
    assert counts.pop(f"LLM{form}StartEvent") == 1
    exceptions = counts.pop("ExceptionEvent", 0)
    assert counts.pop("SpanDropEvent", 0) == (0 if way in STREAMS else 1)
    assert counts == {}
    assert exceptions == (1 if way in STREAMS else 0), "LlamaIndex tells it of streams"
    assert told.of(CBEventType.LLM) == {"start": 1, "end": 1}
    assert len(spans.entered) == 1
    failed = [payload["exception"] for payload in told.payloads if "exception" in payload]
    assert failed
    assert all(isinstance(error, AllPathsFailed) for error in failed)


@every_stream
def test_each_chunk_is_told_once(way: str, server: LoopbackProvider, heard: Heard) -> None:
    server.fault(FIRST, Fault(kind="server_error"))
    got = chunks(make(server), way)
    told = [event for event in heard.events if "InProgress" in type(event).__name__]
    assert len(told) == len(got)


@every_way
def test_no_key_is_in_events_or_callbacks(way: str, server: LoopbackProvider, heard: Heard) -> None:
    server.fault(FIRST, Fault(kind="unauthorized"))
    told = Told()
    ask(make(server, callback_manager=CallbackManager([told])), way)
    assert KEY not in repr(heard.events)
    assert KEY not in repr(told.payloads)
    assert KEY not in json.dumps([event.model_dump() for event in heard.events], default=repr)


@every_way
def test_without_handlers_a_call_gets_its_own_callback_manager(
    way: str, server: LoopbackProvider
) -> None:
    llm = make(server)
    llm.callback_manager = None  # type: ignore[assignment]
    assert text_of(ask(llm, way))


@pytest.mark.parametrize("way", ["stream_chat", "astream_chat"])
def test_a_path_whose_stream_holds_nothing_is_healed(way: str, server: LoopbackProvider) -> None:
    silent = {"model": MockLLMWithNonyieldingChatStream(), "name": "silent"}
    answer = ask(make(server, silent, SECOND), way)
    assert record(answer)["path"] == SECOND
    assert failures(answer)[-1] is None


# Plain data.


def test_plain_data_tells_the_settings_and_no_key(server: LoopbackProvider) -> None:
    llm = make(server, temperature=0.3, max_tokens=42, system_prompt="Be brief.")
    plain = llm.to_dict()
    assert (plain["class_name"], plain["temperature"], plain["max_tokens"]) == (
        "KalibrLLM",
        0.3,
        42,
    )
    assert KEY not in llm.to_json()
    again = KalibrLLM.from_json(llm.to_json(), api_key=KEY, ledger="memory")
    assert (again.goal, again.temperature, again.max_tokens) == ("test", 0.3, 42)
    assert again.metadata == llm.metadata
    assert again.system_prompt == "Be brief."
    assert text_of(ask(again, "chat"))


def test_the_payload_of_events_names_model_and_class_and_no_key(server: LoopbackProvider) -> None:
    payload = make(server, temperature=0.3).to_payload()
    assert payload["class_name"] == "KalibrLLM"
    assert payload["model_name"] == "kalibr/test"
    assert KEY not in repr(payload)
