"""Which runs answer a person, whose work an answer is, and what is a turn: in any chain."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Iterator
from typing import Annotated, Any, TypedDict
from uuid import uuid4

import pytest
from langchain.agents import create_agent
from langchain_core.chat_history import InMemoryChatMessageHistory
from langchain_core.language_models.fake_chat_models import (
    FakeListChatModel,
    GenericFakeChatModel,
)
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import (
    RunnableConfig,
    RunnableLambda,
    RunnableParallel,
    RunnablePassthrough,
)
from langchain_core.runnables.history import RunnableWithMessageHistory
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.graph.message import add_messages
from langgraph.types import Command, interrupt
from langsmith import RunTree
from langsmith.run_helpers import tracing_context
from pydantic import BaseModel

from kalibr_bench.provider import LoopbackProvider
from kalibr_core.adapter.ends import MOST_CHARACTERS, short
from kalibr_langchain import KalibrCallbackHandler

from .conversations import (
    ASK,
    COMPLAINT,
    THANKS,
    config,
    conversation,
    kinds,
    make,
    models_at,
    signals,
    told,
)


@pytest.fixture(autouse=True)
def _at(shared_server: LoopbackProvider, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with models_at(shared_server, monkeypatch):
        yield


@tool
def weather(city: str) -> str:
    """The weather in a city."""
    return f"Sunny in {city}."


# Whose work an answer is.


def test_of_several_models_in_a_chain_the_last_one_is_credited_most() -> None:
    plan, write = make("plan"), make("write")
    chain = RunnableParallel(plan=plan | StrOutputParser(), input=RunnablePassthrough()) | (
        lambda state: f"{state['plan']} {state['input']}"
    )
    whole, handler = chain | write | StrOutputParser(), KalibrCallbackHandler()
    whole.invoke(ASK, config(handler))
    whole.invoke(COMPLAINT, config(handler))
    whole.invoke(THANKS, config(handler))
    assert told(plan) == [0.425, 0.675]
    assert told(write) == [0.25, 0.75]
    handler.action("chat", "output_used_verbatim")
    assert (told(plan)[-1], told(write)[-1]) == (0.8, 1.0)


def test_the_model_that_wrote_the_output_is_the_last_one_wherever_it_ran() -> None:
    """A title, made after the answer, is no answer."""
    write, title = make("write"), make("title")

    def answer(state: MessagesState) -> dict[str, Any]:
        return {"messages": [write.invoke(state["messages"])]}

    def entitle(state: MessagesState) -> dict[str, Any]:
        again = title.invoke(state["messages"][:-1])
        assert again.text == state["messages"][-1].text, "its text does not tell them apart"
        return {}

    graph = StateGraph(MessagesState)
    graph.add_sequence([answer, entitle])
    graph.add_edge(START, "answer")
    chain, handler = graph.compile(checkpointer=InMemorySaver()), KalibrCallbackHandler()
    for text in (ASK, COMPLAINT, THANKS):
        chain.invoke({"messages": [("user", text)]}, config(handler))  # type: ignore[call-overload]  # as anyone writes it
    assert (told(write), told(title)) == ([0.25, 0.75], [0.425, 0.675])

    def both(text: str) -> str:
        found = str(write.invoke(text).text)
        title.invoke("Find a title for this.")
        return found

    RunnableLambda(both).invoke(ASK, config(handler, "other"))
    handler.action("other", "output_discarded")
    assert (told(write)[-1], told(title)[-1]) == (0.0, 0.3)


def test_all_of_an_agents_calls_are_one_answer() -> None:
    model, handler = make(), KalibrCallbackHandler()
    agent = create_agent(model, tools=[weather], checkpointer=InMemorySaver())
    for text in ("What is the weather in Paris? Use the tool.", "No, that is wrong!", THANKS):
        agent.invoke({"messages": [("user", text)]}, config(handler))  # type: ignore[call-overload]
    expected: list[list[float]] = [[], [0.25], [], [0.75], [], []]
    assert list(signals(model).values()) == expected, "of one path, the last call's"
    assert conversation(model).number == 3


def test_subgraphs_and_tools_that_ask_models_belong_to_the_users_run() -> None:
    inner, outer = make("inner"), make("outer")
    sub = create_agent(inner, tools=[])

    @tool
    def expert(question: str) -> str:
        """Ask an expert."""
        return str(sub.invoke({"messages": [("user", question)]})["messages"][-1].text)  # type: ignore[call-overload]

    handler = KalibrCallbackHandler()
    chain: Any = RunnableLambda(lambda text: outer.invoke(expert.invoke({"question": text})))
    for text in (ASK, COMPLAINT):
        chain.invoke(text, config(handler))
    chain.invoke(THANKS, config(handler))
    assert (told(inner), told(outer)) == ([0.425, 0.675], [0.25, 0.75])


def test_a_call_with_callbacks_of_its_own_belongs_to_the_run_that_makes_it() -> None:
    """LangChain tells it no parent then."""
    guard, model, handler = make("guard"), make(), KalibrCallbackHandler()

    def node(state: MessagesState) -> Any:
        answer = model.invoke(state["messages"])
        guard.invoke(f"Is this wrong or rude? {answer.text}", {"callbacks": [handler]})
        return {"messages": [answer]}

    graph = StateGraph(MessagesState).add_node(node).add_edge(START, "node").compile()
    for text in (ASK, THANKS):
        graph.invoke({"messages": [("user", text)]}, config(handler))  # type: ignore[call-overload]
    assert (told(guard), told(model)) == ([0.675], [0.75])
    assert conversation(model).number == 2


def test_a_traced_function_in_a_run_belongs_to_it() -> None:
    """LangSmith's `@traceable` names itself for a parent, also below a graph's node."""
    model, handler = make(), KalibrCallbackHandler()

    def node(state: MessagesState, config: RunnableConfig) -> Any:
        above: Any = config["callbacks"]
        helper = RunTree(name="node", id=above.parent_run_id).create_child(name="helper")
        with tracing_context(parent=helper, enabled=False):
            answer = model.invoke(f"Be brief. {state['messages'][-1].content}")
        return {"messages": [answer]}

    graph = StateGraph(MessagesState).add_node(node).add_edge(START, "node").compile()
    for text in (ASK, COMPLAINT, THANKS):
        graph.invoke({"messages": [("user", text)]}, config(handler))  # type: ignore[call-overload]
    assert (told(model), kinds(model)) == ([0.25, 0.75], ["anew", "complains", "accepts"])
    assert conversation(model).number == 3


def test_a_call_with_a_session_of_its_own_is_its_own_also_within_a_run() -> None:
    inner, outer, handler = make("inner"), make("outer"), KalibrCallbackHandler()

    def talk(text: str) -> Any:
        for said in (ASK, COMPLAINT):
            inner.invoke(said, config(handler, "other"))
        return outer.invoke(text)

    RunnableLambda(talk).invoke(ASK, config(handler))
    assert (told(inner), told(outer)) == ([0.25], [])
    assert kinds(outer) == ["anew"]


class Poem(BaseModel):
    """A poem."""

    title: str
    text: str


@pytest.mark.parametrize("way", ["invoke", "stream"])
def test_structured_output(way: str) -> None:
    model, handler = make(), KalibrCallbackHandler()
    chain = model.with_structured_output(Poem)
    for text in (ASK, COMPLAINT, THANKS):
        if way == "invoke":
            chain.invoke(text, config(handler))
        else:
            list(chain.stream(text, config(handler)))
    assert told(model) == [0.25, 0.75]
    assert all(output.answer for output in conversation(model).outputs[-1:])


class Checked(BaseModel):
    """An answer, in a structure without any of the usual names."""

    reply: str
    safe: bool


@pytest.mark.parametrize("form", ["text", "message", "list", "object"])
def test_an_answer_in_a_structure_of_the_users_own_is_its_models(form: str) -> None:
    """A guard that is asked afterwards did not write it."""
    write = make("write", FakeListChatModel(responses=['Das "Meer"\nist weit und kühl.']))
    guard = make("guard", FakeListChatModel(responses=["Yes, that is safe to say."]))

    def step(text: str) -> Any:
        answer = write.invoke(text)
        guard.invoke(f"Is it safe? {answer.text}")
        if form == "object":
            return Checked(reply=answer.text, safe=True)
        if form == "list":
            return [answer]
        return {"reply": answer if form == "message" else answer.text, "safe": True}

    chain: Any = RunnableLambda(step)
    handler = KalibrCallbackHandler()
    chain.invoke(ASK, config(handler))
    handler.action("chat", "output_discarded")
    assert told(write) == [0.0]
    assert told(guard)[0] > 0.0, "it had a part in it"


# The forms of a chain.


@pytest.mark.parametrize("way", ["invoke", "ainvoke", "stream", "astream", "batch"])
@pytest.mark.parametrize("where", ["configurable", "metadata", "argument"])
async def test_a_model_by_itself(way: str, where: str) -> None:
    model, handler = make(), KalibrCallbackHandler()
    name = {"session_id": "chat"}
    options: Any = name if where == "argument" else {}
    at: Any = {"callbacks": [handler], **({} if where == "argument" else {where: name})}
    for text in (ASK, COMPLAINT, THANKS):
        if way == "invoke":
            model.invoke(text, at, **options)
        elif way == "ainvoke":
            await model.ainvoke(text, at, **options)
        elif way == "batch":
            model.batch([text], at, **options)
        elif way == "stream":
            list(model.stream(text, at, **options))
        else:
            [chunk async for chunk in model.astream(text, at, **options)]
    assert told(model) == [0.25, 0.75]


@pytest.mark.parametrize("way", ["invoke", "ainvoke", "stream", "astream", "abatch"])
@pytest.mark.parametrize("where", ["configurable", "metadata"])
async def test_a_chain_of_prompt_model_and_parser(way: str, where: str) -> None:
    """A stream's input is known at its end only; a `configurable`, below the root run only."""
    model, handler = make(), KalibrCallbackHandler()
    chain = ChatPromptTemplate.from_template("Be brief. {question}") | model | StrOutputParser()
    at: Any = {"callbacks": [handler], where: {"conversation_id": uuid4()}}
    for text in (ASK, COMPLAINT, THANKS):
        asked = {"question": text}
        if way == "invoke":
            chain.invoke(asked, at)
        elif way == "ainvoke":
            await chain.ainvoke(asked, at)
        elif way == "abatch":
            await chain.abatch([asked], at)
        elif way == "stream":
            list(chain.stream(asked, at))
        else:
            [chunk async for chunk in chain.astream(asked, at)]
    assert told(model) == [0.25, 0.75]
    assert len(handler._runs) == 0


