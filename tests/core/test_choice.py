"""Which path a call tries next: waits, blocks, budgets, capabilities, rounds."""

from __future__ import annotations

from typing import Any

import pytest

from kalibr_core import (
    AllPathsFailed,
    BudgetExceeded,
    ConfigError,
    NoEligiblePath,
    PathsBlocked,
)
from kalibr_core.testing import Pause, answer, provider_error
from kalibr_core.types import Request

from .scene import BAD, Drive, Scene, every_drive, named, warnings_of

TOOLS = Request(tools=({"type": "function", "function": {"name": "f"}},))
IMAGES, SOUND = Request(takes=frozenset({"images"})), Request(takes=frozenset({"audio"}))
OVERFLOW = provider_error(400, "This model's maximum context length is 8192 tokens")


def rate_limit(retry_after_s: float | None = None) -> Exception:
    return provider_error(429, retry_after_s=retry_after_s)


# Rate limits: wait or switch.


@every_drive
def test_a_short_retry_after_is_waited_for(drive: Drive) -> None:
    scene = Scene({"a": [rate_limit(0.5), "good"], "b": "other"}, drive)
    assert scene.run().output.text == "good"
    assert scene.called == ["a", "a"]
    assert scene.clock.slept == [0.5]


@every_drive
def test_a_long_retry_after_is_switched_from(drive: Drive) -> None:
    scene = Scene({"a": [rate_limit(2), "good"], "b": "other"}, drive)
    assert scene.run().output.text == "other"
    assert scene.called == ["a", "b"]
    assert scene.clock.slept == []


def test_max_wait_s_says_what_short_is() -> None:
    scene = Scene({"a": [rate_limit(2), "good"], "b": "other"}, max_wait_s=2.0)
    assert scene.run().output.text == "good"
    assert scene.clock.slept == [2.0]


def test_a_short_wait_that_the_deadline_does_not_allow_is_switched_from() -> None:
    scene = Scene({"a": [rate_limit(0.5), "late"], "b": "other"}, deadline_s=0.4)
    assert scene.run().output.text == "other"
    assert scene.clock.slept == []


def test_a_path_is_waited_for_once_per_call() -> None:
    scene = Scene({"a": rate_limit(0.5), "b": "other"})
    assert scene.run().output.text == "other"
    assert scene.called == ["a", "a", "b"]


# Retries on the same path.


@every_drive
def test_a_path_is_asked_again_first_where_the_caller_wants_that(drive: Drive) -> None:
    scene = Scene({"a": [provider_error(500), "good"], "b": "other"}, drive, same_path_retries=1)
    assert scene.run().output.text == "good"
    assert scene.called == ["a", "a"]
    (slept,) = scene.clock.slept
    assert 0.25 <= slept <= 0.5
    assert [learned[2:] for learned in scene.learned] == [(0.0, 1.0), (1.0, 0.0)], "both count"


def test_a_path_is_asked_again_no_more_often_than_that() -> None:
    scene = Scene({"a": provider_error(503), "b": "other"}, same_path_retries=1)
    assert scene.run().output.text == "other"
    assert scene.called == ["a", "a", "b"]


@pytest.mark.parametrize("step", ["bad", TimeoutError(), rate_limit(), provider_error(401)])
def test_what_would_fail_again_or_took_long_is_not_asked_again(step: Any) -> None:
    scene = Scene({"a": step, "b": "other"}, same_path_retries=2)
    assert scene.run().output.text == "other"
    assert scene.called == ["a", "b"]


def test_a_retry_that_the_deadline_does_not_allow_is_a_switch() -> None:
    scene = Scene(
        {"a": [provider_error(500), "late"], "b": "other"}, same_path_retries=1, deadline_s=0.2
    )
    assert scene.run().output.text == "other"


