"""One attempt by a framework's model: it ends in time, tells no key, and whose fault it was."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from kalibr_core import BadResponse, ConfigError, NoEligiblePath, Path
from kalibr_core.adapter import attempts
from kalibr_core.errors import StreamInterrupted
from kalibr_core.time_limit import TimeLimit
from kalibr_core.types import Attempt

KEY = "sk-secret-12345678"
PATH = Path(model="m", name="mine", base_url="http://127.0.0.1:9")
READS: attempts.Reads[str] = attempts.Reads(
    finishes=lambda chunk: chunk == "end",
    opens=lambda chunk: chunk.startswith("text"),
    reasons=lambda chunk: chunk == "thought",
)


class Callee:
    """A path whose model is a function."""

    readers = ("_read_",)
    path = PATH
    secrets = (KEY,)

    def __init__(self, *, limited: bool = True, openai: bool = True, ends: bool = True) -> None:
        self.is_limited, self.is_openai, self.tells_end = limited, openai, ends
        self.waited: list[str] = []

    def acquire(self, limit: TimeLimit) -> None:
        self.waited.append("blocking")

    async def aacquire(self, limit: TimeLimit) -> None:
        self.waited.append("in a loop")


def attempt(timeout_s: float = 20.0, first_token_s: float | None = None) -> Attempt:
    return Attempt(path=PATH, number=1, timeout_s=timeout_s, first_token_s=first_token_s)


Call = Callable[[TimeLimit], Any]


def whole(callee: Callee, call: Call) -> Any:
    return attempts.whole(callee, attempt(), call)


def awhole(callee: Callee, call: Call) -> Any:
    async def called(limit: TimeLimit) -> Any:
        return call(limit)

    return asyncio.run(attempts.awhole(callee, attempt(), called))


def stream(callee: Callee, call: Call) -> Any:
    return list(attempts.stream(callee, attempt(), call, READS))


def astream(callee: Callee, call: Call) -> Any:
    async def chunks(held: Any) -> AsyncIterator[Any]:
        for chunk in held:
            yield chunk

    async def opened(limit: TimeLimit) -> Any:
        return chunks(call(limit))

    async def all_() -> list[Any]:
        return [c async for c in attempts.astream(callee, attempt(), opened, READS)]

    return asyncio.run(all_())


DRIVERS = [whole, awhole, stream, astream]
every_driver = pytest.mark.parametrize("driver", DRIVERS, ids=lambda d: d.__name__)
every_stream = pytest.mark.parametrize("driver", [stream, astream], ids=lambda d: d.__name__)
SAID = ["role", "text 1", "end"]


def raising(error: Exception, *, sent: bool = False) -> Call:
    def call(limit: TimeLimit) -> Any:
        limit.was_used = sent
        raise error

    return call


def in_a_library(error: Exception) -> Call:
    """Raised in installed code, such as an SDK's, after something was sent."""
    made: dict[str, Any] = {"__name__": "openai._models"}
    exec("def fail(error): raise error", made)

    def call(limit: TimeLimit) -> Any:
        limit.was_used = True
        made["fail"](error)

    return call


def _read_answer(error: Exception) -> None:
    raise error


def reading(error: Exception) -> Call:
    return lambda limit: _read_answer(error)


@every_driver
def test_an_answer_is_given_back_as_it_came(driver: Any) -> None:
    callee = Callee()
    assert driver(callee, lambda limit: SAID) == SAID
    assert callee.waited == ["in a loop" if driver in (awhole, astream) else "blocking"]


@every_driver
def test_an_error_is_the_models_own_without_its_key(driver: Any) -> None:
    error = RuntimeError(f"wrong key {KEY}", 5)
    error.body = {"key": KEY}  # type: ignore[attr-defined]
    error.__cause__ = OSError(f"Bearer {KEY}")
    with pytest.raises(RuntimeError) as caught:
        driver(Callee(), raising(error))
    assert caught.value is error
    assert KEY not in f"{error!r} {vars(error)} {error.__cause__!r}"


