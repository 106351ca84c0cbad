"""`kalibr bench behaviour`."""

from __future__ import annotations

from typing import Annotated

import typer


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
