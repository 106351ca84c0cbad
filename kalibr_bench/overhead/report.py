"""The overhead as tables: ratios first, since they depend least on the machine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.padding import Padding
from rich.table import Table

from kalibr_bench.overhead.measure import Overhead
from kalibr_bench.overhead.timing import Median

if TYPE_CHECKING:
    from rich.console import Console


def show(found: Overhead, console: Console) -> None:
    """Print the tables."""
    for table in (_ratios(found), _in_process(found), _policy(found)):
        console.print(table)
    console.print(Padding(closing(found), (0, 1, 1, 1)))


def closing(found: Overhead) -> str:
    """What it means."""
    added, ratio = found.in_process.added, found.http["completion"].ratio
    return (
        f"Routing adds {_us(added.value)} µs to a call (median; gate 1 and the durable record "
        f"included), and a routed call over loopback HTTP takes {ratio.value:.2f} times the bare "
        "client's. A model takes hundreds of milliseconds, so that a user cannot notice it."
    )


def _ratios(found: Overhead) -> Table:
    table = _table(
        "Router / bare openai client, over loopback HTTP",
        ["ratio", "95 %", "Router ms", "bare ms", "pairs"],
        "call",
    )
    for way, times in found.http.items():
        table.add_row(
            way,
            f"{times.ratio.value:.3f}",
            f"{times.ratio.low:.3f}-{times.ratio.high:.3f}",
            f"{1000 * times.routed.value:.3f}",
            f"{1000 * times.bare.value:.3f}",
            str(times.bare.count),
        )
    return table


def _in_process(found: Overhead) -> Table:
    inside = found.in_process
    whole = inside.parts["whole"].value
    table = _table(
        "One routed call around a stub, SQLite ledger, µs",
        ["share", "p50", "95 % of p50", "p99"],
        "part",
    )
    table.add_row("added to the stub", "", *_times(inside.added), end_section=True)
    for name, times in inside.parts.items():
        table.add_row(name, f"{times.value / whole:.0%}", *_times(times))
    table.caption = "The parts are of a second pass, with a stopwatch that itself takes some time."
    return table


def _policy(found: Overhead) -> Table:
    table = _table(
        "The policy alone: one pull and one update, µs",
        ["/ K = 3", "p50", "95 % of p50", "p99", "plain Thompson p50"],
        "arms",
    )
    least = found.policy[min(found.policy)][0].value
    for size, (own, plain) in found.policy.items():
        ratio = f"{own.value / least:.1f}"
        table.add_row(f"K = {size}", ratio, *_times(own), _us(plain.value))
    return table


def _times(times: Median) -> tuple[str, str, str]:
    return _us(times.value), f"{_us(times.low)}-{_us(times.high)}", _us(times.p99)


def _us(seconds: float) -> str:
    return f"{1e6 * seconds:.1f}"


def _table(title: str, columns: Sequence[str], first: str) -> Table:
    table = Table(
        title=title,
        title_justify="left",
        title_style="bold",
        caption_justify="left",
        box=SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
    )
    table.add_column(first, no_wrap=True)
    for name in columns:
        table.add_column(name, justify="right")
    return table
