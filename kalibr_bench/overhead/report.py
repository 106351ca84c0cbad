"""The overhead as tables: ratios first, since they depend least on the machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.padding import Padding
from rich.table import Table

from kalibr_bench.overhead.framework import InFramework
from kalibr_bench.overhead.measure import Overhead
from kalibr_bench.overhead.over_http import Called
from kalibr_bench.overhead.peers import Failed
from kalibr_bench.overhead.policy_alone import BARS_S
from kalibr_bench.overhead.state import ARMS, MEMORY_BAR, SNAPSHOT_BAR
from kalibr_bench.overhead.timing import Ratio, Times

if TYPE_CHECKING:
    from rich.console import Console


def show(found: Overhead, console: Console) -> None:
    """Print the tables."""
    for table in (_over_http(found), _in_process(found), _policy(found), _state(found)):
        console.print(table)
    for inside, title, adapter in (
        (found.langchain, "LangChain's invoke, by the bare chat model's; µs", "kalibr_langchain"),
        (found.llama_index, "LlamaIndex's chat, by the bare LLM's; µs", "kalibr_llama_index"),
    ):
        if inside is not None:
            console.print(_framework(inside, title, adapter))
    places = {f"K = {size}": rows for size, rows in found.policy.items()}
    for line in _failures({**found.http, **places}):
        console.print(Padding(line, (0, 1)))
    console.print(Padding(closing(found), (0, 1, 1, 1)))


def closing(found: Overhead) -> str:
    """What it means."""
    added, routed = found.in_process.added, found.http["completion"]["kalibr"]
    times = "" if isinstance(routed, Failed) else f"{routed.ratio.value:.2f}"
    return (
        f"Routing adds {_us(added.p50)} µs to a call (median; gate 1 and the durable record "
        f"included), and a routed call over loopback HTTP takes {times} times the bare "
        "client's. A model takes hundreds of milliseconds, so that a user cannot notice it."
    )


def _over_http(found: Overhead) -> Table:
    table = _table(
        "A call over loopback HTTP, by the bare openai client's",
        ["ratio", "95 %", "p50 ms", "mean ms", "calls"],
        "call",
        "by",
    )
    for way, rows in found.http.items():
        for number, (name, row) in enumerate(rows.items()):
            cells = ["failed"] if isinstance(row, Failed) else _called(row)
            last = number == len(rows) - 1
            table.add_row("" if number else way, name, *cells, end_section=last)
    if (part := _own_part(found)) is not None:
        table.caption = f"with_fallbacks by the ChatOpenAI in it: {part}"
    return table


def _called(row: Called) -> list[str]:
    times = row.times
    millis = (f"{1000 * value:.3f}" for value in (times.p50, times.mean))
    return [f"{row.ratio.value:.3f}", _between(row.ratio), *millis, str(times.count)]


def _own_part(found: Overhead) -> str | None:
    row = found.http["completion"].get("with_fallbacks")
    if not isinstance(row, Called) or row.own is None:
        return None
    return f"{row.own.value:.3f} ({_between(row.own)})"


def _in_process(found: Overhead) -> Table:
    inside = found.in_process
    whole = inside.parts["whole"].p50
    table = _table(
        "One routed call around a stub, SQLite ledger, µs",
        ["share", "mean", "p50", "95 % of p50", "p99"],
        "part",
    )
    table.add_row("added to the stub", "", *_times(inside.added), end_section=True)
    for name, times in inside.parts.items():
        table.add_row(name, f"{times.p50 / whole:.0%}", *_times(times))
    table.caption = "The parts are of a second pass, with a stopwatch that itself takes some time."
    return table


def _policy(found: Overhead) -> Table:
    table = _table(
        "The policy alone, µs: means, p50 of both, ratio of both to plain Thompson",
        ["select", "update", "both", "bar", "p50", "ratio"],
        "arms",
        "by",
    )
    for size, rows in found.policy.items():
        for number, (name, row) in enumerate(rows.items()):
            first = "" if number else f"K = {size}"
            bar = f"{1e6 * BARS_S[size]:.0f}" if name.startswith("kalibr") else ""
            if isinstance(row, Failed):
                cells = ["failed"]
            else:
                both = f"{_us(row.both.mean)} ±{_us(row.both.error)}"
                means = (_us(row.select.mean), _us(row.update.mean), both)
                cells = [*means, bar, _us(row.both.p50), f"{row.ratio.value:.2f}"]
            table.add_row(first, name, *cells, end_section=number == len(rows) - 1)
    return table


def _state(found: Overhead) -> Table:
    table = _table(
        f"The policy's state, bytes per arm, {ARMS} arms",
        ["memory", "most", "bar", "snapshot", "most", "bar"],
        "world",
    )
    for name, size in found.state.items():
        memory, snapshot = size.memory, size.snapshot
        table.add_row(
            name,
            *(f"{memory.mean:.0f}", f"{memory.most:.0f}", str(MEMORY_BAR)),
            *(f"{snapshot.mean:.0f}", f"{snapshot.most:.0f}", str(SNAPSHOT_BAR)),
        )
    return table


def _framework(found: InFramework, title: str, adapter: str) -> Table:
    table = _table(
        title,
        ["ratio", "95 %", "added", "at p99", "p50", "64 at once"],
        "",
        "by",
    )
    for place, rows in (("in process", found.in_process), ("HTTP", found.over_http)):
        for number, (name, row) in enumerate(rows.items()):
            crowd = found.crowd.get(name) if place == "HTTP" else None
            cells = (
                *(f"{row.ratio.value:.3f}", _between(row.ratio)),
                *(f"{1e6 * value:+.0f}" for value in (row.added, row.added_p99)),
                f"{1e6 * row.times.p50:.0f}",
                "" if crowd is None else f"{crowd.value:.2f}",
            )
            last = number == len(rows) - 1
            table.add_row("" if number else place, name, *cells, end_section=last)
    table.caption = (
        f"64 at once: throughput by the bare model's. Importing {adapter} takes "
        f"{1000 * found.import_s.p50:+.0f} ms beyond the framework's OpenAI model."
    )
    return table


def _times(times: Times) -> tuple[str, str, str, str]:
    between = f"{_us(times.low)}-{_us(times.high)}"
    return _us(times.mean), _us(times.p50), between, _us(times.p99)


def _failures(rows: Mapping[str, Mapping[str, object]]) -> list[str]:
    """A line for each peer and error, with where it came."""
    where: dict[str, list[str]] = {}
    for place, each in rows.items():
        for name, row in each.items():
            if isinstance(row, Failed):
                where.setdefault(f"{name} failed: {row.failed}", []).append(place)
    return [f"{line} ({', '.join(places)})" for line, places in where.items()]


def _between(ratio: Ratio) -> str:
    return f"{ratio.low:.3f}-{ratio.high:.3f}"


def _us(seconds: float) -> str:
    return f"{1e6 * seconds:.1f}"


def _table(title: str, columns: Sequence[str], *first: str) -> Table:
    table = Table(
        title=title,
        title_justify="left",
        title_style="bold",
        caption_justify="left",
        box=SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
    )
    for name in first:
        table.add_column(name, no_wrap=True)
    for name in columns:
        table.add_column(name, justify="right")
    return table
