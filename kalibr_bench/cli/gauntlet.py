"""`kalibr bench gauntlet`."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import typer

from kalibr_bench.cli.options import (
    INTERRUPTED,
    JsonFile,
    PlotFile,
    Sure,
    check_files,
    check_latency,
)


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
    seed: Annotated[
        int, typer.Option(min=0, max=10**5, help="Of all chance; --sequential repeats it.")
    ] = 0,
    latency_scale: Annotated[
        float | None,
        typer.Option(min=0.0, max=100.0, help="x the engineers' latency; 0.01 if not given."),
    ] = None,
    keep_submissions: Annotated[
        bool, typer.Option("--keep-submissions", help="With --json: also the submitted code.")
    ] = False,
    json: JsonFile = None,
    plot: PlotFile = None,
    live: Annotated[bool, typer.Option("--live", help="Real models; needs their keys.")] = False,
    models: Annotated[str, typer.Option(help="With --live: which, with commas between.")] = "",
    yes: Sure = False,
) -> None:
    """An agent repairs a fragile pipeline: which models can, and does routing find them?

    Offline, six engineers of set skill play the models. A router learns from each run's grade; to
    see that, take --runs 60 --sequential. Ctrl-C ends it with what there is, exit status 130; where
    every run crashed it is 1.
    """
    from kalibr_bench.gauntlet.command import Options, run, settings_of

    check_files(json, plot)
    check_latency(latency_scale, live=live)
    if yes and not live:
        raise typer.BadParameter("only with --live", param_hint="--yes")
    if keep_submissions and json is None:
        raise typer.BadParameter("only with --json", param_hint="--keep-submissions")
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
