"""One routed call: the gate's word, the user's functions, and what must not break a call."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from kalibr_core import AllPathsFailed, BadResponse, Output, OutputRejected, Verdict
from kalibr_core.testing import Pause, Step, Way, answer
from kalibr_core.types import Attempt, Request

from .scene import BAD, DRIVES, Drive, Scene, every_drive, named, warnings_of

heals = pytest.mark.parametrize("drive", [d for d in DRIVES if d.heals_late], ids=str)


def raising(text: str) -> bool:
    raise KeyError(text)


USELESS: dict[str, Callable[[str], object]] = {
    "raises": raising,
    "none": lambda text: None,
    "text": lambda text: "yes",
    "number": lambda text: 1,
}


@every_drive
@pytest.mark.parametrize("what", USELESS)
def test_a_success_when_that_raises_or_gives_no_bool_is_warned_of_once_and_teaches_nothing(
    what: str, drive: Drive, caplog: pytest.LogCaptureFixture
) -> None:
    scene = Scene({"a": "secret text"}, drive, success_when=USELESS[what])
    for _ in range(3):
        done = scene.run()
        assert done.output.text == "secret text"
        assert not done.decision.verified
    assert scene.learned == []
    (warning,) = warnings_of(caplog)
    assert "success_when" in warning
    assert "'scene'" in warning
    assert "secret" not in warning


@every_drive
def test_success_when_replaces_the_built_in_check(drive: Drive) -> None:
    refusal = "I'm sorry, but I can't help with that."
    scene = Scene({"a": refusal}, drive, success_when=lambda text: "sorry" in text)
    assert scene.run().decision.verified
    assert (
        not Scene({"a": refusal}, drive, gate=None, on_exhausted="best", max_attempts=1)
        .run()
        .decision.verified
    )


@every_drive
@pytest.mark.parametrize("score", [0.0, 0.25, 1.0, True])
def test_a_score_is_booked_for_the_path_that_answered(drive: Drive, score: float) -> None:
    scene = Scene({"a": ConnectionError(), "b": "good"}, drive, score_when=lambda text: score)
    decision = scene.run().decision
    assert scene.learned[-1] == ("b", "score", float(score), 1.0 - score)
    (entry,) = [e for e in scene.entries if e.kind == "score"]
    assert (entry.decision_id, entry.path_id) == (decision.id, "b")


def raising_score(text: str) -> float:
    raise KeyError(text)


@every_drive
@pytest.mark.parametrize(
    "score_when",
    [
        raising_score,
        lambda text: math.nan,
        lambda text: 8.0,
        lambda text: -0.1,
        lambda text: "8/10",
        lambda text: None,
    ],
    ids=["raises", "nan", "8", "-0.1", "8/10", "none"],
)
def test_a_score_that_is_none_is_warned_of_once_and_teaches_nothing(
    score_when: Callable[[str], float], drive: Drive, caplog: pytest.LogCaptureFixture
) -> None:
    scene = Scene({"a": "secret text"}, drive, score_when=score_when)
    for _ in range(3):
        assert scene.run().decision.verified
    assert [kind for _, kind, _, _ in scene.learned] == ["quality"] * 3
    (warning,) = warnings_of(caplog)
    assert "score_when" in warning
    assert "'scene'" in warning
    assert "secret" not in warning
    if score_when is raising_score:
        line = raising_score.__code__.co_firstlineno + 1
        assert f"raised KeyError at {__file__}:{line}" in warning


def test_an_answer_that_cannot_be_read_is_a_failure_of_its_path() -> None:
    scene = Scene({"a": "x", "b": "good"})

    def read(output: Output) -> Output:
        if output.text == "x":
            raise BadResponse("no choices")
        return output

    done = scene.router.call(Request(), scene.provider.call, read=read)
    assert done.output.text == "good"
    assert scene.booked[0] == ("a", "bad_response", "availability", 0.0)


# The best of what was refused.


def refuse(**reasons: str) -> object:
    from kalibr_core.types import Verdict

    class Gate:
        def check(self, request: Request, output: Output) -> Verdict:
            return Verdict(passed=False, reason=reasons[output.text])

    return Gate()


@heals
def test_the_best_is_one_that_says_something(drive: Drive) -> None:
    gate = refuse(nothing="empty", no="refusal", short="truncated", other="schema")
    scene = Scene(
        {"a": "nothing", "b": "no", "c": "short", "d": "other"},
        drive,
        gate=gate,
        max_attempts=4,
        on_exhausted="best",
    )
    done = scene.run()
    assert done.output.text == "short", "the first that is no refusal and not empty"
    assert done.decision.path.id == "c"


@heals
def test_a_fault_that_the_request_tolerates_is_given_out_where_all_fail(drive: Drive) -> None:
    gate = refuse(call="tool_call", no="refusal")
    request = Request(tolerates=frozenset({"tool_call"}))
    for script, path in (({"a": "call", "b": "no"}, "a"), ({"a": "no", "b": "call"}, "b")):
        done = Scene(script, drive, gate=gate, max_attempts=2).run(request)
        assert (done.decision.path.id, done.decision.verified) == (path, False)
    scene = Scene({"a": "call", "b": "no"}, drive, gate=gate, max_attempts=2)
    assert isinstance(scene.error(), AllPathsFailed), "others' requests tolerate nothing"


BEST: list[tuple[dict[str, Step], str]] = [
    ({"a": "short", "b": "no"}, "a"),
    ({"a": "no", "b": "short"}, "b"),
    ({"a": "nothing", "b": "no"}, "b"),
    ({"a": "short", "b": TimeoutError()}, "a"),
    ({"a": TimeoutError(), "b": "no"}, "b"),
]


@heals
def test_a_report_on_the_best_goes_to_the_path_that_gave_it(drive: Drive) -> None:
    gate = refuse(short="truncated", no="refusal", nothing="empty")
    for script, best in BEST:
        scene = Scene(script, drive, gate=gate, max_attempts=2, on_exhausted="best")
        decision = scene.run().decision
        assert decision.path.id == best
        scene.router.report(decision.id, success=True)
        assert scene.entries[-1].path_id == best


def test_a_refusals_reason_is_recorded_and_its_detail_is_not() -> None:
    from kalibr_core.types import Verdict

    class Gate:
        def check(self, request: Request, output: Output) -> Verdict:
            return Verdict(passed=False, reason="schema", detail="$.secret is missing")

    scene = Scene({"a": "x"}, gate=Gate(), max_attempts=1)
    error = scene.error()
    assert isinstance(error.__cause__, OutputRejected)
    assert "$.secret is missing" in str(error.__cause__)
    assert scene.entries[0].data["reason"] == "schema"
    assert "secret" not in str(scene.entries[0])


def test_a_frozen_exception_does_not_break_the_call() -> None:
    class Frozen(Exception):
        __slots__ = ()

        def __setattr__(self, name: str, value: object) -> None:
            if not name.startswith("__"):
                raise AttributeError(name)
            super().__setattr__(name, value)

    class FrozenTypeError(Frozen, TypeError):
        pass

    scene = Scene({"a": FrozenTypeError("bug")})
    assert isinstance(scene.error(), FrozenTypeError)


def test_the_decision_adds_up() -> None:
    scene = Scene({"a": [BAD, "x"], "b": answer()}, max_attempts=2)
    decision = scene.run().decision
    assert decision.goal == "scene"
    assert decision.attempts == 2
    assert decision.pull.arm == "a", "the first choice"
    assert decision.path.id == "b"
    assert [o.number for o in decision.outcomes] == [1, 2]
    assert len(decision.id) == 32
    assert [e.id for e in scene.entries] == [f"{decision.id}:1", f"{decision.id}:2"]


def test_only_the_first_attempt_carries_what_the_choice_was_made_from() -> None:
    scene = Scene({"a": BAD, "b": "good"})
    scene.run()
    first, second = scene.entries
    assert first.data["chosen"] == "a"
    assert first.data["propensity"] == 1.0
    assert "features" in first.data
    assert "chosen" not in second.data


def test_ids_sort_by_time() -> None:
    scene = Scene({"a": "good"})
    ids = []
    for _ in range(20):
        ids.append(scene.run().decision.id)
        scene.clock.advance(0.5)
    assert ids == sorted(ids)
    assert len(set(ids)) == 20


def test_a_request_that_the_closures_get_is_an_attempt() -> None:
    seen: list[Attempt] = []
    scene = Scene({"a": "good"}, timeout_s=7)

    def invoke(attempt: Attempt) -> Output:
        seen.append(attempt)
        return answer("good")

    scene.router.call(Request(), invoke, read=lambda output: output)
    assert [(a.path.id, a.number, a.timeout_s) for a in seen] == [("a", 1, 7)]


@pytest.mark.parametrize("way", ["stream", "astream"])
def test_a_held_stream_is_left_at_the_deadline(way: Way) -> None:
    """It gives nothing out before its end, so an endless one would never return."""
    slow = [part for i in range(40) for part in (Pause(1.0), str(i))]
    scene = Scene({"a": tuple(slow)}, Drive(way, "hold"), deadline_s=5.0, max_attempts=2)
    error = scene.error()
    assert isinstance(error, AllPathsFailed)
    assert scene.booked[0][1] == "timeout"


def test_attempts_of_unknown_cost_use_up_the_budget_too() -> None:
    priced = named("a", input_usd_per_mtok=1.0, output_usd_per_mtok=1000.0)
    scene = Scene({"a": BAD}, paths=priced, max_cost_usd=0.6, max_attempts=9)
    scene.kalibr_error()
    assert len(scene.called) == 2  # 256 tokens of output are assumed: 0.256 USD each
