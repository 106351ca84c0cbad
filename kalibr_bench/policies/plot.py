"""The chosen scenarios as a picture: success, cost and routing over time."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kalibr_bench.policies.arrays import Floats
from kalibr_bench.policies.contenders import OURS
from kalibr_bench.policies.curves import ahead
from kalibr_bench.policies.results import Results
from kalibr_bench.policies.scenarios import SCENARIOS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SHORT_LIST = (OURS, "oracle", "change-point", "kl-ucb", "thompson", "subsidy-.999")
"""Who is drawn when more than MOST policies were run."""
MOST = 8
ROWS = 6
"""Scenarios in one picture, at most."""
POINTS = 600
"""A curve has about so many."""


def scenarios(results: Results) -> list[str]:
    """What can be drawn, at most ROWS of them."""
    ran = {name for name, _ in results.tallies}
    return [name for name in results.settings.scenarios if name in ran][:ROWS]


def save(results: Results, file: Path) -> None:
    """Draw into a file, whose ending names the format."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    drawn = figure(results)
    FigureCanvasAgg(drawn)
    drawn.savefig(file, dpi=130)


def figure(results: Results) -> Figure:
    """One row for each scenario: success, cost per call, and where our calls go."""
    from matplotlib.figure import Figure

    names = scenarios(results)
    whole = Figure(figsize=(14.0, 3.4 * len(names) + 0.6), layout="constrained")
    rows = whole.subplots(len(names), 3, squeeze=False)
    for name, (success, cost, routing) in zip(names, rows, strict=True):
        shown = drawn_policies(results, name)
        _lines(success, results, name, shown, "success_at")
        success.set_title(f"{name}: success", loc="left")
        _lines(cost, results, name, shown, "cost_at")
        cost.set_title("cost of a call", loc="left")
        _routing(routing, results, name, OURS if OURS in shown else shown[0])
    handles, labels = rows[0][0].get_legend_handles_labels()
    whole.legend(handles, labels, loc="outside lower center", ncols=8, frameon=False)
    return whole


def drawn_policies(results: Results, scenario: str) -> list[str]:
    """Those that were run, or of many the short list."""
    ran = [p for p in results.settings.policies if (scenario, p) in results.tallies]
    return ran if len(ran) <= MOST else [p for p in SHORT_LIST if p in ran]


def _lines(axes: Axes, results: Results, name: str, policies: list[str], of: str) -> None:
    calls = SCENARIOS[name].calls
    width = max(1, calls // 100)
    at = np.unique(np.linspace(0, calls - 1, POINTS).astype(int))
    for number, policy in enumerate(policies):
        sums = results.tallies[name, policy]
        values: Floats = getattr(sums, of) / len(sums.seeds)
        colour = "black" if policy == "oracle" else f"C{number}"
        thick = 2.0 if policy == OURS else 1.0
        axes.plot(at + 1, ahead(values, width)[at], label=policy, lw=thick, color=colour)
    axes.set_xlabel("call")
    _plain(axes)


def _routing(axes: Axes, results: Results, name: str, policy: str) -> None:
    """Where the calls go; in random worlds the arms are only numbers."""
    sums = results.tallies[name, policy]
    calls = SCENARIOS[name].calls
    at = np.unique(np.linspace(0, calls - 1, POINTS).astype(int))
    width = max(1, calls // 200)
    shares = [ahead(arm / len(sums.seeds), width)[at] for arm in sums.counts.T]
    axes.stackplot(at + 1, *shares, labels=[f"arm {n}" for n in range(len(shares))], alpha=0.85)
    axes.set_ylim(0.0, 1.0)
    axes.set_xlabel("call")
    axes.set_title(f"{policy}: share of the calls by arm", loc="left")
    if len(shares) <= 5:
        axes.legend(loc="center right", fontsize="small")
    _plain(axes)


def _plain(axes: Axes) -> None:
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
