"""Which query, chat or agent run a routed call was made for; ids alone are kept."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from llama_index.core.base.response.schema import AsyncStreamingResponse, StreamingResponse
from llama_index_instrumentation import get_dispatcher
from llama_index_instrumentation.dispatcher import instrument_tags
from llama_index_instrumentation.span import active_span_id

from kalibr_bench.provider import Fault, LoopbackProvider
from kalibr_core.testing import FakeClock
from kalibr_llama_index import KalibrEventHandler, KalibrLLM
from kalibr_llama_index import runs as module
from kalibr_llama_index.events import DecisionEvent

from .ways import WAYS, ask, record

dispatcher = get_dispatcher(__name__)
UUID = "-12345678-1234-5678-1234-567812345678"


@pytest.fixture
def handler() -> Iterator[KalibrEventHandler]:
    found = KalibrEventHandler().attach()
    yield found
    found.detach()


@pytest.fixture
def llm(shared_server: LoopbackProvider) -> Iterator[KalibrLLM]:
    made = KalibrLLM(goal="g", paths=["gpt-4o"], base_url=shared_server.base_url, ledger="memory")
    yield made
    made.close()


class Engine:
    """Stands for a query engine: its methods are spans."""

    def __init__(self, llm: Any = None) -> None:
        self.llm = llm

    @dispatcher.span
    def query(self, *texts: str) -> Any:
        return [self.step(text) for text in texts]

    @dispatcher.span
    def step(self, text: str) -> Any:
        return self.llm.complete(text)

    @dispatcher.span
    async def aquery(self, *texts: str) -> Any:
        return await asyncio.gather(*(self.llm.acomplete(text) for text in texts))

    @dispatcher.span
    def fails(self, text: str) -> None:
        self.llm.complete(text)
        raise LookupError("secret text")

    @dispatcher.span
    def streams(self, text: str) -> Any:
        def tokens() -> Iterator[str]:
            for chunk in self.llm.stream_complete(text):
                yield chunk.delta

        return StreamingResponse(response_gen=tokens())

    @dispatcher.span
    async def astreams(self, text: str) -> Any:
        async def tokens() -> Any:
            async for chunk in await self.llm.astream_complete(text):
                yield chunk.delta

        return AsyncStreamingResponse(response_gen=tokens())


def ids(*answers: Any) -> tuple[str, ...]:
    return tuple(record(answer)["decision_id"] for answer in answers)


def test_all_calls_below_a_root_span_are_its_own(handler: Any, llm: KalibrLLM) -> None:
    answers = Engine(llm).query("secret a", "secret b")
    (run,) = handler.runs()
    assert run.name == "Engine.query"
    assert run.decision_ids == ids(*answers)
    assert run.duration_s >= 0
    assert (run.error, run.session_id) == (None, None)
    assert handler.run_of(run.decision_ids[1]) == run
    assert "secret" not in repr(run)


def test_calls_in_tasks_are_their_roots_own(handler: Any, llm: KalibrLLM) -> None:
    async def both() -> Any:
        return await asyncio.gather(Engine(llm).aquery("a", "b"), Engine(llm).aquery("c"))

    first, second = asyncio.run(both())
    for answers in (first, second):
        run = handler.run_of(ids(answers[0])[0])
        assert set(run.decision_ids) == set(ids(*answers))


def test_threads_do_not_mix(handler: Any, llm: KalibrLLM) -> None:
    found: list[Any] = []
    threads = [
        threading.Thread(target=lambda: found.append(Engine(llm).query("a", "b"))) for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(handler.runs()) == 6
    assert {run.decision_ids for run in handler.runs()} == {ids(*answers) for answers in found}


@pytest.mark.parametrize("way", WAYS)
def test_a_call_of_its_own_is_a_root(way: str, handler: Any, llm: KalibrLLM) -> None:
    (decision_id,) = ids(ask(llm, way))
    run = handler.run_of(decision_id)
    assert run.name == f"KalibrLLM.{way}"
    assert run.decision_ids == (decision_id,)


def test_an_error_is_told_by_its_class_alone(handler: Any, llm: KalibrLLM) -> None:
    with pytest.raises(LookupError):
        Engine(llm).fails("x")
    (run,) = handler.runs()
    assert run.error == "LookupError"
    assert len(run.decision_ids) == 1
    assert "secret" not in repr(run)


def test_a_call_that_fails_is_its_roots_too(handler: Any, server: LoopbackProvider) -> None:
    server.fault("gpt-4o", Fault(kind="server_error", times=None))
    options: Any = {"base_url": server.base_url, "ledger": "memory", "max_attempts": 1}
    llm = KalibrLLM(goal="g", paths=["gpt-4o"], **options)
    with pytest.raises(Exception) as caught:
        Engine(llm).query("x")
    decision: Any = caught.value.kalibr  # type: ignore[attr-defined]
    assert handler.run_of(decision.id).error == "AllPathsFailed"


def test_a_stream_that_is_read_late_is_its_roots(handler: Any, llm: KalibrLLM) -> None:
    answer = Engine(llm).streams("a")
    assert handler.runs() == ()
    assert "".join(answer.response_gen)
    (run,) = handler.runs()
    assert run.name == "Engine.streams"
    assert active_span_id.get() is None


async def test_an_async_stream_too(handler: Any, llm: KalibrLLM) -> None:
    answer = await Engine(llm).astreams("a")
    assert "".join([token async for token in answer.response_gen])
    (run,) = handler.runs()
    assert run.name == "Engine.astreams"
    assert active_span_id.get() is None


def test_reading_a_late_stream_leaves_the_readers_own_span(handler: Any, llm: KalibrLLM) -> None:
    answer = Engine(llm).streams("a")
    token = active_span_id.set("mine")
    try:
        for _ in answer.response_gen:
            assert active_span_id.get() == "mine"
    finally:
        active_span_id.reset(token)


def test_a_late_stream_that_is_left_closes_its_call(handler: Any, llm: KalibrLLM) -> None:
    answer = Engine(llm).streams("a")
    next(answer.response_gen)
    answer.response_gen.close()
    assert active_span_id.get() is None


def test_an_error_in_a_late_stream_is_raised(handler: Any) -> None:
    class Broken:
        def stream_complete(self, text: str) -> Any:
            raise LookupError(text)

    with pytest.raises(LookupError):
        list(Engine(Broken()).streams("a").response_gen)
    assert active_span_id.get() is None


def test_the_conversation_is_told_by_the_roots_tags(handler: Any, llm: KalibrLLM) -> None:
    with instrument_tags({"session_id": "alice"}):
        Engine(llm).query("a")
    Engine(llm).query("b")
    assert [run.session_id for run in handler.runs()] == ["alice", None]


def test_a_span_that_comes_without_tags_has_the_active_ones() -> None:
    """A workflow's does."""
    runs = module.Runs(FakeClock().monotonic)
    with instrument_tags({"session_id": "alice"}):
        runs.enter("root" + UUID, None, None)
        runs.enter("other" + UUID, None, {})
    runs.decided("d", "root" + UUID)
    runs.decided("e", "other" + UUID)
    assert [run.session_id for run in runs.all()] == ["alice", None]


