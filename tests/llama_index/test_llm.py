"""KalibrLLM as its users call it: streams, loops, threads, conversations, limits."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import openai
import pytest
from llama_index.core.base.llms.types import ChatResponse, CompletionResponse
from llama_index.core.llms import ChatMessage, CustomLLM, LLMMetadata, MockLLM
from llama_index.llms.openai import OpenAI
from llama_index_instrumentation.dispatcher import instrument_tags

from kalibr_bench.provider import Fault, LoopbackProvider
from kalibr_core import AllPathsFailed, Router
from kalibr_core.features import hash_of
from kalibr_core.testing import FirstArm
from kalibr_llama_index import KalibrLLM

from .ways import QUESTION, STREAMS, WAYS, aask, ask, asked, failures, first_arm, record, text_of

FIRST, SECOND = "gpt-4o", "gpt-4o-mini"
KEY = "sk-secret-12345678"
every_way = pytest.mark.parametrize("way", WAYS)
every_stream = pytest.mark.parametrize("way", STREAMS)


def make(server: LoopbackProvider, *paths: Any, **options: Any) -> KalibrLLM:
    return first_arm(
        *(paths or (FIRST, SECOND)), **{"base_url": server.base_url, "api_key": KEY, **options}
    )


def openai_llm(server: LoopbackProvider, model: str = FIRST, **options: Any) -> OpenAI:
    return OpenAI(**{"model": model, "api_base": server.base_url, "api_key": KEY, **options})


def entries(llm: KalibrLLM) -> list[Any]:
    return [entry for _, entry in llm.core._learner.ledger.entries()]


class Slow(CustomLLM):
    """An LLM that makes its last token only when its first has been read."""

    seen: Any = None

    @property
    def metadata(self) -> LLMMetadata:
        return LLMMetadata(is_chat_model=False, model_name="slow")

    def complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> Any:
        return CompletionResponse(text="Paris is it.")

    def stream_complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> Any:
        def chunks() -> Iterator[CompletionResponse]:
            yield CompletionResponse(text="Paris", delta="Paris")
            assert self.seen.wait(timeout=10), "the first token has not left"
            yield CompletionResponse(text="Paris is it.", delta=" is it.")

        return chunks()


class Sleeper(Slow):
    """An LLM of nobody's SDK, which takes its time."""

    async def acomplete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> Any:
        await asyncio.sleep(60)
        return CompletionResponse(text="late")


# Answers.


@every_way
def test_an_answer_tells_its_decision_and_is_the_providers_own(
    way: str, server: LoopbackProvider
) -> None:
    answer = ask(make(server), way)
    assert isinstance(answer, ChatResponse if "chat" in way else CompletionResponse)
    told = record(answer)
    assert (told["path"], told["goal"], told["verified"]) == (FIRST, "test", True)
    assert len(told["decision_id"]) == 32
    assert 0.0 < told["propensity"] <= 1.0 or told["propensity"] is None
    assert told["cost_usd"] > 0
    assert answer.raw.model == "gpt-4o-2024-08-06"
    assert answer.additional_kwargs["prompt_tokens"] == told["input_tokens"]


@every_stream
def test_a_streams_chunks_are_its_text_and_each_tells_its_path(
    way: str, server: LoopbackProvider
) -> None:
    llm = make(server)

    async def read() -> list[Any]:
        chunks = getattr(llm, way)(asked(way))
        if way.startswith("a"):
            return [chunk async for chunk in await chunks]
        return list(chunks)

    chunks = asyncio.run(read())
    assert "".join(chunk.delta or "" for chunk in chunks) == text_of(chunks[-1])
    assert {record(chunk)["path"] for chunk in chunks} == {FIRST}
    assert [chunk for chunk in chunks if "decision_id" in record(chunk)] == chunks[-1:]
    assert chunks[-1].delta == ""


def test_text_follows_the_models_that_complete_prompts(server: LoopbackProvider) -> None:
    """A completion-only LLM and a chat model may be paths of one LLM."""
    llm = make(server, {"model": Slow(), "name": "slow"}, SECOND)
    assert llm.metadata.is_chat_model
    assert ask(llm, "chat").message.content == "Paris is it."
    assert ask(llm, "complete").text == "Paris is it."


# Streams.


@pytest.mark.parametrize("way", ["stream_chat", "stream_complete"])
def test_the_first_token_leaves_before_the_last_is_made(way: str) -> None:
    seen = threading.Event()
    llm = first_arm({"model": Slow(seen=seen), "name": "slow"})
    text = ""
    for chunk in getattr(llm, way)(asked(way)):
        text += chunk.delta or ""
        seen.set()
    assert text == "Paris is it."


async def test_cancelling_a_stream_closes_the_connection_and_charges_nobody(
    server: LoopbackProvider,
) -> None:
    server.fault(FIRST, Fault(kind="stall", after_tokens=3))
    llm = make(server)
    started = asyncio.Event()

    async def read() -> None:
        async for chunk in await llm.astream_chat(asked("chat")):
            if chunk.delta:
                started.set()

    task = asyncio.create_task(read())
    await asyncio.wait_for(started.wait(), 10)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    for _ in range(200):
        if server.stats(KEY)[FIRST].closed_early:
            break
        await asyncio.sleep(0.02)
    assert server.stats(KEY)[FIRST].closed_early == 1
    server.clear_faults()
    await llm.achat(asked("chat"))
    assert [entry.reward for entry in entries(llm)] == [None, 1.0]


