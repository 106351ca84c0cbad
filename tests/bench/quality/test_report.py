"""Tables and JSON."""

from __future__ import annotations

import io
import json
from collections.abc import Callable

from rich.console import Console

from kalibr_bench.overhead.timing import Ratio, times_of
from kalibr_bench.quality import Results, Settings, report
from kalibr_bench.quality.overhead import Judged

from .conftest import result

SETTINGS = Settings(calls=200, policies=("kalibr",), samplings=("uniform",))


def shown(show: Callable[[Console], None]) -> str:
    console = Console(file=io.StringIO(), width=80)
    show(console)
    return console.file.getvalue()  # type: ignore[attr-defined]


def test_tables_name_the_rule_and_what_was_stopped() -> None:
    runs = [result("0" * 60 + "1" * 140), result("0" * 200, seed=1)]
    found = Results(settings=SETTINGS, runs=runs, stopped=True)
    text = shown(lambda console: report.show(found, console))
    assert "at least 90 of the next 100" in text
    assert "seeds 0 to 1" in text
    assert "Stopped early" in text
    (row,) = [line for line in text.splitlines() if "10-90" not in line and "55-95" in line]
    assert row.split()[:4] == ["Kalibr", "uniform", "75", "75"]


def test_nothing_done_is_told() -> None:
    text = shown(lambda console: report.show(Results(settings=SETTINGS, stopped=True), console))
    assert "nothing to show" in text


def test_overhead_shows_ratios() -> None:
    ratio = Ratio(value=1.012, low=1.001, high=1.023)
    tail = Ratio(value=1.34, low=1.2, high=1.5)
    row = Judged(
        times=times_of([0.002] * 1500),
        median=ratio,
        turns=ratio,
        mean=ratio,
        p95=tail,
        p99=tail,
        judged={"judged": 4, "full": 3},
    )
    found = {"at once": {"hangs": row}}
    text = shown(lambda console: report.show_overhead(found, console))
    for cell in ("at once", "1.012", "1.001-1.023", "1.34", "2.000"):
        assert cell in text
    assert "…" not in text, "80 columns are enough"
    value = json.loads(json.dumps(report.overhead_json(found)))
    assert value["provider_answers"]["at once"]["hangs"]["judged"] == {"judged": 4, "full": 3}


def test_json_holds_each_run() -> None:
    value = json.loads(
        json.dumps(report.as_json(Results(settings=SETTINGS, runs=[result("1" * 200)])))
    )
    assert value["arms"][0]["settled"]["median"] == 0
    assert value["runs"][0]["to_best"] == "1" * 200
    assert value["rule"] == {"window": 100, "enough": 90}
