"""What our policy is to reach: limits on its figures, as data.

DONE is what it must hold; MOONSHOT is where it would be hard to improve on.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from kalibr_bench.policies.contenders import OURS
from kalibr_bench.policies.figures import Estimate, Figures, Suite
from kalibr_bench.policies.results import Results

DONE, MOONSHOT = "done", "moonshot"
WHOLE = "suite"
"""The row that stands for the fourteen scenarios together."""


class Kind(NamedTuple):
    """How a figure is written."""

    label: str
    digits: int
    at_most: bool
    """A limit is an upper one, else a lower one."""


KINDS: Mapping[str, Kind] = {
    "success": Kind("success", 2, False),
    "cps": Kind("cps", 3, True),
    "cps_over_oracle": Kind("cps - oracle's", 3, True),
    "loss": Kind("U", 1, True),
    "regret": Kind("regret", 1, True),
    "leave": Kind("L90", 0, True),
    "back50": Kind("R50", 0, True),
    "bad": Kind("bad calls", 0, True),
    "cheapest": Kind("cheapest", 1, False),
    "found": Kind("found after", 0, True),
    "geomean": Kind("geometric mean", 2, True),
    "worst": Kind("worst", 2, True),
}


class Limit(NamedTuple):
    """A figure of a scenario, and the least or most that it may be."""

    scenario: str
    figure: str
    value: float

    def holds(self, found: float) -> bool:
        """Whether a figure keeps it; what never happened (inf) is not at most anything."""
        if math.isnan(found):
            return False
        return found <= self.value if KINDS[self.figure].at_most else found >= self.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One row: limits that are all to be kept."""

    row: str
    level: str
    limits: tuple[Limit, ...]


def _bar(row: str, level: str, **limits: float) -> Bar:
    return Bar(
        row=row, level=level, limits=tuple(Limit(row, name, at) for name, at in limits.items())
    )


RECOVERY = (Limit("S2", "back50", 300), Limit("S6", "back50", 350))
"""Bars on how soon an arm that came back, or up, is used."""

BARS = (
    _bar("random", DONE, loss=39, cps_over_oracle=-0.015),
    Bar(row="random", level=MOONSHOT, limits=(Limit("random", "loss", 33), *RECOVERY)),
    _bar("S1", DONE, success=95.3, cps=0.15),
    _bar("S1", MOONSHOT, success=96.5, cps=0.08),
    _bar("S1b", DONE, success=92.3, cps=0.46),
    _bar("S1b", MOONSHOT, success=94, cps=0.55),
    _bar("S2", DONE, loss=50, leave=10, back50=300),
    _bar("S2", MOONSHOT, loss=35, back50=150),
    _bar("S3", DONE, success=91.5, cps=0.24),
    _bar("S3", MOONSHOT, success=93, cps=0.26),
    _bar("S4", DONE, regret=50),
    _bar("S4", MOONSHOT, regret=40),
    _bar("S5", DONE, leave=9, success=98.2, cps=0.20),
    _bar("S5", MOONSHOT, leave=6, loss=20),
    _bar("S6", DONE, back50=350, loss=75),
    _bar("S6", MOONSHOT, back50=120),
    _bar("S7", DONE, success=97.3, cps=0.155),
    _bar("S7", MOONSHOT, success=98, cps=0.10),
    _bar("S8", DONE, cheapest=82),
    _bar("S8", MOONSHOT, cheapest=95),
    _bar("S9", DONE, success=97.2, cps=0.28),
    _bar("S9", MOONSHOT, success=97.8),
    _bar("S10", DONE, found=230),
    _bar("S10", MOONSHOT, found=100),
    _bar("S11", DONE, success=89, cps=0.22),
    _bar("S11", MOONSHOT, success=92, cps=0.25),
    _bar("1e6", DONE, bad=350),
    _bar("1e6", MOONSHOT, bad=150),
    _bar(WHOLE, DONE, geomean=1.0, worst=2.0),
    _bar(WHOLE, MOONSHOT, geomean=0.80, worst=1.2),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A bar beside what was found; a figure is None where it was not run, or there is none."""

    bar: Bar
    found: tuple[float | None, ...]

    @property
    def met(self) -> bool | None:
        """None where a figure is missing and no other one breaks its limit."""
        each = [
            None if value is None else limit.holds(value)
            for limit, value in zip(self.bar.limits, self.found, strict=True)
        ]
        return False if False in each else None if None in each else True


def held(results: Results, policy: str = OURS) -> Iterator[Held]:
    """All bars whose own first figure was found."""
    table = {name: f for (name, who), f in results.table().items() if who == policy}
    whole = results.suite(results.table(), policy)
    for bar in BARS:
        found = tuple(_reading(limit, table, whole) for limit in bar.limits)
        if found[0] is not None:
            yield Held(bar=bar, found=found)


def _reading(limit: Limit, table: Mapping[str, Figures], whole: Suite | None) -> float | None:
    source: object = whole if limit.scenario == WHOLE else table.get(limit.scenario)
    value = getattr(source, limit.figure, None)
    return value.mean if isinstance(value, Estimate) else value


def number(figure: str, value: float | None) -> str:
    """A figure as it is written, `-` for none.

    >>> number("cps", 0.1312), number("leave", float("inf")), number("success", 95.0)
    ('0.131', 'never', '95.00')
    """
    if value is None or math.isnan(value):
        return "-"
    return "never" if math.isinf(value) else f"{value:.{KINDS[figure].digits}f}"