@pytest.mark.parametrize("value", [-1, 1.5, True, "1", None])
def test_same_path_retries_is_a_whole_number(value: Any) -> None:
    with pytest.raises(ConfigError, match="same_path_retries"):
        Scene({"a": "x"}, same_path_retries=value)


def test_without_a_retry_after_the_next_path_is_tried_at_once() -> None:
    scene = Scene({"a": rate_limit(), "b": "other"})
    assert scene.run().output.text == "other"
    assert scene.called == ["a", "b"]
    assert scene.clock.slept == []


def test_a_limited_path_is_not_called_again_before_its_time() -> None:
    scene = Scene({"a": [rate_limit(30), "good"], "b": "other"})
    scene.run()
    scene.clock.advance(29.9)
    assert scene.run().decision.path.id == "b"
    scene.clock.advance(0.2)
    assert scene.run().decision.path.id == "a"


def test_rate_limits_without_a_time_block_for_1_2_4_up_to_60_s() -> None:
    scene = Scene({"a": rate_limit(), "b": "other"})
    for number, blocked_s in enumerate((1, 2, 4, 8, 16, 32, 60, 60, 60), start=1):
        scene.run()
        assert scene.called.count("a") == number
        scene.clock.advance(blocked_s - 0.01)
        scene.run()
        assert scene.called.count("a") == number, f"called within {blocked_s} s"
        scene.clock.advance(0.02)


def test_an_answer_starts_the_series_from_its_beginning() -> None:
    limits = [rate_limit(), rate_limit(), rate_limit()]
    scene = Scene({"a": [*limits, "good", rate_limit(), "good"], "b": "other"})
    for wait_s in (1, 2, 4):
        assert scene.run().decision.path.id == "b"
        scene.clock.advance(wait_s)
    assert scene.run().decision.path.id == "a"
    assert scene.run().decision.path.id == "b"
    scene.clock.advance(1)
    assert scene.run().decision.path.id == "a"


def test_the_newest_retry_after_counts_and_never_shortens_a_block() -> None:
    scene = Scene({"a": [rate_limit(100), "good"], "b": "other"})
    scene.run()
    blocks = scene.router._roster.blocks
    from kalibr_core.failures import classify

    now = scene.clock.monotonic()
    blocks.failed("a", classify(rate_limit(5), now=scene.clock.wall), now=now)
    assert blocks.wait_s("a", now=now) == 100
    blocks.failed("a", classify(rate_limit(200), now=scene.clock.wall), now=now)
    assert blocks.wait_s("a", now=now) == 200


@every_drive
def test_when_all_are_limited_the_first_to_return_is_waited_for(drive: Drive) -> None:
    scene = Scene({"a": [rate_limit(40), "a"], "b": [rate_limit(20), "b"]}, drive)
    start = scene.clock.monotonic()
    assert scene.run().output.text == "b"
    assert scene.clock.monotonic() - start == pytest.approx(20)
    assert scene.called == ["a", "b", "b"]


@every_drive
def test_a_wait_beyond_the_deadline_is_not_begun(drive: Drive) -> None:
    scene = Scene({"a": rate_limit(40), "b": rate_limit(20)}, drive, deadline_s=10)
    error = scene.kalibr_error()
    assert isinstance(error, AllPathsFailed)
    assert scene.clock.slept == []
    assert "blocked" in str(error)


@every_drive
def test_a_call_that_finds_all_paths_blocked_says_when_to_come_back(drive: Drive) -> None:
    scene = Scene({"a": rate_limit(40), "b": rate_limit(20)}, drive, deadline_s=10)
    scene.error()
    scene.clock.advance(5)
    error = scene.kalibr_error()
    assert isinstance(error, PathsBlocked)
    assert error.retry_after_s == pytest.approx(15)
    assert error.reasons == ("a: rate_limit", "b: rate_limit")
    assert "15.0 s" in str(error)
    assert scene.called == ["a", "b"], "nothing was called"
    assert len(scene.booked) == 2