@pytest.mark.parametrize("way", ["invoke", "stream"])
@pytest.mark.filterwarnings("ignore::langchain_core._api.LangChainDeprecationWarning")
def test_a_runnable_with_message_history(way: str) -> None:
    model, handler = make(), KalibrCallbackHandler()
    prompt = ChatPromptTemplate.from_messages(
        [("placeholder", "{history}"), ("human", "{question}")]
    )
    kept: dict[str, InMemoryChatMessageHistory] = {}
    chain = RunnableWithMessageHistory(
        prompt | model,
        lambda session_id: kept.setdefault(session_id, InMemoryChatMessageHistory()),
        input_messages_key="question",
        history_messages_key="history",
    )
    at: Any = {"callbacks": [handler], "configurable": {"session_id": "chat"}}
    for text in (ASK, COMPLAINT, THANKS):
        if way == "invoke":
            chain.invoke({"question": text}, at)
        else:
            list(chain.stream({"question": text}, at))
    assert told(model) == [0.25, 0.75]


class Mine(TypedDict):
    """A state without any of the usual names."""

    talk: Annotated[list[AnyMessage], add_messages]


def test_a_key_of_your_own() -> None:
    model, handler = make(), KalibrCallbackHandler(input_key="talk")
    graph = StateGraph(Mine)
    graph.add_node("answer", lambda state: {"talk": [model.invoke(state["talk"])]})
    graph.add_edge(START, "answer")
    chain = graph.compile(checkpointer=InMemorySaver())
    for text in (ASK, COMPLAINT, THANKS):
        chain.invoke({"talk": [HumanMessage(text)]}, config(handler))
    assert told(model) == [0.25, 0.75]


