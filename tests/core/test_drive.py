"""The four drivers must behave alike: one table of scenarios, every way through a Router."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Generator
from typing import Any

import pytest

from kalibr_core import AllPathsFailed, FailureKind, OutputRejected
from kalibr_core.errors import BadResponse, StreamInterrupted
from kalibr_core.plan import Done
from kalibr_core.testing import HANG, FakeClock, Pause, Step, answer, provider_error
from kalibr_core.types import Attempt, Output, Request

from .scene import BAD, DRIVES, Drive, Scene, every_drive

AVAILABILITY, QUALITY, NONE = "availability", "quality", "none"

# What the first path does -> how it is booked: kind, evidence, reward. The second one answers.
HEALED: dict[str, tuple[Step, str, str, float | None]] = {
    "500": (provider_error(500), "server_error", AVAILABILITY, 0.0),
    "503": (provider_error(503), "server_error", AVAILABILITY, 0.0),
    "time-out": (TimeoutError(), "timeout", AVAILABILITY, 0.0),
    "connection": (ConnectionResetError(), "connection", AVAILABILITY, 0.0),
    "interrupted": (StreamInterrupted("cut"), "interrupted", AVAILABILITY, 0.0),
    "no JSON": (BadResponse("HTML"), "bad_response", AVAILABILITY, 0.0),
    "unheard of": (ZeroDivisionError(), "unknown", AVAILABILITY, 0.0),
    "429": (provider_error(429), "rate_limit", NONE, None),
    "401": (provider_error(401), "auth", NONE, None),
    "404": (provider_error(404), "not_found", NONE, None),
    "parameter": (provider_error(400, "temperature is not supported"), "unsupported", NONE, None),
}

# What ends the call at once: it would end no other way on another path.
RAISED: dict[str, tuple[Exception, str]] = {
    "invalid request": (provider_error(400, "messages[0] is wrong"), "invalid_request"),
    "422": (provider_error(422, "messages[0] is wrong"), "invalid_request"),
    "content filter": (provider_error(400, "content_filter: flagged"), "content_filter"),
    "the caller's bug": (TypeError("unexpected keyword"), "caller"),
}


@every_drive
def test_an_answer_is_booked_once_as_a_success(drive: Drive) -> None:
    scene = Scene({"a": "good", "b": "never asked"}, drive)
    done = scene.run()
    assert done.output.text == "good"
    assert done.decision.path.id == "a"
    assert done.decision.verified
    assert scene.called == ["a"]
    assert scene.booked == [("a", "passed", QUALITY, 1.0)]
    assert scene.learned == [("a", QUALITY, 1.0, 0.0)]


@every_drive
@pytest.mark.parametrize("what", HEALED)
def test_a_failure_is_charged_to_its_path_and_healed_by_the_next(drive: Drive, what: str) -> None:
    step, kind, evidence, reward = HEALED[what]
    scene = Scene({"a": step, "b": "good"}, drive)
    done = scene.run()
    assert done.output.text == "good"
    assert done.decision.path.id == "b"
    assert scene.called == ["a", "b"]
    assert scene.booked == [("a", kind, evidence, reward), ("b", "passed", QUALITY, 1.0)]
    assert [o.failure and o.failure.kind for o in done.decision.outcomes] == [
        FailureKind(kind),
        None,
    ]


def test_every_kind_of_failure_is_in_one_of_the_tables() -> None:
    tested = {kind for _, kind, _, _ in HEALED.values()} | {kind for _, kind in RAISED.values()}
    assert tested | {"bad_output", "context_overflow"} == {kind.value for kind in FailureKind}


@pytest.mark.parametrize("drive", [d for d in DRIVES if d.heals_late], ids=str)
def test_a_refused_output_is_charged_as_quality_and_healed(drive: Drive) -> None:
    scene = Scene({"a": BAD, "b": "good"}, drive)
    done = scene.run()
    assert done.output.text == "good"
    assert scene.booked == [("a", "bad_output", QUALITY, 0.0), ("b", "passed", QUALITY, 1.0)]


@pytest.mark.parametrize("drive", [d for d in DRIVES if not d.heals_late], ids=str)
def test_a_live_stream_that_the_gate_refuses_is_charged_and_marked_unverified(drive: Drive) -> None:
    scene = Scene({"a": BAD, "b": "good"}, drive)
    done = scene.run()
    assert done.output.text == BAD, "it is in the caller's hands already"
    assert not done.decision.verified
    assert scene.booked == [("a", "bad_output", QUALITY, 0.0)]


@every_drive
@pytest.mark.parametrize("what", RAISED)
def test_what_the_caller_must_mend_is_raised_as_it_is(drive: Drive, what: str) -> None:
    error, kind = RAISED[what]
    scene = Scene({"a": error, "b": "good"}, drive)
    raised = scene.error()
    assert raised is error
    decision = raised.kalibr  # type: ignore[attr-defined]
    assert [o.path_id for o in decision.outcomes] == ["a"]
    assert scene.called == ["a"]
    assert scene.booked == [("a", kind, NONE, None)]
    assert scene.learned == []


@every_drive
def test_when_all_fail_the_first_error_is_the_cause_and_all_attempts_are_told(drive: Drive) -> None:
    first, second = provider_error(503, "the first"), TimeoutError("the second")
    scene = Scene({"a": first, "b": second}, drive, max_attempts=2)
    error = scene.kalibr_error()
    assert isinstance(error, AllPathsFailed)
    assert error.__cause__ is first
    assert error.errors == (first, second)
    assert [(o.number, o.path_id) for o in error.outcomes] == [(1, "a"), (2, "b")]
    assert error.kalibr is not None
    assert error.kalibr.outcomes == error.outcomes
    assert "max_attempts=2" in str(error)
    assert "1. a: ProviderError 503; 2. b: TimeoutError" in str(error)
    assert [b[:2] for b in scene.booked] == [("a", "server_error"), ("b", "timeout")]


@pytest.mark.parametrize("drive", [d for d in DRIVES if d.heals_late], ids=str)
def test_refused_by_all_raises_the_refusals(drive: Drive) -> None:
    scene = Scene({"a": BAD, "b": BAD}, drive, max_attempts=2)
    error = scene.kalibr_error()
    assert isinstance(error, AllPathsFailed)
    assert isinstance(error.__cause__, OutputRejected)
    assert error.__cause__.reason == "refused"


@pytest.mark.parametrize("drive", [d for d in DRIVES if d.heals_late], ids=str)
def test_on_exhausted_best_gives_a_refused_answer_out_unverified(drive: Drive) -> None:
    scene = Scene({"a": provider_error(500), "b": BAD}, drive, max_attempts=2, on_exhausted="best")
    done = scene.run()
    assert done.output.text == BAD
    assert done.decision.path.id == "b"
    assert not done.decision.verified
    assert [b[1] for b in scene.booked] == ["server_error", "bad_output"]


@every_drive
def test_on_exhausted_best_without_any_answer_raises(drive: Drive) -> None:
    scene = Scene({"a": provider_error(500)}, drive, max_attempts=2, on_exhausted="best")
    assert isinstance(scene.error(), AllPathsFailed)


@every_drive
def test_an_empty_stream_or_answer_is_an_answer_for_the_gate(drive: Drive) -> None:
    scene = Scene({"a": "", "b": "good"}, drive, gate=None, success_when=lambda text: bool(text))
    assert scene.run().output.text == "good"
    assert scene.booked[0] == ("a", "bad_output", QUALITY, 0.0)


@every_drive
def test_waits_are_waited(drive: Drive) -> None:
    scene = Scene({"a": [provider_error(429, retry_after_s=0.75), "good"]}, drive)
    start = scene.clock.monotonic()
    assert scene.run().output.text == "good"
    assert scene.clock.monotonic() - start == pytest.approx(0.75)
    assert scene.called == ["a", "a"]


@every_drive
def test_latency_is_each_attempts_own(drive: Drive) -> None:
    scene = Scene({"a": (Pause(3), provider_error(500)), "b": (Pause(0.5), "good")}, drive)
    decision = scene.run().decision
    assert [o.latency_s for o in decision.outcomes] == pytest.approx([3.0, 0.5])
    assert decision.latency_s == pytest.approx(3.5)


# Streams.

STREAMS = [d for d in DRIVES if d.streams]
LIVE = [d for d in STREAMS if d.mode == "live"]
HOLD = [d for d in STREAMS if d.mode == "hold"]


@pytest.mark.parametrize("drive", STREAMS, ids=str)
def test_a_stream_gives_its_chunks_unchanged_and_in_order(drive: Drive) -> None:
    scene = Scene({"a": ("", "g", "oo", "", "d")}, drive)
    done = scene.run()
    assert done.answer == ("", "g", "oo", "", "d")


@pytest.mark.parametrize("drive", STREAMS, ids=str)
def test_first_token_time_ignores_a_chunk_that_only_names_a_role(drive: Drive) -> None:
    scene = Scene({"a": (Pause(1), "", Pause(2), "good", Pause(4))}, drive)
    (outcome,) = scene.run().decision.outcomes
    assert outcome.first_token_s == pytest.approx(3.0)
    assert outcome.latency_s == pytest.approx(7.0)


@pytest.mark.parametrize("drive", STREAMS, ids=str)
def test_an_empty_role_chunk_is_no_first_chunk_so_the_call_can_still_be_healed(
    drive: Drive,
) -> None:
    scene = Scene({"a": ("", "", ConnectionError()), "b": "good"}, drive)
    done = scene.run()
    assert done.answer == ("", "go", "od"), "nothing of the failed stream"
    assert scene.booked[0] == ("a", "connection", AVAILABILITY, 0.0)


@pytest.mark.parametrize("drive", LIVE, ids=str)
def test_a_live_stream_that_breaks_off_raises_and_is_booked(drive: Drive) -> None:
    cut = ConnectionError("cut")
    scene = Scene({"a": ("", "half", cut), "b": "good"}, drive)
    error = scene.error()
    assert error is cut
    assert error.kalibr.outcomes[0].first_token_s is not None  # type: ignore[attr-defined]
    assert scene.called == ["a"], "no other path: its text would not go on where this one broke"
    assert scene.booked == [("a", "connection", AVAILABILITY, 0.0)]


@pytest.mark.parametrize("drive", HOLD, ids=str)
def test_a_held_stream_that_breaks_off_is_healed_without_a_trace(drive: Drive) -> None:
    scene = Scene({"a": ("", "half", ConnectionError("cut")), "b": "good"}, drive)
    done = scene.run()
    assert done.answer == ("", "go", "od")
    assert scene.booked == [
        ("a", "connection", AVAILABILITY, 0.0),
        ("b", "passed", QUALITY, 1.0),
    ]


@pytest.mark.parametrize("drive", STREAMS, ids=str)
def test_an_upstream_is_closed_when_it_failed_and_when_it_ended(drive: Drive) -> None:
    scene = Scene({"a": ("", ConnectionError()), "b": "good"}, drive)
    scene.run()
    assert scene.provider.closed == ["a", "b"]


READING: dict[str, Any] = {
    "read": lambda chunks: Output(text="".join(chunks)),
    "opens": bool,
    "finish": lambda done: None,
}


def chunks_of(scene: Scene, ends: list[Done[tuple[str | Output, ...]]]) -> Generator[str | Output]:
    return scene.provider.stream_through(scene.router, Request(), ends)


def achunks_of(
    scene: Scene, ends: list[Done[tuple[str | Output, ...]]]
) -> AsyncGenerator[str | Output, None]:
    return scene.provider.astream_through(scene.router, Request(), ends)


def assert_taught_nothing(scene: Scene) -> None:
    assert scene.learned == []
    assert scene.booked == [("a", "abandoned", NONE, None)]


def test_leaving_a_live_stream_closes_the_upstream_and_teaches_nothing() -> None:
    scene = Scene({"a": ("x", "y", "z")}, Drive("stream"))
    ends: list[Done[tuple[str | Output, ...]]] = []
    chunks = chunks_of(scene, ends)
    assert next(chunks) == "x"
    chunks.close()
    assert scene.provider.closed == ["a"]
    assert ends == []
    assert_taught_nothing(scene)


def test_leaving_a_live_async_stream_closes_the_upstream_and_teaches_nothing() -> None:
    scene = Scene({"a": ("x", "y", "z")}, Drive("astream"))

    async def main() -> list[str]:
        chunks = achunks_of(scene, [])
        async for _ in chunks:
            break
        await chunks.aclose()
        return scene.provider.closed

    assert scene.clock.run(main()) == ["a"]
    assert_taught_nothing(scene)


def test_an_upstream_is_closed_and_not_only_dropped() -> None:
    """Somebody else may hold it: then no garbage collector would close its connection."""
    scene = Scene({"a": ("x", "y", "z")}, Drive("stream"))
    held: list[Generator[str | Output, None, None]] = []
    aheld: list[AsyncGenerator[str | Output, None]] = []

    def invoke(attempt: Attempt) -> Generator[str | Output, None, None]:
        held.append(scene.provider.stream(attempt))
        return held[-1]

    def ainvoke(attempt: Attempt) -> AsyncGenerator[str | Output, None]:
        aheld.append(scene.provider.astream(attempt))
        return aheld[-1]

    async def main() -> None:
        chunks = scene.router.acall_stream(Request(), ainvoke, **READING)
        await anext(chunks)
        await chunks.aclose()
        assert aheld[0].ag_frame is None

    chunks = scene.router.call_stream(Request(), invoke, **READING)
    next(chunks)
    chunks.close()
    assert held[0].gi_frame is None
    scene.clock.run(main())


def test_a_consumers_own_error_is_not_the_paths_fault() -> None:
    scene = Scene({"a": ("x", "y", "z")}, Drive("stream"))
    chunks = chunks_of(scene, [])
    next(chunks)
    with pytest.raises(ZeroDivisionError):
        chunks.throw(ZeroDivisionError())
    assert scene.provider.closed == ["a"]
    assert_taught_nothing(scene)


def test_an_async_consumers_own_error_is_not_the_paths_fault() -> None:
    scene = Scene({"a": ("x", "y", "z")}, Drive("astream"))

    async def main() -> None:
        chunks = achunks_of(scene, [])
        await anext(chunks)
        await chunks.athrow(ZeroDivisionError())

    with pytest.raises(ZeroDivisionError):
        scene.clock.run(main())
    assert scene.provider.closed == ["a"]
    assert_taught_nothing(scene)


@pytest.mark.parametrize(
    "drive", [Drive("acall"), Drive("astream"), Drive("astream", "hold")], ids=str
)
def test_a_cancelled_call_teaches_nothing(drive: Drive) -> None:
    scene = Scene({"a": HANG, "b": "good"}, drive)

    async def main() -> None:
        task = asyncio.create_task(scene.provider.aroute(scene.router, drive.way))
        await asyncio.sleep(1)
        task.cancel()
        await task

    with pytest.raises(asyncio.CancelledError):
        scene.clock.run(main())
    assert_taught_nothing(scene)


def test_a_cancelled_stream_closes_the_upstream() -> None:
    scene = Scene({"a": ("", "x", HANG)}, Drive("astream"))

    async def main() -> None:
        task = asyncio.create_task(scene.provider.aroute(scene.router, "astream"))
        await asyncio.sleep(1)
        task.cancel()
        await task

    with pytest.raises(asyncio.CancelledError):
        scene.clock.run(main())
    assert scene.provider.closed == ["a"]
    assert_taught_nothing(scene)


def test_a_call_cancelled_while_it_waits_keeps_what_was_booked() -> None:
    scene = Scene({"a": [provider_error(429, retry_after_s=0.9), "good"]}, Drive("acall"))

    async def main() -> None:
        async with asyncio.timeout(0.5):
            await scene.provider.aroute(scene.router)

    with pytest.raises(TimeoutError):
        scene.clock.run(main())
    assert scene.booked == [("a", "rate_limit", NONE, None)]


def test_an_interrupted_call_teaches_nothing() -> None:
    """Ctrl-C, or a SystemExit: no `Exception`, so not the path's fault."""

    scene = Scene({"a": "good"})

    def interrupted(attempt: Attempt) -> Output:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        scene.router.call(Request(), interrupted, read=lambda output: output)
    assert_taught_nothing(scene)


