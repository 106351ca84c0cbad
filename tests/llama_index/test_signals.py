"""What users did with the answers of engines and agents, with `KalibrEventHandler` alone."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from llama_index.core import Document, Settings, SummaryIndex
from llama_index.core.agent.workflow import AgentWorkflow, FunctionAgent, ReActAgent
from llama_index.core.chat_engine import (
    CondensePlusContextChatEngine,
    SimpleChatEngine,
)
from llama_index.core.llms import MockLLM
from llama_index.core.memory import ChatMemoryBuffer
from llama_index.core.workflow import Context, StartEvent, StopEvent, Workflow, step
from llama_index_instrumentation import get_dispatcher
from llama_index_instrumentation.dispatcher import instrument_tags
from typer.testing import CliRunner

from kalibr_bench.provider import Fault, LoopbackProvider
from kalibr_core import (
    AllPathsFailed,
    ConfigError,
    Judge,
    LedgerError,
    MemoryLedger,
    UnknownAction,
    UnknownSession,
)
from kalibr_core.cli import make_app
from kalibr_core.status import goal_status
from kalibr_llama_index import KalibrEventHandler, KalibrLLM, judged_by

from .ways import STREAMS, asked, first_arm

dispatcher = get_dispatcher(__name__)

FIRST, SECOND = "gpt-4o", "gpt-4o-mini"
KEY = "sk-of-the-test-123456"
TURNS = (
    "Write a short invitation to the garden party on Saturday.",
    "Shorter, please.",
    "That is wrong, I said shorter!",
    "Perfect, thanks!",
    "Now explain how the steam engine changed the coal mines of England.",
    "Please add the year of its invention.",
    "Great, that is exactly what I needed.",
    "Translate the following sentence into French: the cat sleeps on the sofa.",
    "No, that is not French at all!",
    "Thank you, much better.",
)
BAD, GOOD = 0.25, 0.75
SURE = {1: BAD, 2: GOOD, 5: GOOD, 7: BAD, 8: GOOD}
"""Answers, by the turn that they followed, whose next turn says plainly what it thinks of them."""
SECONDS = {1, 5, 8}
"""Turns that the first path fails at, so that the second one answers."""


@pytest.fixture(autouse=True)
def settings() -> Iterator[None]:
    held = dict(vars(Settings))
    yield
    vars(Settings).clear()
    vars(Settings).update(held)


@pytest.fixture
def handler() -> Iterator[KalibrEventHandler]:
    found = KalibrEventHandler().attach()
    yield found
    found.detach()


@pytest.fixture
def make(server: LoopbackProvider) -> Iterator[Any]:
    made: list[KalibrLLM] = []

    def llm(*paths: str, **options: Any) -> KalibrLLM:
        found = first_arm(
            *(paths or (FIRST, SECOND)), base_url=server.base_url, api_key=KEY, **options
        )
        made.append(found)
        return found

    yield llm
    for one in made:
        one.close()


@pytest.fixture
def llm(make: Any) -> KalibrLLM:
    found: KalibrLLM = make()
    return found


def memory(key: str = "alice") -> ChatMemoryBuffer:
    return ChatMemoryBuffer.from_defaults(token_limit=3_000, chat_store_key=key)


def chat_engine(kind: Any, llm: KalibrLLM, **options: Any) -> Any:
    if kind is SimpleChatEngine:
        return kind.from_defaults(llm=llm, **{"memory": memory(), **options})
    index = SummaryIndex.from_documents([Document(text="Steam engines pumped mines dry.")])
    return kind.from_defaults(index.as_retriever(), llm=llm, **{"memory": memory(), **options})


def entries(llm: KalibrLLM) -> list[Any]:
    return [entry for _, entry in llm.core._learner.ledger.entries()]


def told(llm: KalibrLLM, kind: str = "momentum") -> list[tuple[str | None, float | None]]:
    """Whose work was told of, and the reward."""
    return [(entry.path_id, entry.reward) for entry in entries(llm) if entry.kind == kind]


async def say(engine: Any, way: str, text: str) -> str:
    """One turn, whichever way, and the answer's text."""
    if way == "chat":
        return str(engine.chat(text))
    if way == "achat":
        return str(await engine.achat(text))
    if way == "stream_chat":
        return "".join(engine.stream_chat(text).response_gen)
    answer = await engine.astream_chat(text)
    return "".join([token async for token in answer.async_response_gen()])


