"""`kalibr bench quality`."""

from __future__ import annotations

from typing import Annotated

import typer

from kalibr_bench.cli.options import INTERRUPTED, JsonFile, check_files


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
    after: Annotated[
        str, typer.Option(help="With --overhead: the provider answers after these ms: 2,5,10.")
    ] = "",
    json: JsonFile = None,
) -> None:
    """Three paths that all pass gate 1, one of which writes better: when does it get the traffic?

    A model reads a share of the answers and scores them, in the background. Ctrl-C ends it with the
    runs that are done, exit status 130.
    """
    from kalibr_bench.quality import command

    check_files(json)
    if overhead:
        command.show_overhead(calls, json, after=after)
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
