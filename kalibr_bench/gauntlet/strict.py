"""What `strict` adds: inputs that nobody has seen, and what the rubric's own ones cannot show.

Every expectation follows from `problem.CONTRACT`, which the agent is given. Where sound engineers
differ (an event without a time, what exactly is buffered, how a spike is told), each of their ways
passes: the bulk of a batch is evenly spaced, so that neither a median rule, nor quartile fences,
nor repeated trimming cuts into it, and spikes are forty of its widths away.
"""

from __future__ import annotations

from random import Random

from kalibr_bench.gauntlet.asking import Asker
from kalibr_bench.gauntlet.grades import FEEDBACK, WEIGHTS, Check, Tier
from kalibr_bench.gauntlet.plain import ENOUGH_WORDS, put, words_found
from kalibr_bench.gauntlet.strict_output import OUTPUT
from kalibr_bench.gauntlet.strict_resilience import RESILIENCE
from kalibr_bench.gauntlet.strict_tiers import FLAT, HEAVY_TAIL, INTEGRITY, Scenarios

STRICT: dict[Tier, Scenarios] = {
    Tier.INTEGRITY: INTEGRITY,
    Tier.FLAT: FLAT,
    Tier.HEAVY_TAIL: HEAVY_TAIL,
    Tier.RESILIENCE: RESILIENCE,
    Tier.OUTPUT: OUTPUT,
}
IN_CODE = "words in code"


def strict_checks(asker: Asker, seed: int) -> list[Check]:
    """All of them, in the rubric's order; those of one row share half of its weight."""
    checks = [
        strict_check(asker, tier, name, seed)
        for tier, scenarios in STRICT.items()
        for name in scenarios
    ]
    return [*checks, guardrails_in_code(asker)]


def strict_check(asker: Asker, tier: Tier, name: str, seed: int) -> Check:
    """One of them; its name and the seed decide what is drawn."""
    scenario = STRICT[tier][name]
    # A generator for each: one scenario's draws do not hang on another's.
    rng = Random(f"{seed}/{tier}/{name}")
    return _made(tier, name, len(STRICT[tier]), put(asker, lambda asker: scenario(asker, rng)))


def guardrails_in_code(asker: Asker) -> Check:
    """Safety words count where they are code: not in comments, docstrings or idle strings."""
    found = words_found("\n".join(asker.loaded.words))
    wrong = "" if len(found) >= ENOUGH_WORDS else f"{len(found)} of {ENOUGH_WORDS} words in code"
    return _made(Tier.GUARDRAILS, IN_CODE, 1, wrong)


def _made(tier: Tier, name: str, siblings: int, wrong: str) -> Check:
    return Check(
        name=f"{tier}: {name}",
        weight=WEIGHTS[tier] / 2 / siblings,
        passed=not wrong,
        feedback=f"{FEEDBACK[tier]}: {name}" if wrong else "",
        detail=wrong,
    )
