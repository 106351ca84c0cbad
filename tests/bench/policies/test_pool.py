"""Jobs among processes."""

from __future__ import annotations

import pytest

from kalibr_bench.policies.pool import LONG, Job, spread


def double(value: int) -> int:
    if value == 13:
        raise KeyboardInterrupt
    if value < 0:
        raise ArithmeticError("negative")
    return 2 * value


def jobs(*values: int) -> list[Job]:
    return [Job(float(value), double, (value,)) for value in values]


def test_results_come_in_the_jobs_order() -> None:
    for workers in (1, 2):
        done: list[float] = []
        found, stopped = spread(jobs(3, 1, 2), workers, done.append)
        assert (found, stopped, sum(done)) == ([6, 2, 4], False, 6.0)


def test_an_interrupt_leaves_what_was_finished() -> None:
    assert spread(jobs(20, 13, 5), 1) == ([40, None, None], True)


def test_long_jobs_begin_first_and_others_in_their_order() -> None:
    done: list[float] = []
    long = int(LONG)
    spread(jobs(2, 3, long + 1, 1, long + 2), 1, done.append)
    assert done == [long + 2, long + 1, 2, 3, 1]


def test_a_failing_job_fails_loudly() -> None:
    for workers in (1, 2):
        with pytest.raises(ArithmeticError, match="negative"):
            spread(jobs(1, -1), workers)