def test_a_short_retry_after_of_a_server_error_is_waited_for_too() -> None:
    scene = Scene({"a": [provider_error(503, retry_after_s=0.5), "good"], "b": "other"})
    assert scene.run().output.text == "good"
    assert scene.clock.slept == [0.5]


# Refused keys and models that are gone.


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_refused_path_is_left_out_until_a_new_router_with_one_warning(
    status: int, caplog: pytest.LogCaptureFixture
) -> None:
    scene = Scene({"a": provider_error(status), "b": "other"})
    for _ in range(3):
        assert scene.run().output.text == "other"
        scene.clock.advance(100_000)
    assert scene.called == ["a", "b", "b", "b"]
    (warning,) = warnings_of(caplog)
    assert "'a'" in warning
    assert str(status) in warning
    assert "new Router" in warning
    again = Scene({"a": provider_error(status), "b": "other"})
    again.run()
    assert again.called[0] == "a"


@every_drive
def test_when_no_path_returns_by_itself_the_error_says_so(drive: Drive) -> None:
    scene = Scene({"a": provider_error(401), "b": provider_error(404)}, drive)
    assert isinstance(scene.error(), AllPathsFailed)
    error = scene.kalibr_error()
    assert isinstance(error, PathsBlocked)
    assert error.retry_after_s is None
    assert "check keys" in str(error)


# Context overflow.


def with_windows(**windows: int | None) -> list[object]:
    return [path for name, window in windows.items() for path in named(name, context_window=window)]


@every_drive
def test_an_overflow_tries_only_larger_windows(drive: Drive) -> None:
    scene = Scene(
        {"a": OVERFLOW, "same": "no", "unknown": "no", "large": "good"},
        drive,
        paths=with_windows(a=8192, same=8192, unknown=None, large=32_768),
    )
    assert scene.run().output.text == "good"
    assert scene.called == ["a", "large"]
    assert scene.booked[0] == ("a", "context_overflow", "none", None)


@every_drive
def test_an_overflow_without_a_larger_path_is_raised_as_the_provider_said_it(
    drive: Drive,
) -> None:
    scene = Scene({"a": OVERFLOW, "b": "no"}, drive, paths=with_windows(a=8192, b=4096))
    error = scene.error()
    assert error is OVERFLOW
    assert scene.called == ["a"]
    assert scene.clock.slept == []


def test_two_overflows_raise_the_first_one() -> None:
    second = provider_error(413)
    scene = Scene({"a": OVERFLOW, "b": second}, paths=with_windows(a=8192, b=32_768))
    assert scene.error() is OVERFLOW


def test_a_path_that_failed_before_an_overflow_and_is_too_small_is_not_waited_for() -> None:
    scene = Scene(
        {"small": provider_error(500), "a": OVERFLOW}, paths=with_windows(small=4096, a=8192)
    )
    assert isinstance(scene.error(), AllPathsFailed)
    assert scene.called == ["small", "a"]
    assert scene.clock.slept == [], "there is nothing to come back to"


def test_what_keeps_each_path_out_is_told() -> None:
    paths = [*named("a"), *named("b", tools=False)]
    scene = Scene({"a": rate_limit(60), "b": "x"}, paths=paths, deadline_s=10)
    scene.error(TOOLS)
    error = scene.kalibr_error(TOOLS)
    assert isinstance(error, PathsBlocked)
    assert error.reasons == ("a: rate_limit", "b: cannot call tools (tools=False)")


# Budgets.


@every_drive
def test_max_attempts_bounds_all_tries_together(drive: Drive) -> None:
    scene = Scene({"a": provider_error(500), "b": provider_error(500)}, drive, max_attempts=5)
    assert isinstance(scene.error(), AllPathsFailed)
    assert len(scene.called) == 5


