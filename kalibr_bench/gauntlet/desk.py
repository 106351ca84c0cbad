"""The two tools of a run, and what came of them."""

from __future__ import annotations

from collections.abc import Callable

SUBMITTED = "Submitted; the run is over."
NOTHING = "Nothing was submitted: code must hold the whole function."


class Desk:
    """One run's tools; frameworks take their names, signatures and docstrings from here.

    Args:
        evaluate: Evaluates an expression of the model's, somewhere safe; returns text in any case.
    """

    def __init__(self, evaluate: Callable[[str], str]) -> None:
        self._evaluate = evaluate
        self.submission: str | None = None
        self.failure: Exception | None = None
        """What broke behind the tools: the harness's fault, which a model cannot mend."""

    def python_expression(self, expression: str) -> str:
        """Evaluate one Python expression, with math and statistics at hand, and return its repr."""
        try:
            return self._evaluate(expression)
        except Exception as error:
            self.failure = error  # some frameworks tell the model of it, and go on
            raise

    def submit_code(self, code: str) -> str:
        """Submit the whole source of process_batch(events, state). This ends the run."""
        if not code.strip():
            return NOTHING
        if self.submission is None:  # where a model submits twice in one step, the first counts
            self.submission = code
        return SUBMITTED
