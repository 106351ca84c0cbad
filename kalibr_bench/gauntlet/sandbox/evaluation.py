"""The agent's calculator: an expression, or a few statements, under the same guard."""

from __future__ import annotations

from kalibr_bench.gauntlet.sandbox.markdown import unwrapped
from kalibr_bench.gauntlet.sandbox.records import Limits, Verdict
from kalibr_bench.gauntlet.sandbox.session import Session

GIVEN = ("math", "statistics")
EVALUATION = Limits(cpu_s=2, call_s=5.0)


def evaluate(expression: str, *, limits: Limits = EVALUATION) -> str:
    """The `repr` of an expression's value, or the error in words; never raises for its sake.

    Args:
        expression: An expression, or statements of which the last is one; `math` and `statistics`
            are there, other allowed modules can be imported. What it prints comes before the
            value. Nothing is kept for the next time. It may be indented, or in a fence of Markdown.
        limits: Its `text_chars` bounds the answer.

    Raises:
        SandboxError: No child could be started.

    >>> evaluate("statistics.fmean([1, 2, 6])")
    '3.0'
    >>> evaluate("x = [9.0] * 6\\nstatistics.pstdev(x)")
    '0.0'
    >>> evaluate("1 / 0")
    'error (raised): ZeroDivisionError: division by zero'
    """
    source = unwrapped(expression).strip()
    with Session(source, entry=None, given=GIVEN, limits=limits) as session:
        loaded = session.loaded
    if loaded.verdict is Verdict.OK:
        return loaded.text
    return f"error ({loaded.verdict}): {loaded.text}"
