"""How good an answer was: told at once by the user's own function, or later by a judge."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from .judging import Judging
from .plan import Done
from .reports import Reports
from .types import Request

T = TypeVar("T")


class Scoring:
    """What follows on an answer, when its plan is done."""

    def __init__(
        self,
        reports: Reports,
        score_when: Callable[[str], float] | None,
        judging: Judging | None,
    ) -> None:
        self._reports = reports
        self._score_when = score_when
        self._judging = judging

    def after(self, done: Done[T], request: Request) -> Done[T]:
        """Score an answer, or leave it to the judge; the answer as it came."""
        if self._score_when is not None and done.output.text:
            self._reports.scored(self._score_when, done.output.text, done.decision)
        if self._judging is not None and done.decision.verified:
            said = request.conversation
            self._judging.offer(done.decision, request.prompt, done.output.text, said)
        return done