def test_leaving_a_held_stream_while_it_is_given_out_keeps_its_success() -> None:
    scene = Scene({"a": ("x", "y", "z")}, Drive("stream", "hold"))
    chunks = chunks_of(scene, [])
    next(chunks)
    chunks.close()
    assert scene.booked == [("a", "passed", QUALITY, 1.0)]


@every_drive
def test_an_error_in_making_the_request_is_the_attempts_failure(drive: Drive) -> None:
    """Also where `invoke` is no generator and raises before it returns one."""
    scene = Scene({"a": "never", "b": "good"}, drive)
    raw = scene.provider

    def invoke(attempt: Attempt) -> object:
        if attempt.path.id == "a":
            raise ConnectionError("refused")
        return getattr(raw, drive.way)(attempt)

    text = _text_through(scene, invoke)
    assert text == "good"
    assert [b[:2] for b in scene.booked] == [("a", "connection"), ("b", "passed")]


def _text_through(scene: Scene, invoke: object) -> str:
    router, request, way = scene.router, Request(), scene.drive.way
    if way == "call":
        return router.call(request, invoke, read=lambda o: o).output.text  # type: ignore[arg-type]
    if way == "acall":

        async def ainvoke(attempt: Attempt) -> Output:
            return await invoke(attempt)  # type: ignore[operator]

        done = scene.clock.run(router.acall(request, ainvoke, read=lambda o: o))
        return done.output.text
    if way == "stream":
        return "".join(router.call_stream(request, invoke, **READING))  # type: ignore[arg-type]

    async def main() -> str:
        chunks = router.acall_stream(request, invoke, **READING)  # type: ignore[arg-type]
        return "".join([chunk async for chunk in chunks])

    return scene.clock.run(main())


def test_usage_and_model_are_recorded() -> None:
    scene = Scene({"a": answer(input_tokens=10, output_tokens=20, finish_reason="stop")})
    (outcome,) = scene.run().decision.outcomes
    assert outcome.usage is not None
    assert (outcome.usage.input_tokens, outcome.usage.output_tokens) == (10, 20)
    assert outcome.finish_reason == "stop"
    (entry,) = scene.entries
    assert entry.data["input_tokens"] == 10
    assert entry.data["output_tokens"] == 20


def test_the_fake_clocks_loop_takes_no_time() -> None:
    clock = FakeClock()
    clock.run(asyncio.sleep(86_400))
    assert clock.slept == [86_400.0]
