"""The tables as Markdown, in a file of their own or between two lines of a page."""

from __future__ import annotations

import datetime as dt
import os
import platform
from collections.abc import Iterator
from pathlib import Path

from kalibr_bench.policies import words
from kalibr_bench.policies.results import Results
from kalibr_bench.policies.words import Sheet

BEGIN, END = "<!-- policies: begin -->", "<!-- policies: end -->"


def save(results: Results, file: Path, *, today: dt.date) -> None:
    """Write the tables; in a file that has the lines BEGIN and END, only between them."""
    text = page(results, today=today)
    old = file.read_text(encoding="utf-8") if file.exists() else ""
    file.write_text(placed(text, old), encoding="utf-8")


def placed(text: str, old: str) -> str:
    """`old` with `text` between its marks; `text` alone where it has none.

    >>> placed("new", "a\\n<!-- policies: begin -->\\nold\\n<!-- policies: end -->\\nb\\n")
    'a\\n<!-- policies: begin -->\\nnew\\n<!-- policies: end -->\\nb\\n'
    """
    lines = old.split("\n")
    if BEGIN not in lines or END not in lines[lines.index(BEGIN) :]:
        return f"{text.rstrip()}\n"
    begin = lines.index(BEGIN)
    end = lines.index(END, begin)
    return "\n".join([*lines[: begin + 1], text.rstrip(), *lines[end:]])


def page(results: Results, *, today: dt.date) -> str:
    """All tables, and how they came about."""
    sheets = []
    if results.tallies:
        sheets += [*words.summaries(results), words.against_bars(results)]
    if results.detections:
        sheets.append(words.detections(results.detections))
    ran = {name for name, _ in results.tallies}
    sheets += [words.scenario(results, n) for n in results.settings.scenarios if n in ran]
    parts = [_head(results, today), *(_sheet(sheet) for sheet in sheets if sheet.rows)]
    return "\n\n".join(parts)


def _head(results: Results, today: dt.date) -> str:
    seeds: dict[range, list[str]] = {}
    for name in results.settings.scenarios:
        seeds.setdefault(results.settings.seeds[name], []).append(name)
    said = "; ".join(
        f"{_range(some)} ({', '.join(names)})" for some, names in seeds.items() if len(some)
    )
    stopped = " Stopped early." if results.stopped else ""
    return (
        f"{today.isoformat()}, {os.cpu_count()} cores, Python {platform.python_version()}. "
        f"Seeds {said}.{stopped}"
    )


def _range(seeds: range) -> str:
    return f"{seeds[0]}-{seeds[-1]}"


def _sheet(sheet: Sheet) -> str:
    return "\n".join([f"**{sheet.title}**", "", *_lines(sheet), "", sheet.caption]).rstrip()


def _lines(sheet: Sheet) -> Iterator[str]:
    yield _row(sheet.head)
    rules = ("---" if sheet.holds_text(at) else "--:" for at in range(len(sheet.head)))
    yield f"|{'|'.join(rules)}|"
    yield from (_row(row) for row in sheet.rows)


def _row(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(' '.join(cell.split()) for cell in cells)} |"