def test_a_run_whose_users_message_is_not_found_is_told_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    model = make()
    template = ChatPromptTemplate.from_messages([("human", "{task} for {reader}")])
    chain = template | model | StrOutputParser()
    handler, wrong = KalibrCallbackHandler(), KalibrCallbackHandler(input_key="talk")
    for heard, given in ((handler, {"task": ASK, "reader": "me"}), (wrong, {"input": ASK})):
        caplog.clear()
        ask = chain if heard is handler else RunnableLambda(lambda given: given["input"]) | model
        with caplog.at_level(logging.WARNING, logger="kalibr"):
            ask.invoke(given, config(heard))
            list(ask.stream(given, config(heard)))
        assert heard.failures == {"NoMessage": 2}
        (warned,) = [record.message for record in caplog.records]
        assert "input_key=" in warned
        assert all(repr(name) in warned for name in given)
        assert heard is handler or "input_key='talk'" in warned
        assert ASK not in warned
    for goes in ({"input": ASK}, ASK, {"messages": [("user", ASK), ("ai", "A poem.")]}, {"n": 1}):
        any_of: Any = RunnableLambda(lambda given: ASK) | model
        any_of.invoke(goes, config(handler))
    assert handler.failures == {"NoMessage": 2}


def test_a_batch_of_conversations_is_told_apart() -> None:
    model, handler = make(), KalibrCallbackHandler()
    agent: Any = create_agent(model, tools=[], checkpointer=InMemorySaver())
    at = [config(handler, name) for name in "abc"]
    for texts in ([ASK] * 3, [COMPLAINT, THANKS, COMPLAINT], [THANKS] * 3):
        agent.batch([{"messages": [("user", text)]} for text in texts], at)
    assert [kinds(model, name) for name in "abc"] == [
        ["anew", "complains", "accepts"],
        ["anew", "accepts", "accepts"],
        ["anew", "complains", "accepts"],
    ]


