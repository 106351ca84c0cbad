"""Runs that answer a person: which are told to gate 3, when, and with what."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from types import SimpleNamespace
from typing import Any

import pytest
from llama_index.core.agent.workflow import FunctionAgent
from llama_index.core.base.response.schema import Response, StreamingResponse
from llama_index.core.chat_engine.types import StreamingAgentChatResponse
from llama_index.core.instrumentation.events.exception import ExceptionEvent
from llama_index.core.instrumentation.events.llm import LLMChatEndEvent, LLMChatInProgressEvent
from llama_index.core.llms import ChatMessage, ChatResponse, MockLLM
from llama_index.core.postprocessor import SimilarityPostprocessor
from llama_index.core.query_engine import CustomQueryEngine
from llama_index.core.retrievers import BaseRetriever
from llama_index.core.workflow import StartEvent, StopEvent, Workflow, step

from kalibr_core.adapter import ends
from kalibr_core.testing import FakeClock
from kalibr_llama_index import KalibrLLM
from kalibr_llama_index import talks as module
from kalibr_llama_index.events import DecisionEvent
from kalibr_llama_index.runs import Runs
from kalibr_llama_index.session import Sessions
from kalibr_llama_index.spans import Spans
from kalibr_llama_index.speaking import beginning
from kalibr_llama_index.talks import Talks

from .test_session import Engine, buffer

UUID = "-12345678-1234-5678-1234-567812345678"
ALICE = {"session_id": "alice"}


class Queries(CustomQueryEngine):
    """A query engine."""

    def custom_query(self, query_str: str) -> str:
        return query_str


class Retriever(BaseRetriever):
    """A retriever."""

    def _retrieve(self, query_bundle: Any) -> Any:
        return []


class Flow(Workflow):
    """A workflow of the user's own."""

    @step
    async def answer(self, ev: StartEvent) -> StopEvent:
        return StopEvent(result="hi")


class Told:
    """Stands for gate 3: what it is told, in order."""

    def __init__(self) -> None:
        self.all: list[tuple[Any, ...]] = []
        self.events: list[str] = []

    def careful(self) -> AbstractContextManager[None]:
        return nullcontext()

    def turn(self, session_id: str, text: str, *, event_id: str | None) -> None:
        self.all.append(("turn", session_id, text, event_id))

    def pipeline(
        self, session_id: str, decided: Any, *, prompt: str, output: str, event_id: str
    ) -> None:
        self.events.append(event_id)
        self.all.append(("pipeline", session_id, [d for d, _ in decided], prompt, output))

    def unrouted(self, session_id: str, *, prompt: str, output: str) -> None:
        self.all.append(("unrouted", session_id, prompt, output))

    def left(self, session_id: str) -> None:
        self.all.append(("left", session_id))


class Listening:
    """Spans and events as LlamaIndex sends them."""

    def __init__(self) -> None:
        self.told = Told()
        self.clock = FakeClock()
        self.runs = Runs(self.clock.monotonic)
        self.talks = Talks(self.told, Sessions(), self.runs, self.clock.monotonic)  # type: ignore[arg-type]
        self._spans = Spans(self.runs, self.talks)

    def enter(
        self, name: str, instance: Any, tags: Any = None, parent: str | None = None, **args: Any
    ) -> None:
        bound = SimpleNamespace(arguments=args)
        parent_id = None if parent is None else parent + UUID
        self._spans.span_enter(name + UUID, bound, instance, parent_id, tags or {})

    def leave(self, name: str, instance: Any, result: Any) -> None:
        self._spans.span_exit(name + UUID, None, instance, result)

    def drop(self, name: str, instance: Any = None) -> None:
        self._spans.span_drop(name + UUID, None, instance, LookupError())

    def wrote(self, span: str, text: str) -> None:
        answer = ChatResponse(message=ChatMessage(text, role="assistant"))
        self.talks.hear(LLMChatEndEvent(messages=[], response=answer, span_id=span + UUID))

    def decided(self, decision_id: str, span: str, *, answered: bool = True) -> None:
        self.talks.hear(
            DecisionEvent(
                decision_id=decision_id,
                goal="g",
                path="p",
                attempts=1,
                verified=True,
                cost_usd=None,
                answered=answered,
                span_id=span + UUID,
            )
        )


