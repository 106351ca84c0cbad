"""`kalibr bench policies`: what the options mean, the run, and what is handed out."""

from __future__ import annotations

import datetime as dt
import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from kalibr_bench.policies import export, markdown, report
from kalibr_bench.policies.contenders import CONTENDERS, standard
from kalibr_bench.policies.results import (
    DETECTION,
    Results,
    Settings,
    laboratory,
    seeds_for,
    work,
)
from kalibr_bench.policies.scenarios import SCENARIOS

if TYPE_CHECKING:
    from rich.console import Console

EVERYTHING = "all"
MOST_SEEDS = 100_000
ORDER = ("random", *(name for name in SCENARIOS if name != "random"), DETECTION)
"""Random worlds first: they are the hardest to tune to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """Where the results go besides the terminal."""

    json: Path | None = None
    plot: Path | None = None
    markdown: Path | None = None


def settings_of(scenario: str, policy: str, seeds: str, *, full: bool) -> Settings:
    """What the options ask for.

    Raises:
        typer.BadParameter: they ask for what there is not.
    """
    names = _scenarios(scenario, full=full)
    chosen = _range(seeds) if seeds else None
    if chosen is not None and full:
        raise typer.BadParameter("choose one of the two", param_hint="--seeds / --full")
    by_scenario = {name: _seeds(name, chosen, full=full) for name in names}
    return Settings(scenarios=names, policies=_policies(policy), seeds=by_scenario)


def _seeds(name: str, chosen: range | None, *, full: bool) -> range:
    """What was asked for; without it the usual ones, of a scenario that has none a full run's."""
    if chosen is not None:
        return chosen
    return seeds_for(name, full=full) or seeds_for(name, full=True)


def _scenarios(asked: str, *, full: bool) -> tuple[str, ...]:
    wanted = _list(asked)
    if not wanted:
        usual = [n for n in ORDER if n != DETECTION and seeds_for(n, full=False)]
        return ORDER if full else tuple(usual)
    if EVERYTHING in wanted:
        return ORDER
    _known(wanted, ORDER, "--scenario", more=f", {EVERYTHING}")
    return tuple(name for name in ORDER if name in wanted)


def _policies(asked: str) -> tuple[str, ...]:
    wanted = _list(asked)
    if not wanted:
        return standard()
    _known(wanted, tuple(CONTENDERS), "--policy")
    for name in wanted:
        if not CONTENDERS[name].installed():
            raise typer.BadParameter(
                f"{name} is not installed: pip install {name}", param_hint="--policy"
            )
    return tuple(name for name in CONTENDERS if name in wanted)


def _list(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(filter(None, (part.strip() for part in text.split(",")))))


def _known(wanted: Sequence[str], known: Sequence[str], hint: str, *, more: str = "") -> None:
    unknown = [name for name in wanted if name not in known]
    if unknown:
        raise typer.BadParameter(
            f"unknown: {', '.join(unknown)}; there are {', '.join(known)}{more}", param_hint=hint
        )


def _range(text: str) -> range:
    """`N`: 0 to N - 1; `A-B`: both included."""
    found = re.fullmatch(r"\s*(\d{1,9})(?:\s*-\s*(\d{1,9}))?\s*", text)
    if found is None:
        raise _bad_seeds(text)
    first, last = found.groups()
    seeds = range(int(first)) if last is None else range(int(first), int(last) + 1)
    if not 1 <= len(seeds) <= MOST_SEEDS:
        raise _bad_seeds(text)
    return seeds


def _bad_seeds(text: str) -> typer.BadParameter:
    return typer.BadParameter(
        f"must be a number N or a range A-B with 1 to {MOST_SEEDS} seeds, got {text!r}; "
        "200 runs the seeds 0 to 199, 1000-1199 as many others",
        param_hint="--seeds",
    )


def run(settings: Settings, files: Files, *, workers: int) -> bool:
    """Run it, show it, write it; False where an interrupt ended it early."""
    from rich.console import Console

    console = Console()
    with progress(console, work(settings)) as step:
        results = laboratory(settings, workers=workers or cores(), on_done=step)
    report.show(results, console)
    if results.tallies or results.detections:
        _write(results, files, console)
    return not results.stopped


def _write(results: Results, files: Files, console: Console) -> None:
    if files.json is not None:
        export.save(results, files.json)
        console.print(f"Figures: {files.json}")
    if files.markdown is not None:
        markdown.save(results, files.markdown, today=dt.date.today())
        console.print(f"Markdown: {files.markdown}")
    if files.plot is not None:
        from kalibr_bench.policies import plot

        if drawn := plot.scenarios(results):
            plot.save(results, files.plot)
            console.print(f"Picture of {', '.join(drawn)}: {files.plot}")


@contextmanager
def progress(console: Console, total: float) -> Iterator[Callable[[float], None]]:
    """A bar that is full when the finished jobs' weights have come to `total`."""
    from rich.progress import (
        BarColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (TextColumn("calls"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("calls", total=total)
        yield lambda weight: bar.advance(task, weight)


def cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
