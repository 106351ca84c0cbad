"""LlamaIndex's query and chat engines on a KalibrLLM whose first path is degraded."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest
from llama_index.core import Document, Settings, SummaryIndex, VectorStoreIndex
from llama_index.core.base.response.schema import AsyncStreamingResponse, StreamingResponse
from llama_index.core.chat_engine import CondensePlusContextChatEngine
from llama_index.core.embeddings import MockEmbedding
from llama_index.core.query_engine import SubQuestionQueryEngine
from llama_index.core.question_gen import LLMQuestionGenerator
from llama_index.core.response_synthesizers import ResponseMode, get_response_synthesizer
from llama_index.core.schema import QueryBundle
from llama_index.core.tools import QueryEngineTool
from pydantic import BaseModel

from kalibr_bench.provider import Answer, Fault, LoopbackProvider
from kalibr_core.errors import AllPathsFailed
from kalibr_llama_index import KalibrEventHandler, KalibrLLM, report

from .ways import first_arm

FIRST, SECOND = "gpt-4o", "gpt-4o-mini"
KEY = "sk-of-the-test-123456"
QUESTION = "What is the capital of France?"
FACTS = (
    "Paris is the capital of France.",
    "Rome is the capital of Italy.",
    "Oslo is the capital of Norway.",
)
CALLS = {
    ResponseMode.REFINE: 3,
    ResponseMode.COMPACT: 1,
    ResponseMode.SIMPLE_SUMMARIZE: 1,
    ResponseMode.TREE_SUMMARIZE: 1,
    ResponseMode.GENERATION: 1,
    ResponseMode.NO_TEXT: 0,
    ResponseMode.CONTEXT_ONLY: 0,
    ResponseMode.ACCUMULATE: 3,
    ResponseMode.COMPACT_ACCUMULATE: 1,
}
"""How often a response mode asks the LLM about three nodes."""
WHOLE_ONLY = (ResponseMode.ACCUMULATE, ResponseMode.COMPACT_ACCUMULATE)
"""Modes that LlamaIndex does not stream."""
STREAMED = [mode for mode in CALLS if mode not in WHOLE_ONLY]
MARKS = {
    "server_error": ("server_error", None),
    "refusal": ("bad_output", "refusal"),
    "empty_content": ("bad_output", "empty"),
}


@pytest.fixture(autouse=True)
def settings() -> Iterator[None]:
    """LlamaIndex's defaults are of the whole process: each test leaves them as they were."""
    held = dict(vars(Settings))
    Settings.embed_model = MockEmbedding(embed_dim=8)
    yield
    vars(Settings).clear()
    vars(Settings).update(held)


@pytest.fixture
def llm(server: LoopbackProvider) -> KalibrLLM:
    """The model of all that LlamaIndex makes in a test."""
    made = first_arm(FIRST, SECOND, base_url=server.base_url, api_key=KEY)
    Settings.llm = made
    return made


@pytest.fixture
def listening() -> Iterator[KalibrEventHandler]:
    handler = KalibrEventHandler().attach()
    yield handler
    handler.detach()


@pytest.fixture
def index() -> VectorStoreIndex:
    return VectorStoreIndex.from_documents([Document(text=fact) for fact in FACTS])


def attempts(llm: KalibrLLM) -> list[tuple[str | None, Any, Any]]:
    """Each attempt of the model: its path, its failure, and gate 1's reason."""
    found = [e for _, e in llm.core._learner.ledger.entries() if e.kind == "attempt"]
    kinds = [entry.data.get("failure") for entry in found]
    return [
        (entry.path_id, kind, entry.data.get("reason") if kind == "bad_output" else None)
        for entry, kind in zip(found, kinds, strict=True)
    ]


def answered(response: Any) -> str:
    """All of an answer, however it comes."""
    if isinstance(response, StreamingResponse):
        return "".join(response.response_gen)
    return str(response)


async def aanswered(response: Any) -> str:
    if isinstance(response, AsyncStreamingResponse):
        return "".join([token async for token in response.async_response_gen()])
    return str(response)


HEALED = [(FIRST, "server_error", None), (SECOND, None, None)]


# Query engines.


@pytest.mark.parametrize("way", ["query", "aquery"])
@pytest.mark.parametrize("mode", list(ResponseMode), ids=lambda mode: mode.value)
def test_every_response_mode_answers_over_a_broken_path(
    mode: ResponseMode, way: str, llm: KalibrLLM, index: VectorStoreIndex, server: LoopbackProvider
) -> None:
    server.fault(FIRST, Fault(kind="server_error"))
    engine = index.as_query_engine(response_mode=mode, similarity_top_k=3)
    response: Any = (
        engine.query(QUESTION) if way == "query" else asyncio.run(engine.aquery(QUESTION))
    )
    assert sorted(attempts(llm)) == sorted(HEALED * CALLS[mode])
    assert server.stats()[SECOND].requests == CALLS[mode]
    assert bool(response.response) is (mode != ResponseMode.NO_TEXT)
    assert len(response.source_nodes) == 3