def test_one_attempt_is_one_attempt() -> None:
    scene = Scene({"a": provider_error(500), "b": "good"}, max_attempts=1)
    error = scene.kalibr_error()
    assert isinstance(error, AllPathsFailed)
    assert scene.called == ["a"]
    assert "max_attempts=1" in str(error)


@every_drive
def test_the_deadline_ends_a_call(drive: Drive) -> None:
    slow = (Pause(6), provider_error(500))
    scene = Scene({"a": slow, "b": slow}, drive, max_attempts=100, deadline_s=10)
    error = scene.error()
    assert isinstance(error, AllPathsFailed)
    assert "deadline_s=10" in str(error)
    assert len(scene.called) == 2


def test_an_attempts_time_is_bounded_by_the_deadline() -> None:
    slow = (Pause(6), provider_error(500))
    scene = Scene({"a": slow, "b": "good"}, deadline_s=10, timeout_s=9)
    scene.run()
    assert [a.timeout_s for a in scene.provider.attempts] == pytest.approx([9, 4])


def test_the_narrowest_of_router_path_and_call_limits_an_attempt() -> None:
    paths = [*named("a", timeout_s=5.0, first_token_s=1.0), *named("b")]
    scene = Scene({"a": BAD, "b": "good"}, paths=paths, timeout_s=7, first_token_s=2)
    scene.run()
    assert [(a.timeout_s, a.first_token_s) for a in scene.provider.attempts] == [(5, 1), (7, 2)]
    scene.run(timeout_s=3)
    assert [a.timeout_s for a in scene.provider.attempts[2:]] == [3, 3]
    scene.run(timeout_s=6)
    assert [a.timeout_s for a in scene.provider.attempts[4:]] == [5, 6]


PRICES = {"input_usd_per_mtok": 1000.0, "output_usd_per_mtok": 1000.0}
"""A tenth of a cent for each token."""


@every_drive
def test_paths_of_unknown_price_are_not_tried_under_a_budget(drive: Drive) -> None:
    paths = [*named("unknown"), *named("known", **PRICES)]
    scene = Scene({"unknown": "x", "known": "good"}, drive, paths=paths, max_cost_usd=1.0)
    assert scene.run().output.text == "good"
    assert scene.called == ["known"]


@every_drive
def test_a_budget_that_no_path_fits_is_an_error_before_any_call(drive: Drive) -> None:
    paths = [*named("unknown"), *named("dear", **PRICES)]
    scene = Scene({"unknown": "x", "dear": "x"}, drive, paths=paths, max_cost_usd=0.001)
    error = scene.kalibr_error()
    assert isinstance(error, BudgetExceeded)
    assert error.max_cost_usd == 0.001
    assert "unknown: its price is unknown" in str(error)
    assert "dear: about" in str(error)
    assert scene.called == []


def test_attempts_share_the_budget() -> None:
    """10 tokens out and none in are estimated at 0.01; each attempt takes 0.015 in truth."""
    scene = Scene(
        {"a": answer(BAD, input_tokens=5, output_tokens=10)},
        paths=named("a", **PRICES),
        max_cost_usd=0.035,
        max_attempts=9,
    )
    error = scene.error(Request(max_output_tokens=10))
    assert isinstance(error, AllPathsFailed)
    assert len(scene.called) == 2
    assert "max_cost_usd=0.035" in str(error)


def test_a_refused_request_costs_nothing_and_an_unpriced_one_is_unknown() -> None:
    paths = [*named("a", **PRICES), *named("b")]
    scene = Scene({"a": [provider_error(500), answer()], "b": answer()}, paths=paths)
    decision = scene.run().decision
    assert [o.cost_usd for o in decision.outcomes] == [0.0, None]
    assert decision.cost_usd is None, "unknown, which is not free"
    assert scene.run().decision.cost_usd == pytest.approx(1.1)


# Rounds.


