"""One path's LLM: what is known of it, and its own rate limiter."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from typing import Any

import pytest
from llama_index.core.llms import MockLLM
from llama_index.core.rate_limiter import (
    BaseRateLimiter,
    SlidingWindowRateLimiter,
    TokenBucketRateLimiter,
)
from llama_index.llms.anthropic import Anthropic
from llama_index.llms.openai import OpenAI, OpenAIResponses
from llama_index.llms.openai_like import OpenAILike

from kalibr_bench.provider import LoopbackProvider
from kalibr_core import Path
from kalibr_core.time_limit import TimeLimit
from kalibr_llama_index.path_llm import LimiterError, PathLLM

from .ways import WAYS, ask, first_arm, record, text_of

KEY = "sk-12345678"
LIMITERS = [TokenBucketRateLimiter, SlidingWindowRateLimiter]
each_limiter = pytest.mark.parametrize("kind", LIMITERS, ids=lambda kind: kind.__name__)


class Counting(BaseRateLimiter):
    """A limiter of another make, which gives leave at once."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def acquire(self, num_tokens: int = 0) -> None:
        self.asked.append("blocking")

    async def async_acquire(self, num_tokens: int = 0) -> None:
        self.asked.append("in a loop")


def gpt(**settings: Any) -> OpenAI:
    return OpenAI(**{"model": "gpt-4o", "api_key": KEY, **settings})


def path_llm(llm: Any = None, **fields: Any) -> PathLLM:
    return PathLLM(Path(model="m", **fields), llm or gpt())


def limited(limiter: Any, longest_s: float | None = None) -> PathLLM:
    llm = MockLLM()
    llm.rate_limiter = limiter
    path = path_llm(llm)
    if longest_s is not None:
        path.longest_limiter_wait_s = longest_s
    return path


def spent(kind: Any) -> Any:
    """A limiter with no leave left for the next minute."""
    limiter = kind(requests_per_minute=1)
    limiter.acquire()
    return limiter


def acquire(path: PathLLM, limit: TimeLimit, *, is_async: bool) -> None:
    if is_async:
        asyncio.run(path.aacquire(limit))
    else:
        path.acquire(limit)


each_side = pytest.mark.parametrize("is_async", [False, True], ids=["blocking", "in a loop"])


@each_side
@each_limiter
@pytest.mark.parametrize("longest_s", [None, 0.0, 0.02])
def test_a_limiter_is_waited_for_no_longer_than_the_attempt_or_a_free_path_allows(
    kind: Any, is_async: bool, longest_s: float | None
) -> None:
    path, began = limited(spent(kind), longest_s), time.monotonic()
    with pytest.raises(LimiterError, match="rate_limiter gave no leave in time"):
        acquire(path, TimeLimit(0.05 if longest_s is None else 60), is_async=is_async)
    assert time.monotonic() - began < 5


@each_side
@each_limiter
@pytest.mark.parametrize("longest_s", [None, 0.0])
def test_leave_that_is_there_is_taken_without_waiting(
    kind: Any, is_async: bool, longest_s: float | None
) -> None:
    path = limited(kind(requests_per_minute=2), longest_s)
    for _ in range(2):
        acquire(path, TimeLimit(60), is_async=is_async)
    with pytest.raises(LimiterError):
        acquire(path, TimeLimit(0.01), is_async=is_async)


@each_side
def test_a_limiter_of_another_make_is_asked_in_its_own_way(is_async: bool) -> None:
    limiter = Counting()
    acquire(limited(limiter), TimeLimit(60), is_async=is_async)
    assert limiter.asked == ["in a loop" if is_async else "blocking"]


async def test_a_blocking_call_inside_a_loop_asks_another_makes_limiter_blocking() -> None:
    limiter = Counting()
    limited(limiter).acquire(TimeLimit(60))
    assert limiter.asked == ["blocking"]


class Blocking(TokenBucketRateLimiter):
    """One that tells where it would sleep."""

    def acquire(self, num_tokens: int = 0) -> None:
        raise AssertionError("this sleeps for as long as the limiter likes")


async def test_a_blocking_call_inside_a_loop_keeps_to_the_attempts_time_too() -> None:
    """As in a notebook."""
    limiter = Blocking(requests_per_minute=1)
    await limiter.async_acquire()
    with pytest.raises(LimiterError):
        limited(limiter, 0.01).acquire(TimeLimit(60))


def has_leave(path: PathLLM, limit: TimeLimit, *, is_async: bool) -> bool:
    """Is leave given in time?"""
    try:
        acquire(path, limit, is_async=is_async)
    except LimiterError:
        return False
    return True