def test_times_are_the_clocks() -> None:
    clock = FakeClock()
    runs = module.Runs(clock.monotonic)
    runs.enter("root" + UUID, None, None)
    runs.enter("inner" + UUID, "root" + UUID, None)
    runs.decided("d", "inner" + UUID)
    assert runs.all()[0].duration_s is None
    clock.advance(2.0)
    runs.leave("inner" + UUID)
    assert runs.all()[0].duration_s is None
    clock.advance(1.0)
    runs.leave("root" + UUID)
    (run,) = runs.all()
    assert (run.name, run.duration_s) == ("root", 3.0)


@pytest.mark.parametrize("span_id", [None, "unknown", "odd-id"])
def test_a_decision_of_an_unknown_span_is_kept_by_itself(span_id: str | None) -> None:
    runs = module.Runs(FakeClock().monotonic)
    runs.decided("d", span_id)
    found = runs.of("d")
    assert found is not None
    assert found.decision_ids == ("d",)
    assert found.name
    assert runs.of("other") is None


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_RUNS", 10)
    monkeypatch.setattr(module, "MOST_SPANS", 20)
    runs = module.Runs(FakeClock().monotonic)
    for n in range(100):
        runs.enter(f"root{n}", None, {"session_id": "x"})
        for inner in range(3):
            runs.enter(f"inner{n}.{inner}", f"root{n}", None)
        runs.decided(f"d{n}", f"inner{n}.0")
        runs.leave(f"root{n}")
    assert len(runs.all()) == 10
    assert [len(held) for held in (runs._runs, runs._roots, runs._of)] == [10, 20, 10]
    assert runs.of("d99") is not None
    assert runs.of("d0") is None


def test_roots_without_routed_calls_do_not_push_out_those_with(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Embeddings and retrievals are roots as well, and far more of them."""
    monkeypatch.setattr(module, "MOST_RUNS", 10)
    runs = module.Runs(FakeClock().monotonic)
    runs.enter("query", None, None)
    runs.decided("d", "query")
    runs.leave("query")
    for n in range(100):
        runs.enter(f"embedding{n}", None, None)
        runs.leave(f"embedding{n}")
    assert [run.decision_ids for run in runs.all()] == [("d",)]


def test_detached_it_hears_no_more(llm: KalibrLLM) -> None:
    root = get_dispatcher()
    before = (list(root.event_handlers), list(root.span_handlers))
    handler = KalibrEventHandler().attach().attach()
    Engine(llm).query("a")
    handler.detach()
    handler.detach()
    Engine(llm).query("a")
    assert [len(run.decision_ids) for run in handler.runs()] == [1]
    assert (root.event_handlers, root.span_handlers) == before


def test_two_handlers_hear_alike(handler: Any, llm: KalibrLLM) -> None:
    other = KalibrEventHandler().attach()
    try:
        Engine(llm).query("a")
    finally:
        other.detach()
    assert other.runs()[0].decision_ids == handler.runs()[0].decision_ids


def test_other_events_are_of_no_account() -> None:
    handler = KalibrEventHandler()
    handler.handle(object())  # type: ignore[arg-type]
    event = DecisionEvent(
        decision_id="d", goal="g", path="p", attempts=1, verified=True, cost_usd=None
    )
    handler.handle(event)
    assert [run.decision_ids for run in handler.runs()] == [("d",)]
    assert str(handler) == "KalibrEventHandler: 1 runs, failures {}"


def test_no_text_is_kept(handler: Any, llm: KalibrLLM) -> None:
    Engine(llm).query("a secret question")
    held = handler._runs
    text = repr([vars(held), [vars_of(run) for run in held._runs.values()], vars(handler._spans)])
    assert "secret" not in text


def vars_of(run: Any) -> dict[str, Any]:
    return {name: getattr(run, name) for name in run.__slots__}
