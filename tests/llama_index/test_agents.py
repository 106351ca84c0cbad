"""LlamaIndex's agents and workflows on a KalibrLLM over two paths."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from llama_index.core.agent.workflow import (
    AgentStream,
    AgentWorkflow,
    FunctionAgent,
    ReActAgent,
)
from llama_index.core.base.llms.types import ToolCallBlock
from llama_index.core.instrumentation.event_handlers import BaseEventHandler
from llama_index.core.instrumentation.events import BaseEvent
from llama_index.core.llms import ChatMessage, MockLLM, TextBlock
from llama_index.core.memory import ChatMemoryBuffer
from llama_index.llms.openai_like import OpenAILike
from llama_index_instrumentation import get_dispatcher

from kalibr_bench.provider import Answer, Fault, LoopbackProvider, ToolCall
from kalibr_llama_index import AttemptFailedEvent, KalibrEventHandler, KalibrLLM
from kalibr_llama_index.history import portable

from .ways import first_arm

FIRST, SECOND = "gpt-4o", "gpt-4o-mini"
KEY = "sk-of-the-test-123456"
QUESTION = "What is the weather in Paris? Use the tool."


def weather(city: str) -> str:
    """The weather in a city."""
    return f"Sunny in {city}."


def calling(name: str, arguments: str) -> Answer:
    return Answer(text=None, tool_calls=(ToolCall(name=name, arguments=arguments),))


BAD: dict[str, tuple[Any, str, str | None]] = {
    "server error": (Fault(kind="server_error"), "server_error", None),
    "no JSON": (calling("weather", '{"city": "Par'), "bad_output", "tool_call"),
    "not an object": (calling("weather", '["Paris"]'), "bad_output", "tool_call"),
    "against the schema": (calling("weather", '{"town": "Paris"}'), "bad_output", "tool_call"),
    "unknown tool": (calling("wheather", '{"city": "Paris"}'), "bad_output", "tool_call"),
    "empty": (Answer(text=""), "bad_output", "empty"),
}
bad_answers = pytest.mark.parametrize("bad", BAD)
streaming_or_not = pytest.mark.parametrize("streaming", [True, False], ids=["stream", "whole"])


class Failures(BaseEventHandler):
    """Keeps the records of failed attempts."""

    attempts: list[dict[str, Any]] = []  # noqa: RUF012  # a pydantic field: each has its own

    @classmethod
    def class_name(cls) -> str:
        return "Failures"

    def handle(self, event: BaseEvent, **kwargs: Any) -> None:
        if isinstance(event, AttemptFailedEvent):
            self.attempts.append(event.attempt)

    @property
    def told(self) -> list[tuple[str, str, str | None]]:
        """Which path failed, and how."""
        return [
            (a["path"], a["failure"], a["reason"] if a["failure"] == "bad_output" else None)
            for a in self.attempts
        ]


@pytest.fixture
def failed() -> Iterator[Failures]:
    dispatcher, handler = get_dispatcher(), Failures()
    dispatcher.add_event_handler(handler)
    yield handler
    dispatcher.event_handlers = [h for h in dispatcher.event_handlers if h is not handler]


@pytest.fixture
def listening() -> Iterator[KalibrEventHandler]:
    handler = KalibrEventHandler().attach()
    yield handler
    handler.detach()


def make(server: LoopbackProvider, *paths: Any, **options: Any) -> KalibrLLM:
    return first_arm(*(paths or (FIRST, SECOND)), base_url=server.base_url, api_key=KEY, **options)


def asked(server: LoopbackProvider) -> list[str | None]:
    """The models that were asked, in order."""
    return [request.model for request in server.requests()]


# Agents that call functions.


@streaming_or_not
async def test_an_agent_calls_its_tool_and_answers_on_the_first_path(
    streaming: bool, server: LoopbackProvider, failed: Failures
) -> None:
    agent = FunctionAgent(tools=[weather], llm=make(server), streaming=streaming)
    result: Any = await agent.run(QUESTION)
    assert "Sunny in Paris." in str(result)
    assert [call.tool_kwargs for call in result.tool_calls] == [{"city": "Paris"}]
    assert asked(server) == [FIRST, FIRST]
    assert failed.attempts == []


@streaming_or_not
@bad_answers
async def test_what_the_first_path_gets_wrong_is_healed_and_charged_to_it(
    bad: str, streaming: bool, server: LoopbackProvider, failed: Failures
) -> None:
    """The agent never sees the bad call: its tool is called once, and rightly."""
    answer, kind, reason = BAD[bad]
    server.script(FIRST, [answer])
    agent = FunctionAgent(tools=[weather], llm=make(server), streaming=streaming)
    result: Any = await agent.run(QUESTION)
    assert "Sunny in Paris." in str(result)
    assert failed.told == [(FIRST, kind, reason)]
    assert [(c.tool_name, c.tool_kwargs) for c in result.tool_calls] == [
        ("weather", {"city": "Paris"})
    ]
    assert not result.tool_calls[0].tool_output.is_error
    assert asked(server) == [FIRST, SECOND, FIRST]


@streaming_or_not
@bad_answers
async def test_the_path_that_failed_loses_credit_and_the_healer_gains_it(
    bad: str, streaming: bool, server: LoopbackProvider
) -> None:
    server.script(FIRST, [BAD[bad][0]])
    llm = make(server)
    await FunctionAgent(tools=[weather], llm=llm, streaming=streaming).run(QUESTION)
    entries = [entry for _, entry in llm.core._learner.ledger.entries()]
    assert [(e.path_id, e.reward) for e in entries if e.kind == "attempt"] == [
        (FIRST, 0.0),
        (SECOND, 1.0),
        (FIRST, 1.0),
    ]


@streaming_or_not
async def test_a_tool_call_that_no_path_gets_right_is_the_agents_to_mend(
    streaming: bool, server: LoopbackProvider, failed: Failures
) -> None:
    """As with any LLM: the tool's error goes back to the model, which then gets it right."""
    wrong = calling("weather", '{"town": "Paris"}')
    server.script(FIRST, [wrong, wrong])
    server.script(SECOND, [wrong])
    agent = FunctionAgent(tools=[weather], llm=make(server), streaming=streaming)
    result: Any = await agent.run(QUESTION)
    assert result.tool_calls[0].tool_output.is_error
    assert {failure for _, failure, _ in failed.told} == {"bad_output"}
    body: Any = server.requests()[-1].body
    assert "unexpected keyword argument" in body["messages"][-1]["content"]


