"""`kalibr bench overhead`."""

from __future__ import annotations

from typing import Annotated

import typer

from kalibr_bench.cli.options import INTERRUPTED, JsonFile, check_files


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

    check_files(json)
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