async def test_cancelling_a_call_closes_the_connection_and_charges_nobody(
    server: LoopbackProvider,
) -> None:
    server.fault(FIRST, Fault(kind="hang"))
    llm = make(server)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(llm.achat(asked("chat")), 0.3)
    server.clear_faults()
    await llm.achat(asked("chat"))
    assert [entry.reward for entry in entries(llm)] == [None, 1.0]


def test_leaving_a_stream_closes_the_connection_and_charges_nobody(
    server: LoopbackProvider,
) -> None:
    server.fault(FIRST, Fault(kind="stall", after_tokens=3))
    llm = make(server)
    stream = llm.stream_chat(asked("chat"))
    while not next(stream).delta:
        pass
    stream.close()
    for _ in range(200):
        if server.stats(KEY)[FIRST].closed_early:
            break
        time.sleep(0.02)
    assert server.stats(KEY)[FIRST].closed_early == 1
    assert all(entry.reward is None for entry in entries(llm))


def test_a_stream_that_is_never_read_asks_nobody(server: LoopbackProvider) -> None:
    make(server).stream_chat(asked("chat"))
    assert server.stats(KEY)[FIRST].requests == 0


@every_stream
def test_a_held_stream_is_healed_and_tells_the_path_that_answered(
    way: str, server: LoopbackProvider
) -> None:
    server.script(FIRST, ["I'm sorry, but I can't help with that."])
    answer = ask(make(server, stream_mode="hold"), way)
    assert failures(answer) == ["bad_output", None]
    assert record(answer)["path"] == SECOND


def test_a_long_live_stream_holds_on_to_no_text_that_it_has_given_out(
    server: LoopbackProvider,
) -> None:
    """Each chunk holds all of the text so far."""
    import gc

    words = " ".join(f"word{n}" for n in range(400)) + "."
    server.script(FIRST, [words])
    last: Any = None
    for chunk in make(server).stream_chat(asked("chat")):
        last = chunk
    gc.collect()
    alive = [o for o in gc.get_objects() if isinstance(o, ChatResponse)]
    assert len(alive) < 20
    assert last.message.content == words


# Loops, threads, copies.


def test_an_llm_is_well_in_any_number_of_event_loops(server: LoopbackProvider) -> None:
    llm = make(server, {"model": openai_llm(server), "name": FIRST}, SECOND)
    for _ in range(12):
        assert failures(asyncio.run(aask(llm, "achat"))) == [None]


async def test_two_hundred_calls_at_once_are_not_mixed_up(server: LoopbackProvider) -> None:
    llm = make(server, goal="crowd", stream_mode="hold")
    server.fault(FIRST, Fault(kind="server_error", rate=0.3))
    names = [f"person{n}" for n in range(200)]

    async def one(number: int) -> Any:
        way = ("achat", "acomplete", "astream_chat", "astream_complete")[number % 4]
        return await aask(llm, way, f"Extract the email of {names[number]}@example.com.")

    for name, answer in zip(names, await asyncio.gather(*map(one, range(200))), strict=True):
        assert name in text_of(answer)
        assert record(answer)["attempts"][-1]["path"] == record(answer)["path"]
    stats = server.stats(KEY)
    sent = stats[FIRST].requests + stats[SECOND].requests
    assert len([e for e in entries(llm) if e.kind == "attempt"]) == sent >= 200


def test_sixteen_threads_on_one_llm_are_not_mixed_up(server: LoopbackProvider) -> None:
    llm = make(server, goal="crowd")

    def work(thread: int) -> list[tuple[str, str, str]]:
        found = []
        for n in range(8):
            name = f"person{thread}x{n}"
            answer = ask(llm, WAYS[n], f"Extract the email of {name}@example.com.")
            found.append((name, text_of(answer), record(answer)["decision_id"]))
        return found

    with ThreadPoolExecutor(16) as pool:
        results = [one for many in pool.map(work, range(16)) for one in many]
    assert all(name in text for name, text, _ in results)
    assert len({decision for *_, decision in results}) == 128


def test_the_callers_objects_stay_as_they_were(server: LoopbackProvider) -> None:
    given = openai_llm(server, max_retries=3)
    before = given.to_dict()
    messages = [ChatMessage(role="user", content=QUESTION)]
    kept = [message.model_copy(deep=True) for message in messages]
    options = {"temperature": 0.5}
    llm = make(server, {"model": given, "name": FIRST}, SECOND)
    for way in WAYS:
        ask(llm, way, messages if "chat" in way else QUESTION, **options)
    assert messages == kept
    assert options == {"temperature": 0.5}
    assert given.to_dict() == before
    assert (given.max_retries, given._client, given._aclient) == (3, None, None)


# Where a call goes, and with what.


