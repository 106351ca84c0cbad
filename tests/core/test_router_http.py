"""A Router over real HTTP, with the real client: faults, keys, connections, concurrency, forks."""

from __future__ import annotations

import asyncio
import gc
import itertools
import logging
import os
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path as FilePath
from typing import Any

import openai
import pytest

from kalibr_bench.provider import FAULT_KINDS, Fault, LoopbackProvider
from kalibr_core import (
    AllPathsFailed,
    BadResponse,
    Decision,
    MemoryLedger,
    Path,
    Router,
    SQLiteLedger,
)
from kalibr_core.testing import FirstArm

from .ledger.test_processes import ended_well, in_child

MESSAGES = [{"role": "user", "content": "Name the capital of France."}]
FIRST, SECOND = "gpt-4o", "gpt-4o-mini"
WAYS = ("completion", "acompletion", "stream", "astream")
_tokens = itertools.count()


@pytest.fixture(scope="module")
def provider() -> Iterator[LoopbackProvider]:
    with LoopbackProvider(process=True) as running:
        yield running


@pytest.fixture
def key() -> str:
    """Every test has a key of its own, by which the provider tells its requests apart."""
    return f"sk-secret-{os.getpid()}-{next(_tokens):06}"


@pytest.fixture
def make(provider: LoopbackProvider, key: str) -> Iterator[Callable[..., Router]]:
    made: list[Router] = []

    def make_router(**options: Any) -> Router:
        defaults: dict[str, Any] = {
            "paths": [FIRST, {"model": SECOND, "context_window": 1_000_000}],
            "base_url": provider.base_url,
            "api_key": key,
            "ledger": "memory",
            "policy": FirstArm(),
            "timeout_s": 5.0,
        }
        made.append(Router("http", **{**defaults, **options}))
        return made[-1]

    yield make_router
    provider.clear_faults()
    for router in made:
        router.close()


def ask(
    router: Router, way: str, messages: list[dict[str, str]] = MESSAGES, **params: Any
) -> tuple[str, Decision | None]:
    """Send one request any way; the whole text, and the decision."""
    if way == "completion":
        answer = router.completion(messages, **params)
        return answer.choices[0].message.content or "", answer.kalibr
    if way == "stream":
        with router.stream(messages, **params) as chunks:
            text = "".join(c.choices[0].delta.content or "" for c in chunks)
        return text, chunks.kalibr
    return asyncio.run(aask(router, way, messages, **params))


async def aask(
    router: Router, way: str, messages: list[dict[str, str]] = MESSAGES, **params: Any
) -> tuple[str, Decision | None]:
    try:
        if way == "acompletion":
            answer = await router.acompletion(messages, **params)
            return answer.choices[0].message.content or "", answer.kalibr
        async with router.astream(messages, **params) as chunks:
            text = "".join([c.choices[0].delta.content or "" async for c in chunks])
        return text, chunks.kalibr
    finally:
        await router.aclose()


every_way = pytest.mark.parametrize("way", WAYS)

# Fault -> how its path is charged. What is not here is no failure of the path's: see below.
CHARGED: dict[str, set[str]] = {
    "server_error": {"server_error"},
    "unavailable": {"server_error"},
    "rate_limit": {"rate_limit"},
    "quota": {"rate_limit"},
    "unauthorized": {"auth"},
    "forbidden": {"auth"},
    "not_found": {"not_found"},
    "context_length": {"context_overflow"},
    "reset": {"connection"},
    "hang": {"timeout"},
    "slow_first_token": {"timeout"},
    "trickle": {"timeout"},
    "cut_body": {"connection", "interrupted"},
    "cut_json": {"bad_response"},
    "html": {"bad_response", "interrupted"},
    "malformed_json": {"bad_output"},
    "empty_content": {"bad_output"},
    "refusal": {"bad_output"},
    "error_text": {"bad_output"},
    "error_json": {"bad_output"},
    "length": {"bad_output"},
    # In a stream only.
    "disconnect": {"connection", "interrupted"},
    "silent_end": {"interrupted"},
    "error_event": {"server_error"},
    "stall": {"timeout"},
    "bad_event": {"bad_response"},
}
STREAMED = ("disconnect", "silent_end", "error_event", "stall", "bad_event")
HARMLESS = ("no_usage", "no_done", "slow_tokens")
RAISED = {"content_filter": "content_filter", "bad_request": "invalid_request"}
SLOW = {
    "hang": None,
    "stall": None,
    "slow_first_token": 30.0,
    "trickle": 0.02,
    "slow_tokens": 0.001,
}