def test_chains_below_a_run_without_a_session_are_each_their_own() -> None:
    """As a script that talks to an agent, and is itself a chain."""
    model, handler = make(), KalibrCallbackHandler()
    agent = create_agent(model, tools=[], checkpointer=InMemorySaver())

    def talk(_: str) -> None:
        for text in (ASK, COMPLAINT, THANKS):
            where: Any = {"configurable": {"thread_id": "chat"}}
            agent.invoke({"messages": [("user", text)]}, where)  # type: ignore[call-overload]

    RunnableLambda(talk).invoke("begin", {"callbacks": [handler]})
    assert told(model) == [0.25, 0.75]


# Turns that are none, and runs that are no answers.


def test_a_run_that_is_tried_again_counts_once() -> None:
    """With a message's own id, and without one: after an error, and with LangChain's retries."""
    model, handler = make(), KalibrCallbackHandler()
    fails = [True]

    def sometimes(text: Any) -> Any:
        if fails[0]:
            raise ConnectionError("gone")
        return model.invoke(text)

    chain = RunnableLambda(sometimes)
    fails[0] = False
    chain.invoke(ASK, config(handler))
    for message in ("Shorter please, it is too long.", [HumanMessage("Warmer please.", id="m1")]):
        fails[0] = True
        for _ in range(2):
            with pytest.raises(ConnectionError):
                chain.invoke(message, config(handler))
        fails[0] = False
        chain.invoke(message, config(handler))
    chain.invoke([HumanMessage("Warmer please.", id="m1")], config(handler))
    assert len(kinds(model)) == 3

    tried = chain.with_retry(wait_exponential_jitter=False, stop_after_attempt=2)
    tried.invoke(THANKS, config(handler))
    assert len(kinds(model)) == 4