@streaming_or_not
async def test_a_server_error_at_the_last_step_is_healed_too(
    streaming: bool, server: LoopbackProvider, failed: Failures
) -> None:
    """The path that answers gets the tool call that the other one made, and its result."""
    server.script(FIRST, [calling("weather", '{"city": "Rome"}'), Fault(kind="server_error")])
    agent = FunctionAgent(tools=[weather], llm=make(server), streaming=streaming)
    assert "Sunny in Rome." in str(await agent.run(QUESTION))
    assert failed.told == [(FIRST, "server_error", None)]
    body: Any = server.requests(SECOND)[-1].body
    called, result = body["messages"][-2:]
    assert called["tool_calls"][0]["function"]["name"] == "weather"
    assert json.loads(called["tool_calls"][0]["function"]["arguments"]) == {"city": "Rome"}
    assert result["tool_call_id"] == called["tool_calls"][0]["id"]


async def test_parallel_calls_of_one_answer_all_reach_their_tools(
    server: LoopbackProvider, failed: Failures
) -> None:
    good = ToolCall(name="weather", arguments='{"city": "Paris"}')
    other = ToolCall(name="weather", arguments='{"city": "Rome"}')
    half = ToolCall(name="weather", arguments='{"city": ')
    server.script(FIRST, [Answer(text=None, tool_calls=(good, half))])
    server.script(SECOND, [Answer(text=None, tool_calls=(good, other))])
    result: Any = await FunctionAgent(tools=[weather], llm=make(server)).run(QUESTION)
    assert [call.tool_kwargs["city"] for call in result.tool_calls] == ["Paris", "Rome"]
    assert failed.told == [(FIRST, "bad_output", "tool_call")], "one bad call spoils an answer"


async def test_an_agents_stream_gives_out_its_text_as_it_comes(server: LoopbackProvider) -> None:
    server.fault(FIRST, Fault(kind="server_error"))
    handler = FunctionAgent(tools=[weather], llm=make(server)).run(QUESTION)
    deltas = [event.delta async for event in handler.stream_events() if type(event) is AgentStream]
    assert "".join(deltas) == str(await handler)
    assert len([delta for delta in deltas if delta]) > 3