@every_drive
def test_a_single_path_is_tried_again_after_a_pause(drive: Drive) -> None:
    scene = Scene({"a": [provider_error(500), "good"]}, drive)
    assert scene.run().output.text == "good"
    (slept,) = scene.clock.slept
    assert 0.25 <= slept <= 0.5, "half a second, with jitter"


def test_the_pauses_double_up_to_8_s() -> None:
    scene = Scene({"a": provider_error(500)}, max_attempts=8)
    scene.error()
    bounds = [0.5, 1, 2, 4, 8, 8, 8]
    assert len(scene.clock.slept) == len(bounds)
    for slept, most in zip(scene.clock.slept, bounds, strict=True):
        assert most / 2 <= slept <= most


def test_a_second_round_begins_when_all_have_failed() -> None:
    scene = Scene({"a": [provider_error(500), "good"], "b": provider_error(500)})
    assert scene.run().output.text == "good"
    assert scene.called == ["a", "b", "a"]


def test_bad_outputs_are_tried_again_without_a_pause() -> None:
    scene = Scene({"a": [BAD, "good"]})
    assert scene.run().output.text == "good"
    assert scene.clock.slept == []


def test_a_path_that_hung_is_not_tried_again_in_the_same_call() -> None:
    scene = Scene({"a": TimeoutError(), "b": [provider_error(500), "good"]})
    assert scene.run().output.text == "good"
    assert scene.called == ["a", "b", "b"]


def test_a_single_path_that_hung_ends_the_call() -> None:
    scene = Scene({"a": TimeoutError()})
    error = scene.error()
    assert isinstance(error, AllPathsFailed)
    assert scene.called == ["a"]
    assert "no path was left to try" in str(error), str(error)


def test_a_call_never_draws_a_path_twice_in_a_round() -> None:
    scene = Scene({name: provider_error(500) for name in "abcde"}, max_attempts=5)
    scene.error()
    assert sorted(scene.called) == list("abcde")


# Capabilities.


@every_drive
@pytest.mark.parametrize(
    ("request_", "lacks"), [(TOOLS, "tools"), (IMAGES, "images"), (SOUND, "audio")]
)
def test_a_path_that_cannot_take_the_request_is_not_tried(
    drive: Drive, request_: Request, lacks: str
) -> None:
    paths = [*named("a", **{lacks: False}), *named("b")]
    scene = Scene({"a": "x", "b": "good"}, drive, paths=paths)
    assert scene.run(request_).output.text == "good"
    assert scene.called == ["b"]
    scene.run()
    assert scene.called[1:] == ["a"], "other requests may go there"


@every_drive
def test_when_no_path_can_take_the_request_the_error_names_each(drive: Drive) -> None:
    paths = [*named("a", tools=False), *named("b", tools=False)]
    scene = Scene({"a": "x", "b": "x"}, drive, paths=paths)
    with pytest.raises(NoEligiblePath, match=r"a: cannot call tools.*b: cannot call tools") as e:
        scene.run(TOOLS)
    assert len(e.value.refusals) == 2
    assert scene.called == []


def test_the_policy_is_offered_only_what_can_be_tried_with_its_expected_cost() -> None:
    paths = [*named("a", **PRICES), *named("b"), *named("c", tools=False)]
    scene = Scene({"a": provider_error(500), "b": "good", "c": "x"}, paths=paths)
    scene.run(TOOLS)
    (first, context), (second, later) = scene.policy.pulls
    assert [arm.id for arm in first] == ["a", "b"]
    assert [arm.id for arm in second] == ["b"]
    assert (context.number, later.number) == (1, 2)
    assert first[0].cost_usd == pytest.approx(0.26, rel=0.05), "256 tokens, until it is known"
    assert first[1].cost_usd is None


def test_expected_cost_follows_what_a_path_answers() -> None:
    scene = Scene({"a": answer(output_tokens=1000)}, paths=named("a", **PRICES))
    scene.run()
    scene.run()
    assert scene.policy.pulls[1][0][0].cost_usd == pytest.approx(1.0)
