"""Options that several commands have, and what is checked before any work."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

INTERRUPTED = 130
"""Exit status after Ctrl-C, as shells have it: 128 + SIGINT."""
PICTURES = (".png", ".svg", ".pdf")

LatencyScale = Annotated[
    float | None,
    typer.Option(min=0.0, max=100.0, help="x the models' latency; 0.01, with several runs 0."),
]
Sure = Annotated[bool, typer.Option("--yes", help="With --live: spend without a question.")]
JsonFile = Annotated[Path | None, typer.Option(help="Write all figures here.")]
PlotFile = Annotated[Path | None, typer.Option(help="Write a picture here (PNG, SVG, PDF).")]


def check_files(json: Path | None, plot: Path | None = None, *others: Path | None) -> None:
    """Know before the work whether its results can be written, each into a file of its own.

    Raises:
        typer.BadParameter: they cannot.
    """
    files = [file for file in (json, plot, *others) if file is not None]
    for file in files:
        _check_writable(file)
    regular = [file.resolve() for file in files if not file.exists() or file.is_file()]
    if len(set(regular)) < len(regular):
        raise typer.BadParameter(f"two results cannot go into one file: {files[0]}")
    if plot is not None and plot.suffix.lower() not in PICTURES:
        raise typer.BadParameter(
            f"must end in {', '.join(PICTURES)}, got {plot.name!r}", param_hint="--plot"
        )


def _check_writable(file: Path) -> None:
    if file.is_dir() or not file.absolute().parent.is_dir():
        raise typer.BadParameter(f"cannot write {file}: it is a folder, or its folder is missing")
    new = not file.exists()
    if not new and not file.is_file():
        return  # to open a pipe may wait for its reader
    try:
        with file.open("ab"):
            pass
    except OSError as error:
        raise typer.BadParameter(f"cannot write {file}: {error.strerror}") from None
    if new:
        file.unlink()


def check_latency(scale: float | None, *, live: bool) -> None:
    """Only models that are played have a latency to set.

    Raises:
        typer.BadParameter: a scale is given for real ones.
    """
    if live and scale is not None:
        raise typer.BadParameter("real models have their own", param_hint="--latency-scale")
