"""What gate 1 refused is not acted upon as if it had passed."""

from __future__ import annotations

import asyncio
from typing import Any

import openai
import pytest
from llama_index.core.agent.workflow import FunctionAgent
from llama_index.core.llms import ChatMessage
from llama_index.core.prompts import PromptTemplate
from llama_index.core.tools import FunctionTool
from llama_index.llms.openai import OpenAI
from pydantic import BaseModel, RootModel

from kalibr_bench.provider import Answer, Fault, LoopbackProvider, ToolCall
from kalibr_core import AllPathsFailed, ConfigError
from kalibr_llama_index import KalibrLLM

from .ways import QUESTION, aask, ask, asked, failures, first_arm

FIRST, SECOND = "gpt-4o", "gpt-4o-mini"
KEY = "sk-secret-12345678"


def make(server: LoopbackProvider, *paths: Any, **options: Any) -> KalibrLLM:
    return first_arm(
        *(paths or (FIRST, SECOND)), **{"base_url": server.base_url, "api_key": KEY, **options}
    )


def call(arguments: str, text: str | None = None) -> Answer:
    return Answer(text=text, tool_calls=(ToolCall(name="refund", arguments=arguments),))


class Refunds:
    """A tool that remembers what it was called with."""

    def __init__(self) -> None:
        self.made: list[Any] = []

    def refund(self, amount: int = 1, to: str = "somebody") -> str:
        """Refund an amount."""
        self.made.append(amount)
        return f"refunded {amount}"

    @property
    def tool(self) -> FunctionTool:
        return FunctionTool.from_defaults(self.refund)


@pytest.mark.parametrize("mode", ["live", "hold", None])
@pytest.mark.parametrize("streaming", [True, False])
async def test_a_tool_is_not_called_with_what_broken_json_may_have_meant(
    streaming: bool, mode: Any, server: LoopbackProvider
) -> None:
    """LlamaIndex repairs arguments that are cut: `{"amount": 50` of 5000 would be 50."""
    for model in (FIRST, SECOND):
        server.script(model, [call('{"amount": 50')] * 2 + ["All done, thank you."] * 2)
    refunds = Refunds()
    llm = make(server, stream_mode=mode)
    agent = FunctionAgent(tools=[refunds.tool], llm=llm, streaming=streaming)
    await agent.run("Refund 5000.")
    assert refunds.made == []


async def test_a_call_that_passed_is_made_as_it_is(server: LoopbackProvider) -> None:
    server.script(FIRST, [call('{"amount": 5000}'), "All done, thank you."])
    refunds = Refunds()
    await FunctionAgent(tools=[refunds.tool], llm=make(server)).run("Refund 5000.")
    assert refunds.made == [5000]


async def test_blank_lines_before_a_call_do_not_keep_it_from_being_healed(
    server: LoopbackProvider,
) -> None:
    server.script(FIRST, [call('{"amount": "much"}', text="\n\n")])
    server.script(SECOND, [call('{"amount": 5}')])
    server.script(FIRST, ["All done, thank you."])
    refunds = Refunds()
    await FunctionAgent(tools=[refunds.tool], llm=make(server)).run("Refund 5.")
    assert refunds.made == [5]


class Person(BaseModel):
    """A person."""

    name: str
    age: int


def test_a_live_prediction_that_is_cut_raises_at_its_end(server: LoopbackProvider) -> None:
    """What is repaired fits the class; what came does not."""
    server.script(FIRST, [Answer(text='{"name": "Anna", "age": 12', finish_reason="length")])
    stream = make(server, stream_mode="live").stream_structured_predict(
        Person, PromptTemplate("Who?")
    )
    with pytest.raises(ValueError, match="Person"):
        list(stream)


def test_a_class_that_is_no_object_is_told(server: LoopbackProvider) -> None:
    class Numbers(RootModel[list[int]]):
        """Numbers."""

    with pytest.raises(ConfigError, match="Numbers is a RootModel"):
        make(server).structured_predict(Numbers, PromptTemplate("x"))


def test_where_a_demanded_call_fails_everywhere_it_is_a_value_error(
    server: LoopbackProvider,
) -> None:
    server.fault(None, Fault(kind="empty_content"))
    with pytest.raises(ValueError):
        make(server).chat_with_tools([Refunds().tool], user_msg="x", tool_required=True)


# Routed LLMs among the paths, and classes of the user's own.


@pytest.mark.parametrize("way", ["chat", "achat", "stream_chat", "acomplete"])
def test_a_routed_llm_among_the_paths_heals_by_itself(way: str, server: LoopbackProvider) -> None:
    inner = make(server, goal="inner", max_attempts=2)
    server.fault(FIRST, Fault(kind="server_error"))
    outer = first_arm({"model": inner, "name": "inner"}, ledger="memory")
    answer = ask(outer, way)
    assert failures(answer) == [None]
    booked = [entry for _, entry in inner.core._learner.ledger.entries()]
    assert len(booked) == 2, "its own Router has learned from it"


class Buggy(OpenAI):
    """An LLM class of the user's own, with a fault."""

    def _chat(self, messages: Any, **kwargs: Any) -> Any:
        super()._chat(messages, **kwargs)
        raise TypeError("mine")


def test_a_fault_in_the_users_own_class_is_told_and_charges_nobody(
    server: LoopbackProvider,
) -> None:
    mine = Buggy(model=FIRST, api_base=server.base_url, api_key=KEY)
    llm = make(server, {"model": mine, "name": "mine"}, SECOND)
    with pytest.raises(TypeError, match="mine") as caught:
        llm.chat(asked("chat"))
    (outcome,) = caught.value.kalibr.outcomes  # type: ignore[attr-defined]
    assert outcome.reward is None


async def test_connections_of_a_dead_loop_are_no_fault_of_a_stream(
    server: LoopbackProvider,
) -> None:
    client: Any = openai.DefaultAsyncHttpxClient()
    mine = OpenAI(model=FIRST, api_base=server.base_url, api_key=KEY, async_http_client=client)
    llm = make(server, {"model": mine, "name": "mine"}, SECOND)
    await asyncio.to_thread(lambda: asyncio.run(aask(llm, "achat")))
    answer = await asyncio.to_thread(lambda: asyncio.run(aask(llm, "astream_chat")))
    assert failures(answer) == [None]


def test_an_llm_without_a_key_says_so(server: LoopbackProvider) -> None:
    mine = OpenAI(model=FIRST, api_base=server.base_url, api_key=KEY)
    mine.api_key = None
    llm = make(server, {"model": mine, "name": "mine"}, max_attempts=1)
    with pytest.raises(AllPathsFailed) as caught:
        llm.chat([ChatMessage(role="user", content=QUESTION)])
    assert "api_key" in str(caught.value.errors[0])
    assert isinstance(caught.value, openai.OpenAIError), "as plain LlamaIndex raises"
    assert server.requests() == []
    assert caught.value.outcomes[0].reward is None