def arm(provider: LoopbackProvider, kind: str, key: str, **options: Any) -> None:
    options.setdefault("delay_s", SLOW.get(kind, 0.05))
    provider.fault(FIRST, Fault(kind=kind, **options), token=key)


def patience(kind: str) -> float:
    """The time limit is short only where it is to be reached: a busy machine fails no test."""
    if kind == "stall":  # its first token has to come in time
        return 0.6
    return 0.35 if kind in SLOW else 20.0


def limited(kind: str) -> list[dict[str, Any]]:
    return [
        {"model": FIRST, "timeout_s": patience(kind)},
        {"model": SECOND, "timeout_s": 20.0, "context_window": 1_000_000},
    ]


FAULTY = [(k, way) for k in CHARGED for way in WAYS if k not in STREAMED or "stream" in way]


def test_every_fault_of_the_provider_is_in_one_of_the_tables() -> None:
    assert set(CHARGED) | set(HARMLESS) | set(RAISED) == FAULT_KINDS


@pytest.mark.parametrize(("kind", "way"), FAULTY)
def test_a_fault_is_charged_to_its_path_and_the_caller_gets_a_good_answer(
    kind: str, way: str, make: Callable[..., Router], provider: LoopbackProvider, key: str
) -> None:
    arm(provider, kind, key)
    router = make(stream_mode="hold", paths=limited(kind))
    text, decision = ask(router, way)
    assert len(text) > 20
    assert decision is not None
    assert decision.verified
    failed, passed = decision.outcomes
    assert (failed.path_id, passed.path_id) == (FIRST, SECOND)
    assert failed.failure is not None
    assert failed.failure.kind.value in CHARGED[kind]
    assert provider.stats(key)[FIRST].requests == 1, "the client makes no retries of its own"
    assert provider.stats(key)[SECOND].requests == 1
    assert passed.usage is not None


@every_way
@pytest.mark.parametrize("kind", HARMLESS)
def test_what_harms_no_answer_is_no_failure(
    kind: str, way: str, make: Callable[..., Router], provider: LoopbackProvider, key: str
) -> None:
    arm(provider, kind, key)
    text, decision = ask(make(stream_mode="hold"), way)
    assert len(text) > 20
    assert decision is not None
    assert [o.failure for o in decision.outcomes] == [None]
    if kind == "no_usage":
        assert decision.outcomes[0].cost_usd is None, "unknown, which is not 0"


@every_way
@pytest.mark.parametrize("kind", RAISED)
def test_what_the_caller_must_mend_is_raised_with_the_providers_reason(
    kind: str, way: str, make: Callable[..., Router], provider: LoopbackProvider, key: str
) -> None:
    arm(provider, kind, key)
    with pytest.raises(openai.BadRequestError) as caught:
        ask(make(), way)
    (outcome,) = caught.value.kalibr.outcomes  # type: ignore[attr-defined]
    assert outcome.failure.kind.value == RAISED[kind]
    assert provider.stats(key)[SECOND].requests == 0


