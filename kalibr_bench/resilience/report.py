"""The results as tables for a terminal of 80 columns, and in plain words."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.padding import Padding
from rich.table import Table

from kalibr_bench.resilience.arms import ARMS
from kalibr_bench.resilience.intervals import OverRuns, Share
from kalibr_bench.resilience.records import Results
from kalibr_bench.resilience.scenario import MODELS, RATE
from kalibr_bench.resilience.summary import Part, Summary, ratio, summaries
from kalibr_bench.resilience.words import closing, percent

if TYPE_CHECKING:
    from rich.console import Console

LEARNING_ARMS = ("kalibr", "no-healing", "oracle")
"""Whose routing is worth a table."""


def show(results: Results, console: Console) -> None:
    """Print the tables of what there is."""
    done = sum(run.length for run in results.runs)
    if not done:
        console.print("Stopped before the first document was done: there is nothing to show.")
        return
    found = summaries(results)
    console.print(_head(results, done))
    for table in _tables(results, found):
        console.print(table)
    console.print(Padding(closing(results, found), (0, 1, 1, 1)))


def _tables(results: Results, found: dict[str, Summary]) -> Iterable[Table]:
    yield _success(found)
    if len(results.runs) > 1:
        yield _over_runs(found)
    yield _first(found)
    if any(arm in found for arm in LEARNING_ARMS):
        yield _routing(found)
    yield _cost(results, found)


def _head(results: Results, done: int) -> Padding:
    scenario = results.settings.scenario
    start, stop = scenario.window
    where = "real models, injection on the way back" if results.live else "loopback provider"
    until = f" to {stop}" if stop < scenario.length else " on"
    words = (
        f"[bold]{scenario.story}[/bold]\n"
        f"From execution {start + 1}{until}, {RATE:.0%} of its good answers are spoilt. "
        f"{done} documents in {len(results.runs)} run{'s' * (len(results.runs) != 1)}, "
        f"the same for every arm; {where}."
    )
    if results.stopped:
        words += "\n[yellow]Stopped early: these are the documents that every arm has done.[/]"
    return Padding(words, (1, 1))


def _table(title: str, columns: Iterable[str], caption: str = "") -> Table:
    table = Table(
        title=title,
        title_justify="left",
        title_style="bold",
        caption=caption or None,
        caption_justify="left",
        box=SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
    )
    table.add_column("arm", no_wrap=True)
    for name in columns:
        table.add_column(name, justify="right")
    return table


def _parts(summary: Summary) -> tuple[Part, ...]:
    return (*summary.parts, summary.overall)


def _names(found: dict[str, Summary]) -> list[str]:
    return [part.name for part in _parts(next(iter(found.values())))]


def _success(found: dict[str, Summary]) -> Table:
    table = _table("Valid answers, % (95 % Wilson interval)", _names(found))
    for arm, summary in found.items():
        table.add_row(ARMS[arm].title, *(_share(part.success) for part in _parts(summary)))
    return table


def _over_runs(found: dict[str, Summary]) -> Table:
    title = "Valid answers, %: mean over runs (95 % interval), worst run"
    table = _table(title, _names(found))
    for arm, summary in found.items():
        table.add_row(ARMS[arm].title, *(_mean(part.runs) for part in _parts(summary)))
    return table


def _first(found: dict[str, Summary]) -> Table:
    table = _table(
        "Valid at the first attempt, %: the routing alone", [*_names(found), "attempts per call"]
    )
    for arm, summary in found.items():
        shares = (_share(part.first) for part in _parts(summary))
        calls = summary.calls / max(summary.overall.success.trials, 1)
        table.add_row(ARMS[arm].title, *shares, f"{calls:.2f}")
    return table


def _routing(found: dict[str, Summary]) -> Table:
    table = _table("First attempts by path, %", ["phase", *MODELS])
    table.columns[1].justify = "left"
    for arm in (arm for arm in LEARNING_ARMS if arm in found):
        for number, part in enumerate(found[arm].parts):
            shares = (percent(part.routing.get(path), digits=0) for path in MODELS)
            title = ARMS[arm].title if number == 0 else ""
            last = number == len(found[arm].parts) - 1
            table.add_row(title, part.name, *shares, end_section=last)
    return table


def _cost(results: Results, found: dict[str, Summary]) -> Table:
    scale = results.settings.latency_scale
    caption = "Cost: every attempt's tokens at list prices."
    if not results.live:
        caption += f" Latency: of the loopback provider, at {scale:g} of the models' own."
    if any(summary.unpriced for summary in found.values()):
        caption += " Attempts of unknown cost are not in it: "
        caption += ", ".join(f"{ARMS[arm].title} {s.unpriced}" for arm, s in found.items())
    columns = ["USD per valid answer", "times Kalibr's", "USD in all", "p50 ms", "p95 ms"]
    table = _table("Cost and latency", columns, caption)
    for arm, summary in found.items():
        each, factor = summary.cost_per_success_usd, ratio(found, over=arm)
        table.add_row(
            ARMS[arm].title,
            "none valid" if each is None else f"{each:.6f}",
            "" if factor is None or arm == "kalibr" else f"{factor:.1f}",
            f"{summary.cost_usd:.4f}",
            *("" if value is None else f"{value * 1000:.1f}" for value in summary.latency_s),
        )
    return table


def _share(share: Share) -> str:
    if share.value is None:
        return "-"
    low, high = share.interval
    return f"{100 * share.value:.1f}\n[dim]{100 * low:.1f}-{100 * high:.1f}[/]"


def _mean(runs: OverRuns | None) -> str:
    if runs is None:
        return "-"
    half = "" if runs.half_width is None else f" ± {100 * runs.half_width:.1f}"
    return f"{100 * runs.mean:.1f}{half}\n[dim]worst {100 * runs.worst:.1f}[/]"
