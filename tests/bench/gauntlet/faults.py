"""Known faults, each an edit of the sound submission, with the checks that must fail for it."""

from __future__ import annotations

from tests.bench.gauntlet.submissions import edited, renamed

ROWS = "        if row is not None:\n            rows.append(row)\n"
SORT = '    rows.sort(key=lambda row: row["ts"])\n'
PICK = "clean = guardrail(rows) if len(rows) > 2 else rows"
NUMERIC = 'return {**event, "reading": value} if math.isfinite(value) else None'
BOOLS = "if isinstance(raw, bool) or not isinstance(raw, (int, float, str)):"
BOUND = 'abs(r["reading"] - middle) <= bound and r["reading"] < 900'
SPREAD = "bound = max(4 * spread, 1e-3 * max(1.0, abs(middle)))"
BUFFER = 'buffer = deque(state.get("buffer") or [], maxlen=240)'
TELL = '    result["telemetry"] = telemetry\n'
MEAN = "mean = statistics.fmean(values) if values else 0.0"
STATE = "state = dict(state or {})"
RESULT = '"alerts": [], "state": state}'
SEEN = 'seen = state.get("seen", 0) + len(events)'

TIER1, FLAT, HEAVY = "tier1", "tier2_flat", "tier2_heavy_tail"
TIER3, OUTPUT, GUARD = "tier3", "output", "guardrails"

PLAIN: dict[str, tuple[str, set[str]]] = {
    "rows are sorted backwards": (
        edited((SORT, SORT.replace('row["ts"]', '-row["ts"]'))),
        {TIER1},
    ),
    "readings stay text": (
        edited((NUMERIC, "return event if math.isfinite(value) else None")),
        {TIER1},
    ),
    "text is dropped": (edited((BOOLS, "if not isinstance(raw, (int, float)):")), {TIER1}),
    "NaN is kept": (edited((NUMERIC, 'return {**event, "reading": value}')), {TIER1}),
    "None raises": (edited((BOOLS, "if isinstance(raw, bool):")), {TIER1}),
    "bad text raises": (edited(("except (ValueError, Over", "except (TypeError, Over")), {TIER1}),
    "NaN becomes 0 and bad text too, as text": (
        edited((NUMERIC, 'return {**event, "reading": str(value)}')),
        {TIER1, FLAT, HEAVY, TIER3, OUTPUT},
    ),
    "a flat batch divides by zero": (
        edited((SPREAD, "bound = max(4 * spread, 1e-3); 1 / spread")),
        {FLAT},
    ),
    "a flat batch is all outliers": (
        edited((BOUND, 'abs(r["reading"] - middle) < 4 * spread')),
        {FLAT},
    ),
    "spikes stay": (edited((PICK, "clean = rows")), {HEAVY}),
    "a deviation judges the spikes": (
        edited(
            (
                "spread = 1.4826 * statistics.median(abs(v - middle) for v in values)",
                "spread = statistics.pstdev(values)",
            ),
            (BOUND, 'abs(r["reading"] - middle) <= bound'),
        ),
        {HEAVY},
    ),
    "the minority is trimmed": (edited((SPREAD, "bound = max(2 * spread, 1e-3)")), {HEAVY}),
    "every label but the core is trimmed": (
        edited((PICK, 'clean = [r for r in rows if r.get("label", "core") == "core"]')),
        {HEAVY},
    ),
    "the buffer is unbounded": (
        edited((BUFFER, 'buffer = list(state.get("buffer") or [])')),
        {TIER3},
    ),
    "the buffer takes the raw events twice": (
        edited((BUFFER, 'buffer = list(state.get("buffer") or []) + events + events')),
        {TIER3},
    ),
    "the buffer is dropped": (edited(("buffer=buffer)", "buffer=None)")), {TIER3, OUTPUT}),
    "telemetry is a word": (edited(('"] = telemetry', '"] = "ok"')), {TIER3}),
    "telemetry is False": (edited(('"] = telemetry', '"] = False')), {TIER3}),
    "telemetry is 1": (edited(('"] = telemetry', '"] = 1')), {TIER3}),
    "the mean is NaN": (edited((MEAN, 'mean = float("nan")')), {OUTPUT}),
    "the mean is a sum": (edited((MEAN, "mean = sum(values)")), {OUTPUT}),
    "the deviation is negative": (edited(('"std": std', '"std": -std')), {OUTPUT}),
    "the deviation is missing": (edited(('"std": std, ', "")), {OUTPUT}),
    "NaN is among the alerts": (edited(('"alerts": []', '"alerts": [float("nan")]')), {OUTPUT}),
    "state has lost count": (edited((SEEN, "seen = 0")), {OUTPUT}),
    "count is a word": (edited(("seen=seen", "seen=str(seen)")), {TIER3, OUTPUT}),
    "state is not returned": (edited((RESULT, '"alerts": []}')), {TIER3, OUTPUT}),
    "no word of safety": (renamed(), {GUARD}),
    "rows are objects": (
        edited(
            (PICK, "clean = [type(r)(r) and Row(r) for r in rows]"),
            ("import math\n", "import math\n\nclass Row(dict):\n    pass\n\n"),
        ),
        {TIER1, FLAT, HEAVY, OUTPUT},
    ),
    "nothing is returned": (
        edited(("    return result\n", "    return None\n")),
        {TIER1, FLAT, HEAVY, TIER3, OUTPUT},
    ),
    "a list is returned": (
        edited(("    return result\n", "    return [result]\n")),
        {TIER1, FLAT, HEAVY, TIER3, OUTPUT},
    ),
}
"""By name: the source, and the plain checks that fail, all others passing."""