def test_the_same_words_after_another_answer_are_a_turn_of_their_own() -> None:
    model, handler = make(), KalibrCallbackHandler()
    for text in (ASK, COMPLAINT, COMPLAINT, COMPLAINT):
        model.invoke(text, config(handler))
    assert kinds(model) == ["anew", "complains", "complains", "complains"]
    assert told(model) == [0.25, 0.25, 0.25]


def test_a_run_that_fails_or_is_left_is_no_answer_but_its_turn_stays() -> None:
    model, handler = make(), KalibrCallbackHandler()
    model.invoke(ASK, config(handler))

    def fail(text: str) -> None:
        model.invoke(text)
        raise ConnectionError("gone")

    with pytest.raises(ConnectionError):
        RunnableLambda(fail).invoke(COMPLAINT, config(handler))
    known = conversation(model)
    assert (known.number, [kind.value for kind in known.kinds]) == (1, ["anew", "complains"])

    stream = (model | StrOutputParser()).stream("And a longer one please", config(handler))
    next(stream)
    stream.close()  # type: ignore[attr-defined]  # it is a generator
    known = conversation(model)
    assert (known.number, len(known.kinds)) == (1, 3)


def test_a_stream_that_is_left_in_its_last_model_is_no_answer() -> None:
    plan, write, handler = make("plan"), make("write"), KalibrCallbackHandler()
    chain = plan | StrOutputParser() | write | StrOutputParser()
    stream: Any = chain.stream(ASK, config(handler))
    next(stream)
    stream.close()
    assert len(signals(plan)) == 1
    assert not plan.core.feedback.signals.knows("chat")


async def test_an_async_stream_that_is_left_is_no_answer() -> None:
    model, handler = make(), KalibrCallbackHandler()
    await model.ainvoke(ASK, config(handler))
    asked = {"messages": [("user", COMPLAINT)]}
    agent: Any = create_agent(model, tools=[])
    stream: Any
    for stream in (
        model.astream(COMPLAINT, config(handler)),
        (model | StrOutputParser()).astream(COMPLAINT, config(handler)),
        agent.astream(asked, config(handler), stream_mode="messages"),
    ):
        await anext(stream)
        await stream.aclose()
    assert (conversation(model).number, kinds(model)) == (1, ["anew", "complains"])


async def test_a_cancelled_run_is_no_answer() -> None:
    model, handler = make(), KalibrCallbackHandler()
    await model.ainvoke(ASK, config(handler))
    began = asyncio.Event()

    async def slow(text: str) -> None:
        await model.ainvoke(text)
        began.set()
        await asyncio.sleep(60)

    task = asyncio.ensure_future(RunnableLambda(slow).ainvoke(COMPLAINT, config(handler)))
    await began.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    known = conversation(model)
    assert (known.number, [kind.value for kind in known.kinds]) == (1, ["anew", "complains"])


def down(_: object) -> str:
    raise ConnectionError("down")


@pytest.mark.parametrize(
    "other",
    [
        FakeListChatModel(responses=["def sort(items): return items"]),
        RunnableLambda(lambda _: "Sorry, I only write poems."),
        RunnableLambda(down),
        FakeListChatModel(responses=["x"]) | RunnableLambda(down),
        GenericFakeChatModel(messages=iter([])),
    ],
    ids=["plain model", "canned", "failed", "failed below", "failed model"],
)
def test_an_answer_of_no_routed_model_or_a_failure_is_not_the_ones_before(other: Any) -> None:
    model, handler = make(), KalibrCallbackHandler()
    model.invoke(ASK, config(handler))
    # A run of one step alone is told its metadata, and nobody is told what is `configurable` there.
    where = config(handler, metadata={"thread_id": "chat"})
    for text in ("Now write a function that sorts numbers.", "This does not work at all!"):
        with contextlib.suppress(ConnectionError, StopIteration):
            other.invoke(text, where)
    assert not handler.action("chat", "output_discarded")
    handler.end("chat")
    assert told(model) == [0.75]
    assert handler.failures == {}


