"""Several runs at once, whatever becomes of those who wait for them."""

from __future__ import annotations

import threading

import pytest

from kalibr_bench.gauntlet.crew import Crew
from kalibr_bench.gauntlet.records import Run


def run(number: int, seed: int | None) -> Run:
    return Run(
        number=number,
        seed=seed,
        calls=(),
        ended="stopped",
        grade=None,
        error=None,
        latency_s=0.0,
    )


def all_of(crew: Crew) -> list[Run]:
    found: list[Run] = []
    while (ended := crew.ended(len(found))) is not None:
        found.append(ended)
    return found


@pytest.mark.parametrize("at_once", [1, 3, 20])
def test_each_run_is_made_once_with_its_seed(at_once: int) -> None:
    found = all_of(Crew(run, [10 + number for number in range(7)], at_once))
    assert sorted((one.number, one.seed) for one in found) == [(n, 10 + n) for n in range(7)]


def test_no_more_than_so_many_are_under_way() -> None:
    lock, under_way, most = threading.Lock(), list[int](), list[int]()

    def busy(number: int, seed: int | None) -> Run:
        with lock:
            under_way.append(number)
            most.append(len(under_way))
        try:
            return run(number, seed)
        finally:
            with lock:
                under_way.remove(number)

    assert len(all_of(Crew(busy, [None] * 50, 3))) == 50
    assert max(most) <= 3


def test_after_a_stop_those_that_have_begun_end_and_no_other_begins() -> None:
    begun, going_on = threading.Barrier(3), threading.Event()

    def waiting(number: int, seed: int | None) -> Run:
        begun.wait(60.0)
        going_on.wait(60.0)
        return run(number, seed)

    crew = Crew(waiting, [None] * 10, 2)
    begun.wait(60.0)
    assert crew.stop() == 2
    going_on.set()
    assert sorted(one.number for one in all_of(crew)) == [0, 1]
    assert crew.stop() == 0


def test_what_breaks_a_thread_is_raised_where_runs_are_waited_for() -> None:
    def broken(number: int, seed: int | None) -> Run:
        raise SystemExit(3)

    with pytest.raises(SystemExit):
        all_of(Crew(broken, [None], 1))
