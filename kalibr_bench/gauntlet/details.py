"""What was wrong with a submission, in words that are fit for a line and for logs.

The sandbox tells of an exception with its text, which is the model's: of that the class alone is
handed on. What else it tells holds at most a name out of the source, which is cut to length here,
and whatever is not printable is escaped.
"""

from __future__ import annotations

import re

from kalibr_bench.gauntlet.grades import Grade, Tier
from kalibr_bench.gauntlet.sandbox import FATAL, Verdict

LONGEST = 100
SYNTAX = re.compile(r"(?:[A-Za-z]+Error: )?(?P<what>.*) \(<submission>, (?P<line>line \d+)\)", re.S)


def of_verdict(grade: Grade) -> str:
    """The sandbox's verdict and its detail; empty where it is OK.

    >>> from kalibr_bench.gauntlet.grader import grade
    >>> of_verdict(grade("import os"))
    'forbidden: import os (line 1)'
    """
    if grade.verdict is Verdict.OK:
        return ""
    return of_detail(f"{grade.verdict}: {grade.detail}")


def of_detail(detail: str) -> str:
    """A detail of a grade or of a check, fit for logs.

    >>> of_detail("raised: ValueError: what the model says")
    'raised: ValueError'
    >>> of_detail("syntax: SyntaxError: invalid syntax (<submission>, line 1)")
    'syntax: invalid syntax, line 1'
    """
    kind, colon, text = detail.partition(": ")
    if colon and kind == Verdict.RAISED:
        text = text.partition(":")[0]
    elif colon and kind == Verdict.SYNTAX and (found := SYNTAX.fullmatch(text)):
        text = f"{found['what']}, {found['line']}"
    told = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in f"{kind}{colon}{text}")
    return told if len(told) <= LONGEST else f"{told[: LONGEST - 1]}…"


def never_ran(grade: Grade) -> bool:
    """Whether the verdict says it all: refused, or no scenario of any row came to an end."""
    if grade.verdict is Verdict.OK:
        return False
    ran = any(c.passed for c in grade.checks if not c.name.startswith(Tier.GUARDRAILS))
    return grade.verdict in FATAL or not ran
