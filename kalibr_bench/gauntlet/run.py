"""One run: the agent works, its submission is graded, and the Router learns from the grade."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from kalibr_bench.gauntlet.desk import Desk
from kalibr_bench.gauntlet.grades import Grade
from kalibr_bench.gauntlet.learning import learn
from kalibr_bench.gauntlet.problem import MAX_STEPS, PROMPT
from kalibr_bench.gauntlet.records import Call, End, Run
from kalibr_core import AllPathsFailed, Router


class Agent(Protocol):
    """An agent of some framework; safe for threads."""

    def work(
        self, prompt: str, desk: Desk, *, session: str, seed: int | None, calls: list[Call]
    ) -> None:
        """One run; errors come as they are, with what was called before in `calls`."""
        ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Runner:
    """Makes an arm's runs, several at once if need be.

    Attributes:
        agent: Works on the task by `router`.
        router: Learns how each run ended. From one that crashed it learns nothing here: what a path
            did wrong was charged as it happened.
        evaluate: The tool `python_expression`.
        grade: Grades a submission.
        keep: Keep submissions in the records.
    """

    agent: Agent
    router: Router
    evaluate: Callable[[str], str]
    grade: Callable[[str], Grade]
    keep: bool = False

    def run(self, number: int, seed: int | None) -> Run:
        """One run; whatever it raises is told in the record, and leaves other runs alone.

        Args:
            number: Of the run; names its conversation.
            seed: The request's, for a provider that knows it.
        """
        desk, calls, started = Desk(self.evaluate), list[Call](), time.perf_counter()
        grade: Grade | None = None
        error: str | None = None
        try:
            self.agent.work(PROMPT, desk, session=f"run {number}", seed=seed, calls=calls)
            grade = self._graded(desk, calls)
        except Exception as raised:  # noqa: BLE001  # one run's crash is not the others'
            error = reason_of(raised)
        return Run(
            number=number,
            seed=seed,
            calls=tuple(calls),
            ended="crashed" if error else _end(desk, calls),
            grade=grade,
            error=error,
            latency_s=time.perf_counter() - started,
            submission=desk.submission if self.keep else None,
        )

    def _graded(self, desk: Desk, calls: Sequence[Call]) -> Grade | None:
        """The submission's grade, which the Router has learned from; None: there is none."""
        if desk.failure is not None:
            raise desk.failure
        grade = None if desk.submission is None else self.grade(desk.submission)
        passed, score = (False, 0.0) if grade is None else (grade.passed, grade.score)
        learn(self.router, calls, passed=passed, score=score)
        return grade


def _end(desk: Desk, calls: Sequence[Call]) -> End:
    if desk.submission is not None:
        return "submitted"
    return "steps" if len(calls) >= MAX_STEPS else "stopped"


def reason_of(error: BaseException) -> str:
    """An error's class, and the failures of its attempts; no text, which may quote a model's.

    >>> reason_of(TimeoutError("of something"))
    'TimeoutError'
    """
    told = error
    while told.__cause__ is not None and not isinstance(told, AllPathsFailed):
        told = told.__cause__
    if not isinstance(told, AllPathsFailed):
        return type(error).__name__
    kinds = dict.fromkeys(f"{o.path_id}: {o.failure.kind}" for o in told.outcomes if o.failure)
    return f"{type(error).__name__} ({', '.join(kinds)})"