@pytest.fixture
def llama() -> Listening:
    return Listening()


ENGINE = Engine(buffer("memory"))
KALIBR = KalibrLLM.model_construct()
"""Only its class counts here."""


# What is told.


def test_a_run_is_told_as_a_turn_at_its_start_and_as_a_pipeline_at_its_end(llama: Any) -> None:
    llama.enter("E.chat", ENGINE, message="hello")
    assert llama.told.all == [("turn", "memory", "hello", None)]
    llama.enter("L.chat", MockLLM(), parent="E.chat", messages=[ChatMessage("condense")])
    llama.decided("d1", "L.chat")
    llama.decided("d2", "E.chat")
    llama.leave("E.chat", ENGINE, Response("hi"))
    assert llama.told.all[1:] == [("pipeline", "memory", ["d1", "d2"], "hello", "hi")]


def test_a_messages_own_id_goes_with_the_turn(llama: Any) -> None:
    message = ChatMessage("hello", additional_kwargs={"id": "m-1"})
    llama.enter("E.chat", ENGINE, message=message)
    assert llama.told.all == [("turn", "memory", "hello", "m-1")]


def test_a_run_that_fails_is_a_turn_and_no_answer_of_a_path(llama: Any) -> None:
    llama.enter("E.chat", ENGINE, message="hello")
    llama.decided("d1", "E.chat")
    llama.drop("E.chat", ENGINE)
    llama.decided("d2", "E.chat")
    assert llama.told.all == [
        ("turn", "memory", "hello", None),
        ("unrouted", "memory", "hello", ""),
    ]


def test_a_call_without_an_answer_is_no_part_of_one(llama: Any) -> None:
    llama.enter("E.chat", ENGINE, message="hello")
    llama.decided("failed", "E.chat", answered=False)
    llama.leave("E.chat", ENGINE, Response("sorry"))
    assert llama.told.all[1:] == [("unrouted", "memory", "hello", "sorry")]


def test_a_run_without_a_routed_call_is_no_pipeline(llama: Any) -> None:
    llama.enter("E.chat", ENGINE, message="hello")
    llama.leave("E.chat", ENGINE, Response("hi"))
    assert llama.told.all[1:] == [("unrouted", "memory", "hello", "hi")]


def test_calls_that_come_late_are_told_once_more_while_nothing_was_said_since(llama: Any) -> None:
    llama.enter("E.chat", ENGINE, message="hello")
    llama.decided("d1", "E.chat")
    llama.leave("E.chat", ENGINE, Response("hi"))
    llama.decided("d2", "E.chat")
    llama.enter("F.chat", ENGINE, message="more")
    llama.decided("d3", "E.chat")
    llama.decided("d4", "F.chat")
    llama.leave("F.chat", ENGINE, Response("hi"))
    pipelines = [what[2] for what in llama.told.all if what[0] == "pipeline"]
    assert pipelines == [["d1"], ["d1", "d2"], ["d4"]]
    first, again, other = llama.told.events
    assert first == again != other


@pytest.mark.parametrize("is_answered", [True, False])
def test_a_run_that_ends_late_says_nothing_of_a_newer_answer(is_answered: bool, llama: Any) -> None:
    llama.enter("E.chat", ENGINE, message="hello")
    llama.enter("F.chat", ENGINE, message="more")
    llama.decided("d", "F.chat")
    if is_answered:
        llama.leave("F.chat", ENGINE, Response("hi"))
    llama.drop("E.chat", ENGINE)
    assert "unrouted" not in [what[0] for what in llama.told.all]
    if not is_answered:
        llama.drop("F.chat", ENGINE)
        assert llama.told.all[-1] == ("unrouted", "memory", "more", "")


def test_an_engine_that_begins_anew_ends_the_conversation(llama: Any) -> None:
    llama.enter("E.reset", ENGINE)
    llama.leave("E.reset", ENGINE, None)
    assert llama.told.all == [("left", "memory")]


