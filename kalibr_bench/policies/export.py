"""The results as JSON. The same seeds give the same JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from kalibr_bench.policies.bars import held
from kalibr_bench.policies.contenders import CONTENDERS
from kalibr_bench.policies.figures import Figures
from kalibr_bench.policies.results import DETECTION, Results
from kalibr_bench.policies.scenarios import SCENARIOS

FORMAT = 1
NEVER = "never"


def save(results: Results, file: Path) -> None:
    """Write `as_json` into a file."""
    text = json.dumps(as_json(results), indent=1, allow_nan=False)
    file.write_text(text + "\n", encoding="utf-8")


def as_json(results: Results) -> dict[str, Any]:
    """All figures; `never` for what did not happen, null for what there is not."""
    table = results.table()
    return {
        "benchmark": "policies",
        "format": FORMAT,
        "stopped": results.stopped,
        "scenarios": {
            name: _scenario(name, results.settings.seeds[name])
            for name in results.settings.scenarios
        },
        "policies": {
            name: {"about": CONTENDERS[name].about, "published": CONTENDERS[name].published}
            for name in results.settings.policies
        },
        "figures": _figures(results, table),
        "suite": {
            policy: _plain(whole._asdict())
            for policy in results.settings.policies
            if (whole := results.suite(table, policy)) is not None
        },
        "bars": _bars(results),
        "detection": {case: _plain(asdict(one)) for case, one in results.detections.items()},
    }


def _scenario(name: str, seeds: range) -> dict[str, Any]:
    about = SCENARIOS[name].about if name in SCENARIOS else "delay of an alarm after a fall"
    return {"about": about, "first_seed": seeds.start, "seeds": len(seeds)}


def _bars(results: Results) -> list[dict[str, Any]]:
    return [
        {
            "row": one.bar.row,
            "level": one.bar.level,
            "met": one.met,
            "limits": [
                {**limit._asdict(), "found": _plain(value)}
                for limit, value in zip(one.bar.limits, one.found, strict=True)
            ],
        }
        for one in held(results)
    ]


def _figures(results: Results, table: Mapping[tuple[str, str], Figures]) -> dict[str, Any]:
    return {
        scenario: {
            policy: _plain(asdict(table[scenario, policy]))
            for policy in results.settings.policies
            if (scenario, policy) in table
        }
        for scenario in results.settings.scenarios
        if scenario != DETECTION
    }


def _plain(value: Any) -> Any:
    """What JSON can hold."""
    if isinstance(value, float) and not math.isfinite(value):
        return NEVER if math.isinf(value) else None
    if hasattr(value, "_asdict"):
        value = value._asdict()
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
