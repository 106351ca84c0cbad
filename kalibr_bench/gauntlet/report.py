"""A line for each run, and the results as tables for a terminal of 80 columns."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table

from kalibr_bench.gauntlet.details import never_ran, of_verdict
from kalibr_bench.gauntlet.problem import MAX_STEPS
from kalibr_bench.gauntlet.records import ROUTED, UNIFORM, Results, Run
from kalibr_bench.gauntlet.summary import BAND, Figures, Summary, summaries

if TYPE_CHECKING:
    from rich.console import Console

WIDTH = 80
EACH = "USD/passed"
"""Cost per passed run; in few letters, so that the table fits."""
STABLE = "All tiers stable"
TITLES = {ROUTED: "Kalibr", UNIFORM: "uniform"}
ENDS = {
    "stopped": "the agent stopped without a submission",
    "steps": f"no submission in {MAX_STEPS} steps",
}
HALVES_FROM = 20
"""Runs from which on a second half of its own says something."""


def line(run: Run, *, width: int = WIDTH) -> str:
    """One run, in rich's markup: its score, its path, and what is wrong with its submission.

    Args:
        run: It.
        width: Characters that it may take; what has no room is left out, and told by a number.
    """
    mark, colour = ("✓", "green") if run.passed else ("✗", "red")
    where, score = run.path or "no path", f"Run {run.number + 1}: {100 * run.score:.1f} %"
    room = width - len(f"{mark} {score} {where} - ")
    return f"[{colour}]{mark}[/] {score} [dim]{escape(where)}[/] - {escape(what(run, room=room))}"


def what(run: Run, *, room: int | None = None) -> str:
    """What became of a run, in words; nothing of what the model wrote but a name that it reached
    for.

    Args:
        run: It.
        room: Characters that it may take; None: any number.
    """
    told = _what(run)
    if room is None or len(told) <= room:
        return told
    if run.grade is not None and not never_ran(run.grade):
        told = _shorter(told, room)
    return told if len(told) <= room else f"{told[: max(0, room - 1)]}…"


def _what(run: Run) -> str:
    if run.error is not None:
        return f"crashed: {run.error}"
    if run.grade is None:
        return ENDS.get(run.ended, run.ended)
    if never_ran(run.grade):
        return of_verdict(run.grade)
    return STABLE if run.passed else _faults(run.grade.feedback) or "failed"


def _shorter(told: str, room: int) -> str:
    """The first of the faults that there is room for, without what a row's checks looked at.

    >>> _shorter("Tier1 broken (times, booleans); Tier2 broken; Tier3 broken", 30)
    'Tier1 broken; 2 more'
    """
    faults = re.sub(r" \([^()]*\)", "", told).split("; ")
    for count in range(len(faults), 0, -1):
        more = [f"{len(faults) - count} more"] if count < len(faults) else []
        short = "; ".join([*faults[:count], *more])
        if len(short) <= room:
            return short
    return short


def _faults(feedback: Iterable[str]) -> str:
    """The failed checks, those of a row together.

    >>> _faults(("Tier1 broken", "Tier1 broken: times", "Tier1 broken: booleans", "Tier2 broken"))
    'Tier1 broken (times, booleans); Tier2 broken'
    """
    rows: dict[str, list[str]] = {}
    for told in feedback:
        row, _, what_of_it = told.partition(": ")
        rows.setdefault(row, []).extend([what_of_it] if what_of_it else [])
    return "; ".join(f"{row} ({', '.join(of)})" if of else row for row, of in rows.items())


def show(results: Results, console: Console) -> None:
    """Print the tables of what there is."""
    found = summaries(results)
    if not found:
        console.print("Stopped before the first run had ended: there is nothing to show.")
        return
    if results.stopped:
        console.print("[yellow]Stopped early: these are the runs that had ended.[/]")
    for table in _tables(found):
        console.print(table)
    for summary in found.values():
        console.print(Padding(closing(summary, results), (0, 1, 1, 1)))


def _tables(found: dict[str, Summary]) -> Iterable[Table]:
    yield _arms(found)
    for arm, summary in found.items():
        if arm in TITLES:
            yield _paths(summary)


def title_of(arm: str) -> str:
    """An arm's name for readers."""
    return TITLES.get(arm, f"always {arm}")


def _table(title: str, first: str, columns: Iterable[str]) -> Table:
    table = Table(
        title=title, title_justify="left", title_style="bold", box=SIMPLE_HEAD, padding=(0, 1, 0, 0)
    )
    table.add_column(first, no_wrap=True)
    for name in columns:
        table.add_column(name, justify="right")
    return table


def _arms(found: dict[str, Summary]) -> Table:
    halves = max(one.overall.passed.trials for one in found.values()) >= HALVES_FROM
    columns = ["passed", "%", *(["2nd half %"] if halves else []), "score %", "steps"]
    table = _table("Results", "agent", [*columns, EACH])
    for arm, summary in found.items():
        cells = _cells(summary.overall)
        later = [_percent(summary.later.passed.value)] if halves else []
        table.add_row(title_of(arm), *cells[:2], *later, *cells[2:])
    return table


def _paths(summary: Summary) -> Table:
    columns = ["passed", "%", "score %", "steps", EACH]
    table = _table(f"{title_of(summary.arm)}: by path", "path", columns)
    for path, figures in summary.by_path.items():
        table.add_row(path, *_cells(figures))
    return table


def _cells(figures: Figures) -> list[str]:
    share, each = figures.passed, figures.cost_per_passed_usd
    return [
        f"{share.successes} of {share.trials}",
        _percent(share.value),
        _percent(figures.score),
        "-" if figures.steps is None else f"{figures.steps:.1f}",
        "none passed" if each is None else f"{each:.5f}",
    ]


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f}"


def closing(summary: Summary, results: Results) -> str:
    """Passed, average score, cost, calibration, in words."""
    figures, share = summary.overall, summary.overall.passed
    low, high = share.interval
    each = figures.cost_per_passed_usd
    cost = "none passed" if each is None else f"${each:.5f} per passed run"
    said = (
        f"[bold]{title_of(summary.arm)}[/]: passed {share.successes}/{share.trials} "
        f"({_percent(share.value)} %, 95 % interval {_percent(low)} to {_percent(high)} %), "
        f"average score {_percent(figures.score)} %, {cost}. {calibrated(summary)}"
    )
    if figures.crashed:
        said += f" {figures.crashed} crashed."
    if figures.unpriced:
        said += f" Calls of unknown cost, which are not in it: {figures.unpriced}."
    if (took := results.elapsed_s.get(summary.arm)) is not None:
        said += f" {took:.1f} s in all."
    return said


def calibrated(summary: Summary) -> str:
    """The verdict on how hard the task was for these paths."""
    low, high = (f"{100 * bound:.0f}" for bound in BAND)
    band = f"Calibration ({low}-{high} % pass)"
    if summary.calibration is None:
        return f"{band}: unknown."
    if not summary.settled:
        return f"{band}: too few runs to tell, {summary.calibration} the band so far."
    why = {
        "below": ": too hard for these paths",
        "within": "",
        "above": ": these paths can do it",
    }[summary.calibration]
    return f"{band}: {summary.calibration} the band{why}."