def test_the_call_whose_text_is_the_answer_has_made_it_whatever_came_after(llama: Any) -> None:
    """A memory may have facts drawn from an answer, by a call of its own."""
    llama.enter("E.chat", ENGINE, message="hello")
    for n, text in enumerate(["a question", " hi ", "facts", "facts"]):
        llama.enter(f"L{n}.chat", MockLLM(), parent="E.chat")
        llama.decided(f"d{n}", f"L{n}.chat")
        llama.wrote(f"L{n}.chat", text)
    llama.leave("E.chat", ENGINE, Response("hi"))
    llama.decided("d4", "E.chat")
    pipelines = [what[2] for what in llama.told.all if what[0] == "pipeline"]
    assert pipelines == [["d0", "d2", "d3", "d1"], ["d0", "d2", "d3", "d4", "d1"]]


# Streams.


def test_a_query_that_streams_is_told_when_it_was_read(llama: Any) -> None:
    queries = Queries()

    def tokens() -> Iterator[str]:
        yield "h"
        yield "i"
        llama.decided("d", "Q.query")

    result = StreamingResponse(tokens())  # type: ignore[arg-type]
    llama.enter("Q.query", queries, ALICE, str_or_query_bundle="hello")
    llama.leave("Q.query", queries, result)
    assert len(llama.told.all) == 1
    assert list(result.response_gen) == ["h", "i"]
    assert llama.told.all[1:] == [("pipeline", "alice", ["d"], "hello", "hi")]


def test_a_query_that_is_not_read_to_its_end_is_no_pipeline(llama: Any) -> None:
    result = StreamingResponse(iter(["h", "i"]))  # type: ignore[arg-type]
    llama.enter("Q.query", Queries(), ALICE, str_or_query_bundle="a secret")
    llama.leave("Q.query", Queries(), result)
    next(result.response_gen)
    result.response_gen.close()
    llama.decided("d", "Q.query")
    assert [what[0] for what in llama.told.all] == ["turn", "unrouted"]
    assert "secret" not in repr(llama.talks._talks)


@pytest.mark.parametrize("first", ["engine", "writer"])
def test_a_chat_engines_stream_is_told_when_it_was_written(first: str, llama: Any) -> None:
    """It is written on a thread that may be done before the engine's own method is."""
    stream = StreamingAgentChatResponse()
    llama.enter("E.stream_chat", ENGINE, message="hello")
    llama.enter("S.write_response_to_history", stream, parent="E.stream_chat", memory=buffer())
    ends = [("E.stream_chat", ENGINE, stream), ("S.write_response_to_history", stream, None)]
    if first == "engine":
        llama.leave(*ends[0])
        llama.wrote("E.stream_chat", "the LLM's, which the engine's stands for")
    llama.decided("d", "E.stream_chat")
    stream.response = "hi"
    llama.leave(*ends[1])
    if first == "writer":
        llama.leave(*ends[0])
    assert llama.told.all[1:] == [("pipeline", "memory", ["d"], "hello", "hi")]


@pytest.mark.parametrize("first", ["engine", "writer"])
def test_a_chat_engines_stream_that_breaks_is_no_pipeline(first: str, llama: Any) -> None:
    stream = StreamingAgentChatResponse()
    llama.enter("E.stream_chat", ENGINE, message="hello")
    llama.enter("S.write_response_to_history", stream, parent="E.stream_chat", memory=buffer())
    llama.decided("d", "E.stream_chat")
    if first == "engine":
        llama.leave("E.stream_chat", ENGINE, stream)
    llama.drop("S.write_response_to_history", stream)
    if first == "writer":
        llama.leave("E.stream_chat", ENGINE, stream)
    assert [what[0] for what in llama.told.all] == ["turn", "unrouted"]
    assert "hello" not in repr(llama.talks._talks)