@pytest.mark.parametrize("way", ["query", "aquery"])
@pytest.mark.parametrize("mode", STREAMED, ids=lambda mode: mode.value)
def test_every_response_mode_that_streams_does_so_over_a_broken_path(
    mode: ResponseMode, way: str, llm: KalibrLLM, index: VectorStoreIndex, server: LoopbackProvider
) -> None:
    server.fault(FIRST, Fault(kind="server_error"))
    engine = index.as_query_engine(response_mode=mode, similarity_top_k=3, streaming=True)

    async def told() -> str:
        return await aanswered(await engine.aquery(QUESTION))

    text = asyncio.run(told()) if way == "aquery" else answered(engine.query(QUESTION))
    assert sorted(attempts(llm)) == sorted(HEALED * CALLS[mode])
    assert len(text) > 20 or mode == ResponseMode.NO_TEXT


@pytest.mark.parametrize("way", ["query", "aquery"])
@pytest.mark.parametrize("kind", MARKS)
def test_an_answer_that_fails_gate_1_never_reaches_the_user_of_a_query_engine(
    kind: str, way: str, llm: KalibrLLM, index: VectorStoreIndex, server: LoopbackProvider
) -> None:
    """The path is charged with what was wrong, and the answer is the other path's."""
    server.fault(FIRST, Fault(kind=kind))
    server.script(SECOND, ["The capital is Paris."])
    engine = index.as_query_engine()
    response = engine.query(QUESTION) if way == "query" else asyncio.run(engine.aquery(QUESTION))
    assert str(response) == "The capital is Paris."
    assert attempts(llm) == [(FIRST, *MARKS[kind]), (SECOND, None, None)]


@pytest.mark.parametrize("kind", MARKS)
def test_a_held_stream_of_a_query_engine_is_healed_like_any_other_call(
    kind: str, index: VectorStoreIndex, server: LoopbackProvider
) -> None:
    held = first_arm(FIRST, SECOND, base_url=server.base_url, api_key=KEY, stream_mode="hold")
    server.fault(FIRST, Fault(kind=kind))
    server.script(SECOND, ["The capital is Paris."])
    engine = index.as_query_engine(llm=held, streaming=True)
    assert answered(engine.query(QUESTION)) == "The capital is Paris."
    assert attempts(held) == [(FIRST, *MARKS[kind]), (SECOND, None, None)]


def test_a_query_engines_stream_comes_token_by_token(
    llm: KalibrLLM, index: VectorStoreIndex, server: LoopbackProvider
) -> None:
    server.fault(FIRST, Fault(kind="server_error"))
    response: Any = index.as_query_engine(streaming=True).query(QUESTION)
    assert len(list(response.response_gen)) > 10


def test_the_context_reaches_both_paths_alike(
    llm: KalibrLLM, index: VectorStoreIndex, server: LoopbackProvider
) -> None:
    server.script(FIRST, [Answer(text="")])
    index.as_query_engine(similarity_top_k=3).query(QUESTION)
    first, second = (request.body for request in server.requests())
    assert first
    assert second
    assert first["messages"] == second["messages"]
    assert all(fact in json.dumps(first["messages"]) for fact in FACTS)


@pytest.mark.parametrize("way", ["query", "aquery"])
def test_where_all_paths_fail_the_query_raises_and_tells_every_attempt(
    way: str, llm: KalibrLLM, index: VectorStoreIndex, server: LoopbackProvider
) -> None:
    server.fault(None, Fault(kind="server_error"))
    engine = index.as_query_engine()
    with pytest.raises(AllPathsFailed) as caught:
        engine.query(QUESTION) if way == "query" else asyncio.run(engine.aquery(QUESTION))
    told = caught.value.kalibr
    assert told is not None
    assert {outcome.path_id for outcome in told.outcomes} == {FIRST, SECOND}