@each_side
def test_an_llm_without_a_limiter_is_not_waited_for(is_async: bool) -> None:
    """Nor may it be: there is no time left."""
    assert has_leave(limited(None), TimeLimit(0.0), is_async=is_async)
    waits = limited(spent(TokenBucketRateLimiter))
    assert not has_leave(waits, TimeLimit(0.0), is_async=is_async)


def test_leaving_while_waiting_takes_no_leave() -> None:
    async def left() -> None:
        task = asyncio.ensure_future(limited(spent(TokenBucketRateLimiter)).aacquire(TimeLimit(60)))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(left())


@each_limiter
@pytest.mark.parametrize("way", WAYS)
def test_a_call_moves_on_quickly_from_a_limiter_beside_a_free_path(
    kind: Any, way: str, shared_server: LoopbackProvider
) -> None:
    server: Any = {"api_base": shared_server.base_url, "api_key": KEY}
    first = OpenAI(model="gpt-4o", rate_limiter=spent(kind), **server)
    free = OpenAI(model="gpt-4o-mini", **server)
    llm = first_arm({"model": first, "name": "limited"}, free, max_wait_s=0.02)
    began = time.monotonic()
    answer = ask(llm, way)
    assert time.monotonic() - began < 5
    assert record(answer)["path"].startswith("gpt-4o-mini")
    assert text_of(answer)


def test_each_call_takes_one_leave(shared_server: LoopbackProvider) -> None:
    limiter = Counting()
    given = gpt(rate_limiter=limiter, api_base=shared_server.base_url)
    llm = first_arm(given)
    for way in WAYS:
        ask(llm, way)
    assert len(limiter.asked) == len(WAYS)


# What is known of it.


@pytest.mark.parametrize(
    ("llm", "is_openai", "openai_calls", "tells_end", "calls_tools", "limited"),
    [
        (gpt(), True, True, True, True, True),
        (OpenAILike(model="m", api_key=KEY), True, True, True, False, True),
        (OpenAIResponses(model="gpt-4o", api_key=KEY), False, True, True, True, True),
        (Anthropic(model="claude-sonnet-4-5", api_key=KEY), False, False, False, True, True),
        (MockLLM(), False, False, False, False, False),
    ],
    ids=lambda it: type(it).__name__ if not isinstance(it, bool) else "",
)
def test_what_each_llm_can_do(  # one row for each class
    llm: Any, is_openai: bool, openai_calls: bool, tells_end: bool, calls_tools: bool, limited: bool
) -> None:
    path = path_llm(llm)
    assert path.is_openai is is_openai
    assert path.makes_openai_calls is openai_calls
    assert path.tells_end is tells_end
    assert path.calls_tools is calls_tools
    assert path.is_limited is limited


def test_a_path_may_say_that_it_calls_no_tools() -> None:
    assert not path_llm(tools=False).calls_tools


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
def test_a_limit_under_one_name_is_its_own_under_both(name: str) -> None:
    assert path_llm(params={name: 5, "top_p": 1}).own == {
        "max_tokens",
        "max_completion_tokens",
        "top_p",
    }
    assert path_llm(params={"top_p": 1}).own == {"top_p"}


@pytest.mark.parametrize(
    "llm",
    [
        gpt(),
        OpenAILike(model="m", api_key=KEY),
        OpenAIResponses(model="gpt-4o", api_key=KEY),
        Anthropic(model="claude-sonnet-4-5", api_key=KEY),
    ],
    ids=lambda llm: type(llm).__name__,
)
def test_its_key_is_known_to_be_taken_out_of_errors(llm: Any) -> None:
    assert KEY in path_llm(llm).secrets


def test_headers_that_hold_keys_are_known_too() -> None:
    headers = {"x-key": "hunter2-hunter2", "x-team": "blue"}
    found = path_llm(
        gpt(default_headers=headers),
        params={"extra_headers": {"authorization": "Bearer tok-12345678"}},
    ).secrets
    assert {KEY, "hunter2-hunter2", "tok-12345678"} <= set(found)
    assert "blue" not in found


def test_a_short_text_is_no_key() -> None:
    assert path_llm(gpt(api_key="EMPTY")).secrets == ()


# Copies.


def test_threads_share_one_copy_and_the_users_llm_stays() -> None:
    given = gpt()
    path, found = path_llm(given), []
    threads = [threading.Thread(target=lambda: found.append(path.blocking)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(map(id, found))) == 1
    assert found[0] is not given
    assert path.llm is given


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_fork_has_a_copy_of_its_own() -> None:
    path = path_llm()
    parents = id(path.blocking)
    child = os.fork()
    if child == 0:
        os._exit(0 if id(path.blocking) != parents else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
