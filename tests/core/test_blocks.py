"""Which paths must not be called for now."""

from __future__ import annotations

import math
import threading

import pytest

from kalibr_core.blocks import Blocks
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
    for _ in range(3000):
        blocks.failed("a", Failure(kind=LIMITED), now=0.0)
    assert blocks.wait_s("a", now=0.0) == 60.0


def test_threads() -> None:
    blocks = Blocks()

    def work() -> None:
        for _ in range(200):
            blocks.failed("a", Failure(kind=LIMITED), now=0.0)
            blocks.passed("a")

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 1.0 <= blocks.wait_s("a", now=0.0) <= 60.0