@streaming_or_not
async def test_initial_tool_choice_is_asked_of_the_path_that_heals_too(
    streaming: bool, server: LoopbackProvider
) -> None:
    server.script(FIRST, [calling("weather", "{}")])
    agent = FunctionAgent(
        tools=[weather], llm=make(server), initial_tool_choice="weather", streaming=streaming
    )
    result: Any = await agent.run("Hello there, how are you?")
    assert len(result.tool_calls) == 1
    first, second, last = (request.body for request in server.requests())
    assert first
    assert second
    assert last
    assert first["tool_choice"] == second["tool_choice"]
    assert first["tool_choice"]["function"]["name"] == "weather"
    assert last.get("tool_choice") in (None, "auto")


@streaming_or_not
async def test_text_where_a_call_was_demanded_is_a_failure(
    streaming: bool, server: LoopbackProvider, failed: Failures
) -> None:
    """Healed, but for a stream's text that has been given out as it came: that is only charged."""
    server.script(FIRST, ["I would rather not call it."])
    agent = FunctionAgent(
        tools=[weather], llm=make(server), initial_tool_choice="weather", streaming=streaming
    )
    result: Any = await agent.run("Hello there, how are you?")
    assert failed.told == [(FIRST, "bad_output", "tool_call")]
    assert bool(result.tool_calls) is not streaming


@streaming_or_not
async def test_a_path_without_tools_is_never_asked_for_them(
    streaming: bool, server: LoopbackProvider, failed: Failures
) -> None:
    """It comes first, and is passed over: without a failure, for it has done nothing wrong."""
    plain = OpenAILike(
        model="gpt-4.1-nano", api_base=server.base_url, api_key=KEY, is_chat_model=True
    )
    deaf = [
        {"model": MockLLM(), "name": "mock"},
        {"model": "gpt-4.1-mini", "tools": False},
        {"model": plain, "name": "plain"},
    ]
    llm = make(server, *deaf, FIRST, SECOND)
    server.script(FIRST, [Fault(kind="server_error")])
    result: Any = await FunctionAgent(tools=[weather], llm=llm, streaming=streaming).run(QUESTION)
    assert "Sunny in Paris." in str(result)
    assert asked(server) == [FIRST, SECOND, FIRST]
    assert failed.told == [(FIRST, "server_error", None)]


async def test_an_agents_run_knows_the_decisions_of_all_its_steps(
    server: LoopbackProvider, listening: KalibrEventHandler
) -> None:
    server.script(FIRST, [calling("weather", "{")])
    llm = make(server)
    await FunctionAgent(tools=[weather], llm=llm).run(QUESTION)
    decisions = [i for run in listening.runs() for i in run.decision_ids]
    assert len(decisions) == 2
    assert all(llm.report(decision, success=True) for decision in decisions)


async def test_a_conversations_next_turn_may_come_from_another_path(
    server: LoopbackProvider,
) -> None:
    agent = FunctionAgent(tools=[weather], llm=make(server))
    memory = ChatMemoryBuffer.from_defaults(token_limit=4000)
    await agent.run(QUESTION, memory=memory)
    server.fault(FIRST, Fault(kind="unavailable"))
    result: Any = await agent.run("And in Rome? Use the tool.", memory=memory)
    assert "Sunny in Rome." in str(result)
    assert asked(server)[2:] == [FIRST, SECOND, FIRST, SECOND]
    body: Any = server.requests(SECOND)[0].body
    assert [message["role"] for message in body["messages"]] == [
        "user",
        "assistant",
        "tool",
        "assistant",
        "user",
    ]


# Agents that reason in text.

THINKS = 'Thought: I need the tool.\nAction: weather\nAction Input: {"city": "Paris"}'
ENDS = "Thought: I can answer without using any more tools.\nAnswer: Sunny in Paris."


@streaming_or_not
@pytest.mark.parametrize(
    ("bad", "kind"),
    [
        (Fault(kind="server_error"), "server_error"),
        (Answer(text=""), "bad_output"),
        (Answer(text=THINKS[:30], finish_reason="length"), "bad_output"),
    ],
    ids=["server error", "empty", "cut"],
)
async def test_a_react_agents_step_is_healed(
    bad: Any, kind: str, streaming: bool, server: LoopbackProvider, failed: Failures
) -> None:
    server.script(FIRST, [bad, ENDS])
    server.script(SECOND, [THINKS])
    llm = make(server, stream_mode="hold")
    result: Any = await ReActAgent(tools=[weather], llm=llm, streaming=streaming).run(QUESTION)
    assert str(result) == "Sunny in Paris."
    assert [(c.tool_name, c.tool_kwargs) for c in result.tool_calls] == [
        ("weather", {"city": "Paris"})
    ]
    assert [(path, failure) for path, failure, _ in failed.told] == [(FIRST, kind)]
    assert asked(server) == [FIRST, SECOND, FIRST]