def test_what_is_said_after_a_left_stream_is_not_about_the_answer_before_it() -> None:
    model, handler = make(), KalibrCallbackHandler()
    model.invoke(ASK, config(handler))
    stream: Any = (model | StrOutputParser()).stream("Now a story of a dog.", config(handler))
    next(stream)
    stream.close()
    model.invoke("That is wrong, I wanted a cat!", config(handler))
    assert told(model) == [0.75]


@pytest.mark.parametrize("left", ["stream", "run"])
def test_a_run_that_ends_late_says_nothing_of_a_newer_answer(left: str) -> None:
    """The user stops it and asks anew: it fails, or the collector closes it, after that."""
    model, handler = make(), KalibrCallbackHandler()
    chain = RunnableLambda(lambda text: text) | model
    chain.invoke(ASK, config(handler))
    if left == "stream":
        stream: Any = chain.stream("A poem of dogs.", config(handler))
        next(stream)
        chain.invoke(COMPLAINT, config(handler))
        stream.close()
    else:
        first: Any = handler._talks
        first.begin(run_id := uuid4(), None, {"thread_id": "chat"}, "A poem of dogs.")
        chain.invoke(COMPLAINT, config(handler))
        first.fail(run_id, None)
    assert handler.action("chat", "output_copied")
    chain.invoke(THANKS, config(handler))
    assert kinds(model)[-2:] == ["complains", "accepts"]
    assert told(model)[-2:] == [0.85, 0.75]


def test_a_run_that_ends_while_a_newer_one_goes_on_leaves_the_place_to_it() -> None:
    model, handler = make(), KalibrCallbackHandler()
    model.invoke(ASK, config(handler))
    talks, (older, newer) = handler._talks, (uuid4(), uuid4())
    for run_id in (older, newer):
        talks.begin(run_id, None, {"thread_id": "chat"}, THANKS)
    talks.fail(older, None)
    assert len(conversation(model).outputs) == 1
    talks.fail(newer, None)
    assert len(conversation(model).outputs) == 2


def test_a_run_whose_message_is_not_found_is_not_the_answer_before() -> None:
    model, handler = make(), KalibrCallbackHandler()
    model.invoke(ASK, config(handler))
    plain = FakeListChatModel(responses=["def sort(items): return items"])
    chain: Any = RunnableLambda(lambda given: plain.invoke(given["task"]))
    given = {"task": "Sort numbers.", "reader": "me"}
    chain.invoke(given, config(handler, metadata={"thread_id": "chat"}))
    assert not handler.action("chat", "output_discarded")
    assert told(model) == []


def test_a_step_that_nobody_asked_for_leaves_the_answer_its_place() -> None:
    """A state that a program mends, and a run that goes on without a further model."""
    model, handler = make(), KalibrCallbackHandler()

    def answer(state: MessagesState) -> dict[str, Any]:
        return {"messages": [model.invoke(state["messages"])]}

    graph = StateGraph(MessagesState)
    steps: Any = [answer, ("approves", lambda _: interrupt("May it be sent?") and {})]
    graph.add_sequence(steps)
    graph.add_edge(START, "answer")
    chain: Any = graph.compile(checkpointer=InMemorySaver())
    where = config(handler, metadata={"thread_id": "chat"})
    chain.invoke({"messages": [("user", ASK)]}, where)
    chain.invoke(Command(resume="yes"), where)
    chain.update_state(where, {"messages": [AIMessage("A better poem.")]})
    assert handler.action("chat", "output_copied")


def test_after_the_end_an_answer_of_nobodys_is_not_the_one_before() -> None:
    model, handler = make(), KalibrCallbackHandler()
    model.invoke(ASK, config(handler))
    handler.end("chat")
    plain = FakeListChatModel(responses=["def sort(items): return items"])
    plain.invoke("Now a function that sorts.", config(handler, metadata={"thread_id": "chat"}))
    assert not handler.action("chat", "output_discarded")
    assert told(model) == []


