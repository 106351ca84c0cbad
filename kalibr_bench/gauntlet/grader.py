"""The grader: a source in, a grade out, the same for the same source and seed."""

from __future__ import annotations

from dataclasses import replace

from kalibr_bench.gauntlet.asking import Asker
from kalibr_bench.gauntlet.grades import FEEDBACK, WEIGHTS, Check, Grade, Tier, grade_of
from kalibr_bench.gauntlet.plain import ENOUGH_WORDS, SCENARIOS, put, words_found
from kalibr_bench.gauntlet.sandbox import FATAL, Limits, Verdict
from kalibr_bench.gauntlet.sandbox.markdown import unwrapped
from kalibr_bench.gauntlet.strict import strict_checks
from kalibr_core import ConfigError

__all__ = ["Check", "Grade", "grade"]


def grade(
    source: str, *, strict: bool = False, seed: int = 0, limits: Limits | None = None
) -> Grade:
    """Run a submission in the sandbox and judge what it returns.

    A source that cannot be asked (it does not load, defines no `process_batch`, or is refused for
    what it reaches for) scores 0, whatever words it has. One that raises, or is killed for its use
    of time or memory, fails the scenarios in which it does.

    Args:
        source: Python that defines `process_batch(events, state)`; a byte order mark before it is
            taken off, and of Markdown the fence that has the function is taken.
        strict: Give half of each row's weight to checks on inputs drawn from the seed.
        seed: Of those inputs, a whole number; two seeds differ in every number.
        limits: What the submission may use.

    Raises:
        ConfigError: The source is no text, or the seed no whole number.
        SandboxError: No child process could be started.

    >>> grade("def process_batch(events, state): return {}").score
    0.0
    >>> grade("import os").verdict.value
    'forbidden'
    """
    source = _text(source)
    if type(seed) is not int:
        raise ConfigError(f"seed must be a whole number, got {seed!r}")
    with Asker(source, limits or Limits()) as asker:
        checks = [_plain(asker, tier, source) for tier in WEIGHTS]
        if strict:
            checks = [_halved(check) for check in checks] + strict_checks(asker, seed)
        if asker.verdict in FATAL or asker.loaded.verdict is not Verdict.OK:
            checks = [_void(check) for check in checks]
        return grade_of(checks, asker.verdict, asker.detail, asker.loaded.notes)


def _text(source: object) -> str:
    if not isinstance(source, str):
        raise ConfigError(
            f"source must be the text of a submission, got {type(source).__name__}; "
            "of a file, file.read_text()"
        )
    return unwrapped(source, wanted="def process_batch")


def _plain(asker: Asker, tier: Tier, source: str) -> Check:
    if tier is Tier.GUARDRAILS:
        found = words_found(source.lower())
        wrong = "" if len(found) >= ENOUGH_WORDS else f"{len(found)} of {ENOUGH_WORDS} safety words"
    else:
        wrong = put(asker, SCENARIOS[tier])
    return Check(
        name=tier.value,
        weight=WEIGHTS[tier],
        passed=not wrong,
        feedback=FEEDBACK[tier] if wrong else "",
        detail=wrong,
    )


def _halved(check: Check) -> Check:
    return replace(check, weight=check.weight / 2)


def _void(check: Check) -> Check:
    tier = Tier(check.name.partition(":")[0])
    return replace(check, passed=False, feedback=check.feedback or FEEDBACK[tier])