def test_a_named_call_goes_to_that_path_alone(server: LoopbackProvider) -> None:
    llm = make(server)
    for way in WAYS:
        assert record(ask(llm, way, model=SECOND))["path"] == SECOND
    assert server.stats(KEY)[FIRST].requests == 0


def test_a_paths_own_parameters_win_then_the_calls_then_the_llms(server: LoopbackProvider) -> None:
    llm = make(
        server,
        {"model": FIRST, "params": {"temperature": 0.9}},
        SECOND,
        temperature=0.7,
        additional_kwargs={"top_p": 0.5},
    )
    llm.chat(asked("chat"), temperature=0.3)
    llm.chat(asked("chat"), temperature=0.3, model=SECOND)
    llm.complete(QUESTION, model=SECOND, max_tokens=400)
    sent = [(r.body["temperature"], r.body["top_p"]) for r in server.requests()]
    assert sent == [(0.9, 0.5), (0.3, 0.5), (0.7, 0.5)]
    assert server.requests()[-1].body["max_tokens"] == 400


def test_llama_indexs_own_temperature_is_the_default(server: LoopbackProvider) -> None:
    make(server).chat(asked("chat"))
    assert server.requests()[-1].body["temperature"] == 0.1


def test_a_session_by_argument_or_by_llama_indexs_tags_is_recorded_as_a_hash(
    server: LoopbackProvider,
) -> None:
    llm = make(server)
    llm.chat(asked("chat"), session_id="one")
    with instrument_tags({"session_id": "two"}):
        llm.complete(QUESTION)
        list(llm.stream_chat(asked("chat")))
    sessions = [entry.data["features"][-1] for entry in entries(llm)]
    assert sessions == [hash_of("one"), hash_of("two"), hash_of("two")]


def test_a_limit_of_the_callers_own_cuts_and_the_text_comes_back(server: LoopbackProvider) -> None:
    answer = make(server).chat(asked("chat"), max_tokens=5)
    assert failures(answer) == [None]
    assert answer.message.content


# When all fails.


@every_way
def test_when_all_fail_the_error_has_all_attempts_and_is_of_the_firsts_kind(
    way: str, server: LoopbackProvider
) -> None:
    server.fault(FIRST, Fault(kind="rate_limit", retry_after_s=60))
    server.fault(SECOND, Fault(kind="server_error"))
    with pytest.raises(openai.RateLimitError) as caught:
        ask(make(server, max_attempts=2), way)
    assert isinstance(caught.value, AllPathsFailed)
    kinds = [outcome.failure.kind.value for outcome in caught.value.outcomes if outcome.failure]
    assert kinds == ["rate_limit", "server_error"]
    assert KEY not in str(caught.value) + repr(caught.value.errors)


@every_way
def test_the_best_refused_answer_may_be_given_out(way: str, server: LoopbackProvider) -> None:
    server.fault(None, Fault(kind="empty_content"))
    with pytest.raises(AllPathsFailed):
        ask(make(server, stream_mode="hold"), way)
    answer = ask(make(server, stream_mode="hold"), way, on_exhausted="best")
    assert record(answer)["verified"] is False


async def test_an_awaited_llm_of_any_make_is_ended_by_the_time_limit(
    server: LoopbackProvider,
) -> None:
    llm = make(server, {"model": Sleeper(), "name": "sleeper", "timeout_s": 0.2}, SECOND)
    assert failures(await llm.acomplete(QUESTION)) == ["timeout", None]


def test_a_users_own_http_client_is_used_and_ends_in_time(server: LoopbackProvider) -> None:
    client: Any = openai.DefaultHttpxClient(headers={"x-mine": "yes"})
    given = openai_llm(server, http_client=client)
    llm = make(server, {"model": given, "name": FIRST, "timeout_s": 0.3}, SECOND)
    llm.chat(asked("chat"))
    assert server.requests(FIRST)[-1].headers["x-mine"] == "yes"
    server.fault(FIRST, Fault(kind="hang"))
    assert failures(llm.chat(asked("chat"))) == ["timeout", None]


# Its parts.


def test_a_ready_router_is_shared_and_stays_open(server: LoopbackProvider) -> None:
    router = Router(
        "shared",
        paths=[FIRST],
        base_url=server.base_url,
        api_key=KEY,
        ledger="memory",
        policy=FirstArm(),
    )
    llm = KalibrLLM(router=router)
    told = record(llm.chat(asked("chat")))
    assert router.explain(told["decision_id"])
    llm.close()
    assert router.completion([{"role": "user", "content": QUESTION}])


def test_a_routed_llm_may_be_a_path_of_another(server: LoopbackProvider) -> None:
    inner = make(server, goal="inner")
    server.fault(FIRST, Fault(kind="server_error"))
    server.fault(SECOND, Fault(kind="server_error"))
    outer = first_arm({"model": inner, "name": "inner"}, {"model": MockLLM(max_tokens=4)})
    answer = outer.complete("Say something nice to her.")
    assert record(answer)["path"] != "inner"


def test_report_takes_the_answer(server: LoopbackProvider) -> None:
    llm = make(server)
    answer = llm.chat(asked("chat"))
    assert llm.report(answer, success=False)
    assert llm.report(answer, success=False) is False