@pytest.mark.parametrize("way", ["stream", "astream"])
@pytest.mark.parametrize("kind", STREAMED)
def test_a_live_stream_that_dies_after_its_first_token_raises(
    kind: str, way: str, make: Callable[..., Router], provider: LoopbackProvider, key: str
) -> None:
    """It never ends as a success, and its text is never followed by another path's."""
    arm(provider, kind, key)
    with pytest.raises(Exception) as caught:  # the client's or its HTTP library's own
        ask(make(paths=limited(kind)), way)
    (outcome,) = caught.value.kalibr.outcomes  # type: ignore[attr-defined]
    assert outcome.failure.kind.value in CHARGED[kind]
    assert outcome.first_token_s is not None
    assert provider.stats(key)[SECOND].requests == 0


@every_way
def test_all_faulty_raises_from_the_first_error(
    way: str, make: Callable[..., Router], provider: LoopbackProvider, key: str
) -> None:
    arm(provider, "reset", key)
    provider.fault(SECOND, Fault(kind="unavailable"), token=key)
    with pytest.raises(AllPathsFailed) as caught:
        ask(make(max_attempts=2), way)
    assert isinstance(caught.value.__cause__, openai.APIConnectionError)
    assert [o.path_id for o in caught.value.outcomes] == [FIRST, SECOND]


@every_way
def test_a_short_retry_after_is_waited_for(
    way: str, make: Callable[..., Router], provider: LoopbackProvider, key: str
) -> None:
    arm(provider, "rate_limit", key, times=1, retry_after_s=0.2)
    start = time.monotonic()
    _, decision = ask(make(), way)
    assert time.monotonic() - start >= 0.2
    assert decision is not None
    assert [o.path_id for o in decision.outcomes] == [FIRST, FIRST]


def test_a_retry_after_that_is_a_date_blocks_until_then(
    make: Callable[..., Router], provider: LoopbackProvider, key: str
) -> None:
    arm(provider, "rate_limit", key, times=1, retry_after_s=30, retry_after_date=True)
    _, decision = ask(make(), "completion")
    assert decision is not None
    failure = decision.outcomes[0].failure
    assert failure is not None
    assert failure.retry_after_s == pytest.approx(30, abs=2)


@every_way
def test_a_keep_alive_trickle_is_cut_at_the_time_limit(
    way: str, make: Callable[..., Router], provider: LoopbackProvider, key: str
) -> None:
    """Each byte starts the client's own read time-out anew: alone it would wait for ever."""
    arm(provider, "trickle", key, delay_s=0.05)
    _, decision = ask(make(paths=limited("trickle"), stream_mode="hold"), way)
    assert decision is not None
    assert 0.15 <= decision.outcomes[0].latency_s < 20.0


@pytest.mark.parametrize("way", ["stream", "astream"])
def test_first_token_s_leaves_a_path_that_thinks_too_long(
    way: str, make: Callable[..., Router], provider: LoopbackProvider, key: str
) -> None:
    arm(provider, "slow_first_token", key, delay_s=30.0)
    _, decision = ask(make(first_token_s=0.4, timeout_s=20), way)
    assert decision is not None
    assert [o.path_id for o in decision.outcomes] == [FIRST, SECOND]
    assert decision.outcomes[0].latency_s < 20.0


@pytest.mark.parametrize("way", ["stream", "astream"])
def test_a_long_stream_that_is_never_silent_is_not_cut(
    way: str, make: Callable[..., Router], provider: LoopbackProvider, key: str
) -> None:
    """After the first token the time limit is one of silence, not of the whole stream."""
    arm(provider, "slow_tokens", key, delay_s=0.025)
    start = time.monotonic()
    _, decision = ask(make(timeout_s=1.2, first_token_s=1.2, max_attempts=1), way)
    assert time.monotonic() - start > 1.5
    assert decision is not None
    assert decision.verified


@every_way
def test_timeout_of_the_call_bounds_each_attempt(
    way: str, make: Callable[..., Router], provider: LoopbackProvider, key: str
) -> None:
    arm(provider, "hang", key)
    router = make(timeout_s=60, paths=[FIRST], max_attempts=1)
    with pytest.raises(AllPathsFailed) as caught:
        ask(router, way, timeout=0.4)
    decision = caught.value.kalibr
    assert decision is not None
    assert decision.outcomes[0].latency_s < 20.0


