"""`kalibr bench ...`; also `python -m kalibr_bench.cli`. Heavy imports wait for their command."""

from __future__ import annotations

import typer

from kalibr_bench.cli import behaviour, gauntlet, overhead, policies, quality, resilience

__all__ = ["app"]

app = typer.Typer(
    name="bench", no_args_is_help=True, add_completion=False, help="Benchmarks that need no key."
)


@app.callback()
def _bench() -> None:
    """Benchmarks over real HTTP, on a loopback provider that needs no key, and in simulation."""


# In the order in which the help lists them.
app.command()(resilience.resilience)
app.command()(behaviour.behaviour)
app.command()(overhead.overhead)
app.command()(quality.quality)
app.command()(policies.policies)
app.command()(gauntlet.gauntlet)