async def test_a_react_agent_may_use_a_path_that_calls_no_tools(server: LoopbackProvider) -> None:
    """It is given none: they stand in the prompt."""
    llm = make(server, {"model": FIRST, "tools": False}, SECOND)
    server.script(FIRST, [THINKS, ENDS])
    result: Any = await ReActAgent(tools=[weather], llm=llm).run(QUESTION)
    assert str(result) == "Sunny in Paris."
    assert asked(server) == [FIRST, FIRST]


# Several agents.


def team(llm: KalibrLLM, *, streaming: bool) -> AgentWorkflow:
    asker = FunctionAgent(
        name="asker",
        description="Talks to the user.",
        system_prompt="Hand weather questions over.",
        tools=[],
        llm=llm,
        can_handoff_to=["forecaster"],
        streaming=streaming,
    )
    forecaster = FunctionAgent(
        name="forecaster",
        description="Knows the weather.",
        tools=[weather],
        llm=llm,
        streaming=streaming,
    )
    return AgentWorkflow(agents=[asker, forecaster], root_agent="asker")


HAND_OFF = calling("handoff", '{"to_agent": "forecaster", "reason": "it knows the weather"}')


@streaming_or_not
@bad_answers
async def test_two_agents_hand_over_and_answer_though_each_step_fails_first(
    bad: str, streaming: bool, server: LoopbackProvider, failed: Failures
) -> None:
    """Each of the three steps is spoilt on the first path, and healed on the second."""
    answer, kind, reason = BAD[bad]
    server.script(FIRST, [answer] * 3)
    server.script(
        SECOND, [HAND_OFF, calling("weather", '{"city": "Paris"}'), "It is sunny in Paris today."]
    )
    result: Any = await team(make(server), streaming=streaming).run(QUESTION)
    assert str(result) == "It is sunny in Paris today."
    assert result.current_agent_name == "forecaster"
    assert failed.told == [(FIRST, kind, reason)] * 3
    assert asked(server) == [FIRST, SECOND] * 3


@streaming_or_not
async def test_a_hand_off_to_nobody_is_refused_before_the_workflow_sees_it(
    streaming: bool, server: LoopbackProvider, failed: Failures
) -> None:
    server.script(FIRST, [calling("handoff", '{"reason": "it knows"}')])
    server.script(SECOND, [HAND_OFF])
    server.script(FIRST, [calling("weather", '{"city": "Paris"}'), "It is sunny in Paris today."])
    result: Any = await team(make(server), streaming=streaming).run(QUESTION)
    assert str(result) == "It is sunny in Paris today."
    assert failed.told == [(FIRST, "bad_output", "tool_call")]


# A conversation that moves between providers.


def test_a_tool_call_goes_to_each_provider_in_its_own_form() -> None:
    """OpenAI's takes arguments as text, and others an object; OpenAI's own copy of the call goes
    to no other."""
    block = ToolCallBlock(tool_call_id="c1", tool_name="weather", tool_kwargs='{"city": "Paris"}')
    said = ChatMessage(
        role="assistant",
        blocks=[TextBlock(text="I look."), block],
        additional_kwargs={"tool_calls": ["OpenAI's own"], "kept": 1},
    )
    (other,) = portable([said], path_id="a", class_name="Anthropic_LLM", is_openai=False)
    (same,) = portable([said], path_id="b", class_name="openai_llm", is_openai=True)
    calls = [b for b in other.blocks if isinstance(b, ToolCallBlock)]
    assert [(c.tool_call_id, c.tool_kwargs) for c in calls] == [("c1", {"city": "Paris"})]
    assert other.additional_kwargs == {"kept": 1}
    assert [b.tool_kwargs for b in same.blocks if isinstance(b, ToolCallBlock)] == [
        '{"city": "Paris"}'
    ]
    assert said.additional_kwargs["tool_calls"] == ["OpenAI's own"], "the caller's stays"
