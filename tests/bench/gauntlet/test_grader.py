"""The grader's verdict on sound submissions, on known faults, and on those that know the inputs."""

from __future__ import annotations

from pathlib import Path
from textwrap import indent
from typing import Any

import pytest

from kalibr_bench.gauntlet import BUGGY, Limits, Verdict, grade
from kalibr_bench.gauntlet.asking import Asker
from kalibr_bench.gauntlet.grades import WEIGHTS, Grade, Tier
from kalibr_bench.gauntlet.plain import SCENARIOS, put
from kalibr_bench.gauntlet.strict import IN_CODE, STRICT, guardrails_in_code, strict_check
from kalibr_core import ConfigError
from tests.bench.gauntlet import faults, strict_faults
from tests.bench.gauntlet.submissions import CHEAT, GOOD, SOUND, edited

HUGE = "a huge batch"
PLAIN_NAMES = [tier.value for tier in Tier]
STRICT_NAMES = [f"{tier}: {name}" for tier, names in STRICT.items() for name in names]
STRICT_NAMES.append(f"{Tier.GUARDRAILS}: {IN_CODE}")


def failed(result: Grade) -> set[str]:
    return {check.name for check in result.checks if not check.passed}


@pytest.mark.parametrize("name", faults.PLAIN)
def test_a_known_fault_fails_its_checks_and_no_other(name: str) -> None:
    source, wanted = faults.PLAIN[name]
    result = grade(source)
    assert failed(result) == wanted
    assert result.score == pytest.approx(1 - sum(WEIGHTS[Tier(each)] for each in wanted))
    assert not result.passed


@pytest.mark.parametrize("name", strict_faults.STRICT)
def test_strict_finds_what_the_rubrics_own_inputs_miss(name: str) -> None:
    """All but the huge batch, in one child; the next test has that one, and the whole grade."""
    source, wanted = strict_faults.STRICT[name]
    with Asker(source, Limits()) as asker:
        assert [put(asker, scenario) for scenario in SCENARIOS.values()] == [""] * len(SCENARIOS)
        found = {
            check.name
            for tier, scenarios in STRICT.items()
            for check in (strict_check(asker, tier, each, 0) for each in scenarios if each != HUGE)
            if not check.passed
        }
        found |= {check.name for check in [guardrails_in_code(asker)] if not check.passed}
    assert found == wanted


@pytest.mark.parametrize("name", strict_faults.SLOW)
def test_a_huge_batch_finds_what_grows_too_fast(name: str) -> None:
    source, wanted = strict_faults.SLOW[name]
    result = grade(source, strict=True, limits=Limits(cpu_s=1))
    assert failed(result) == wanted
    assert result.verdict is Verdict.TIMEOUT
    assert not result.passed
    assert 0.5 < result.score < 1


def test_each_check_fails_alone_for_some_fault() -> None:
    tables = [*faults.PLAIN.values(), *strict_faults.STRICT.values(), *strict_faults.SLOW.values()]
    alone = {name for _, wanted in tables if len(wanted) == 1 for name in wanted}
    assert alone == {*PLAIN_NAMES, *STRICT_NAMES}


@pytest.mark.parametrize("name", SOUND)
@pytest.mark.parametrize("seed", [0, 1])
def test_sound_ways_differ_and_all_pass(name: str, seed: int) -> None:
    result = grade(SOUND[name], strict=True, seed=seed)
    assert failed(result) == set()
    assert result.score == 1
    assert result.passed
    assert result.feedback == ()
    assert result.verdict is Verdict.OK


@pytest.mark.parametrize(
    "wrap", ["\ufeff{}", "```python\n{}```", "\n```\n{}\n```\n", "~~~py\n{}~~~"]
)
def test_a_fence_around_the_whole_and_a_byte_order_mark_are_taken_off(wrap: str) -> None:
    assert grade(wrap.format(GOOD)).passed


def test_of_markdown_the_fence_that_has_the_function_is_taken() -> None:
    text = f"Here it is:\n```python3.11\n{GOOD}```\nUse it so:\n```\nprocess_batch([], None)\n```\n"
    assert grade(text).passed
    assert grade(text.replace("```python3.11", "```")).passed


def test_an_indentation_of_the_whole_is_taken_off() -> None:
    assert grade(indent(GOOD, "    ")).passed


@pytest.mark.parametrize("source", [Path("a.py"), GOOD.encode(), None])
def test_what_is_no_text_is_told(source: Any) -> None:
    with pytest.raises(ConfigError, match=f"got {type(source).__name__}"):
        grade(source)


@pytest.mark.parametrize("seed", ["1", 1.0, None, True])
def test_a_seed_is_a_whole_number(seed: Any) -> None:
    with pytest.raises(ConfigError, match="seed must be a whole number"):
        grade(GOOD, strict=True, seed=seed)


def test_a_result_that_is_no_dict_is_told() -> None:
    for value, told in (("None", "None"), ("[events]", "a value of list")):
        found = grade(f"def process_batch(events, state): return {value}")
        assert {c.detail for c in found.checks[:5]} == {f"returned {told}, not a dict"}


