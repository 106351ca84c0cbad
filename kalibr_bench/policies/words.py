"""The tables as rows of text, for a terminal and for Markdown alike."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from kalibr_bench.policies.bars import DONE, KINDS, MOONSHOT, WHOLE, Held, held, number
from kalibr_bench.policies.contenders import ORACLE, OURS
from kalibr_bench.policies.detection import Detection
from kalibr_bench.policies.figures import Estimate, Figures, Suite
from kalibr_bench.policies.results import Results
from kalibr_bench.policies.scenarios import SCENARIOS

Row = tuple[str, ...]
NOTHING = "-"


WIDE = 20
"""A column with a longer cell holds text: it wraps, and is not flush right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A table."""

    title: str
    head: Row
    rows: Sequence[Row]
    caption: str = ""

    def holds_text(self, column: int) -> bool:
        """Else it holds figures."""
        return column == 0 or any(len(row[column]) > WIDE for row in self.rows)


def mean(value: Estimate | None, digits: int) -> str:
    """A mean and, where there is one, its standard error."""
    if value is None or math.isnan(value.mean):
        return NOTHING
    error = "" if math.isnan(value.error) else f" ±{value.error:.{digits}f}"
    return f"{value.mean:.{digits}f}{error}"


def price(cps: float) -> str:
    """A cost per success.

    >>> price(0.1312), price(1.031)
    ('.131', '1.031')
    """
    return f"{cps:.3f}".removeprefix("0")


Column = tuple[str, str, Callable[[Figures], str]]
"""Scenario, heading, how its figures are written."""


def _loss(f: Figures) -> str:
    return f"{f.loss.mean:.0f}"


def _success(f: Figures) -> str:
    return f"{f.success.mean:.1f} {price(f.cps)}"


FIRST: tuple[Column, ...] = (
    ("S1", "S1\n% cps", _success),
    ("S1b", "S1b\n% cps", _success),
    ("S11", "S11\n% cps", _success),
)
SECOND: tuple[Column, ...] = (
    ("S2", "S2\nU", _loss),
    ("S2", "\nR50", lambda f: number("back50", f.back50)),
    ("S4", "S4\nU", _loss),
    ("S5", "S5\nU", _loss),
    ("S5", "\nL90", lambda f: number("leave", f.leave)),
    ("S6", "S6\nU", _loss),
    ("S6", "\nR50", lambda f: number("back50", f.back50)),
    ("S7", "S7\nU", _loss),
    ("S8", "S8\n%", lambda f: number("cheapest", f.cheapest).split(".")[0]),
    ("S9", "S9\nU", _loss),
    ("S10", "S10\ncalls", lambda f: number("found", f.found)),
    ("1e6", "1e6\nbad", lambda f: number("bad", f.bad and f.bad.mean)),
)
"""What fits into two tables of 80 columns; the others are in the suite, the JSON, the Markdown."""


def summaries(results: Results) -> list[Sheet]:
    """All policies, the key figures of what was run."""
    table, policies = results.table(), results.settings.policies
    wholes = {p: None if p == ORACLE else results.suite(table, p) for p in policies}
    found = []
    for columns, more in ((FIRST, True), (SECOND, False)):
        writers = _leading(table, wholes) if more else []
        writers += [
            (title, partial(_cell, table, name, write))
            for name, title, write in columns
            if any((name, p) in table for p in policies)
        ]
        rows = [(p, *(write(p) for _, write in writers)) for p in policies]
        head = ("policy", *(title for title, _ in writers))
        title = "Policies side by side" if more else "And what changes do to them"
        caption = _caption(results) if more else CHANGES
        if writers:
            found.append(Sheet(title=title, head=head, rows=rows, caption=caption))
    return found


Table = Mapping[tuple[str, str], Figures]
Writer = tuple[str, Callable[[str], str]]


def _leading(table: Table, wholes: Mapping[str, Suite | None]) -> list[Writer]:
    """Random worlds, and the suite."""
    found: list[Writer] = []
    if any(("random", p) in table for p in wholes):
        found.append(("random\nU", partial(_cell, table, "random", lambda f: mean(f.loss, 0))))
        found.append(("\ncps", partial(_cell, table, "random", lambda f: price(f.cps))))
    if any(wholes.values()):
        found.append(("suite\nmean", lambda p: f"{w.geomean:.2f}" if (w := wholes[p]) else NOTHING))
        found.append(
            ("\nworst", lambda p: f"{w.worst:.1f} {w.where}" if (w := wholes[p]) else NOTHING)
        )
    return found


def _cell(table: Table, scenario: str, write: Callable[[Figures], str], policy: str) -> str:
    return write(table[scenario, policy]) if (scenario, policy) in table else NOTHING


CHANGES = (
    "L90: calls until 90 % of a fallen arm's share has left; R50: until half of it is back. "
    "S8: share of the cheapest arm. S10: calls until the good arm has 90 %. "
    "With fewer than 200 runs shares are averaged over the next few calls, and look a little early."
)


def _caption(results: Results) -> str:
    said = (
        "U: failures lost in a run to an oracle that takes the cheapest arm within "
        ".02 (1 - c / c best) of the best. cps: cost per success, the dearest arm costs 1. "
        "suite: U by the lowest U of a published policy here, over 14 scenarios."
    )
    ours = results.table().get(("random", OURS))
    return (
        said
        if ours is None
        else f"{said} The oracle's cps in random worlds: "
        + (f"{price(ours.oracle_cps)}; kalibr's U there: {mean(ours.loss, 1)}.")
    )


def scenario(results: Results, name: str) -> Sheet:
    """All figures of one scenario."""
    table, of = results.table(), SCENARIOS[name]
    rows = [
        _line(policy, table[name, policy])
        for policy in results.settings.policies
        if (name, policy) in table
    ]
    kept = [at for at in range(len(HEAD)) if any(row[at] != NOTHING for row in rows)]
    runs = max((f.runs for (who, _), f in table.items() if who == name), default=0)
    return Sheet(
        title=f"{name}: {of.about}",
        head=tuple(HEAD[at] for at in kept),
        rows=[tuple(row[at] for at in kept) for row in rows],
        caption=f"{runs} runs of {of.calls} calls; ± one standard error.",
    )


HEAD = (
    "policy",
    "success %",
    "cps",
    "U",
    "L90",
    "R50",
    "R90",
    "bad\ncalls",
    "cheap-\nest %",
    "found",
)


def _line(policy: str, f: Figures) -> Row:
    return (
        policy,
        mean(f.success, 2),
        price(f.cps),
        mean(f.loss, 1),
        number("leave", f.leave),
        number("back50", f.back50),
        number("back50", f.back90),
        mean(f.bad, 0),
        number("cheapest", f.cheapest),
        number("found", f.found),
    )


def against_bars(results: Results) -> Sheet:
    """Ours against what it is to reach."""
    rows: dict[str, list[Held]] = {}
    for one in held(results):
        rows.setdefault(one.bar.row, []).append(one)
    lines = []
    for name, found in rows.items():
        by_level = {one.bar.level: one for one in found}
        done, moonshot = by_level.get(DONE), by_level.get(MOONSHOT)
        lines.append((name, _found(found), _asked(done), _asked(moonshot)))
    return Sheet(
        title="kalibr against its bars",
        head=("scenario", "kalibr", "done", "moonshot"),
        rows=lines,
        caption="met or open, by the unrounded figures; -: not run.",
    )


def _found(each: Sequence[Held]) -> str:
    """Each figure once."""
    said = {
        (limit.scenario, limit.figure): number(limit.figure, value)
        for one in each
        for limit, value in zip(one.bar.limits, one.found, strict=True)
        if limit.scenario in (one.bar.row, WHOLE)
    }
    return ", ".join(f"{KINDS[figure].label} {value}" for (_, figure), value in said.items())


def _asked(one: Held | None) -> str:
    if one is None:
        return NOTHING
    parts = []
    for limit in one.bar.limits:
        kind = KINDS[limit.figure]
        place = "" if limit.scenario == one.bar.row else f"{limit.scenario} "
        parts.append(f"{place}{kind.label} {'≤' if kind.at_most else '≥'} {limit.value:g}")
    state = {True: "met", False: "open", None: NOTHING}[one.met]
    return f"{state}: {', '.join(parts)}"


def detections(found: Mapping[str, Detection]) -> Sheet:
    """Our alarm beside CUSUM's."""
    rows = [
        (
            case,
            mean(one.ours, 1),
            mean(one.alarms, 2),
            *(
                part
                for at in one.cusum.values()
                for part in (f"{at.delay.mean:.1f}", mean(at.ratio, 2))
            ),
            f"{one.up} of {one.runs}",
        )
        for case, one in found.items()
    ]
    rates = list(next(iter(found.values())).cusum)
    beside = (part for rate in rates for part in (f"CUSUM\nat {rate:g}", "ratio"))
    return Sheet(
        title="Calls until a fall is noticed",
        head=("success", "kalibr", "false\nalarms", *beside, "up at\nthe fall"),
        rows=rows,
        caption=(
            "After 10,000 good calls. CUSUM knows both levels and is the optimum at its rate of "
            "false alarms per 10,000 good calls, which is given; compare at equal rates. A run "
            "whose alarm is up already when the fall comes has no delay and is left out."
        ),
    )
