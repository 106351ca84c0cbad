"""What users did is told from LangChain's own events: chains, agents, graphs, streams, threads."""

from __future__ import annotations

import asyncio
import copy
import gc
import logging
import pickle
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnableConfig, RunnableLambda
from langgraph.checkpoint.memory import InMemorySaver
from langsmith.run_helpers import tracing_context
from langsmith.run_trees import RunTree

from kalibr_bench.provider import LoopbackProvider
from kalibr_core import (
    ConfigError,
    LedgerError,
    MemoryLedger,
    SQLiteLedger,
    UnknownAction,
    UnknownSession,
)
from kalibr_core.status import goal_status
from kalibr_core.types import JSON
from kalibr_langchain import ChatKalibr, KalibrCallbackHandler

from .conversations import (
    ASK,
    COMPLAINT,
    PATH,
    THANKS,
    config,
    conversation,
    kinds,
    make,
    models_at,
    signals,
    told,
)
from .ways import first_arm

TALK = {
    ASK: 0.25,
    COMPLAINT: 0.75,
    THANKS: None,
    "Please translate a letter to my landlord into German for me.": None,
    "shorter please": None,
    "a bit friendlier please": 0.25,
    "No, that is not what I asked for.": 0.75,
    "Great, thank you so much!": None,
    "What is the capital of France and how many people live there?": 0.75,
    "Thanks!": None,
}
"""Ten turns, and what the next one plainly says of the answer to each; None: nothing so plain."""

Say = Callable[[str], Any]