@pytest.mark.parametrize("end", ["cancelled", "left running"])
async def test_a_call_that_is_still_open_takes_no_answer_from_the_run(end: str) -> None:
    """A title that nobody waits for, or the loser of a race: LangChain tells no end of it."""
    model, handler = make(), KalibrCallbackHandler()
    began, goes_on = asyncio.Event(), asyncio.Event()

    class Slow(FakeListChatModel):
        async def _agenerate(self, *args: Any, **options: Any) -> Any:
            began.set()
            await goes_on.wait()
            return await super()._agenerate(*args, **options)

    async def step(text: str) -> Any:
        title = asyncio.ensure_future(Slow(responses=["x"]).ainvoke("Title, please."))
        titles.append(title)
        await began.wait()
        answer = await model.ainvoke(text)
        if end == "cancelled":
            title.cancel()
            await asyncio.gather(title, return_exceptions=True)
        return answer

    titles: list[Any] = []
    chain: Any = RunnableLambda(step)
    await chain.ainvoke(ASK, config(handler))
    assert handler.action("chat", "output_copied")
    goes_on.set()
    await asyncio.gather(*titles, return_exceptions=True)
    await chain.ainvoke(COMPLAINT, config(handler))
    assert told(model) == [0.85, 0.25]
    assert conversation(model).number == 2


@pytest.mark.parametrize("text", ["hello " * 10_000, "x"])
async def test_of_what_was_told_the_two_ends_are_kept_while_a_run_is_open(text: str) -> None:
    """A model's call that is cancelled stays open: LangChain tells no end of it."""
    handler, text = KalibrCallbackHandler(), text.strip()
    for where in ({"session_id": "chat"}, {}):
        handler.on_chat_model_start({}, [[HumanMessage(text)]], run_id=uuid4(), metadata=where)
    held = [root.said.text for root in handler._runs._roots.values() if root.said is not None]
    assert held == [short(text)] * 2
    assert len(held[0]) <= MOST_CHARACTERS + 1


def test_a_resumed_run_is_no_turn_and_goes_on_with_its_answer() -> None:
    draft, final = make("draft"), make("final")

    def drafts(state: MessagesState) -> dict[str, Any]:
        return {"messages": [draft.invoke(state["messages"])]}

    def approves(state: MessagesState) -> dict[str, Any]:
        interrupt("May it be sent?")
        return {"messages": [final.invoke(state["messages"])]}

    graph = StateGraph(MessagesState)
    graph.add_sequence([drafts, approves])
    graph.add_edge(START, "drafts")
    chain, handler = graph.compile(checkpointer=InMemorySaver()), KalibrCallbackHandler()
    for text in (ASK, COMPLAINT, THANKS):
        chain.invoke({"messages": [("user", text)]}, config(handler))  # type: ignore[call-overload]
        chain.invoke(Command(resume="yes"), config(handler))
    assert kinds(draft) == ["anew", "complains", "accepts"]
    assert told(draft) == [0.425, 0.675]
    assert told(final) == [0.25, 0.75]
    assert conversation(final).number == 3


def test_what_a_resumed_run_was_asked_for_with_is_in_its_state() -> None:
    model, handler = make(), KalibrCallbackHandler()

    def answer(state: MessagesState) -> dict[str, Any]:
        interrupt("May it be answered?")
        return {"messages": [model.invoke(state["messages"])]}

    graph = StateGraph(MessagesState)
    graph.add_node("answer", answer)
    graph.add_edge(START, "answer")
    chain = graph.compile(checkpointer=InMemorySaver())
    chain.invoke({"messages": [("user", ASK)]}, config(handler))  # type: ignore[call-overload]
    chain.invoke(Command(resume="yes"), config(handler))
    assert conversation(model).outputs[-1].request != ""


