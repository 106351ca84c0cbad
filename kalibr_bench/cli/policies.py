"""`kalibr bench policies`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kalibr_bench.cli.options import INTERRUPTED, JsonFile, PlotFile, check_files


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

    check_files(json, plot, markdown)
    asked = settings_of(scenario, policy, seeds, full=full)
    if not run(asked, Files(json=json, plot=plot, markdown=markdown), workers=workers):
        raise typer.Exit(INTERRUPTED)
