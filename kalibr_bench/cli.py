"""`kalibr bench ...`; also `python -m kalibr_bench.cli`. Heavy imports wait for their command."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from kalibr_bench.resilience import Results, Settings

INTERRUPTED = 130
"""Exit status after Ctrl-C, as shells have it: 128 + SIGINT."""
PICTURES = (".png", ".svg", ".pdf")

Story = Annotated[
    str, typer.Option(help="original: gpt-4o fails. preferred: gpt-4o-mini. recovery: it returns.")
]
LatencyScale = Annotated[
    float | None,
    typer.Option(min=0.0, max=100.0, help="x the models' latency; 0.01, with several runs 0."),
]
Sure = Annotated[bool, typer.Option("--yes", help="With --live: spend without a question.")]
JsonFile = Annotated[Path | None, typer.Option(help="Write all figures here.")]
PlotFile = Annotated[Path | None, typer.Option(help="Write a picture here (PNG, SVG, PDF).")]

app = typer.Typer(
    name="bench", no_args_is_help=True, add_completion=False, help="Benchmarks that need no key."
)


@app.callback()
def _bench() -> None:
    """Benchmarks over real HTTP, on a loopback provider that needs no key, and in simulation."""


@app.command()
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
    _check_files(json, plot)
    if live and latency_scale is not None:
        raise typer.BadParameter("real models have their own", param_hint="--latency-scale")
    scale = latency_scale if latency_scale is not None else 0.01 if runs == 1 else 0.0
    settings = _settings(quick, full, scenario, arms, scale)
    key = _allowed(settings, runs, sure=yes) if live else None
    _run(settings, range(seed, seed + runs), key, workers or None, json, plot)


@app.command()
def behaviour(
    sessions: Annotated[int, typer.Option(min=1, help="Of each population.")] = 2000,
    seed: Annotated[int, typer.Option(min=0, max=10**9, help="Below 100: for tuning.")] = 1000,
    calls: Annotated[int, typer.Option(min=5, help="Of each run of the routing part.")] = 1000,
    runs: Annotated[int, typer.Option(min=0, help="Of the routing part; 0: none.")] = 6,
) -> None:
    """Is what gate 3 reads from users' behaviour right, and does it move the routing?

    Simulated users of fifteen behaviours, in nine languages, whose truth is known.
    """
    from kalibr_bench.behaviour import command

    for paragraph in command(sessions, seed=seed, calls=calls, runs=runs):
        typer.echo(f"{paragraph}\n")


@app.command()
def overhead(
    calls: Annotated[int, typer.Option(min=50, help="Timed calls; over HTTP a quarter.")] = 2000,
    peers: Annotated[
        bool, typer.Option(help="Also LangChain, LiteLLM, River, MABWiser where installed.")
    ] = True,
    json: JsonFile = None,
) -> None:
    """What routing costs, next to a stub, to the bare openai client and to peers."""
    import json as encoder

    from rich.console import Console

    from kalibr_bench.overhead import measure
    from kalibr_bench.overhead.measure import as_json
    from kalibr_bench.overhead.report import show

    _check_files(json)
    console = Console()
    try:
        with console.status("measuring") as status:
            found = measure(
                calls,
                with_peers=peers,
                on_step=lambda name: status.update(f"measuring {name}"),
            )
    except KeyboardInterrupt:
        console.print("Stopped: a part of the measurements says nothing.")
        raise typer.Exit(INTERRUPTED) from None
    show(found, console)
    if json is not None:
        json.write_text(encoder.dumps(as_json(found), indent=1) + "\n", encoding="utf-8")
        console.print(f"Figures: {json}")


@app.command()
def quality(
    runs: Annotated[int, typer.Option(min=1, help="Independent runs of each arm.")] = 5,
    calls: Annotated[int, typer.Option(min=100, help="Calls of a run, or timed ones.")] = 600,
    rate: Annotated[float, typer.Option(help="Share of the answers that are judged.")] = 0.2,
    sampling: Annotated[str, typer.Option(help="informative, uniform; both.")] = "",
    policy: Annotated[str, typer.Option(help="Some, with commas: kalibr, thompson, scores.")] = "",
    seed: Annotated[int, typer.Option(min=0, max=10**9, help="Seed of the first run.")] = 0,
    behind: Annotated[
        int, typer.Option(min=-1, help="Judgements that a call may overtake; -1: any number.")
    ] = 0,
    evenness: Annotated[
        float, typer.Option(min=0.0, help="How alike a path's answers are; 0: good or bad.")
    ] = 8.0,
    overhead: Annotated[
        bool, typer.Option("--overhead", help="What a judge costs a call, instead.")
    ] = False,
    json: JsonFile = None,
) -> None:
    """Three paths that all pass gate 1, one of which writes better: when does it get the traffic?

    A model reads a share of the answers and scores them, in the background. Ctrl-C ends it with the
    runs that are done, exit status 130.
    """
    from kalibr_bench.quality import command

    _check_files(json)
    if overhead:
        command.show_overhead(calls, json)
        return
    asked = command.settings_of(
        calls=calls,
        rate=rate,
        sampling=sampling,
        policy=policy,
        behind=None if behind < 0 else behind,
        evenness=evenness,
    )
    if not command.run(asked, range(seed, seed + runs), json):
        raise typer.Exit(INTERRUPTED)


@app.command()
def policies(
    scenario: Annotated[
        str,
        typer.Option(help="Some of them, with commas between: random, S1, detection, ...; all."),
    ] = "",
    policy: Annotated[
        str, typer.Option(help="Some, with commas between: kalibr, thompson, kl-ucb, oracle, ...")
    ] = "",
    seeds: Annotated[str, typer.Option(help="N or A-B; else each scenario has its own.")] = "",
    full: Annotated[bool, typer.Option("--full", help="Everything, with many seeds.")] = False,
    workers: Annotated[int, typer.Option(min=0, help="Processes; 0: one per core.")] = 0,
    json: JsonFile = None,
    plot: PlotFile = None,
    markdown: Annotated[
        Path | None, typer.Option(help="Write the tables here, or between a page's marks.")
    ] = None,
) -> None:
    """Routing policies side by side in simulated worlds: what is lost, and what is paid?

    A world says how often each path succeeds, and when that changes. All policies meet the same
    luck. Without options: all scenarios but the longest, in less than a minute.
    """
    from kalibr_bench.policies.command import Files, run, settings_of

    for files in ((json, plot), (markdown, None)):
        _check_files(*files)
    asked = settings_of(scenario, policy, seeds, full=full)
    if not run(asked, Files(json=json, plot=plot, markdown=markdown), workers=workers):
        raise typer.Exit(INTERRUPTED)


@app.command()
def gauntlet(
    runs: Annotated[int, typer.Option(min=1, max=10_000, help="Runs of each agent.")] = 10,
    concurrent: Annotated[
        bool,
        typer.Option("--concurrent/--sequential", help="Ten at once, or one after the other."),
    ] = True,
    strict: Annotated[bool, typer.Option("--strict", help="Grade what the rubric misses.")] = False,
    framework: Annotated[str, typer.Option(help="langchain or llama-index.")] = "langchain",
    arms: Annotated[
        str, typer.Option(help="kalibr, uniform, names of paths, with commas between; all.")
    ] = "",
    seed: Annotated[int, typer.Option(min=0, max=10**5, help="Of all chance.")] = 0,
    latency_scale: LatencyScale = None,
    keep_submissions: Annotated[
        bool, typer.Option("--keep-submissions", help="Write the submitted code into the figures.")
    ] = False,
    json: JsonFile = None,
    plot: PlotFile = None,
    live: Annotated[bool, typer.Option("--live", help="Real models; needs their keys.")] = False,
    models: Annotated[str, typer.Option(help="With --live: which, with commas between.")] = "",
    yes: Sure = False,
) -> None:
    """An agent repairs a fragile pipeline: which models can, and does routing find them?

    Offline, six engineers of set skill play the models. A router learns from each run's grade; to
    see that, take --runs 60 --sequential.
    """
    from kalibr_bench.gauntlet.command import Options, run, settings_of

    _check_files(json, plot)
    if live and latency_scale is not None:
        raise typer.BadParameter("real models have their own", param_hint="--latency-scale")
    usual, paths = settings_of(framework, arms, models, live=live)
    settings = replace(
        usual,
        runs=runs,
        seed=seed,
        at_once=min(runs, usual.at_once) if concurrent else 1,
        strict=strict,
        latency_scale=0.01 if latency_scale is None else latency_scale,
        keep_submissions=keep_submissions,
    )
    if not run(Options(settings=settings, paths=paths, json=json, plot=plot), sure=yes):
        raise typer.Exit(INTERRUPTED)


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


def _check_files(json: Path | None, plot: Path | None = None) -> None:
    """Know before the work whether its result can be written."""
    for file in (json, plot):
        if file is not None and (file.is_dir() or not file.absolute().parent.is_dir()):
            raise typer.BadParameter(
                f"cannot write {file}: it is a folder, or its folder is missing"
            )
    if plot is not None and plot.suffix.lower() not in PICTURES:
        raise typer.BadParameter(
            f"must end in {', '.join(PICTURES)}, got {plot.name!r}", param_hint="--plot"
        )


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


if __name__ == "__main__":
    app()