@pytest.mark.parametrize(
    ("mode", "streaming"),
    [
        (ResponseMode.REFINE, False),
        (ResponseMode.REFINE, True),
        (ResponseMode.ACCUMULATE, False),
    ],
)
def test_a_querys_run_knows_its_decisions(
    mode: ResponseMode,
    streaming: bool,
    llm: KalibrLLM,
    index: VectorStoreIndex,
    server: LoopbackProvider,
    listening: KalibrEventHandler,
) -> None:
    server.fault(FIRST, Fault(kind="server_error"))
    engine = index.as_query_engine(response_mode=mode, similarity_top_k=3, streaming=streaming)
    answered(engine.query(QUESTION))
    (run,) = listening.runs()
    assert run.name == "RetrieverQueryEngine.query"
    assert len(run.decision_ids) == 3
    assert report(run.decision_ids[-1], success=False, reason="wrong city")


class City(BaseModel):
    """A city and its country."""

    name: str
    country: str


GOOD = '{"name": "Paris", "country": "France"}'


@pytest.mark.parametrize("way", ["query", "aquery"])
@pytest.mark.parametrize("mode", [ResponseMode.COMPACT, ResponseMode.TREE_SUMMARIZE])
def test_a_structured_response_that_does_not_fit_is_healed(
    mode: ResponseMode, way: str, llm: KalibrLLM, index: VectorStoreIndex, server: LoopbackProvider
) -> None:
    server.script(FIRST, ['{"name": "Paris"}'])
    server.script(SECOND, [GOOD])
    engine = index.as_query_engine(
        response_mode=mode, llm=llm.as_structured_llm(City), similarity_top_k=1
    )
    response: Any = (
        engine.query(QUESTION) if way == "query" else asyncio.run(engine.aquery(QUESTION))
    )
    assert response.response == City(name="Paris", country="France")
    (first, kind, _), second = attempts(llm)
    assert (first, kind, second) == (FIRST, "bad_output", (SECOND, None, None))


def test_a_synthesizer_with_an_output_class_is_healed(
    llm: KalibrLLM, server: LoopbackProvider
) -> None:
    server.script(FIRST, ["I cannot put it into JSON."])
    server.script(SECOND, [GOOD])
    synthesizer = get_response_synthesizer(output_cls=City, response_mode=ResponseMode.COMPACT)
    index = SummaryIndex.from_documents([Document(text=FACTS[0])])
    engine = index.as_query_engine(response_synthesizer=synthesizer)
    response: Any = engine.query(QUESTION)
    assert response.response == City(name="Paris", country="France")


# Chat engines.

CHATS = ("chat", "achat", "stream_chat", "astream_chat")


def say(engine: Any, way: str, text: str) -> str:
    async def asaid() -> str:
        response = await getattr(engine, way)(text)
        if "stream" in way:
            return "".join([token async for token in response.async_response_gen()])
        return str(response)

    if way.startswith("a"):
        return asyncio.run(asaid())
    response = getattr(engine, way)(text)
    return "".join(response.response_gen) if "stream" in way else str(response)


@pytest.mark.parametrize("way", CHATS)
def test_a_chat_engine_condenses_and_answers_over_a_broken_path(
    way: str, llm: KalibrLLM, index: VectorStoreIndex, server: LoopbackProvider
) -> None:
    """The second turn makes two calls, of which both are healed; what was said is remembered."""
    server.fault(FIRST, Fault(kind="server_error"))
    server.script(SECOND, ["It is Paris.", "What is the capital of Italy?", "The capital is Rome."])
    engine = CondensePlusContextChatEngine.from_defaults(retriever=index.as_retriever())
    assert say(engine, way, QUESTION) == "It is Paris."
    assert say(engine, way, "And of Italy?") == "The capital is Rome."
    assert attempts(llm) == HEALED * 3
    assert [m.content for m in engine.chat_history] == [
        QUESTION,
        "It is Paris.",
        "And of Italy?",
        "The capital is Rome.",
    ]


@pytest.mark.parametrize("way", CHATS)
def test_a_chat_engines_refused_turn_is_healed_and_charged(
    way: str, index: VectorStoreIndex, server: LoopbackProvider
) -> None:
    held = first_arm(FIRST, SECOND, base_url=server.base_url, api_key=KEY, stream_mode="hold")
    server.script(FIRST, [Answer(text="I'm sorry, but I can't assist with that request.")])
    server.script(SECOND, ["It is Paris."])
    engine = CondensePlusContextChatEngine.from_defaults(llm=held, retriever=index.as_retriever())
    assert say(engine, way, QUESTION) == "It is Paris."
    assert attempts(held) == [(FIRST, "bad_output", "refusal"), (SECOND, None, None)]
    assert [m.content for m in engine.chat_history] == [QUESTION, "It is Paris."]