# Keys and texts.


def all_texts(error: BaseException) -> str:
    told = "".join(traceback.format_exception(error))
    seen: BaseException | None = error
    while seen is not None:
        told += f"{seen} {seen!r} {seen.args!r} {vars(seen)!r}"
        for each in getattr(seen, "errors", ()):
            told += all_texts(each)
        seen = seen.__cause__ or seen.__context__
    return told


ECHOES = ["unauthorized", "server_error", "content_filter", "bad_request", "rate_limit"]


@every_way
@pytest.mark.parametrize("kind", ECHOES)
def test_a_key_that_the_server_echoes_shows_up_nowhere(
    kind: str,
    way: str,
    make: Callable[..., Router],
    provider: LoopbackProvider,
    key: str,
    tmp_path: FilePath,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG, logger="kalibr")
    for model in (FIRST, SECOND):
        provider.fault(model, Fault(kind=kind, message=f"Incorrect key: {key}!"), token=key)
    file = tmp_path / "kalibr.db"
    router = make(ledger=str(file), max_attempts=2)
    with pytest.raises(Exception) as caught:
        ask(router, way)
    assert key not in all_texts(caught.value)
    assert key not in repr(router)
    assert key not in caplog.text
    router.close()
    assert key.encode() not in b"".join(f.read_bytes() for f in tmp_path.iterdir())


@pytest.mark.parametrize("kind", ["error_event", "html"])
def test_a_key_in_a_body_shows_up_nowhere(
    kind: str, make: Callable[..., Router], provider: LoopbackProvider, key: str
) -> None:
    for model in (FIRST, SECOND):
        provider.fault(model, Fault(kind=kind, message=f"Incorrect key: {key}!"), token=key)
    with pytest.raises(Exception) as caught:
        ask(make(max_attempts=2, stream_mode="hold"), "stream")
    assert key not in all_texts(caught.value)