# Ten turns.


@pytest.mark.parametrize(
    ("kind", "way"),
    [
        (SimpleChatEngine, "chat"),
        (SimpleChatEngine, "achat"),
        (SimpleChatEngine, "stream_chat"),
        (SimpleChatEngine, "astream_chat"),
        (CondensePlusContextChatEngine, "stream_chat"),
    ],
)
async def test_a_chat_engine_holds_a_conversation_of_ten_turns(
    kind: Any, way: str, llm: KalibrLLM, server: LoopbackProvider, handler: KalibrEventHandler
) -> None:
    """A complaint counts against the path that answered before it, thanks count for it."""
    engine = chat_engine(kind, llm)
    for n, text in enumerate(TURNS):
        server.clear_faults()
        if n in SECONDS:
            server.fault(FIRST, Fault(kind="server_error", times=None))
        assert await say(engine, way, text)
    runs = handler.runs()
    assert [run.session_id for run in runs] == ["alice"] * 10
    found = {e.decision_id: (e.path_id, e.reward) for e in entries(llm) if e.kind == "momentum"}
    for n, reward in SURE.items():
        path = SECOND if n in SECONDS else FIRST
        assert found[runs[n].decision_ids[-1]] == (path, reward), TURNS[n + 1]
    assert handler.failures == {}
    status = {path.path_id: path for path in goal_status("test", entries(llm)).paths}
    assert sum(path.user_signals for path in status.values()) == len(found) >= 5


# Agents and workflows.


def weather(city: str) -> str:
    """The weather in a city."""
    return f"Sunny in {city}."


SAID = (
    "What is the weather in Paris? Use the tool.",
    "That is wrong, the weather in Paris is not like that!",
    "Perfect, thanks!",
    "Bye.",
)


@pytest.mark.parametrize("kind", [FunctionAgent, ReActAgent, AgentWorkflow])
async def test_an_agents_context_is_the_conversation(
    kind: Any, llm: KalibrLLM, handler: KalibrEventHandler
) -> None:
    if kind is AgentWorkflow:
        agent: Any = AgentWorkflow.from_tools_or_functions([weather], llm=llm)
    else:
        agent = kind(tools=[weather], llm=llm)
    context = Context(agent)
    for text in SAID:
        assert str(await agent.run(text, ctx=context))
    (session,) = {run.session_id for run in handler.runs()}
    assert session
    assert told(llm) == [(FIRST, BAD), (FIRST, GOOD)]
    assert handler.action(context, "output_copied")
    assert not handler.action(handler.runs()[-1].session_id, "output_copied")
    await agent.run("Hello there.", ctx=Context(agent))
    assert handler.runs()[-1].session_id != session


async def test_an_agents_memory_is_the_conversation(
    llm: KalibrLLM, handler: KalibrEventHandler
) -> None:
    agent, held = FunctionAgent(tools=[weather], llm=llm), memory("bob")
    for text in SAID:
        await agent.run(text, memory=held)
    assert {run.session_id for run in handler.runs()} == {"bob"}
    assert told(llm) == [(FIRST, BAD), (FIRST, GOOD)]


async def test_a_memory_that_is_given_once_names_its_context_for_good(
    llm: KalibrLLM, handler: KalibrEventHandler
) -> None:
    agent = FunctionAgent(tools=[weather], llm=llm)
    context = Context(agent)
    await agent.run("Hello there.", ctx=context, memory=memory("bob"))
    await agent.run("Hello again.", ctx=context)
    assert [run.session_id for run in handler.runs()] == ["bob", "bob"]


async def test_an_agent_below_tags_belongs_to_them(
    llm: KalibrLLM, handler: KalibrEventHandler
) -> None:
    agent = FunctionAgent(tools=[weather], llm=llm)
    with instrument_tags({"thread_id": "carol"}):
        await agent.run("Hello there.")
    assert [run.session_id for run in handler.runs()] == ["carol"]
    assert handler.action("carol", "output_copied")