@every_driver
@pytest.mark.parametrize("error", [KeyError("x"), TypeError(), AttributeError(), IndexError()])
def test_what_breaks_on_the_answer_is_the_paths(driver: Any, error: Exception) -> None:
    for call in (in_a_library(error), reading(error)):
        with pytest.raises(BadResponse, match=f"cannot be read: {type(error).__name__}") as caught:
            driver(Callee(), call)
        assert caught.value.__cause__ is error


@every_driver
def test_what_breaks_in_the_users_own_class_is_the_users(driver: Any) -> None:
    """Its model may be the user's own subclass, with a fault of its own after the answer came."""
    with pytest.raises(KeyError):
        driver(Callee(), raising(KeyError("x"), sent=True))


@every_driver
def test_a_gateways_error_in_an_answer_keeps_its_code(driver: Any) -> None:
    with pytest.raises(BadResponse) as caught:
        driver(Callee(), in_a_library(ValueError({"code": 429, "message": "slow"})))
    assert caught.value.code == 429


@every_driver
@pytest.mark.parametrize("error", [ValueError("no audio"), NotImplementedError(), LookupError()])
def test_what_is_refused_before_it_is_sent_leaves_the_call_to_other_paths(
    driver: Any, error: Exception
) -> None:
    with pytest.raises(NoEligiblePath, match="mine: its model refuses the request") as caught:
        driver(Callee(), raising(error))
    assert caught.value.__cause__ is error


@every_driver
def test_an_argument_that_openais_sdk_does_not_know_is_the_callers(driver: Any) -> None:
    with pytest.raises(TypeError):
        driver(Callee(), raising(TypeError("unexpected keyword")))
    with pytest.raises(NoEligiblePath):
        driver(Callee(openai=False), raising(TypeError("unexpected keyword")))


@every_driver
@pytest.mark.parametrize("error", [ValueError("a"), TypeError("a")])
def test_where_sending_cannot_be_told_the_error_stays_as_it_is(
    driver: Any, error: Exception
) -> None:
    with pytest.raises(type(error)) as caught:
        driver(Callee(limited=False), raising(error))
    assert caught.value is error


@every_driver
@pytest.mark.parametrize("error", [ConfigError("a"), NoEligiblePath(["a"]), BadResponse("a")])
def test_errors_of_ours_stay_as_they_are(driver: Any, error: Exception) -> None:
    with pytest.raises(type(error)) as caught:
        driver(Callee(), raising(error, sent=True))
    assert caught.value is error


class Missing(Exception):
    """A server's 404."""

    def __init__(self, url: str, code: str | None = None) -> None:
        super().__init__(url)
        self.request, self.status_code, self.code = SimpleNamespace(url=url), 404, code


@every_driver
def test_a_server_without_the_responses_api_leaves_the_call_to_others(driver: Any) -> None:
    with pytest.raises(NoEligiblePath, match="no Responses API"):
        driver(Callee(), raising(Missing("http://host/v1/responses")))
    for error in (Missing("http://h/responses", "model_not_found"), Missing("http://h/chat")):
        with pytest.raises(Missing):
            driver(Callee(), raising(error))


@every_driver
@pytest.mark.parametrize("leaves", [KeyboardInterrupt, SystemExit])
def test_leaving_the_program_is_not_caught(driver: Any, leaves: type[BaseException]) -> None:
    def call(limit: TimeLimit) -> Any:
        raise leaves

    with pytest.raises(leaves):
        driver(Callee(), call)


@every_stream
@pytest.mark.parametrize("said", [[], ["role"], ["text 1", "text 2"]])
def test_a_stream_that_does_not_tell_its_end_was_cut(driver: Any, said: list[str]) -> None:
    with pytest.raises(StreamInterrupted, match="without a finish reason"):
        driver(Callee(), lambda limit: said)
    assert driver(Callee(ends=False), lambda limit: said) == said


@every_stream
def test_what_happens_after_the_end_is_of_no_account(driver: Any) -> None:
    def hangs() -> Iterator[str]:
        yield from SAID
        raise ConnectionResetError(f"after {KEY}")

    assert driver(Callee(), lambda limit: hangs()) == SAID


