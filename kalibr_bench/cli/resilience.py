"""`kalibr bench resilience`."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kalibr_bench.cli.options import (
    INTERRUPTED,
    JsonFile,
    LatencyScale,
    PlotFile,
    Sure,
    check_files,
    check_latency,
)

if TYPE_CHECKING:
    from rich.console import Console

    from kalibr_bench.resilience import Results, Settings

Story = Annotated[
    str, typer.Option(help="original: gpt-4o fails. preferred: gpt-4o-mini. recovery: it returns.")
]


def resilience(
    quick: Annotated[bool, typer.Option("--quick", help="35 documents per run.")] = False,
    full: Annotated[bool, typer.Option("--full", help="200 documents per run.")] = False,
    scenario: Story = "original",
    runs: Annotated[int, typer.Option(min=1, help="Independent runs.")] = 1,
    seed: Annotated[int, typer.Option(min=0, max=10**9, help="Seed of the first run.")] = 0,
    arms: Annotated[str, typer.Option(help="Some of the arms, with commas between.")] = "",
    latency_scale: LatencyScale = None,
    workers: Annotated[int, typer.Option(min=0, help="Processes; 0: one per core.")] = 0,
    json: JsonFile = None,
    plot: PlotFile = None,
    live: Annotated[
        bool, typer.Option("--live", help="Real models; needs OPENAI_API_KEY.")
    ] = False,
    yes: Sure = False,
) -> None:
    """An agent's model degrades: who keeps working, and at what cost?

    100 documents: 30 to learn, 40 from the failure on, 30 to observe while it still fails (in the
    scenario recovery: after it has come back). Ctrl-C ends it with the tables of what is done,
    exit status 130.
    """
    check_files(json, plot)
    check_latency(latency_scale, live=live)
    scale = latency_scale if latency_scale is not None else 0.01 if runs == 1 else 0.0
    settings = _settings(quick, full, scenario, arms, scale)
    key = _allowed(settings, runs, sure=yes) if live else None
    _run(settings, range(seed, seed + runs), key, workers or None, json, plot)


def _settings(quick: bool, full: bool, name: str, arms: str, scale: float) -> Settings:
    from kalibr_bench.resilience import ARMS, Settings
    from kalibr_bench.resilience import scenario as scenario_of

    if quick and full:
        raise typer.BadParameter("choose one of the two", param_hint="--quick / --full")
    size = "quick" if quick else "full" if full else "default"
    chosen = tuple(dict.fromkeys(filter(None, (arm.strip() for arm in arms.split(",")))))
    unknown = [arm for arm in chosen if arm not in ARMS]
    if unknown:
        known = ", ".join(ARMS)
        raise typer.BadParameter(
            f"unknown: {', '.join(unknown)}; there are {known}", param_hint="--arms"
        )
    try:
        story = scenario_of(name, size)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--scenario") from None
    ordered = tuple(arm for arm in ARMS if not chosen or arm in chosen)
    return Settings(scenario=story, arms=ordered, latency_scale=scale)


def _allowed(settings: Settings, runs: int, *, sure: bool) -> str:
    """The key to real models, once it is clear that money may be spent."""
    from kalibr_bench.resilience import live

    key = os.environ.get(live.KEY)
    if not key:
        raise typer.BadParameter(
            f"set {live.KEY} to run on real models; without --live no key is needed",
            param_hint="--live",
        )
    if not sure:
        typer.confirm(live.estimate(settings, runs), abort=True)
    return key


def _run(
    settings: Settings,
    seeds: Sequence[int],
    key: str | None,
    workers: int | None,
    json: Path | None,
    plot: Path | None,
) -> None:
    from rich.console import Console

    from kalibr_bench.resilience import benchmark, live
    from kalibr_bench.resilience.passthrough import ProviderRefused

    console = Console()
    try:
        with _progress(console, settings.scenario.length * len(seeds)) as step:
            if key is None:
                found = benchmark(settings, seeds, workers=workers, on_row=step)
            else:
                found = live.benchmark(settings, seeds, key=key, on_row=step)
    except ProviderRefused as error:
        console.print(f"[red]{error}[/]")
        raise typer.Exit(1) from None
    _hand_out(found, console, json, plot)


def _hand_out(found: Results, console: Console, json: Path | None, plot: Path | None) -> None:
    from kalibr_bench.resilience import export, report

    report.show(found, console)
    if json is not None:
        export.save(found, json)
        console.print(f"Figures: {json}")
    if plot is not None and any(run.length for run in found.runs):
        from kalibr_bench.resilience.plot import save

        save(found, plot)
        console.print(f"Picture: {plot}")
    if found.stopped:
        raise typer.Exit(INTERRUPTED)


@contextmanager
def _progress(console: Console, total: int) -> Iterator[Callable[[], None]]:
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (TextColumn("documents"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("documents", total=total)
        yield lambda: bar.advance(task)