class Answers(Workflow):
    """A workflow of the user's own."""

    llm: Any = None

    @step
    async def answer(self, ev: StartEvent) -> StopEvent:
        return StopEvent(result=(await self.llm.acomplete(f"Please: {ev.topic}")).text)


async def test_a_workflow_of_the_users_own_is_followed(
    llm: KalibrLLM, handler: KalibrEventHandler
) -> None:
    flow = Answers()
    flow.llm = llm
    with instrument_tags({"session_id": "dave"}):
        for text in SAID:
            await flow.run(topic=text)
    assert told(llm) == [(FIRST, BAD), (FIRST, GOOD)]


async def test_a_run_that_is_cancelled_is_no_answer(
    llm: KalibrLLM, server: LoopbackProvider, handler: KalibrEventHandler
) -> None:
    server.fault(FIRST, Fault(kind="hang"))
    engine = chat_engine(SimpleChatEngine, llm)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(engine.achat("Hello there."), 0.2)
    with pytest.raises(UnknownSession):
        handler.action(engine, "output_copied")


# Queries, and plain calls.


@pytest.mark.parametrize("streaming", [False, True])
def test_a_query_engine_is_followed_in_a_tagged_session(
    streaming: bool, llm: KalibrLLM, handler: KalibrEventHandler
) -> None:
    index = SummaryIndex.from_documents([Document(text="Paris is the capital of France.")])
    engine = index.as_query_engine(llm=llm, streaming=streaming)
    with instrument_tags({"session_id": "erin"}):
        answers: list[Any] = [engine.query("What is the capital of France?")]
        assert not streaming or list(answers[0].response_gen)
        answers.append(engine.query("That is wrong, it is not the capital of France!"))
        assert not streaming or list(answers[1].response_gen)
        last: Any = engine.query("What about Italy?")
        assert not streaming or list(last.response_gen)
    assert told(llm) == [(FIRST, BAD)]


def test_a_plain_call_names_its_session_itself(llm: KalibrLLM, handler: KalibrEventHandler) -> None:
    for text in SAID:
        llm.complete(text, session_id="frank")
    assert told(llm) == [(FIRST, BAD), (FIRST, GOOD)]
    assert {run.session_id for run in handler.runs()} == {"frank"}


async def test_a_plain_stream_too(llm: KalibrLLM, handler: KalibrEventHandler) -> None:
    for text in SAID:
        async for _ in await llm.astream_complete(text, session_id="grace"):
            pass
    assert told(llm) == [(FIRST, BAD), (FIRST, GOOD)]


async def left(llm: KalibrLLM, way: str, text: str, **named: str) -> None:
    """Read one chunk of a stream, and leave it."""
    stream = getattr(llm, way)(asked(way, text), **named)
    if way.startswith("a"):
        chunks = await stream
        await anext(chunks)
        await chunks.aclose()
    else:
        with contextlib.suppress(LookupError):
            for _ in stream:
                raise LookupError


@pytest.mark.parametrize("way", STREAMS)
@pytest.mark.parametrize("by", ["argument", "tags"])
async def test_what_was_said_of_a_plain_stream_that_is_left_stays_a_turn(
    way: str, by: str, llm: KalibrLLM, handler: KalibrEventHandler
) -> None:
    named = {"session_id": "grace"}
    with instrument_tags(named if by == "tags" else {}):
        named = named if by == "argument" else {}
        llm.complete(SAID[0], **named)
        await left(llm, way, SAID[1], **named)
        assert not handler.action("grace", "output_copied")
        llm.complete(SAID[2], **named)
    assert told(llm) == [(FIRST, BAD)]
    assert (told(llm, "action"), handler.failures) == ([], {})


@pytest.mark.parametrize("way", ["stream_chat", "astream_chat"])
async def test_a_chat_engine_writes_its_answer_also_when_the_reader_has_left(
    way: str, llm: KalibrLLM, handler: KalibrEventHandler
) -> None:
    engine = chat_engine(SimpleChatEngine, llm)
    engine.chat(SAID[0])
    if way == "stream_chat":
        tokens = engine.stream_chat(SAID[1]).response_gen
        next(tokens)
        tokens.close()
    else:
        answer = await engine.astream_chat(SAID[1])
        await anext(answer.async_response_gen())
        await answer.awrite_response_to_history_task
    engine.chat(SAID[2])
    assert told(llm) == [(FIRST, BAD), (FIRST, GOOD)]