@every_way
@pytest.mark.parametrize("ending", ["\n", "\r\n", " "])
def test_a_key_with_a_line_break_still_works_and_shows_up_nowhere(
    ending: str, way: str, make: Callable[..., Router], key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As files and secret managers give them; HTTP libraries would quote the whole header."""
    text, _ = ask(make(api_key=key + ending), way)
    assert text
    monkeypatch.setenv("MY_KEY", key + ending)
    paths = [{"model": FIRST, "api_key_env": "MY_KEY"}]
    assert ask(make(paths=paths, api_key=None), way)[0]
    paths = [{"model": FIRST, "api_key": key + ending}]
    assert ask(make(paths=paths, api_key=None), way)[0]


@pytest.mark.parametrize("bad", ["{}\n{}", "{}\u2019", "{}\x00{}"])
def test_a_key_that_cannot_be_sent_shows_up_nowhere(
    bad: str, make: Callable[..., Router], key: str
) -> None:
    with pytest.raises(Exception) as caught:
        ask(make(api_key=bad.format(key, key), max_attempts=1), "completion")
    assert key not in all_texts(caught.value)


def test_a_paths_key_shows_up_in_no_repr_and_no_dump(make: Callable[..., Router], key: str) -> None:
    path = Path(model=FIRST, api_key=key)
    router = make(paths=[path])
    answer = router.completion(MESSAGES)
    assert key not in repr(path)
    assert key not in repr(router)
    assert key not in repr(answer)
    assert key not in repr(answer.kalibr)
    assert key not in answer.model_dump_json()
    assert key not in str(answer.model_dump())


def test_an_answer_with_its_decision_can_be_dumped(make: Callable[..., Router]) -> None:
    answer = make().completion(MESSAGES)
    again = type(answer).model_validate_json(answer.model_dump_json())
    assert again.choices == answer.choices
    assert answer.to_json()


def test_prompts_and_answers_are_not_in_the_ledgers_bytes(
    make: Callable[..., Router], provider: LoopbackProvider, key: str, tmp_path: FilePath
) -> None:
    router = make(ledger=str(tmp_path / "kalibr.db"), success_when=lambda text: "Zanzibar" in text)
    provider.script(FIRST, ["a refused Timbuktu text", "a good Zanzibar text"], token=key)
    provider.script(SECOND, ["another Ouagadougou text"], token=key)
    messages = [{"role": "user", "content": "my secret Reykjavik prompt"}]
    text, decision = ask(router, "completion", messages, session_id="session-of-alice")
    assert text == "a good Zanzibar text"
    assert decision is not None
    router.report(decision.id, success=True)
    router.close()
    written = b"".join(f.read_bytes() for f in tmp_path.iterdir())
    assert decision.id.encode() in written
    for word in (b"Timbuktu", b"Zanzibar", b"Ouagadougou", b"Reykjavik", b"alice"):
        assert word not in written


def test_a_providers_key_never_goes_to_another_server(
    provider: LoopbackProvider, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", key)
    with Router("keys", paths=[FIRST], base_url=provider.base_url, ledger="memory") as router:
        router.completion(MESSAGES)
    assert provider.requests(token=key) == []
    assert "none" in [r.token for r in provider.requests(FIRST)]


def test_openais_organisation_goes_to_no_other_provider(
    make: Callable[..., Router],
    provider: LoopbackProvider,
    key: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OPENAI_ORG_ID", "org-mine")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "project-mine")
    router = make(paths=["claude-sonnet-4"])
    for way in ("completion", "stream", "acompletion"):
        ask(router, way)
    for request in provider.requests(token=key):
        assert not [name for name in request.headers if name.startswith("openai-")]


# Connections.


def test_a_client_and_its_connection_are_used_again(
    make: Callable[..., Router], provider: LoopbackProvider, key: str
) -> None:
    router = make(paths=[FIRST])
    router.completion(MESSAGES)
    before = provider.stats().open_connections
    for _ in range(20):
        router.completion(MESSAGES)
    assert provider.stats().open_connections == before
    assert provider.stats(key)[FIRST].requests == 21
    held = router._clients._http
    assert list(router.stream(MESSAGES))
    assert router._clients._http is held


def test_closing_a_router_closes_its_connections(
    make: Callable[..., Router], provider: LoopbackProvider
) -> None:
    before = provider.stats().open_connections
    router = make()
    router.completion(MESSAGES)
    assert provider.stats().open_connections == before + 1
    router.close()
    _until(lambda: provider.stats().open_connections == before)


def test_one_router_serves_several_event_loops_in_a_row(
    make: Callable[..., Router], provider: LoopbackProvider, key: str
) -> None:
    """A connection belongs to the loop it was made in: one of a closed loop would hang or raise."""
    router = make()
    before = provider.stats().open_connections

    async def main() -> None:
        answers = await asyncio.gather(*(router.acompletion(MESSAGES) for _ in range(3)))
        assert all(len(a.kalibr.outcomes) == 1 for a in answers)  # type: ignore[attr-defined]
        assert [c async for c in router.astream(MESSAGES)]

    for _ in range(5):
        asyncio.run(main())
    router.completion(MESSAGES)
    assert provider.stats(key)[FIRST].requests == 21
    gc.collect()
    _until(lambda: provider.stats().open_connections <= before + 4, "old loops' stay open")


def test_two_event_loops_at_once(make: Callable[..., Router]) -> None:
    router = make()

    async def main() -> int:
        answers = await asyncio.gather(*(router.acompletion(MESSAGES) for _ in range(10)))
        return len(answers)

    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(lambda _: asyncio.run(main()), range(3))) == [10, 10, 10]


def test_a_cancelled_call_closes_its_connection(
    make: Callable[..., Router], provider: LoopbackProvider, key: str
) -> None:
    arm(provider, "hang", key)
    ledger = MemoryLedger()
    router = make(ledger=ledger)

    async def main() -> None:
        task = asyncio.create_task(router.acompletion(MESSAGES))
        await asyncio.to_thread(_until, lambda: provider.stats(key)[FIRST].in_flight == 1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.to_thread(_until, lambda: provider.stats(key)[FIRST].closed_early == 1)

    asyncio.run(main())
    router.close()  # or with the next call: what was left is booked then
    ((_, entry),) = ledger.entries()
    assert entry.data["abandoned"] is True
    assert entry.reward is None


@pytest.mark.parametrize("mode", ["live", "hold"])
def test_a_cancelled_stream_closes_its_connection(
    mode: str, make: Callable[..., Router], provider: LoopbackProvider, key: str
) -> None:
    arm(provider, "stall", key)
    ledger = MemoryLedger()
    router = make(ledger=ledger, stream_mode=mode)

    async def consume() -> None:
        async for _ in router.astream(MESSAGES):
            pass

    async def main() -> None:
        task = asyncio.create_task(consume())
        await asyncio.to_thread(_until, lambda: provider.stats(key)[FIRST].in_flight == 1)
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.to_thread(_until, lambda: provider.stats(key)[FIRST].closed_early == 1)

    asyncio.run(main())
    router.close()  # or with the next call: what was left is booked then
    ((_, entry),) = ledger.entries()
    assert entry.data["abandoned"] is True


def test_leaving_a_stream_closes_its_connection_and_teaches_nothing(
    make: Callable[..., Router], provider: LoopbackProvider, key: str
) -> None:
    arm(provider, "slow_tokens", key, delay_s=0.02)
    policy = FirstArm()
    router = make(policy=policy)
    with router.stream(MESSAGES) as chunks:
        for chunk in chunks:
            if chunk.choices[0].delta.content:
                break
    assert chunks.kalibr is None
    _until(lambda: provider.stats(key)[FIRST].closed_early == 1)
    router.close()
    assert [e.kind.value for _, e in policy.seen] == ["none"]


# What is sent.


def test_a_paths_params_win_over_the_calls(
    make: Callable[..., Router], provider: LoopbackProvider, key: str
) -> None:
    paths = [{"model": FIRST, "params": {"temperature": 0.2}}]
    make(paths=paths, success_when=bool).completion(
        MESSAGES, temperature=0.9, seed=7, max_tokens=50
    )
    (request,) = provider.requests(token=key)
    assert request.body is not None
    assert request.body["temperature"] == 0.2
    assert request.body["seed"] == 7
    assert request.body["max_tokens"] == 50


@pytest.mark.parametrize("wanted", [False, True])
def test_the_usage_chunk_is_shown_only_to_those_who_ask_for_it(
    wanted: bool, make: Callable[..., Router]
) -> None:
    options = {"stream_options": {"include_usage": True}} if wanted else {}
    chunks = make().stream(MESSAGES, **options)
    seen = list(chunks)
    assert any(not c.choices for c in seen) is wanted
    assert chunks.kalibr is not None
    assert chunks.kalibr.outcomes[0].usage is not None, "the Router always asks"


def test_tool_calls_are_answers(
    make: Callable[..., Router], provider: LoopbackProvider, key: str
) -> None:
    tool = {
        "type": "function",
        "function": {
            "name": "weather",
            "parameters": {
                "type": "object",
                "properties": {"city": {"type": "string"}},
                "required": ["city"],
            },
        },
    }
    router = make()
    answer = router.completion(MESSAGES, tools=[tool], tool_choice="required")
    assert answer.choices[0].message.tool_calls
    assert answer.kalibr.verified  # type: ignore[attr-defined]
    streamed = router.stream(MESSAGES, tools=[tool], tool_choice="required")
    deltas = [chunk.choices[0].delta for chunk in streamed]
    assert any(delta.tool_calls for delta in deltas)
    assert streamed.kalibr is not None
    assert streamed.kalibr.verified


# Many at once.


def cross_check(
    decisions: list[tuple[str, Decision]],
    ledger: SQLiteLedger,
    provider: LoopbackProvider,
    key: str,
) -> None:
    """Every attempt is in the record once, and went where the record says."""
    entries = [e for _, e in ledger.entries() if e.kind == "attempt"]
    assert len({e.id for e in entries}) == len(entries)
    booked = Counter(e.path_id for e in entries)
    told = Counter(o.path_id for _, d in decisions for o in d.outcomes)
    served = {m: provider.stats(key)[m].requests for m in (FIRST, SECOND)}
    assert booked == told
    assert {model: booked[model] for model in served} == served
    for model, decision in decisions:
        assert model.startswith(f"{decision.path.model}-20") or model == decision.path.model
        assert decision.outcomes[-1].path_id == decision.path.id
    by_decision = Counter(e.decision_id for e in entries)
    assert by_decision == {d.id: d.attempts for _, d in decisions}


def test_16_threads_of_500_calls_book_every_outcome_once_to_the_path_that_ran(
    make: Callable[..., Router], provider: LoopbackProvider, key: str, tmp_path: FilePath
) -> None:
    ledger = SQLiteLedger(tmp_path / "kalibr.db")
    provider.fault(FIRST, Fault(kind="server_error", rate=0.2), token=key)
    router = make(ledger=ledger, policy=None, seed=1, timeout_s=60, max_attempts=9)

    def work(_: int) -> list[tuple[str, Decision]]:
        answers = [router.completion(MESSAGES) for _ in range(500)]
        return [(a.model, a.kalibr) for a in answers]  # type: ignore[attr-defined]

    with ThreadPoolExecutor(16) as pool:
        decisions = [pair for found in pool.map(work, range(16)) for pair in found]
    assert len(decisions) == 8000
    assert router.unwritten == 0
    cross_check(decisions, ledger, provider, key)


def test_500_concurrent_acompletions_book_every_outcome_once_to_the_path_that_ran(
    make: Callable[..., Router], provider: LoopbackProvider, key: str, tmp_path: FilePath
) -> None:
    ledger = SQLiteLedger(tmp_path / "kalibr.db")
    provider.fault(FIRST, Fault(kind="server_error", rate=0.2), token=key)
    router = make(ledger=ledger, policy=None, seed=1, timeout_s=60, max_attempts=9)

    async def main() -> list[tuple[str, Decision]]:
        answers = await asyncio.gather(*(router.acompletion(MESSAGES) for _ in range(500)))
        return [(a.model, a.kalibr) for a in answers]  # type: ignore[attr-defined]

    decisions = asyncio.run(main())
    assert router.unwritten == 0
    cross_check(decisions, ledger, provider, key)


def test_a_forked_worker_has_connections_of_its_own(
    make: Callable[..., Router], provider: LoopbackProvider, key: str, tmp_path: FilePath
) -> None:
    ledger = SQLiteLedger(tmp_path / "kalibr.db")
    router = make(ledger=ledger)
    router.completion(MESSAGES)

    def work() -> None:
        for _ in range(5):
            router.completion(MESSAGES)

        async def main() -> None:
            await router.acompletion(MESSAGES)

        asyncio.run(main())

    children = [in_child(work) for _ in range(3)]
    for _ in range(5):
        router.completion(MESSAGES)
    assert all(ended_well(child) for child in children)
    assert provider.stats(key)[FIRST].requests == 1 + 3 * 6 + 5
    assert len(list(ledger.entries())) == 24


def test_a_server_that_is_not_there_is_a_connection_failure(make: Callable[..., Router]) -> None:
    router = make(base_url="http://127.0.0.1:9", max_attempts=2)
    with pytest.raises(AllPathsFailed) as caught:
        router.completion(MESSAGES)
    kinds = {o.failure.kind.value for o in caught.value.outcomes if o.failure}
    assert kinds == {"connection"}
    assert not isinstance(caught.value.__cause__, BadResponse)


def _until(condition: Callable[[], bool], what: str = "it did not come about") -> None:
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end, what
        threading.Event().wait(0.01)