@pytest.mark.parametrize("mode", ["condense_question", "context", "simple", "best"])
def test_every_chat_mode_of_an_index_is_healed(
    mode: Any, llm: KalibrLLM, index: VectorStoreIndex, server: LoopbackProvider
) -> None:
    server.fault(FIRST, Fault(kind="server_error"))
    assert len(str(index.as_chat_engine(chat_mode=mode).chat(QUESTION))) > 20
    assert set(attempts(llm)) == set(HEALED)


# Engines over engines.

PLAN = json.dumps(
    {
        "items": [
            {"sub_question": "What is the capital of France?", "tool_name": "france"},
            {"sub_question": "What is the capital of Italy?", "tool_name": "italy"},
        ]
    }
)


def parts(llm: KalibrLLM) -> list[QueryEngineTool]:
    return [
        QueryEngineTool.from_defaults(
            query_engine=SummaryIndex.from_documents([Document(text=fact)]).as_query_engine(
                llm=llm
            ),
            name=name,
            description=f"Knows {name}.",
        )
        for name, fact in zip(("france", "italy"), FACTS, strict=False)
    ]


def planner(llm: KalibrLLM, *, use_async: bool) -> SubQuestionQueryEngine:
    return SubQuestionQueryEngine.from_defaults(
        query_engine_tools=parts(llm),
        llm=llm,
        question_gen=LLMQuestionGenerator.from_defaults(llm=llm),
        use_async=use_async,
        verbose=False,
    )


@pytest.mark.parametrize("way", ["query", "aquery"])
@pytest.mark.parametrize("use_async", [False, True], ids=["one by one", "at once"])
def test_questions_about_parts_are_each_healed(
    use_async: bool, way: str, llm: KalibrLLM, server: LoopbackProvider
) -> None:
    """One plan, two parts and one answer: four calls, from one thread or from several loops."""
    server.fault(FIRST, Fault(kind="server_error"))
    server.script(SECOND, [PLAN])
    engine = planner(llm, use_async=use_async)
    response = engine.query(QUESTION) if way == "query" else asyncio.run(engine.aquery(QUESTION))
    assert len(str(response)) > 20
    assert len(response.source_nodes) == 4, "two answers, and what they are from"
    assert sorted(attempts(llm)) == sorted(HEALED * 4)


def test_a_plan_that_the_users_check_refuses_is_healed(
    llm: KalibrLLM, server: LoopbackProvider
) -> None:
    """LlamaIndex asks for its plan as text, so only the user can tell what makes one good."""
    told = first_arm(
        FIRST,
        SECOND,
        base_url=server.base_url,
        api_key=KEY,
        success_when=lambda text: "sub_question" in text,
    )
    server.script(FIRST, ["First France, then Italy."])
    server.script(SECOND, [PLAN])
    generator = LLMQuestionGenerator.from_defaults(llm=told)
    tools = [tool.metadata for tool in parts(llm)]
    questions = generator.generate(tools, QueryBundle(QUESTION))
    assert [question.tool_name for question in questions] == ["france", "italy"]


# The default model.


def test_the_default_model_of_llama_index_may_be_a_routed_one(
    llm: KalibrLLM, index: VectorStoreIndex, server: LoopbackProvider
) -> None:
    assert Settings.llm is llm
    server.fault(FIRST, Fault(kind="server_error"))
    assert len(str(index.as_query_engine().query(QUESTION))) > 20
    assert attempts(llm) == HEALED


def test_a_callback_manager_of_the_settings_is_the_models(server: LoopbackProvider) -> None:
    from llama_index.core.callbacks import CallbackManager, CBEventType, LlamaDebugHandler

    debug = LlamaDebugHandler(print_trace_on_end=False)
    Settings.callback_manager = CallbackManager([debug])
    Settings.llm = first_arm(FIRST, SECOND, base_url=server.base_url, api_key=KEY)
    server.fault(FIRST, Fault(kind="server_error"))
    Settings.llm.complete(QUESTION)
    assert len(debug.get_event_pairs(CBEventType.LLM)) == 1


def test_the_window_is_the_smallest_paths_so_that_every_path_can_take_the_prompt(
    server: LoopbackProvider,
) -> None:
    narrow = {"model": SECOND, "context_window": 4_000}
    llm = first_arm(FIRST, narrow, base_url=server.base_url, api_key=KEY)
    long = "Paris is a city. " * 1_500
    index = SummaryIndex.from_documents([Document(text=long)])
    server.fault(FIRST, Fault(kind="server_error"))
    index.as_query_engine(llm=llm).query(QUESTION)
    told: list[Any] = [
        entry.data for _, entry in llm.core._learner.ledger.entries() if entry.path_id == SECOND
    ]
    assert len(told) > 1, "packed into several calls"
    assert all(int(data["input_tokens"]) < 4_000 for data in told)