@dispatcher.span
async def first_word(message: str, llm: KalibrLLM) -> str:
    await left(llm, "astream_complete", f"Write: {message}")
    return "Once"


async def test_a_run_of_the_users_own_that_leaves_a_stream_is_a_turn_too(
    llm: KalibrLLM, handler: KalibrEventHandler
) -> None:
    with instrument_tags({"session_id": "grace"}):
        llm.complete(SAID[0])
        await first_word(SAID[1], llm)
        llm.complete(SAID[2])
    assert told(llm) == [(FIRST, BAD)]


async def test_a_plain_call_that_is_cancelled_is_a_turn_too(
    llm: KalibrLLM, server: LoopbackProvider, handler: KalibrEventHandler
) -> None:
    await llm.acomplete(SAID[0], session_id="grace")
    server.fault(None, Fault(kind="hang", times=None))
    for _ in range(2):
        task = asyncio.create_task(llm.acomplete(SAID[1], session_id="grace"))
        await asyncio.sleep(0.05)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
    server.clear_faults()
    await llm.acomplete(SAID[2], session_id="grace")
    assert told(llm) == [(FIRST, BAD)]


@dispatcher.span
def answer(message: str, planner: KalibrLLM, writer: KalibrLLM) -> dict[str, str]:
    planner.complete(f"Plan: {message}")
    return {"answer": writer.complete(f"Write: {message}").text}


def test_all_that_made_an_answer_are_credited_the_last_one_most(
    make: Any, handler: KalibrEventHandler
) -> None:
    planner, writer = make(FIRST, goal="plan"), make(SECOND, goal="write")
    with instrument_tags({"session_id": "heidi"}):
        for text in SAID:
            answer(text, planner, writer)
    assert told(planner) == [(FIRST, 0.425), (FIRST, 0.675)]
    assert told(writer) == [(SECOND, BAD), (SECOND, GOOD)]
    assert handler.action("heidi", "output_discarded")
    assert (told(planner, "action"), told(writer, "action")) == ([(FIRST, 0.3)], [(SECOND, 0.0)])


@dispatcher.span
def answer_all_the_same(message: str, planner: KalibrLLM, writer: KalibrLLM) -> str:
    with contextlib.suppress(AllPathsFailed):
        planner.complete(message)
    return writer.complete(message).text


def test_a_call_that_failed_is_not_credited(
    make: Any, server: LoopbackProvider, handler: KalibrEventHandler
) -> None:
    server.fault(FIRST, Fault(kind="server_error", times=None))
    planner, writer = make(FIRST, goal="plan", max_attempts=1), make(SECOND, goal="write")
    with instrument_tags({"session_id": "heidi"}):
        answer_all_the_same(SAID[0], planner, writer)
    assert handler.action("heidi", "output_copied")
    assert (told(planner, "action"), told(writer, "action")) == ([], [(SECOND, 0.85)])


# Restarts, several at once, and what goes wrong.


def test_a_conversation_goes_on_after_a_restart_and_no_text_is_in_the_ledger(
    make: Any, tmp_path: Path
) -> None:
    file = tmp_path / "k.db"
    for text in SAID:
        handler = KalibrEventHandler().attach()
        llm = make(ledger=str(file))
        with instrument_tags({"session_id": "ivan"}):
            chat_engine(SimpleChatEngine, llm, memory=memory("other")).chat(text)
        handler.detach()
        found = told(llm)
        llm.close()
    assert found == [(FIRST, BAD), (FIRST, GOOD)]
    held = b"".join(path.read_bytes() for path in tmp_path.glob("k.db*"))
    assert not [word for word in (b"weather", b"Paris", b"thanks", b"ivan") if word in held]
    shown = CliRunner().invoke(make_app(), ["status", "--ledger", str(file)])
    assert "users" in shown.output


