"""The results as tables for a terminal of 80 columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.padding import Padding
from rich.table import Table

from kalibr_bench.policies import words
from kalibr_bench.policies.results import DETECTION, Results
from kalibr_bench.policies.words import Sheet

if TYPE_CHECKING:
    from rich.console import Console

IN_FULL = 3
"""So many scenarios are shown with all their figures; of more there is a summary."""


def show(results: Results, console: Console) -> None:
    """Print the tables of what there is."""
    if results.stopped:
        console.print(
            "[yellow]Stopped early: what is not here, or is -, was not finished.[/]",
            highlight=False,
        )
    if not results.tallies and not results.detections:
        console.print("There is nothing to show.")
        return
    for sheet in sheets(results):
        console.print(Padding(_table(sheet), (1, 0, 0, 0)))


def sheets(results: Results) -> list[Sheet]:
    """The tables that are worth showing."""
    names = [name for name in results.settings.scenarios if name != DETECTION]
    ran = [name for name in names if any(key[0] == name for key in results.tallies)]
    found = [words.scenario(results, name) for name in ran] if len(names) <= IN_FULL else []
    if len(names) > IN_FULL and ran:
        found = words.summaries(results)
    found.append(words.against_bars(results))
    if results.detections:
        found.append(words.detections(results.detections))
    return [sheet for sheet in found if sheet.rows]


def _table(sheet: Sheet) -> Table:
    table = Table(
        title=sheet.title,
        title_justify="left",
        title_style="bold",
        caption=sheet.caption or None,
        caption_justify="left",
        box=SIMPLE_HEAD,
        padding=(0, 0, 0, 0),
        show_edge=False,
    )
    for at, name in enumerate(sheet.head):
        text = sheet.holds_text(at)
        table.add_column(name, justify="left" if text else "right", no_wrap=at == 0 or not text)
    for row in sheet.rows:
        table.add_row(*row)
    return table