def test_a_call_that_breaks_while_a_chat_engines_stream_goes_on_is_not_its_end(llama: Any) -> None:
    stream = StreamingAgentChatResponse()
    llama.enter("E.stream_chat", ENGINE, message="hello")
    llama.enter("S.write_response_to_history", stream, parent="E.stream_chat", memory=buffer())
    llama.leave("E.stream_chat", ENGINE, stream)
    llama.talks.hear(ExceptionEvent(exception=ValueError(), span_id="E.stream_chat" + UUID))
    llama.decided("d", "E.stream_chat")
    stream.response = "hi"
    llama.leave("S.write_response_to_history", stream, None)
    assert llama.told.all[1:] == [("pipeline", "memory", ["d"], "hello", "hi")]


def test_an_llms_stream_is_told_when_it_has_ended(llama: Any) -> None:
    llama.enter("L.stream_chat", MockLLM(), ALICE, messages=[ChatMessage("hello")])
    llama.leave("L.stream_chat", MockLLM(), (token for token in "hi"))
    llama.decided("d", "L.stream_chat")
    assert [what[0] for what in llama.told.all] == ["turn"]
    llama.wrote("L.stream_chat", "hi")
    assert llama.told.all[1:] == [("pipeline", "alice", ["d"], "hello", "hi")]


def test_an_llms_stream_that_breaks_is_no_pipeline(llama: Any) -> None:
    llama.enter("L.stream_chat", MockLLM(), ALICE, messages=[ChatMessage("hello")])
    llama.leave("L.stream_chat", MockLLM(), (token for token in "hi"))
    llama.decided("d", "L.stream_chat")
    llama.talks.hear(ExceptionEvent(exception=GeneratorExit(), span_id="L.stream_chat" + UUID))
    llama.wrote("L.stream_chat", "hi")
    assert [what[0] for what in llama.told.all] == ["turn", "unrouted"]


@pytest.mark.parametrize("llm", [KALIBR, MockLLM()], ids=["routed", "plain"])
def test_a_routed_stream_that_is_left_is_a_turn_at_its_first_chunk(llm: Any, llama: Any) -> None:
    span = {"span_id": "L.stream_chat" + UUID}
    llama.enter("L.stream_chat", llm, ALICE, messages=[ChatMessage("hello")])
    llama.leave("L.stream_chat", llm, (token for token in "hi"))
    for _ in range(2):
        chunk = ChatResponse(message=ChatMessage("h", role="assistant"))
        llama.talks.hear(LLMChatInProgressEvent(messages=[], response=chunk, **span))
        assert [what[0] for what in llama.told.all] == ["turn"] * (llm is KALIBR)
    llama.talks.hear(ExceptionEvent(exception=GeneratorExit(), **span))
    assert [what[0] for what in llama.told.all] == ["turn", "unrouted"] * (llm is KALIBR)


def test_a_routed_stream_that_is_left_before_its_first_chunk_is_a_turn(llama: Any) -> None:
    llama.enter("L.stream_chat", KALIBR, ALICE, messages=[ChatMessage("hello")])
    llama.leave("L.stream_chat", KALIBR, (token for token in "hi"))
    assert llama.told.all == []
    llama.talks.broke("L.stream_chat" + UUID)
    assert [what[0] for what in llama.told.all] == ["turn", "unrouted"]


def test_a_run_that_ends_when_more_was_said_takes_no_answers_place(llama: Any) -> None:
    llama.enter("E.chat", ENGINE, message="hello")
    other = "F.chat"
    llama.enter(other, ENGINE, message="and now?")
    llama.drop("E.chat", ENGINE)
    assert [what[0] for what in llama.told.all] == ["turn", "turn"]
    llama.drop(other, ENGINE)
    assert [what[0] for what in llama.told.all] == ["turn", "turn", "unrouted"]


def test_what_is_said_while_a_stream_is_open_is_not_about_the_answer_before_it(llama: Any) -> None:
    for name, said in (("L.stream_chat", "hello"), ("M.stream_chat", "and now?")):
        llama.enter(name, KALIBR, ALICE, messages=[ChatMessage(said)])
        llama.leave(name, KALIBR, (token for token in "hi"))
        llama.talks.writes(name + UUID)
    assert [what[0] for what in llama.told.all] == ["turn", "unrouted", "turn"]
    llama.talks.broke("L.stream_chat" + UUID)
    llama.talks.broke("M.stream_chat" + UUID)
    assert [what[0] for what in llama.told.all] == ["turn", "unrouted", "turn", "unrouted"]