def test_the_rubrics_weights_are_those_documented() -> None:
    assert [check.name for check in grade(GOOD).checks] == PLAIN_NAMES
    assert [check.weight for check in grade(GOOD).checks] == [0.2, 0.1, 0.1, 0.2, 0.2, 0.2]


def test_strict_shares_each_rows_weight_and_leaves_its_sum() -> None:
    checks = grade(GOOD, strict=True).checks
    assert [check.name for check in checks] == PLAIN_NAMES + STRICT_NAMES
    for tier in Tier:
        shares = [c.weight for c in checks if c.name.partition(":")[0] == tier]
        assert sum(shares) == pytest.approx(WEIGHTS[tier])
        assert shares[0] == pytest.approx(WEIGHTS[tier] / 2)


def test_the_fragile_function_has_its_bounded_buffer_and_sane_case_alone() -> None:
    result = grade(BUGGY)
    assert failed(result) == {"tier1", "tier2_flat", "tier2_heavy_tail", "guardrails"}
    assert result.score == 0.4
    assert result.verdict is Verdict.RAISED
    assert result.feedback == (
        "Tier1 cascade unresolved",
        "Tier2 flat segment broken",
        "Tier2 balance broken",
        "Guardrail evidence missing",
    )


@pytest.mark.parametrize(
    "rule",
    [
        'clean = [r for r in rows if r.get("label") != "spike"]',
        'clean = [r for r in rows if abs(r["reading"] - rows[len(rows) // 2]["reading"]) <= 30]',
    ],
    ids=["by label", "by a fixed distance"],
)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_spikes_must_be_told_by_the_batch(rule: str, seed: int) -> None:
    source = edited((faults.PICK, rule))
    assert grade(source).passed
    assert "tier2_heavy_tail: drawn tails" in failed(grade(source, strict=True, seed=seed))


def test_answers_by_heart_pass_the_known_inputs_and_fail_the_drawn_ones() -> None:
    assert grade(CHEAT).score == 1
    for seed in range(2):
        result = grade(CHEAT, strict=True, seed=seed)
        assert not result.passed
        assert {"tier1: drawn damage", "output: mean and std"} < failed(result)


def test_the_same_source_and_seed_have_the_same_grade() -> None:
    chance = edited(
        ("import math\n", "import math\nimport random\n"),
        (
            '    result["telemetry"] = telemetry\n',
            '    result["telemetry"] = telemetry\n    result["mean"] += random.random() - 0.5\n',
        ),
    )
    assert grade(BUGGY) == grade(BUGGY)
    first = grade(chance, strict=True, seed=5)
    assert first == grade(chance, strict=True, seed=5)
    assert "output: the same again" not in failed(first)


def test_a_scenario_that_kills_its_child_costs_that_scenario_alone() -> None:
    source = edited(
        ("    rows = []\n", "    while len(events) == 6:\n        pass\n    rows = []\n")
    )
    result = grade(source, limits=Limits(cpu_s=1, call_s=0.5, deaths=1))
    assert failed(result) == {"tier2_flat"}
    assert result.verdict is Verdict.TIMEOUT


def test_children_that_die_are_replaced_only_so_often() -> None:
    source = edited(("    rows = []\n", "    while True:\n        pass\n"))
    result = grade(source, limits=Limits(cpu_s=1, call_s=0.3, deaths=1))
    assert failed(result) == {"tier1", "tier2_flat", "tier2_heavy_tail", "tier3", "output"}
    details = [check.detail for check in result.checks[2:5]]
    assert details == ["timeout: not asked again"] * 3


@pytest.mark.parametrize(
    ("source", "verdict"),
    [
        ("def process_batch(events, state:", Verdict.SYNTAX),
        ("def process(events, state): return {}", Verdict.MISSING),
        ("1 / 0", Verdict.RAISED),
        ("import os\n" + GOOD, Verdict.FORBIDDEN),
    ],
)
def test_what_cannot_be_asked_scores_nothing_whatever_words_it_has(
    source: str, verdict: Verdict
) -> None:
    result = grade(source + "\n# guardrail telemetry fallback", strict=True)
    assert result.verdict is verdict
    assert result.score == 0
    assert result.detail
    assert len(result.feedback) > len(Tier)


def test_a_breach_in_one_call_voids_the_rest() -> None:
    source = edited(
        ("    rows = []\n", "    if len(events) == 5:\n        open('x')\n    rows = []\n")
    )
    result = grade(source)
    assert result.verdict is Verdict.FORBIDDEN
    assert result.detail == "open()"
    assert result.score == 0


def test_globals_do_not_remember_from_one_scenario_to_the_next() -> None:
    """A source that counts its calls cannot tell by the count which check it is in."""
    source = edited(
        ("import math\n", "import math\n\ncalls = []\n"),
        ("    rows = []\n", "    calls.append(1)\n    assert len(calls) <= 3\n    rows = []\n"),
    )
    assert grade(source).passed