@pytest.fixture(autouse=True)
def _at(shared_server: LoopbackProvider, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with models_at(shared_server, monkeypatch):
        yield


def check_talk(model: ChatKalibr) -> None:
    """All ten answers are known, and what is plain was told of the one that it is about."""
    found = list(signals(model).values())
    assert (len(found), conversation(model).number) == (10, 10)
    for expected, rewards in zip(TALK.values(), found, strict=True):
        assert len(rewards) <= 1
        if expected is not None:
            assert rewards == [expected]


def saying(agent: Any, handler: KalibrCallbackHandler, way: str) -> Say:
    """Say something to an agent, one way or another."""

    async def of(stream: Any) -> None:
        async for _ in stream:
            pass

    def say(text: str) -> Any:
        asked, where = {"messages": [("user", text)]}, config(handler)
        if way == "invoke":
            return agent.invoke(asked, where)
        if way == "ainvoke":
            return asyncio.run(agent.ainvoke(asked, where))
        if way == "stream":
            return list(agent.stream(asked, where, stream_mode="messages"))
        if way == "astream":
            return asyncio.run(of(agent.astream(asked, where, stream_mode="messages")))
        return asyncio.run(of(agent.astream_events(asked, where, version="v2")))

    return say


@pytest.mark.parametrize("way", ["invoke", "ainvoke", "stream", "astream", "astream_events"])
def test_an_agents_ten_turns_are_told_by_the_handler_alone(way: str) -> None:
    model, handler = make(ledger=None), KalibrCallbackHandler()
    say = saying(create_agent(model, tools=[], checkpointer=InMemorySaver()), handler, way)
    for text in TALK:
        say(text)
    check_talk(model)
    assert handler.failures == {}
    entries = [entry for _, entry in model.core._learner.ledger.entries()]
    (path,) = goal_status("test", entries).paths
    assert path.user_signals == len(told(model)) >= 5
    assert path.users is not None
    assert len(handler._runs) == 0, "nothing of a run is kept after its end"


def test_a_conversation_goes_on_after_a_restart(tmp_path: Path) -> None:
    saver, file = InMemorySaver(), str(tmp_path / "here.db")
    for number, text in enumerate(TALK):
        if number % 3 == 0:
            model, handler = make(ledger=file), KalibrCallbackHandler()
            agent = create_agent(model, tools=[], checkpointer=saver)
        saying(agent, handler, "invoke")(text)
        if number % 3 == 2:
            model.core.close()
        assert handler.failures == {}, "closed models are none of its business"
    check_talk(model)


def test_no_text_is_in_the_ledgers_file(tmp_path: Path) -> None:
    model, handler = make(ledger=str(tmp_path / "here.db")), KalibrCallbackHandler()
    chain = ChatPromptTemplate.from_messages([("human", "{input}")]) | model
    secret = "Tell the wombat of Quirindi about zeugmas."
    for text in (secret, "That is wrong, wombat!", secret):
        chain.invoke({"input": text}, config(handler, "chat-of-zebulon"))
    handler.action("chat-of-zebulon", "output_copied")
    model.core.close()
    kept = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert kept
    for word in (b"wombat", b"Quirindi", b"zeugma", b"zebulon"):
        assert word not in kept, word


# Handlers and sessions.


def test_a_handler_given_twice_counts_once() -> None:
    handler = KalibrCallbackHandler()
    model = make(callbacks=[handler])
    agent = create_agent(model, tools=[], checkpointer=InMemorySaver())
    for text in (ASK, COMPLAINT, THANKS):
        agent.invoke({"messages": [("user", text)]}, config(handler))  # type: ignore[call-overload]
    assert kinds(model) == ["anew", "complains", "accepts"]
    assert told(model) == [0.25, 0.75]
    assert conversation(model).number == 3


def test_two_handlers_count_a_models_turn_once() -> None:
    handler, model = KalibrCallbackHandler(), make(callbacks=[KalibrCallbackHandler()])
    for text in (ASK, COMPLAINT, THANKS):
        model.invoke(text, config(handler))
    assert kinds(model) == ["anew", "complains", "accepts"]
    assert told(model) == [0.25, 0.75]


RENDERED = "Be brief, and do not say that anything is wrong. Question: {question}"
"""Read as a user's words, this would be one complaint after the other."""


@pytest.mark.parametrize("where", ["model", "with_config", "agent"])
def test_a_handler_below_a_chain_tells_answers_and_no_turns(
    where: str, caplog: pytest.LogCaptureFixture
) -> None:
    """What it hears there is a rendered prompt: no word of it may count as the user's."""
    handler = KalibrCallbackHandler()
    model = make(callbacks=None if where == "with_config" else [handler])
    called: Any = model.with_config(callbacks=[handler]) if where == "with_config" else model
    chain: Any = ChatPromptTemplate.from_template(RENDERED) | called
    if where == "agent":
        chain = create_agent(model, tools=[], system_prompt="Be brief.")
    with caplog.at_level(logging.WARNING, logger="kalibr"):
        for text in (ASK, COMPLAINT, THANKS):
            asked: Any = {"messages": [("user", text)]} if where == "agent" else {"question": text}
            chain.invoke(asked, {"configurable": {"thread_id": "chat"}})
    assert (told(model), kinds(model)) == ([], ["anew"])
    assert conversation(model).number == 3
    assert conversation(model).outputs[-1].request == "", "nothing is compared with a prompt"
    assert handler.failures == {"BelowChain": 3}
    (warned,) = [record.message for record in caplog.records]
    assert 'config={"callbacks": [handler], ...}' in warned
    assert handler.action("chat", "output_copied")
    assert told(model) == [0.85]


async def test_a_handler_below_a_chain_that_is_streamed_tells_no_turns_either() -> None:
    handler = KalibrCallbackHandler()
    model = make(callbacks=[handler])
    chain = ChatPromptTemplate.from_template(RENDERED) | model | StrOutputParser()
    where: Any = {"metadata": {"session_id": "chat"}}
    for text in (ASK, COMPLAINT):
        list(chain.stream({"question": text}, where))
        [part async for part in chain.astream({"question": text}, where)]
        await chain.ainvoke({"question": text}, where)
    assert (told(model), conversation(model).number) == ([], 6)
    assert handler.failures == {"BelowChain": 6}
    inner = (ChatPromptTemplate.from_template(RENDERED) | make("inner")).with_config(
        callbacks=[handler]
    )
    whole: Any = RunnableLambda(lambda text: {"question": f"Say what is wrong: {text}"}) | inner
    for text in (ASK, COMPLAINT):
        list(whole.stream(text, where))
    assert handler.failures == {"BelowChain": 8}, "its input is known at its end, and is no turn"
    assert kinds(model) == ["anew"]


def test_a_traced_function_above_a_chain_is_no_chain() -> None:
    """LangSmith's `@traceable` names a parent to what it calls: the user speaks to that all the
    same, and a model below the chain is below it still."""
    handler, deep = KalibrCallbackHandler(), KalibrCallbackHandler()
    model, other = make(), make("other", callbacks=[deep])
    chain = ChatPromptTemplate.from_template("Be brief. {question}") | model
    below = ChatPromptTemplate.from_template("Be brief. {question}") | other
    for text in (ASK, COMPLAINT, THANKS):
        with tracing_context(parent=RunTree(name="mine", run_type="chain"), enabled=False):
            chain.invoke({"question": text}, config(handler))
            below.invoke({"question": text}, {"metadata": {"session_id": "deep"}})
    assert (told(model), handler.failures) == ([0.25, 0.75], {})
    assert (told(other), deep.failures) == ([], {"BelowChain": 3})

    def step(text: str, config: RunnableConfig) -> Any:
        above: Any = config["callbacks"]
        with tracing_context(
            parent=RunTree(name="it", run_type="chain", id=above.parent_run_id), enabled=False
        ):
            return other.invoke(f"Be brief. {text}")

    RunnableLambda(step).invoke(COMPLAINT, {"metadata": {"session_id": "deep"}})
    assert (told(other), deep.failures) == ([], {"BelowChain": 4}), "a chain that is traced is one"


def test_a_run_without_a_session_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    model, handler = make(), KalibrCallbackHandler()
    chain = model | StrOutputParser()
    with caplog.at_level(logging.WARNING, logger="kalibr"):
        for _ in range(2):
            chain.invoke(ASK, {"callbacks": [handler]})
    warned = [record.message for record in caplog.records]
    assert len(warned) == 1
    for name in ("session_id", "thread_id", "conversation_id"):
        assert name in warned[0]
    with pytest.raises(UnknownSession):
        handler.action("chat", "output_copied")


def test_actions_and_ends() -> None:
    model, handler = make(), KalibrCallbackHandler()
    with pytest.raises(UnknownSession):
        handler.end("chat")
    with pytest.raises(UnknownAction, match="output_copied"):
        handler.action("chat", "copied")
    model.invoke(ASK, config(handler))
    assert handler.action("chat", "output_copied")
    assert not handler.action("chat", "output_copied")
    model.invoke("Shorter please, it is too long.", config(handler))
    assert handler.end("chat")
    assert not handler.end("chat")
    assert told(model) == [0.85, 0.75]
    with pytest.raises(UnknownSession):
        handler.action("other", "output_copied")


def test_two_goals_on_one_ledger_count_a_turn_once(tmp_path: Path) -> None:
    file, handler = str(tmp_path / "here.db"), KalibrCallbackHandler()
    one, other = make("one", ledger=file), make("other", ledger=file)
    chain = one | StrOutputParser() | other | StrOutputParser()
    for text in (ASK, COMPLAINT, THANKS):
        chain.invoke(text, config(handler))
    assert kinds(one) == ["anew", "complains", "accepts"]
    assert (told(one), told(other)) == ([0.425, 0.675], [0.25, 0.75])


def test_a_hundred_threads_at_once() -> None:
    model, handler = make(), KalibrCallbackHandler()
    chain = ChatPromptTemplate.from_messages([("human", "{input}")]) | model | StrOutputParser()

    def talk(number: int) -> None:
        for text in (ASK, COMPLAINT, THANKS):
            chain.invoke({"input": text}, config(handler, f"chat-{number}"))

    with ThreadPoolExecutor(100) as pool:
        list(pool.map(talk, range(100)))
    assert sorted(told(model)) == [0.25] * 100 + [0.75] * 100
    assert (handler.failures, len(handler._runs)) == ({}, 0)


async def test_many_tasks_at_once() -> None:
    model, handler = make(), KalibrCallbackHandler()
    chain = ChatPromptTemplate.from_messages([("human", "{input}")]) | model | StrOutputParser()

    async def talk(number: int) -> None:
        for text in (ASK, COMPLAINT, THANKS):
            await chain.ainvoke({"input": text}, config(handler, f"chat-{number}"))

    await asyncio.gather(*map(talk, range(20)))
    assert sorted(told(model)) == [0.25] * 20 + [0.75] * 20


class Forgetful(MemoryLedger):
    """Its conversations cannot be read."""

    def conversation(self, key: str) -> tuple[int, float, JSON] | None:
        raise LedgerError("disk gone")


def test_a_ledger_that_fails_breaks_no_chain(caplog: pytest.LogCaptureFixture) -> None:
    model, handler = make(ledger=Forgetful()), KalibrCallbackHandler()
    with caplog.at_level(logging.WARNING, logger="kalibr"):
        for text in (ASK, COMPLAINT, THANKS):
            assert model.invoke(text, config(handler)).content
    assert handler.failures["LedgerError"] >= 3
    warned = [record.message for record in caplog.records if "LedgerError" in record.message]
    assert len(warned) == 1
    assert COMPLAINT not in caplog.text
    with pytest.raises(LedgerError):
        handler.action("chat", "output_copied")


# Streams that the garbage collector closes.


class Collected(SQLiteLedger):
    """The collector comes while it is read, as it may: rows are made then."""

    comes = False

    def _do(self, work: Callable[[Any], Any]) -> Any:
        def read(db: Any) -> Any:
            if self.comes:
                self.comes = False
                gc.collect()
            return work(db)

        return super()._do(read)


def left_behind(chain: Any, text: str, handler: KalibrCallbackHandler) -> None:
    """Leave a stream in a cycle, as a web framework's response."""
    held = SimpleNamespace(stream=chain.stream(text, config(handler)))
    held.me = held
    next(held.stream)


@pytest.fixture
def uncollected() -> Iterator[None]:
    gc.disable()
    yield
    gc.enable()


def ends(work: Callable[[], object]) -> bool:
    done = threading.Event()
    threading.Thread(target=lambda: (work(), done.set()), daemon=True).start()
    return done.wait(5)


@pytest.mark.usefixtures("uncollected")
def test_a_stream_that_the_collector_closes_never_waits_for_its_own_thread(tmp_path: Path) -> None:
    ledger, handler = Collected(tmp_path / "here.db"), KalibrCallbackHandler()
    model = first_arm(PATH, goal="test", ledger=ledger)  # closed only where nothing hangs
    model.invoke(ASK, config(handler))
    chain = RunnableLambda(lambda text: text) | model | StrOutputParser()

    def work() -> None:
        left_behind(chain, COMPLAINT, handler)
        ledger.comes = True
        model.core.feedback.signals.knows("other")
        with handler._runs._lock:
            left_behind(chain, THANKS, handler)
            gc.collect()

    assert ends(work)
    assert handler.flush()
    assert kinds(model) == ["anew", "complains", "accepts"]
    assert (told(model), handler.failures) == ([0.25], {})
    model.invoke(ASK, config(handler))
    assert len(handler._runs) == 0
    assert conversation(model).number == 2, "it is told at once again"
    model.routers.close()


def test_a_handler_that_was_given_to_no_chain_says_so() -> None:
    handler = KalibrCallbackHandler()
    make().invoke(ASK, {"configurable": {"thread_id": "chat"}})
    with pytest.raises(UnknownSession, match=r"has heard of no run \(give it in a chain's config"):
        handler.action("chat", "output_copied")


@pytest.mark.parametrize("timeout_s", [None, "a", -1, float("nan"), True])
def test_only_seconds_are_waited_for(timeout_s: Any) -> None:
    with pytest.raises(ConfigError, match=r"timeout_s must be a finite number from 0 on, got "):
        KalibrCallbackHandler().flush(timeout_s=timeout_s)
    assert KalibrCallbackHandler().flush(timeout_s=0)


async def later(text: str) -> str:
    return "accepts"


def test_an_async_classifier_is_refused() -> None:
    with pytest.raises(ConfigError, match="must not be async"):
        KalibrCallbackHandler(classify=later)  # type: ignore[arg-type]


# A model that judges turns.


def test_a_classifier_is_asked_in_the_background_and_in_order() -> None:
    asked: list[tuple[str, str]] = []
    goes_on = threading.Event()

    def classify(text: str) -> str | None:
        goes_on.wait(5)
        asked.append((text, threading.current_thread().name))
        return "complains" if text == "hm" else None

    model, handler = make(), KalibrCallbackHandler(classify=classify)
    for text in (ASK, "hm", THANKS):
        model.invoke(text, config(handler))
    assert asked == [], "no chain waits for it"
    goes_on.set()
    assert handler.flush()
    assert [text for text, _ in asked] == ["hm", THANKS]
    assert {name for _, name in asked} == {"kalibr-feedback"}
    assert told(model) == [0.25, 0.75]


def test_an_action_waits_for_what_was_heard_before_it() -> None:
    handler = KalibrCallbackHandler(classify=lambda text: time.sleep(0.05))
    model = make()
    for text, session in ((ASK, "chat"), (THANKS, "chat"), (ASK, "other")):
        model.invoke(text, config(handler, session))
    assert handler.action("other", "output_used_verbatim")


def test_a_classifier_that_is_none_is_told() -> None:
    with pytest.raises(ConfigError, match="classify must be a function"):
        KalibrCallbackHandler(classify="gpt-4o")  # type: ignore[arg-type]


def test_copies_are_the_handler_itself_and_other_processes_make_their_own() -> None:
    handler = KalibrCallbackHandler(input_key="talk")
    assert copy.copy(handler) is handler
    assert copy.deepcopy({"callbacks": [handler]})["callbacks"][0] is handler
    other = pickle.loads(pickle.dumps(handler))
    assert other is not handler
    assert other._input_key == "talk"
