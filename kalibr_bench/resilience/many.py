"""Runs: one in this process, or many shared out among worker processes."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import queue
import signal
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from kalibr_bench.provider import DEFAULT_MODELS, LoopbackProvider
from kalibr_bench.resilience.records import Execution, Results, RunResult, Settings
from kalibr_bench.resilience.run import Run, Upstream
from kalibr_bench.resilience.scenario import MODELS

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess

POLL_S = 0.5
END_S = 10.0
Row = dict[str, Execution]


def benchmark(
    settings: Settings,
    seeds: Sequence[int],
    *,
    workers: int | None = None,
    on_row: Callable[[], object] = lambda: None,
) -> Results:
    """Run every seed against the loopback provider.

    The outcome depends on the seeds alone, not on the workers. An interrupt (Ctrl-C) ends it with
    what there is.

    Args:
        settings: What is to be run.
        seeds: One independent run each.
        workers: Processes; by default as many as there are cores, and none for a single run.
        on_row: Called after each document that all arms have analysed.
    """
    workers = min(workers or _cores(), len(seeds))
    results = Results(settings=settings, runs=[])
    try:
        if workers <= 1:
            with loopback(settings) as provider:
                run_here(results, seeds, provider, on_row=on_row)
        else:
            _run_shared(results, seeds, workers, on_row)
    except KeyboardInterrupt:
        results.stopped = True
    results.runs = sorted((run for run in results.runs if run.length), key=lambda run: run.seed)
    return results


def run_here(
    results: Results,
    seeds: Sequence[int],
    upstream: Upstream,
    *,
    together: bool = False,
    on_row: Callable[[], object] = lambda: None,
) -> None:
    """Run seed after seed in this process; what is done stands in `results` at any time."""
    for seed in seeds:
        run = Run(results.settings, seed, upstream, together=together)
        results.runs.append(run.result)
        with contextlib.closing(run.rows()) as rows:
            for _ in rows:
                on_row()


@contextlib.contextmanager
def loopback(settings: Settings) -> Iterator[LoopbackProvider]:
    """The benchmark's provider, in a process of its own."""
    models = [replace(m, quality=MODELS[m.name]) for m in DEFAULT_MODELS if m.name in MODELS]
    provider = LoopbackProvider(
        models, process=True, latency_scale=settings.latency_scale, keep_requests=0
    )
    try:
        with _uninterrupted():
            provider.start()
        yield provider
    finally:
        provider.close()


@contextlib.contextmanager
def _uninterrupted() -> Iterator[None]:
    """Start child processes that a terminal's Ctrl-C does not reach: a child inherits the mask.

    Else the provider would be gone while the last document is still under way. In this process an
    interrupt waits until the children stand, and can be ended.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    asked: list[int] = []
    main = threading.current_thread() is threading.main_thread()
    handler = signal.signal(signal.SIGINT, lambda number, _: asked.append(number)) if main else None
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        if main:
            signal.signal(signal.SIGINT, handler)
    if asked:
        raise KeyboardInterrupt


def _run_shared(
    results: Results, seeds: Sequence[int], workers: int, on_row: Callable[[], object]
) -> None:
    context = multiprocessing.get_context("spawn")
    tasks, rows = context.Queue(), context.Queue()
    for task in (*seeds, *[None] * workers):
        tasks.put(task)
    arguments = (results.settings, tasks, rows)
    processes = [context.Process(target=_work, args=arguments, daemon=True) for _ in range(workers)]
    runs = {seed: RunResult(seed=seed) for seed in seeds}
    results.runs = list(runs.values())
    try:
        with _uninterrupted():
            for process in processes:
                process.start()
        for seed, row in _collected(rows, processes):
            runs[seed].add(row)
            on_row()
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.join(END_S)
            process.kill()
        tasks.cancel_join_thread()


def _collected(rows: Any, processes: Sequence[BaseProcess]) -> Iterator[tuple[int, Row]]:
    """What the workers send until each has said that it is done."""
    left = len(processes)
    while left:
        try:
            seed, row = rows.get(timeout=POLL_S)
        except queue.Empty:
            if all(process.exitcode is not None for process in processes) and rows.empty():
                raise RuntimeError("the workers ended before their work was done") from None
            continue
        if isinstance(row, str):
            raise RuntimeError(f"a worker failed:\n{row}")
        if row is None:
            left -= 1
        else:
            yield seed, row


class _Ending:
    """SIGTERM as SystemExit, but not before the provider stands and can be closed."""

    def __init__(self, rows: Any) -> None:
        self._rows = rows
        self._asked = self._allowed = False
        signal.signal(signal.SIGTERM, self._ask)

    def allow(self) -> None:
        """From now on, at once."""
        self._allowed = True
        if self._asked:
            self._end()

    def _ask(self, *_: object) -> None:
        self._asked = True
        if self._allowed:
            self._end()

    def _end(self) -> None:
        self._rows.cancel_join_thread()  # nobody reads what is still in there
        raise SystemExit(0)


def _work(settings: Settings, tasks: Any, rows: Any) -> None:
    """A worker: runs with a provider of its own."""
    ending = _Ending(rows)
    try:
        with loopback(settings) as provider:
            ending.allow()
            while (seed := tasks.get()) is not None:
                for row in Run(settings, seed, provider).rows():
                    rows.put((seed, row))
        rows.put((-1, None))
    except Exception:  # noqa: BLE001  # it is shown by the process that the user looks at
        rows.put((-1, traceback.format_exc()))


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