# Whose runs they are.


def test_a_run_below_another_is_a_part_of_it(llama: Any) -> None:
    llama.enter("E.chat", ENGINE, message="hello")
    llama.enter("Q.query", Queries(), ALICE, parent="E.chat", str_or_query_bundle="condensed")
    llama.enter("A.run", FunctionAgent(llm=MockLLM()), ALICE, parent="Q.query", user_msg="x")
    llama.decided("d", "A.run")
    llama.leave("E.chat", ENGINE, Response("hi"))
    assert [what[:3] for what in llama.told.all] == [
        ("turn", "memory", "hello"),
        ("pipeline", "memory", ["d"]),
    ]


def test_a_chat_engine_below_what_nobody_speaks_to_is_a_run_of_its_own(llama: Any) -> None:
    llama.enter("batch", None, request=object())
    for n in range(2):
        llama.enter(f"E{n}.chat", ENGINE, parent="batch", message=f"hello {n}")
        llama.decided(f"d{n}", f"E{n}.chat")
        llama.leave(f"E{n}.chat", ENGINE, Response("hi"))
    llama.leave("batch", None, None)
    assert [what[2] for what in llama.told.all] == ["hello 0", ["d0"], "hello 1", ["d1"]]


def test_what_an_engine_is_asked_below_such_a_root_nobody_has_said(llama: Any) -> None:
    llama.enter("batch", None, ALICE, request=object())
    llama.enter("Q.query", Queries(), ALICE, parent="batch", str_or_query_bundle="made up")
    llama.enter("L.chat", MockLLM(), ALICE, parent="batch", messages=[ChatMessage("made up")])
    event = StartEvent(query="made up")  # type: ignore[call-arg]
    llama.enter("Flow.run", Flow(), ALICE, parent="batch", init_state=object(), start_event=event)
    llama.decided("d", "L.chat")
    assert llama.told.all == []


@pytest.mark.parametrize("instance", [None, MockLLM(), object()])
def test_what_may_be_a_persons_words_is_taken_for_such_at_the_first_routed_call(
    instance: Any, llama: Any
) -> None:
    llama.enter("answer", instance, ALICE, message="hello")
    assert llama.told.all == []
    llama.decided("d", "answer")
    llama.leave("answer", instance, {"answer": "hi"})
    assert llama.told.all == [
        ("turn", "alice", "hello", None),
        ("pipeline", "alice", ["d"], "hello", "hi"),
    ]


@pytest.mark.parametrize("part", [Retriever(), SimilarityPostprocessor()])
def test_what_works_for_an_answer_is_asked_by_nobody(part: Any, llama: Any) -> None:
    llama.enter("P.retrieve", part, ALICE, query="hello")
    llama.decided("d", "P.retrieve")
    llama.leave("P.retrieve", part, [])
    assert llama.told.all == []


def test_a_conversation_that_goes_on_by_itself_is_no_turn(llama: Any) -> None:
    """A loop of the user's own over tool calls: the last message is a tool's."""
    messages = [ChatMessage("hello"), ChatMessage("42", role="tool")]
    llama.enter("L.chat", MockLLM(), ALICE, messages=messages)
    llama.decided("d", "L.chat")
    llama.leave("L.chat", MockLLM(), "hi")
    assert llama.told.all == [("pipeline", "alice", ["d"], "", "hi")]


def test_a_resumed_workflow_is_no_turn(llama: Any) -> None:
    flow = Flow()
    llama.enter("Flow.run", flow, ALICE, init_state=object(), start_event=None)
    llama.decided("d", "Flow.run")
    llama.leave("Flow.run", flow, StopEvent(result="hi"))
    assert llama.told.all == [("pipeline", "alice", ["d"], "", "hi")]


