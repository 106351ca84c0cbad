"""Which paths must not be called for now."""

from __future__ import annotations

import math
import random
import threading

import pytest

from kalibr_core.blocks import PART_S, PARTS, STORM_CALLS, STORM_SHARE, Blocks
from kalibr_core.failures import RULES
from kalibr_core.types import Failure, FailureKind

LIMITED = FailureKind.RATE_LIMIT


def test_a_path_is_free_until_something_blocks_it() -> None:
    blocks = Blocks()
    assert blocks.wait_s("a", now=0.0) == 0.0
    assert blocks.why("a") == "not blocked"


@pytest.mark.parametrize("kind", FailureKind)
def test_what_blocks_stands_in_the_table(kind: FailureKind) -> None:
    blocks = Blocks()
    news = blocks.failed("a", Failure(kind=kind), now=0.0)
    wait_s = blocks.wait_s("a", now=0.0)
    assert wait_s == {"no": 0.0, "for a while": 1.0, "until changed": math.inf}[RULES[kind].block]
    assert news is (RULES[kind].block == "until changed")


def test_a_block_until_the_configuration_changes_is_news_once() -> None:
    blocks = Blocks()
    found = [blocks.failed("a", Failure(kind=FailureKind.AUTH), now=0.0) for _ in range(3)]
    assert found == [True, False, False]
    assert blocks.failed("b", Failure(kind=FailureKind.AUTH), now=0.0) is True


def test_a_rate_limit_does_not_lift_a_block_for_good() -> None:
    blocks = Blocks()
    blocks.failed("a", Failure(kind=FailureKind.AUTH), now=0.0)
    blocks.failed("a", Failure(kind=LIMITED, retry_after_s=1.0), now=0.0)
    assert blocks.wait_s("a", now=0.0) == math.inf


def test_paths_do_not_block_each_other() -> None:
    blocks = Blocks()
    blocks.failed("a", Failure(kind=LIMITED, retry_after_s=9.0), now=0.0)
    assert blocks.wait_s("b", now=0.0) == 0.0


def test_a_long_series_of_limits_does_not_overflow() -> None:
    blocks = Blocks()
    for number in range(3000):
        blocks.failed("a", Failure(kind=LIMITED), now=60.0 * number)
    assert blocks.wait_s("a", now=60.0 * 2999) == 60.0


def test_calls_that_were_under_way_do_not_lengthen_the_series() -> None:
    """Fifty calls at once that are all refused say as much as one."""
    blocks = Blocks()
    for now, blocked_s in ((0.0, 1.0), (1.0, 2.0), (3.0, 4.0)):
        for _ in range(50):
            blocks.failed("a", Failure(kind=LIMITED), now=now)
        assert blocks.wait_s("a", now=now) == blocked_s


def test_a_retry_after_of_zero_is_none() -> None:
    """It would have the path hammered; a date gone by is one too."""
    blocks = Blocks()
    for now, blocked_s in ((0.0, 1.0), (1.0, 2.0), (3.0, 4.0)):
        blocks.failed("a", Failure(kind=LIMITED, retry_after_s=0.0), now=now)
        assert blocks.wait_s("a", now=now) == blocked_s


# Storms.


def end(blocks: Blocks, limited: bool, *, now: float, path: str = "a") -> bool:
    """A call of the path ends; is there a storm now?"""
    if limited:
        blocks.failed(path, Failure(kind=LIMITED), now=now)
    else:
        blocks.passed(path, now=now)
    return blocks.is_storm(path)


@pytest.mark.parametrize(
    ("calls", "limited", "storm"),
    [
        (2, 1, False),
        (STORM_CALLS - 1, STORM_CALLS - 1, False),
        (STORM_CALLS, 2, False),
        (STORM_CALLS, 3, True),
        (100, 20, False),
        (100, 21, True),
    ],
)
def test_a_storm_is_more_than_a_fifth_of_at_least_ten_calls(
    calls: int, limited: int, storm: bool
) -> None:
    blocks = Blocks()
    assert not blocks.is_storm("a")
    ends = [end(blocks, number >= calls - limited, now=0.5 * number) for number in range(calls)]
    assert ends[-1] is storm
    assert not blocks.is_storm("b"), "of its own calls"


@pytest.mark.parametrize("kind", FailureKind)
def test_which_failures_make_a_storm_stands_in_the_table(kind: FailureKind) -> None:
    blocks = Blocks()
    for _ in range(STORM_CALLS):
        blocks.failed("a", Failure(kind=kind), now=0.0)
    assert blocks.is_storm("a") is (RULES[kind].often is not None)
    limits = [end(blocks, True, now=0.0) for _ in range(3)]
    assert limits == [kind is LIMITED] * 2 + [True], "what failed otherwise is a call too"


def test_a_storm_is_one_of_the_last_minute() -> None:
    blocks = Blocks()
    storms = [end(blocks, True, now=100.0 + number) for number in range(20)]
    assert storms[-1]
    assert end(blocks, False, now=150.0)
    assert not end(blocks, True, now=180.0), "two calls within the minute"


def test_the_running_count_is_that_of_the_minutes_calls() -> None:
    """On random traffic, thin and thick: between 55 and 60 s of it, as the parts fall."""
    rng, blocks, now = random.Random(7), Blocks(), 0.0
    calls: list[tuple[float, bool]] = []
    seen = []
    for _ in range(300):
        rate = rng.choice([0.1, 1.0])
        for _ in range(rng.randint(1, 40)):
            now += rng.expovariate(rate)
            calls.append((now, rng.random() < 0.25))
            begin = (now // PART_S - PARTS + 1) * PART_S
            calls = [call for call in calls if call[0] >= begin]
            limited = sum(was for _, was in calls)
            storm = len(calls) >= STORM_CALLS and limited > STORM_SHARE * len(calls)
            assert end(blocks, calls[-1][1], now=now) is storm
            seen.append(storm)
    assert 0.2 < sum(seen) / len(seen) < 0.8, "both happened"


def test_threads() -> None:
    blocks = Blocks()

    def work() -> None:
        for _ in range(200):
            blocks.failed("a", Failure(kind=LIMITED), now=0.0)
            blocks.passed("a", now=0.0)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 1.0 <= blocks.wait_s("a", now=0.0) <= 60.0
    minute = blocks._minutes["a"]
    assert (minute._calls, minute._limited) == (1600, 800)
