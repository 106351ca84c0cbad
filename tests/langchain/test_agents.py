"""Agents and graphs that are given a ChatKalibr in the place of a ChatOpenAI."""

from __future__ import annotations

from typing import Any

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import ModelFallbackMiddleware
from langchain.agents.structured_output import ProviderStrategy, ToolStrategy
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from pydantic import BaseModel

from kalibr_bench.provider import Answer, Fault, LoopbackProvider, ToolCall
from kalibr_langchain import ChatKalibr

from .ways import failures, first_arm, record

FIRST, SECOND = "gpt-4o", "gpt-4o-mini"
KEY = "sk-of-the-test-123456"


@tool
def weather(city: str) -> str:
    """The weather in a city."""
    return f"Sunny in {city}."


class Report(BaseModel):
    """A report of the weather."""

    city: str
    summary: str


def make(server: LoopbackProvider, **options: Any) -> ChatKalibr:
    return first_arm(FIRST, SECOND, base_url=server.base_url, api_key=KEY, **options)


ASKED = {"messages": [HumanMessage("What is the weather in Paris? Use the tool.")]}


def answers(result: dict[str, Any]) -> list[AIMessage]:
    return [message for message in result["messages"] if isinstance(message, AIMessage)]


async def test_an_agent_with_tools(server: LoopbackProvider) -> None:
    agent = create_agent(make(server), tools=[weather])
    for result in (agent.invoke(ASKED), await agent.ainvoke(ASKED)):  # type: ignore[arg-type]
        assert any(isinstance(message, ToolMessage) for message in result["messages"])
        assert "Sunny in" in str(result["messages"][-1].content)
        assert all(record(answer)["verified"] for answer in answers(result))


def test_an_agent_goes_on_over_another_path(server: LoopbackProvider) -> None:
    """The conversation stays valid where its turns are answered by different paths."""
    server.fault(FIRST, Fault(kind="server_error", times=1))
    result = create_agent(make(server), tools=[weather]).invoke(ASKED)  # type: ignore[arg-type]
    assert [record(answer)["path"] for answer in answers(result)] == [SECOND, FIRST]
    assert "Sunny in" in str(result["messages"][-1].content)


def test_a_bad_tool_call_is_healed(server: LoopbackProvider) -> None:
    wrong = Answer(text=None, tool_calls=(ToolCall(name="wheather", arguments="{}"),))
    server.script(FIRST, [wrong])
    result = create_agent(make(server), tools=[weather]).invoke(ASKED)  # type: ignore[arg-type]
    assert failures(answers(result)[0]) == ["bad_output", None]
    assert "Sunny in" in str(result["messages"][-1].content)


def test_a_tool_call_that_no_path_gets_right_is_the_agents_to_mend(
    server: LoopbackProvider,
) -> None:
    """As with ChatOpenAI: the tool's error goes back to the model."""
    wrong = Answer(text=None, tool_calls=(ToolCall(name="weather", arguments='{"town": "x"}'),))
    server.script(FIRST, [wrong, wrong])
    server.script(SECOND, [wrong])
    result = create_agent(make(server), tools=[weather]).invoke(ASKED)  # type: ignore[arg-type]
    first = answers(result)[0]
    assert not record(first)["verified"]
    assert failures(first) == ["bad_output"] * 3
    assert "Please fix the error" in str(result["messages"][-1].content)


def test_a_checkpointed_agent_stays_with_its_conversations_path(server: LoopbackProvider) -> None:
    model = make(server, policy=None, seed=5)
    agent = create_agent(model, tools=[weather], checkpointer=InMemorySaver())
    config: Any = {"configurable": {"thread_id": "one"}}
    agent.invoke(ASKED, config)  # type: ignore[arg-type]
    result = agent.invoke({"messages": [HumanMessage("And in Rome? Use the tool.")]}, config)  # type: ignore[arg-type]
    assert len(answers(result)) == 4
    sessions = {
        entry.data["features"][-1]  # type: ignore[index]
        for _, entry in model.core._learner.ledger.entries()
        if "features" in entry.data
    }
    assert len(sessions) == 1
    assert None not in sessions
    assert "one" not in sessions, "only its hash is kept"


def test_with_langchains_fallback_middleware(server: LoopbackProvider) -> None:
    broken = make(server, goal="broken", max_attempts=1)
    server.fault(FIRST, Fault(kind="server_error"))
    spare = first_arm(SECOND, goal="spare", base_url=server.base_url, api_key=KEY)
    agent = create_agent(broken, tools=[weather], middleware=[ModelFallbackMiddleware(spare)])
    result = agent.invoke(ASKED)  # type: ignore[arg-type]
    assert {record(answer)["goal"] for answer in answers(result)} == {"spare"}
    assert "Sunny in" in str(result["messages"][-1].content)


@pytest.mark.parametrize(
    "response_format",
    [Report, ToolStrategy(Report), ProviderStrategy(Report)],
    ids=["schema", "tool", "provider"],
)
@pytest.mark.parametrize("fault", [None, "server_error", "empty_content"])
async def test_an_agent_with_a_structured_response(
    response_format: Any, fault: str | None, server: LoopbackProvider
) -> None:
    if fault is not None:
        server.fault(FIRST, Fault(kind=fault, times=2))
    agent = create_agent(make(server), tools=[weather], response_format=response_format)
    for result in (agent.invoke(ASKED), await agent.ainvoke(ASKED)):  # type: ignore[arg-type]
        assert isinstance(result["structured_response"], Report)


def test_a_graphs_message_stream_comes_token_by_token(server: LoopbackProvider) -> None:
    server.fault(FIRST, Fault(kind="server_error"))
    agent = create_agent(make(server), tools=[weather])
    parts = list(agent.stream(ASKED, stream_mode="messages"))  # type: ignore[arg-type]
    assert len(parts) > 10
    text = "".join(str(part.content) for part, _ in parts if not isinstance(part, ToolMessage))
    assert "Sunny in" in text
