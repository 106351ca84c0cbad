"""The results as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from kalibr_bench.resilience.arms import ARMS
from kalibr_bench.resilience.records import Results
from kalibr_bench.resilience.scenario import MODELS
from kalibr_bench.resilience.summary import Summary, phases_of, summaries

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ARM_COLOURS = dict(
    zip(ARMS, ("#c0392b", "#1f6fb4", "#7fb3d5", "#b8860b", "#8e8e8e", "#2e8b57"), strict=True)
)
PATH_COLOURS = dict(zip(MODELS, ("#c0392b", "#1f6fb4", "#e0a030"), strict=True))
WINDOW = 10
"""Executions that a single run's routing share is averaged over."""


def figure(results: Results) -> Figure:
    """Success by phase, routing over time, cost per valid answer: three pictures in one."""
    from matplotlib.figure import Figure

    found = summaries(results)
    whole = Figure(figsize=(12.0, 7.5), layout="constrained")
    panels = whole.subplot_mosaic("SSSSS;RRRCC")
    success(panels["S"], found)
    routing(panels["R"], results)
    cost(panels["C"], found)
    return whole


def save(results: Results, file: Path) -> None:
    """Draw into a file, whose ending names the format."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    drawn = figure(results)
    FigureCanvasAgg(drawn)
    drawn.savefig(file, dpi=150)


def success(axes: Axes, found: dict[str, Summary]) -> None:
    """Bars of valid answers by phase, with 95 % Wilson intervals."""
    width = 0.8 / max(len(found), 1)
    names: list[str] = []
    for number, (arm, summary) in enumerate(found.items()):
        parts = [part for part in (*summary.parts, summary.overall) if part.success.trials]
        names = [part.name for part in parts]
        values = [part.success.value or 0.0 for part in parts]
        bounds = [part.success.interval for part in parts]
        lower = [value - low for value, (low, _) in zip(values, bounds, strict=True)]
        upper = [high - value for value, (_, high) in zip(values, bounds, strict=True)]
        at = [place + (number - (len(found) - 1) / 2) * width for place in range(len(parts))]
        axes.bar(at, values, width * 0.92, color=ARM_COLOURS[arm], label=ARMS[arm].title)
        axes.errorbar(at, values, [lower, upper], fmt="none", ecolor="black", elinewidth=0.8)
    axes.set_xticks(range(len(names)), names)
    axes.set_ylim(0.0, 1.05)
    axes.set_title("Valid answers by phase (95 % intervals)", loc="left")
    axes.legend(ncols=len(found), loc="upper center", bbox_to_anchor=(0.5, -0.08), frameon=False)
    _plain(axes)


def routing(axes: Axes, results: Results, arm: str = "kalibr") -> None:
    """Where an arm's first attempts go, over time; the degraded stretch is shaded."""
    arm = arm if arm in results.settings.arms else results.settings.arms[0]
    shares = routing_over_time(results, arm)
    length = len(next(iter(shares.values())))
    times = range(1, length + 1)
    colours = [PATH_COLOURS[path] for path in shares]
    axes.stackplot(times, *shares.values(), labels=list(shares), colors=colours, alpha=0.85)
    start, stop = results.settings.scenario.window
    if start < length:
        axes.axvspan(start + 0.5, min(stop, length) + 0.5, color="black", alpha=0.12, lw=0)
    for _, numbers in phases_of(results.settings.scenario)[1:]:
        axes.axvline(numbers.start + 0.5, color="black", lw=0.8, ls=":")
    axes.set_xlim(1, max(length, 2))
    axes.set_ylim(0.0, 1.0)
    axes.set_xlabel("execution")
    failing = results.settings.scenario.model
    axes.set_title(f"{ARMS[arm].title}: first attempts (dark: {failing} fails)", loc="left")
    axes.legend(ncols=3, loc="upper center", bbox_to_anchor=(0.5, -0.13), frameon=False)
    _plain(axes)


def cost(axes: Axes, found: dict[str, Summary]) -> None:
    """Bars of the cost per valid answer, all attempts counted."""
    shown = {arm: s.cost_per_success_usd for arm, s in found.items() if s.cost_per_success_usd}
    values = [1000 * (value or 0.0) for value in shown.values()]
    bars = axes.barh(
        [ARMS[arm].title for arm in shown], values, color=[ARM_COLOURS[arm] for arm in shown]
    )
    axes.bar_label(bars, fmt="%.2f", padding=3)
    axes.margins(x=0.15)
    axes.invert_yaxis()
    axes.set_title("Cost per valid answer, 1/1000 USD", loc="left")
    _plain(axes)


def routing_over_time(results: Results, arm: str) -> dict[str, list[float]]:
    """By path its share of an arm's first attempts at each execution, over the runs.

    With few runs it is averaged over the last executions too.
    """
    rows = [run.executions[arm][: run.length] for run in results.runs]
    length = max(map(len, rows), default=0)
    window = max(1, round(WINDOW / max(len(rows), 1)))
    shares: dict[str, list[float]] = {path: [] for path in MODELS}
    for at in range(length):
        begin = max(0, at + 1 - window)
        chosen = [e.first for row in rows for e in row[begin : at + 1] if e.first is not None]
        for path, values in shares.items():
            values.append(_share(chosen, path))
    return shares


def _share(chosen: Sequence[str], path: str) -> float:
    return sum(one == path for one in chosen) / len(chosen) if chosen else 0.0


def _plain(axes: Axes) -> None:
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
