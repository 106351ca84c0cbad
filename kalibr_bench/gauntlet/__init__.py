"""The Resilience Gauntlet: an agent that repairs a pipeline, and the grader of its work."""

from kalibr_bench.gauntlet.grader import grade
from kalibr_bench.gauntlet.grades import Check, Grade
from kalibr_bench.gauntlet.problem import BUGGY, CONTRACT, MAX_STEPS, PROMPT
from kalibr_bench.gauntlet.sandbox import Limits, SandboxError, Verdict, evaluate

__all__ = [
    "BUGGY",
    "CONTRACT",
    "MAX_STEPS",
    "PROMPT",
    "Check",
    "Grade",
    "Limits",
    "SandboxError",
    "Verdict",
    "evaluate",
    "grade",
]
