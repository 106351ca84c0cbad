"""The results as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING

from kalibr_bench.gauntlet.records import ROUTED, UNIFORM, Results, Run
from kalibr_bench.gauntlet.report import title_of
from kalibr_bench.gauntlet.summary import BAND, summaries

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

OURS, CHANCE = "#1f6fb4", "#111111"
COLOURS = ("#8e8e8e", "#e0a030", "#16a085", "#2e8b57", "#8e44ad", "#c0392b", "#7f5539")
"""Of the paths, from the cheapest to the dearest."""
WINDOW = 10
"""Runs that the pass rate is averaged over."""


def figure(results: Results) -> Figure:
    """Each run on its path, the pass rate over time, cost per passed run."""
    from matplotlib.figure import Figure

    arms = [arm for arm, runs in results.runs.items() if runs]
    whole = Figure(figsize=(12.0, 6.5), layout="constrained")
    panels = whole.subplot_mosaic("RRRRR;PPPCC")
    runs(panels["R"], results, ROUTED if ROUTED in arms else arms[0])
    passes(panels["P"], results, legend=False)
    cost(panels["C"], results)
    # Below the panels: with all arms the lines leave no room among them.
    handles, labels = panels["P"].get_legend_handles_labels()
    whole.legend(handles, labels, loc="outside lower center", ncols=4, frameon=False, fontsize=9)
    return whole


def save(results: Results, file: Path) -> None:
    """Draw into a file, whose ending names the format."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    drawn = figure(results)
    FigureCanvasAgg(drawn)
    drawn.savefig(file, dpi=150)


def colours(results: Results) -> dict[str, str]:
    """By arm and by path its colour, the same in every panel."""
    return dict(zip(results.paths, cycle(COLOURS))) | {ROUTED: OURS, UNIFORM: CHANCE}


def runs(axes: Axes, results: Results, arm: str = ROUTED) -> None:
    """A mark for each run of an arm, in the row of its path: full where it passed."""
    rows = {path: row for row, path in enumerate(results.paths)}
    shown = [run for run in results.runs[arm] if run.path in rows]
    known = colours(results)
    for path in rows:
        colour, of_path = known[path], [run for run in shown if run.path == path]
        for passed in (True, False):
            at = [run.number + 1 for run in of_path if run.passed is passed]
            fill = colour if passed else "none"
            axes.scatter(at, [rows[path]] * len(at), facecolors=fill, edgecolors=colour, s=36)
    axes.set_yticks(range(len(rows)), list(rows))
    axes.set_ylim(-0.6, len(rows) - 0.4)
    axes.set_xlabel("run")
    axes.set_title(f"{title_of(arm)}: the path of each run (full: it passed)", loc="left")
    _plain(axes)


def passes(axes: Axes, results: Results, *, legend: bool = True) -> None:
    """The pass rate over the last runs, as runs go by; the band is shaded."""
    axes.axhspan(*BAND, color="black", alpha=0.08, lw=0)
    known = colours(results)
    for arm, found in results.runs.items():
        rates = moving(found)
        style = "-" if arm == ROUTED else "--"
        axes.plot(range(1, len(rates) + 1), rates, style, color=known[arm], label=title_of(arm))
    axes.set_ylim(-0.03, 1.05)
    axes.set_xlabel("run")
    axes.set_title(f"Passed, of the last {WINDOW} runs", loc="left")
    if legend:
        axes.legend(frameon=False, fontsize=8)
    _plain(axes)


def cost(axes: Axes, results: Results) -> None:
    """Bars of the cost per passed run, all runs counted."""
    known = colours(results)
    found = {arm: summary.overall for arm, summary in summaries(results).items()}
    each = {title_of(arm): one.cost_per_passed_usd for arm, one in found.items()}
    heights = [1000 * (value or 0.0) for value in each.values()]
    bars = axes.barh(list(each), heights, color=[known[arm] for arm in found])
    labels = ["none passed" if v is None else f"{1000 * v:.1f}" for v in each.values()]
    axes.bar_label(bars, labels, padding=3)
    axes.margins(x=0.25)
    axes.invert_yaxis()
    axes.set_title("Cost per passed run, 1/1000 USD", loc="left")
    _plain(axes)


def moving(found: Sequence[Run]) -> list[float]:
    """By run the share of passes among the last ones, itself included."""
    rates = []
    for at in range(len(found)):
        recent = found[max(0, at + 1 - WINDOW) : at + 1]
        rates.append(sum(run.passed for run in recent) / len(recent))
    return rates


def _plain(axes: Axes) -> None:
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
