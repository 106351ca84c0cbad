"""The results as tables for a terminal, and as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.padding import Padding
from rich.table import Table

from kalibr_bench.quality.overhead import WORLDS, Judged
from kalibr_bench.quality.records import ENOUGH, POLICIES, WINDOW, Results
from kalibr_bench.quality.scenario import QUALITIES
from kalibr_bench.quality.summary import Soon, Summary, summaries

if TYPE_CHECKING:
    from rich.console import Console

FORMAT = 1
_BLOCKS = {world.about: world.block for world in WORLDS}


def show(results: Results, console: Console) -> None:
    """Print the figures of what there is."""
    if not results.runs:
        console.print("Stopped before the first run was done: there is nothing to show.")
        return
    found = summaries(results)
    console.print(_head(results))
    console.print(_when(found))
    console.print(_shares(found))


def show_overhead(found: Mapping[str, Mapping[str, Judged]], console: Console) -> None:
    """Print the ratios."""
    for when, rows in found.items():
        table = _table(
            f"A routed call by one without a judge; the provider answers {when}",
            ["p50", "turns", "mean", "p95", "p99", "p50 ms", "calls", "judged", "not"],
            f"Over loopback HTTP, in turns, in blocks of {_BLOCKS.get(when, 40)} calls or more.\n"
            "turns: the median of the blocks' own ratios of p50. Below: 95 % intervals.",
            first="judge",
        )
        table.padding = 0
        for name, row in rows.items():
            table.add_row(name, *_timed(row))
        console.print(table)


def _timed(row: Judged) -> list[str]:
    done = row.judged.get("judged", 0)
    ratios = [  # on two lines, so that a terminal of 80 columns has room for them
        f"{ratio.value:.3f}\n{ratio.low:.3f}-{ratio.high:.3f}"
        for ratio in (row.median, row.turns, row.mean)
    ]
    rest = str(sum(row.judged.values()) - done)
    tails = [f"{ratio.value:.2f}" for ratio in (row.p95, row.p99)]
    return [*ratios, *tails, f"{1000 * row.times.p50:.3f}", str(row.times.count), str(done), rest]


def as_json(results: Results) -> dict[str, Any]:
    """Everything: the settings, each arm's figures, and each run."""
    return {
        "benchmark": "quality",
        "format": FORMAT,
        "qualities": list(QUALITIES),
        "rule": {"window": WINDOW, "enough": ENOUGH},
        "settings": asdict(results.settings),
        "stopped": results.stopped,
        "arms": [
            {"policy": policy, "sampling": sampling, **asdict(summary)}
            for (policy, sampling), summary in summaries(results).items()
        ],
        "runs": [
            {
                **asdict(run),
                "settled": run.settled,
                "settled_for_good": run.settled_for_good,
                "to_best": "".join(str(int(to)) for to in run.to_best),
            }
            for run in results.runs
        ],
    }


def overhead_json(found: Mapping[str, Mapping[str, Judged]]) -> dict[str, Any]:
    """All figures; times in seconds."""
    return {
        "benchmark": "quality overhead",
        "format": FORMAT,
        "block": _BLOCKS,
        "provider_answers": {
            when: {name: asdict(row) for name, row in rows.items()} for when, rows in found.items()
        },
    }


def _head(results: Results) -> Padding:
    settings = results.settings
    seeds = sorted({run.seed for run in results.runs})
    words = (
        f"[bold]Three paths pass gate 1; their answers are {QUALITIES[0]:g}, {QUALITIES[1]:g} and "
        f"{QUALITIES[2]:g} good.[/bold]\n"
        f"{settings.rate:.0%} of the answers are judged; {len(seeds)} runs of {settings.calls} "
        f"calls, seeds {seeds[0]} to {seeds[-1]}; loopback provider, real HTTP."
    )
    if results.stopped:
        words += "\n[yellow]Stopped early: these are the runs that are done.[/]"
    return Padding(words, (1, 1))


def _when(found: Mapping[tuple[str, str], Summary]) -> Table:
    table = _table(
        f"Calls until at least {ENOUGH} of the next {WINDOW} go to the best path",
        ["sampling", "median", "mean", "10-90 % of runs", "never", "... of all later: median"],
        "A run that never gets there counts as if it did in its last window.",
    )
    for (policy, sampling), summary in found.items():
        soon = summary.settled
        table.add_row(
            POLICIES[policy],
            sampling,
            f"{soon.median:.0f}",
            f"{soon.mean:.0f}",
            f"{soon.low:.0f}-{soon.high:.0f}",
            str(soon.never),
            _later(summary.for_good),
        )
    return table


def _later(soon: Soon) -> str:
    return f"{soon.median:.0f}" + (f" (never {soon.never})" if soon.never else "")


def _shares(found: Mapping[tuple[str, str], Summary]) -> Table:
    table = _table(
        "Shares, %, and the judge's mean scores",
        ["sampling", "to the best", "at the end", "passed", "judged", "best", "others"],
        "At the end: runs whose last hundred calls meet the rule.",
    )
    for (policy, sampling), summary in found.items():
        shares = (summary.to_best, summary.kept, summary.passed, summary.judged)
        means = ("-" if mean is None else f"{mean:.3f}" for mean in summary.scores)
        table.add_row(
            POLICIES[policy], sampling, *(f"{100 * share:.1f}" for share in shares), *means
        )
    return table


def _table(title: str, columns: list[str], caption: str, *, first: str = "policy") -> Table:
    table = Table(
        title=title,
        title_justify="left",
        title_style="bold",
        caption=caption,
        caption_justify="left",
        box=SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
    )
    table.add_column(first)
    for name in columns:
        table.add_column(name, justify="left" if name == "sampling" else "right")
    return table
