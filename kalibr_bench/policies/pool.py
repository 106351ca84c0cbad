"""Jobs shared out among processes; the results do not depend on how many there are."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from typing import Any, NamedTuple

LONG = 10e6
"""Jobs that take longer begin first, the longest of all; the others in the order they are given."""


class Job(NamedTuple):
    """Something to be done, anywhere."""

    weight: float
    """How long it takes, about, in microseconds."""
    work: Callable[..., Any]
    """At a module's top level."""
    arguments: tuple[object, ...]


def spread(
    jobs: Sequence[Job], workers: int, on_done: Callable[[float], object] = lambda weight: None
) -> tuple[list[Any], bool]:
    """Do all jobs.

    Args:
        jobs: To be done.
        workers: Processes; 1: in this one.
        on_done: Called with each finished job's weight.

    Returns:
        The results in the jobs' order, None where an interrupt (Ctrl-C) came first, and whether
        one did.
    """
    found: list[Any] = [None] * len(jobs)
    order = sorted(range(len(jobs)), key=lambda index: -max(LONG, jobs[index].weight))
    run = _here if workers <= 1 or len(jobs) <= 1 else _shared
    try:
        for index, result in run(jobs, order, workers):
            found[index] = result
            on_done(jobs[index].weight)
    except KeyboardInterrupt:
        return found, True
    return found, False


Done = Iterator[tuple[int, Any]]


def _here(jobs: Sequence[Job], order: Sequence[int], workers: int) -> Done:
    for index in order:
        yield index, jobs[index].work(*jobs[index].arguments)


def _shared(jobs: Sequence[Job], order: Sequence[int], workers: int) -> Done:
    before = set(multiprocessing.active_children())
    context = multiprocessing.get_context("spawn")
    executor = ProcessPoolExecutor(min(workers, len(jobs)), mp_context=context)
    futures: dict[Future[Any], int] = {}
    try:
        with _uninterrupted():
            for index in order:
                job = jobs[index]
                futures[executor.submit(job.work, *job.arguments)] = index
        for future in as_completed(futures):
            yield futures[future], future.result()
    except BaseException:  # whatever ended it: nobody waits for what is still under way
        results = getattr(executor, "_result_queue", None)
        executor.shutdown(wait=False, cancel_futures=True)
        started = set(multiprocessing.active_children()) - before
        for process in started:
            process.terminate()
        for process in started:
            process.join()
        # One that was ended in the middle of a result leaves the executor's thread, and with it the
        # interpreter's exit, waiting for the rest: with the last writer closed there is an end.
        if (writer := getattr(results, "_writer", None)) is not None:
            writer.close()
        raise
    executor.shutdown()


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Processes that are started in here do not hear a terminal's Ctrl-C: they inherit the mask."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