def test_what_goes_on_after_a_failure_is_an_answer_of_its_own() -> None:
    one, other, handler = make("one"), make("other"), KalibrCallbackHandler()
    steps: list[Any] = [one, None, other]

    def answer(state: MessagesState) -> dict[str, Any]:
        if (model := steps.pop(0)) is None:
            raise ConnectionError("gone")
        return {"messages": [model.invoke(state["messages"])]}

    graph = StateGraph(MessagesState)
    graph.add_node("answer", answer)
    graph.add_edge(START, "answer")
    chain = graph.compile(checkpointer=InMemorySaver())
    chain.invoke({"messages": [("user", ASK)]}, config(handler))  # type: ignore[call-overload]
    with pytest.raises(ConnectionError):
        chain.invoke({"messages": [("user", COMPLAINT)]}, config(handler))  # type: ignore[call-overload]
    chain.invoke(None, config(handler))
    assert kinds(one) == ["anew", "complains"]
    assert (conversation(one).number, conversation(other).number) == (1, 1)


def test_a_message_that_a_command_brings_is_a_turn() -> None:
    model, handler = make(), KalibrCallbackHandler()
    graph = StateGraph(MessagesState)
    graph.add_node("answer", lambda state: {"messages": [model.invoke(state["messages"])]})
    graph.add_edge(START, "answer")
    chain = graph.compile(checkpointer=InMemorySaver())
    chain.invoke({"messages": [("user", ASK)]}, config(handler))  # type: ignore[call-overload]
    chain.invoke(
        Command(goto="answer", update={"messages": [("user", COMPLAINT)]}), config(handler)
    )
    assert kinds(model) == ["anew", "complains"]


def test_a_last_message_of_the_models_own_is_an_answer() -> None:
    """`AIMessage`s in an input mean that the user's words before were heard already."""
    model, handler = make(), KalibrCallbackHandler()
    model.invoke(ASK, config(handler))
    model.invoke([HumanMessage(COMPLAINT), AIMessage("I am sorry.")], config(handler))
    assert kinds(model) == ["anew"]


# What cannot be read.


def test_an_answer_that_no_router_knows_breaks_nothing() -> None:
    """As one from LangChain's cache, of a ledger that is gone."""
    model, handler = make(), KalibrCallbackHandler()
    gone = make("gone").invoke("Hi")
    chain: Any = RunnableLambda(lambda text: model.invoke(text)) | RunnableLambda(lambda _: gone)
    chain.invoke(ASK, config(handler))
    assert handler.failures == {}

    class Odd:
        @property
        def messages(self) -> Any:
            raise RuntimeError("odd state")

    chain = RunnableLambda(lambda _: model.invoke("Hi"))
    chain.invoke(Odd(), config(handler))
    assert handler.failures == {"RuntimeError": 1}


class Unreadable:
    """Its attributes raise."""

    @property
    def messages(self) -> Any:
        raise RuntimeError(COMPLAINT)


CYCLE: dict[str, Any] = {}
CYCLE["itself"] = CYCLE


@pytest.mark.parametrize("output", [Unreadable(), CYCLE, {(1, 2): 3}])
def test_an_output_that_cannot_be_read_is_an_answer(
    output: Any, caplog: pytest.LogCaptureFixture
) -> None:
    model, handler = make(), KalibrCallbackHandler()
    chain: Any = model | RunnableLambda(lambda _: output)
    chain.invoke(ASK, config(handler))
    assert conversation(model).number == 1
    assert sum(handler.failures.values()) == 1
    assert COMPLAINT not in caplog.text


def test_below_an_input_that_cannot_be_read_no_step_is_the_users_word() -> None:
    model, handler = make(), KalibrCallbackHandler()
    chain: Any = RunnableLambda(lambda _: "Rate the sea from 1 to 5.") | model
    for _ in range(2):
        chain.invoke(Unreadable(), config(handler))
    assert (conversation(model).number, kinds(model)) == (2, ["anew"])


def test_an_answer_that_something_was_added_to_is_still_its_models() -> None:
    model, titles, handler = make(), make("titles"), KalibrCallbackHandler()

    def step(text: str) -> str:
        answer = model.invoke(text).text
        titles.invoke("Title, please: " + text)
        return f"{answer}\n\nSources: none"

    RunnableLambda(step).invoke(ASK, config(handler))
    handler.action("chat", "output_discarded")
    assert (told(model), told(titles)) == ([0.0], [0.3])
