"""`kalibr bench gauntlet`: what the options mean, the runs, and what is handed out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from kalibr_bench.gauntlet import engineers, export, many, report
from kalibr_bench.gauntlet import live as real
from kalibr_bench.gauntlet.records import FRAMEWORKS, ROUTED, UNIFORM, Results, Run, Settings
from kalibr_core import ConfigError

if TYPE_CHECKING:
    from rich.console import Console

EVERY = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the command line says.

    Attributes:
        settings: What is to be run.
        paths: Real models; None: the engineers.
        json: A file for all figures.
        plot: A file for a picture.
    """

    settings: Settings
    paths: Sequence[Mapping[str, Any]] | None = None
    json: Path | None = None
    plot: Path | None = None


def settings_of(
    framework: str, arms: str, models: str, *, live: bool
) -> tuple[Settings, list[dict[str, Any]] | None]:
    """What the options ask for: settings, and real models where they do.

    Raises:
        typer.BadParameter: they ask for what there is not.
    """
    if framework not in FRAMEWORKS:
        known = ", ".join(FRAMEWORKS)
        raise typer.BadParameter(
            f"must be one of {known}, got {framework!r}", param_hint="--framework"
        )
    if models and not live:
        raise typer.BadParameter("only with --live", param_hint="--models")
    paths = _real_paths(models) if live else None
    return Settings(framework=framework, arms=_arms(arms, paths)), paths


def _real_paths(asked: str) -> list[dict[str, Any]]:
    try:
        return real.paths_of(_list(asked))
    except ConfigError as error:
        raise typer.BadParameter(str(error), param_hint="--live") from None


def _arms(asked: str, paths: Sequence[Mapping[str, Any]] | None) -> tuple[str, ...]:
    names = [str(path["name"]) for path in paths] if paths else list(engineers.ENGINEERS)
    known = (ROUTED, UNIFORM, *names)
    wanted = _list(asked)
    if not wanted:
        if asked:
            raise typer.BadParameter("names no agent", param_hint="--arms")
        wanted = [ROUTED]
    if EVERY in wanted:
        return known
    if unknown := [arm for arm in wanted if arm not in known]:
        raise typer.BadParameter(
            f"unknown: {', '.join(unknown)}; there are {', '.join(known)}, {EVERY}",
            param_hint="--arms",
        )
    return tuple(arm for arm in known if arm in wanted)


def run(options: Options, *, sure: bool) -> bool:
    """Run, and hand out what was found; False: the user stopped.

    Raises:
        typer.Exit: with status 1: a package is missing, or every run crashed.
    """
    from rich.console import Console
    from rich.markup import escape

    console = Console()
    try:
        _check_packages(options)
    except ModuleNotFoundError as error:
        console.print(f"[red]{escape(str(error))}[/]", markup=True)
        raise typer.Exit(1) from None
    if options.paths is not None and not sure:
        typer.confirm(real.estimate(options.settings, options.paths), abort=True)
    results = _results(options, console)
    _hand_out(results, options, console)
    ends = [run.ended for runs in results.runs.values() for run in runs]
    if not results.stopped and set(ends) == {"crashed"}:
        raise typer.Exit(1)
    return not results.stopped


def _check_packages(options: Options) -> None:
    """Know before the work, and before money is spent, whether all is installed.

    Raises:
        ModuleNotFoundError: it is not; names the pip command.
    """
    many.agent_class(options.settings.framework)
    if options.plot is not None:
        try:
            import matplotlib.figure  # noqa: F401
        except ModuleNotFoundError as error:
            raise ModuleNotFoundError(
                f'--plot needs {error.name}: pip install -e ".[bench]"', name=error.name
            ) from None


def _results(options: Options, console: Console) -> Results:
    settings, shown = options.settings, ""
    console.print(_head(options))

    def tell(arm: str, run: Run) -> None:
        nonlocal shown
        if arm != shown:
            shown = arm
            console.print(f"\n[bold]{report.title_of(arm)}[/]")
        line = report.line(run, width=max(report.WIDTH, console.width))
        console.print(line, highlight=False, soft_wrap=True)

    def wait(count: int) -> None:
        of_them, them = (
            ("1 run that has", "it") if count == 1 else (f"{count} runs that have", "them")
        )
        console.print(f"Waiting for {of_them} begun; Ctrl-C again drops {them}.")

    if options.paths is not None:
        return real.benchmark(settings, options.paths, on_run=tell, on_wait=wait)
    return many.benchmark(settings, on_run=tell, on_wait=wait)


def _head(options: Options) -> str:
    settings = options.settings
    order = f"{settings.at_once} at once" if settings.at_once > 1 else "one after the other"
    where = "real models" if options.paths is not None else "loopback provider"
    rubric = "strict" if settings.strict else "plain rubric"
    return (
        f"[bold]The Resilience Gauntlet[/]\n{settings.runs} run{'s' * (settings.runs > 1)}, "
        f"{order}, {rubric}, {settings.framework}, {where}"
    )


def _hand_out(results: Results, options: Options, console: Console) -> None:
    report.show(results, console)
    if options.json is not None:
        export.save(results, options.json)
        console.print(f"Figures: {options.json}")
    if options.plot is not None and any(results.runs.values()):
        from kalibr_bench.gauntlet.plot import save

        save(results, options.plot)
        console.print(f"Picture: {options.plot}")


def _list(text: str) -> list[str]:
    return list(dict.fromkeys(filter(None, (part.strip() for part in text.split(",")))))
