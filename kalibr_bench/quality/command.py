"""What `kalibr bench quality` does with its options."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from kalibr_bench.quality import overhead, report
from kalibr_bench.quality.records import POLICIES, SAMPLINGS, Settings
from kalibr_bench.quality.run import benchmark


def settings_of(
    *, calls: int, rate: float, sampling: str, policy: str, behind: int | None, evenness: float
) -> Settings:
    """Read the options.

    Raises:
        typer.BadParameter: one of them is none.
    """
    if not 0.0 < rate <= 1.0:
        raise typer.BadParameter(f"must be in (0, 1], got {rate}", param_hint="--rate")
    return Settings(
        calls=calls,
        rate=rate,
        samplings=_some_of(SAMPLINGS, sampling, "--sampling"),
        policies=_some_of(tuple(POLICIES), policy, "--policy"),
        behind=behind,
        evenness=evenness,
    )


def run(settings: Settings, seeds: Sequence[int], file: Path | None) -> bool:
    """Run and show; False: it was stopped."""
    console = Console()
    columns = (TextColumn("runs"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("runs", total=len(seeds) * len(settings.arms))
        found = benchmark(settings, seeds, on_run=lambda: bar.advance(task))
    report.show(found, console)
    _write(report.as_json(found), file, console)
    return not found.stopped


def show_overhead(calls: int, file: Path | None, *, after: str = "") -> None:
    """Time calls with and without a judge, and show the ratios.

    Args:
        after: When the provider answers, in milliseconds, with commas; none: as it does by default.

    Raises:
        typer.BadParameter: these are no numbers above 0.
    """
    worlds = overhead.after(_milliseconds(after)) or overhead.WORLDS
    console = Console()
    with console.status("measuring"):
        found = overhead.measure(calls, worlds)
    report.show_overhead(found, console)
    _write(report.overhead_json(found), file, console)


def _milliseconds(asked: str) -> list[float]:
    try:
        found = [float(part) for part in asked.split(",") if part.strip()]
    except ValueError:
        found = [0.0]
    if not all(0.0 < ms <= 1000.0 for ms in found):
        raise typer.BadParameter(
            f"must be milliseconds up to 1000, got {asked!r}", param_hint="--after"
        )
    return found


def _write(value: dict[str, Any], file: Path | None, console: Console) -> None:
    if file is not None:
        file.write_text(json.dumps(value) + "\n", encoding="utf-8")
        console.print(f"Figures: {file}")


def _some_of(known: Collection[str], asked: str, option: str) -> tuple[str, ...]:
    """Those that are asked for, in the order in which they are known; all, if none is."""
    chosen = {name for part in asked.split(",") if (name := part.strip())}
    unknown = sorted(chosen - set(known))
    if unknown:
        raise typer.BadParameter(
            f"unknown: {', '.join(unknown)}; there are {', '.join(known)}", param_hint=option
        )
    return tuple(name for name in known if not chosen or name in chosen)