def test_a_workflow_that_the_user_has_cancelled_is_no_pipeline(llama: Any) -> None:
    flow, event = Flow(), StartEvent(query="hello")  # type: ignore[call-arg]
    llama.enter("Flow.run", flow, ALICE, init_state=object(), start_event=event)
    llama.decided("d", "Flow.run")
    llama.leave("Flow.run", flow, None)
    assert [what[0] for what in llama.told.all] == ["turn", "unrouted"]


def test_the_methods_of_an_engine_that_answer_nobody_are_none() -> None:
    for method in ("reset", "_run_c3", "write"):
        assert beginning(f"E.{method}{UUID}", {"message": "x"}, ENGINE, is_root=True) is None
    assert beginning(f"Q._query{UUID}", {"query": "x"}, Queries(), is_root=True) is None
    assert beginning(f"F.step{UUID}", {"ev": "x"}, Flow(), is_root=True) is None


# Bounds.


def test_a_run_without_a_conversation_is_told_of_once(
    llama: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "kalibr"):
        for n in range(3):
            llama.enter(f"Q{n}.query", Queries(), str_or_query_bundle="a secret")
            llama.decided(f"d{n}", f"Q{n}.query")
            llama.leave(f"Q{n}.query", Queries(), Response("hi"))
    (line,) = caplog.messages
    names = ("session_id=", "thread_id", "conversation_id")
    assert all(name in line for name in names)
    assert "secret" not in line
    assert llama.told.all == []


def test_a_tagged_run_that_nobody_has_spoken_to_is_not_told_of(
    llama: Any, caplog: pytest.LogCaptureFixture
) -> None:
    llama.enter("L.predict", MockLLM(), ALICE, number=3)
    llama.decided("d", "L.predict")
    assert caplog.messages == llama.told.all == []


def test_memory_is_bounded(llama: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_TALKS", 10)
    monkeypatch.setattr(module, "MOST_SPANS", 20)
    for n in range(100):
        llama.enter(f"E{n}.chat", ENGINE, {"session_id": n}, message="hello")
        llama.enter(f"L{n}.chat", MockLLM(), parent=f"E{n}.chat")
    talks = llama.talks
    assert [len(held) for held in (talks._talks, talks._newest, talks._of)] == [10, 10, 20]
    llama.decided("d", "E0.chat")  # of a run that was let go
    llama.leave("E0.chat", ENGINE, Response("hi"))
    assert all(what[0] == "turn" for what in llama.told.all)


def test_only_the_two_ends_of_a_long_text_are_held(
    llama: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ends, "MOST_CHARACTERS", 10)
    llama.enter("E.chat", ENGINE, message="begin" + "x" * 99 + "finis")
    llama.decided("d", "E.chat")
    llama.leave("E.chat", ENGINE, Response("y" * 99))
    assert llama.told.all[0][2] == "begin finis"
    assert llama.told.all[1][3:] == ("begin finis", "yyyyy yyyyy")


def test_a_stream_that_nobody_begins_to_read_is_let_go_after_an_hour(llama: Any) -> None:
    llama.enter("L.stream_chat", MockLLM(), ALICE, messages=[ChatMessage("a secret")])
    llama.leave("L.stream_chat", MockLLM(), (token for token in "hi"))
    llama.clock.advance(module.MOST_AGE_S + 1)
    llama.enter("E.chat", ENGINE, message="hello")
    assert len(llama.talks._talks) == 1
    assert "secret" not in repr(llama.talks._talks)


@pytest.mark.parametrize("end", ["answered", "without a call", "failed"])
def test_no_text_is_kept_beyond_the_run(end: str, llama: Any) -> None:
    llama.enter("E.chat", ENGINE, message="a secret")
    assert "secret" in repr(llama.talks._talks)
    if end != "without a call":
        llama.decided("d", "E.chat")
    if end == "failed":
        llama.drop("E.chat", ENGINE)
    else:
        llama.leave("E.chat", ENGINE, Response("a secret"))
    assert "secret" not in repr([vars_of(llama.talks), vars(llama.runs)])


def vars_of(talks: Talks) -> list[Any]:
    return [held for name, held in vars(talks).items() if name not in ("_behaviour", "careful")]