def test_chat_engines_at_once_do_not_mix(make: Any, handler: KalibrEventHandler) -> None:
    """Neither has an id of its own: each engine is a conversation."""
    llms = [make(FIRST, goal=f"goal {n}") for n in range(4)]
    plain = [chat_engine(SimpleChatEngine, llm, memory=memory("chat_history")) for llm in llms]

    def talk(engine: Any, content: bool) -> None:
        engine.chat("Write an invitation to the garden party on Saturday.")
        engine.chat("Perfect, thanks!" if content else "That is wrong, there is no garden!")
        engine.chat("Bye.")

    threads = [
        threading.Thread(target=talk, args=(engine, n % 2 == 0)) for n, engine in enumerate(plain)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [told(llm) for llm in llms] == [[(FIRST, GOOD if n % 2 == 0 else BAD)] for n in range(4)]
    assert len({run.session_id for run in handler.runs()}) == 4
    assert handler.action(plain[0], "output_edited")
    assert [len(told(llm, "action")) for llm in llms] == [1, 0, 0, 0]


class Unread(MemoryLedger):
    """A ledger whose conversations cannot be read."""

    def conversation(self, key: str) -> Any:
        raise LedgerError("disk full")


def test_a_ledger_that_fails_disturbs_no_chat(
    make: Any, handler: KalibrEventHandler, caplog: pytest.LogCaptureFixture
) -> None:
    engine = chat_engine(SimpleChatEngine, make(ledger=Unread()))
    with caplog.at_level(logging.WARNING, "kalibr"):
        for text in SAID:
            assert str(engine.chat(text))
    assert handler.failures["LedgerError"] >= 4
    assert len([line for line in caplog.messages if "disk full" in line]) == 1
    with pytest.raises(LedgerError):
        handler.action(engine, "output_copied")


def test_what_goes_wrong_in_the_handler_is_counted_and_disturbs_no_chat(
    llm: KalibrLLM, handler: KalibrEventHandler, caplog: pytest.LogCaptureFixture
) -> None:
    class Odd(ChatMemoryBuffer):
        @property
        def session_id(self) -> str:
            raise RuntimeError("odd")

    engine = chat_engine(SimpleChatEngine, llm, memory=Odd.from_defaults(token_limit=3_000))
    with caplog.at_level(logging.WARNING, "kalibr"):
        assert [str(engine.chat(text)) for text in SAID]
    assert handler.failures == {"RuntimeError": 4}
    assert len([line for line in caplog.messages if "RuntimeError" in line]) == 1


def test_an_answer_that_failed_and_is_asked_for_again_is_no_repeated_complaint(
    llm: KalibrLLM, server: LoopbackProvider, handler: KalibrEventHandler
) -> None:
    engine = chat_engine(SimpleChatEngine, llm)
    engine.chat("Write an invitation to the garden party on Saturday.")
    server.fault(None, Fault(kind="server_error", times=None))
    for _ in range(2):
        with pytest.raises(Exception, match="attempts failed"):
            engine.chat("Translate the sentence into French, please: the cat sleeps.")
    server.clear_faults()
    engine.chat("Translate the sentence into French, please: the cat sleeps.")
    engine.chat("Perfect, thanks!")
    engine.chat("Bye.")
    assert all(reward == GOOD for _, reward in told(llm))


# Answers of nobody's, and several ledgers.


class Down(MockLLM):
    def chat(self, *args: Any, **kwargs: Any) -> Any:
        raise ConnectionError("down")


ELSE = "Now write a Python function that sorts a list of numbers, please."


@pytest.mark.parametrize("other", [MockLLM(), Down()], ids=["plain", "failed"])
def test_an_answer_of_no_routed_llm_or_a_failure_is_not_the_one_before(
    other: Any, llm: KalibrLLM, handler: KalibrEventHandler
) -> None:
    chat_engine(SimpleChatEngine, llm).chat(TURNS[0])
    for text in (ELSE, "That is wrong, this does not work at all!"):
        with contextlib.suppress(ConnectionError):
            chat_engine(SimpleChatEngine, other).chat(text)
    assert not handler.action("alice", "output_discarded")
    handler.end("alice")
    assert (told(llm), told(llm, "action")) == ([(FIRST, GOOD)], [])


def test_an_answer_from_another_ledger_stands_in_the_place_of_the_one_before(
    make: Any, handler: KalibrEventHandler
) -> None:
    poems, code = make(FIRST, ledger="memory"), make(SECOND, ledger="memory")
    with instrument_tags({"session_id": "alice"}):
        poems.complete(TURNS[0])
        code.complete(ELSE)
        code.complete("That is wrong, the function does not sort at all!")
    assert handler.action("alice", "output_discarded")
    handler.end("alice")
    assert (told(poems), told(poems, "action")) == ([(FIRST, GOOD)], [])
    assert (told(code), told(code, "action")) == ([(SECOND, BAD)], [(SECOND, 0.0)])


# Streams that the garbage collector closes.


class Collected(MemoryLedger):
    """Its lock is a plain one; the collector comes while it is read."""

    def __init__(self) -> None:
        super().__init__()
        self.plain, self.comes = threading.Lock(), False

    def conversation(self, key: str) -> Any:
        with self.plain:
            if self.comes:
                self.comes = False
                gc.collect()
            return super().conversation(key)


@pytest.fixture
def uncollected() -> Iterator[None]:
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("uncollected")
def test_a_stream_that_the_collector_closes_never_waits_for_its_own_thread(
    make: Any, handler: KalibrEventHandler
) -> None:
    ledger = Collected()
    llm: KalibrLLM = make(ledger=ledger)
    documents = SummaryIndex.from_documents([Document(text="Steam engines pumped mines dry.")])
    engine = documents.as_query_engine(llm=llm, streaming=True)

    def left_behind(text: str) -> None:
        answer: Any = engine.query(text)
        held = SimpleNamespace(stream=answer.response_gen)
        held.me = held
        next(held.stream)

    done = threading.Event()

    def work() -> None:
        with instrument_tags({"session_id": "alice"}):
            llm.complete(TURNS[0])
            left_behind(ELSE)
            ledger.comes = True
            llm.core.feedback.signals.knows("other")
            with handler._runs._lock, handler._sessions._lock, handler._talks._lock:  # type: ignore[union-attr]  # it has one
                left_behind("That is wrong!")
                gc.collect()
        done.set()

    threading.Thread(target=work, daemon=True).start()
    assert done.wait(10)
    assert handler.flush()
    handler.end("alice")
    assert (told(llm), handler.failures) == ([(FIRST, GOOD)], {})


@pytest.mark.usefixtures("uncollected")
def test_a_plain_stream_that_is_collected_late_takes_no_later_answers_place(
    make: Any, handler: KalibrEventHandler
) -> None:
    ledger = Collected()
    llm: KalibrLLM = make(ledger=ledger)

    def left_behind(text: str) -> None:
        held = SimpleNamespace(stream=llm.stream_complete(text, session_id="alice"))
        held.me = held
        next(held.stream)

    def work() -> None:
        llm.complete(TURNS[0], session_id="alice")
        left_behind("That is wrong!")
        ledger.comes = True
        llm.core.feedback.signals.knows("other")
        with handler._talks._lock:  # type: ignore[union-attr]  # it has one
            left_behind(ELSE)
            gc.collect()
        llm.complete(TURNS[0], session_id="bob")
        left = [llm.stream_complete("That is wrong!", session_id="bob")]
        next(left[0])
        llm.complete(ELSE, session_id="bob")
        left.clear()
        done.set()

    done = threading.Event()
    threading.Thread(target=work, daemon=True).start()
    assert done.wait(10)
    assert handler.flush()
    assert told(llm) == [(FIRST, BAD)] * 2
    assert not handler.action("alice", "output_copied")
    assert handler.action("bob", "output_copied")
    assert handler.failures == {}


def test_a_judge_that_is_routed_itself_need_name_no_conversation(
    make: Any, handler: KalibrEventHandler, server: LoopbackProvider, caplog: Any
) -> None:
    server.script(SECOND, ['{"reason": "x", "score": 0.5}'])
    judge = judged_by(make(SECOND, goal="judge", judge=None))
    llm = make(FIRST, judge=Judge(model=judge, rate=1.0, goals=None))
    with caplog.at_level(logging.WARNING, "kalibr"), instrument_tags({"session_id": "alice"}):
        llm.complete(TURNS[0])
        llm.close()
    assert "names no conversation" not in caplog.text
    assert handler.failures == {}


def test_a_handler_that_is_not_attached_says_so(llm: KalibrLLM) -> None:
    handler = KalibrEventHandler()
    with instrument_tags({"session_id": "alice"}):
        llm.complete(TURNS[0])
    with pytest.raises(UnknownSession, match=r"is not attached \(call its attach"):
        handler.action("alice", "output_copied")
    handler.attach().detach()
    with pytest.raises(UnknownSession, match="is not attached"):
        handler.end("alice")


async def later(text: str) -> str:
    return "accepts"


def test_an_async_classifier_is_refused() -> None:
    with pytest.raises(ConfigError, match="must not be async"):
        KalibrEventHandler(classify=later)  # type: ignore[arg-type]


# The handler's own methods.


def test_a_user_may_say_what_they_did(llm: KalibrLLM, handler: KalibrEventHandler) -> None:
    engine = chat_engine(SimpleChatEngine, llm)
    with pytest.raises(UnknownSession):
        handler.action(engine, "output_copied")
    engine.chat("Hello there.")
    assert handler.action(handler.runs()[-1], "output_copied")
    assert not handler.action("alice", "output_copied")
    assert told(llm, "action") == [(FIRST, 0.85)]
    with pytest.raises(UnknownAction, match="output_edited"):
        handler.action(engine, "liked")
    with pytest.raises(ConfigError, match="names no conversation"):
        handler.action(None, "output_copied")
    assert handler.end(engine)
    assert not handler.end(engine)


async def test_an_agents_run_that_nobody_has_heard_is_told_with_what_to_do(llm: KalibrLLM) -> None:
    agent = FunctionAgent(tools=[weather], llm=llm)
    context = Context(agent)
    await agent.run("Hello there.", ctx=context)
    with pytest.raises(ConfigError, match=r"no conversation yet: attach\(\) before its first run"):
        KalibrEventHandler().action(context, "output_copied")


@pytest.mark.parametrize("timeout_s", [None, "a", -1, float("nan"), True])
def test_only_seconds_are_waited_for(timeout_s: Any) -> None:
    with pytest.raises(ConfigError, match=r"timeout_s must be a finite number from 0 on, got "):
        KalibrEventHandler().flush(timeout_s=timeout_s)
    assert KalibrEventHandler().flush(timeout_s=0)


def test_an_engine_that_is_reset_begins_a_new_conversation(
    llm: KalibrLLM, handler: KalibrEventHandler
) -> None:
    engine = chat_engine(SimpleChatEngine, llm)
    for text in SAID[:2]:
        engine.chat(text)
    engine.reset()
    assert told(llm) == [(FIRST, BAD)]
    assert not handler.end(engine)
    engine.chat("That is wrong, there is no garden!")  # of nothing that was answered
    engine.chat("Bye.")
    assert told(llm) == [(FIRST, BAD)]


def test_signals_may_be_switched_off(llm: KalibrLLM) -> None:
    handler = KalibrEventHandler(signals=False).attach()
    try:
        for text in SAID:
            llm.complete(text, session_id="judy")
    finally:
        handler.detach()
    assert told(llm) == []
    assert len(handler.runs()) == 4
    with pytest.raises(UnknownSession):
        handler.action("judy", "output_copied")


def test_a_turn_may_be_judged_by_a_function_of_the_users(llm: KalibrLLM) -> None:
    """It does not hold up the chat, and what is told keeps its order."""
    go, asked = threading.Event(), []

    def classify(text: str) -> str | None:
        go.wait(5)
        asked.append(text)
        return "complains"

    handler = KalibrEventHandler(classify=classify).attach()
    try:
        engine = chat_engine(SimpleChatEngine, llm)
        for text in SAID[1:]:
            engine.chat(text)
    finally:
        handler.detach()
    assert not asked
    assert not handler.flush(timeout_s=0.01)
    go.set()
    assert handler.flush(timeout_s=5)
    assert asked == list(SAID[2:])
    assert told(llm) == [(FIRST, BAD)] * 2


def test_what_is_no_function_cannot_judge() -> None:
    with pytest.raises(ConfigError, match="classify"):
        KalibrEventHandler(classify="complains")  # type: ignore[arg-type]