@every_stream
def test_what_happens_before_the_end_is_raised(driver: Any) -> None:
    def cut() -> Iterator[str]:
        yield "text"
        raise ConnectionResetError(f"after {KEY}")

    with pytest.raises(ConnectionResetError) as caught:
        driver(Callee(), lambda limit: cut())
    assert KEY not in str(caught.value)


def test_closing_a_stream_closes_the_models() -> None:
    closed: list[str] = []

    def chunks() -> Iterator[str]:
        try:
            yield from SAID
        finally:
            closed.append("closed")

    opened = attempts.stream(Callee(), attempt(), lambda limit: chunks(), READS)
    assert next(opened) == "role"
    opened.close()
    assert closed == ["closed"]


class Held:
    """A model's stream that somebody holds on to, so that no collector closes it."""

    def __init__(self) -> None:
        self.closed = 0
        self.chunks = iter(SAID)

    def __next__(self) -> str:
        return next(self.chunks)

    def __iter__(self) -> Iterator[str]:
        return self

    def __aiter__(self) -> Held:
        return self

    async def __anext__(self) -> str:
        return next(self.chunks)

    def close(self) -> None:
        self.closed += 1

    async def aclose(self) -> None:
        self.closed += 1


async def test_a_stream_that_is_left_is_closed_at_once() -> None:
    held, other = Held(), Held()
    opened = attempts.stream(Callee(), attempt(), lambda limit: held, READS)
    assert next(opened) == "role"
    opened.close()

    async def open_(limit: TimeLimit) -> Any:
        return other

    streamed = attempts.astream(Callee(), attempt(), open_, READS)
    assert await anext(streamed) == "role"
    await streamed.aclose()
    assert (held.closed, other.closed) == (1, 1)


def renewals(chunks: list[str]) -> list[bool]:
    """For each chunk: has the time for the next one been counted anew?"""
    limits: list[TimeLimit] = []

    def open_(limit: TimeLimit) -> list[str]:
        limits.append(limit)
        return chunks

    found: list[bool] = []
    before = 0.0
    for _ in attempts.stream(Callee(), attempt(500.0, 20.0), open_, READS):
        if before:
            found.append(limits[0].until > before)
        before = limits[0].until
    return found


def test_only_what_shows_a_living_model_breaks_its_silence() -> None:
    """A role, keep-alive chunks and thoughts do not put off the first token's time."""
    assert renewals(["role", "role", "thought", "end"]) == [False, False, False]
    assert renewals(["role", "text 1", "text 2", "end"]) == [False, True, True]


async def test_an_attempt_whose_connections_keep_no_limit_ends_in_time() -> None:
    async def hangs(limit: TimeLimit) -> None:
        await asyncio.sleep(60)

    began = time.monotonic()
    with pytest.raises(TimeoutError):
        await attempts.awhole(Callee(limited=False), attempt(0.05), hangs)
    assert time.monotonic() - began < 5


async def test_a_stream_that_falls_silent_ends_in_time() -> None:
    async def chunks() -> AsyncIterator[str]:
        yield "text"
        await asyncio.sleep(60)

    async def opened(limit: TimeLimit) -> Any:
        return chunks()

    streamed = attempts.astream(Callee(limited=False), attempt(0.05), opened, READS)
    assert await anext(streamed) == "text"
    with pytest.raises(TimeoutError):
        await anext(streamed)


def test_a_connection_of_a_closed_loop_is_tried_anew_and_not_for_ever() -> None:
    tries: list[int] = []

    def dead(times: int) -> Call:
        def call(limit: TimeLimit) -> str:
            tries.append(1)
            if len(tries) <= times:
                raise OSError("send") from RuntimeError("Event loop is closed")
            return "said"

        return call

    assert awhole(Callee(), dead(attempts.DEAD_LOOPS)) == "said"
    tries.clear()
    with pytest.raises(OSError, match="send"):
        awhole(Callee(), dead(99))
    assert len(tries) == attempts.DEAD_LOOPS + 1


@pytest.mark.parametrize("left", [-5.0, 0.0, 3.0])
def test_the_time_left_is_never_zero(left: float) -> None:
    assert 0 < attempts.time_left_s(TimeLimit(left)) <= max(left, 0.001)
