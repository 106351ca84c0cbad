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

STRICT: dict[str, tuple[str, set[str]]] = {
    "rows are not sorted": (edited((SORT, "")), {"tier1: drawn damage", "tier1: times"}),
    "infinities are kept": (
        edited(
            (NUMERIC, 'return None if math.isnan(value) else {**event, "reading": value}'),
            (BOUND, BOUND + ' or math.isinf(r["reading"])'),
        ),
        {"tier1: infinities"},
    ),
    "too large a whole number raises": (
        edited(("(ValueError, OverflowError)", "ValueError")),
        {"tier1: infinities"},
    ),
    "True is a reading": (edited(("isinstance(raw, bool) or ", "")), {"tier1: booleans"}),
    "an event that is no dict raises": (
        edited(("if not isinstance(event, dict):", "if event is None:")),
        {"tier1: drawn damage"},
    ),
    "other fields are lost": (
        edited(
            (
                NUMERIC,
                'return {"ts": ts, "reading": value, "label": "minority"} '
                "if math.isfinite(value) else None",
            )
        ),
        {"tier1: drawn damage"},
    ),
    "events of one time are merged": (
        edited((SORT, SORT + '    rows = list({row["ts"]: row for row in rows}.values())\n')),
        {"tier1: times"},
    ),
    "an event without a time raises": (
        edited(('ts = event.get("ts")', 'ts = event["ts"] + 0')),
        {"tier1: times"},
    ),
    "a single event is no batch": (
        edited((PICK, "clean = guardrail(rows) if len(rows) > 2 else rows * (len(rows) > 1)")),
        {"tier2_flat: any level"},
    ),
    "a tremor is trimmed": (
        edited((SPREAD, "bound = 4 * spread if spread > 1e-3 else 0.0")),
        {"tier2_flat: nearly level"},
    ),
    "a fixed bound judges": (
        edited((BOUND, 'abs(r["reading"]) < 900')),
        {"tier2_heavy_tail: drawn tails", "tier2_heavy_tail: tail of a flat batch"},
    ),
    "only high spikes go": (
        edited((BOUND, BOUND.replace('abs(r["reading"] - middle)', 'r["reading"] - middle'))),
        {"tier2_heavy_tail: drawn tails"},
    ),
    "a flat rest hides a spike": (
        edited((SPREAD, "bound = 4 * spread if spread else math.inf")),
        {"tier2_heavy_tail: tail of a flat batch"},
    ),
    "a list as buffer stays one": (
        edited((BUFFER, 'buffer = state.get("buffer", deque(maxlen=240))')),
        {"tier3: a list as buffer"},
    ),
    "nothing is ever buffered": (
        edited(("        buffer.extend(clean)\n", "")),
        {"tier3: ten batches"},
    ),
    "count is of the last batch": (
        edited((SEEN, "seen = len(events)")),
        {"tier3: ten batches", "output: no state"},
    ),
    "telemetry is missing": (edited((TELL, "")), {"tier3: telemetry"}),
    "telemetry is missing when all is well": (
        edited((TELL, '    if telemetry["dropped"]:\n    ' + TELL)),
        {"tier3: telemetry"},
    ),
    "the deviation is of a sample": (
        edited(
            ("/ len(values)) if values else 0.0", "/ max(1, len(values) - 1)) if values else 0.0")
        ),
        {"output: mean and std"},
    ),
    "the mean is of all rows": (
        edited((MEAN, 'mean = statistics.fmean(r["reading"] for r in rows) if rows else 0.0')),
        {"output: mean and std"},
    ),
    "no event raises": (
        edited((MEAN, "mean = statistics.fmean(values)")),
        {"output: an empty batch", "tier3: telemetry"},
    ),
    "the mean of nothing is None": (
        edited((MEAN, "mean = statistics.fmean(values) if values else None")),
        {"output: an empty batch"},
    ),
    "no state raises": (edited((STATE, "state = dict(state)")), {"output: no state"}),
    "half a state raises": (
        edited(('state.get("limit", 500)', 'state["limit"] if state else 500')),
        {"output: no state"},
    ),
    "the caller's events are changed": (
        edited(
            (
                NUMERIC,
                "event.update(reading=value)\n"
                "        return dict(event) if math.isfinite(value) else None",
            )
        ),
        {"output: events untouched"},
    ),
    "the caller's list is sorted": (
        edited(("    rows = []\n", "    rows = []\n    events.reverse()\n")),
        {"output: events untouched"},
    ),
    "what was cleaned once is dropped": (
        edited(
            (
                NUMERIC,
                'return {**event, "reading": value, "done": 1} if math.isfinite(value) and '
                '"done" not in event else None',
            )
        ),
        {"output: cleaning twice"},
    ),
    "chance decides": (
        edited(
            (
                "    return result\n",
                "    result['mean'] += random.random() * 1e-9\n    return result\n",
            ),
            ("import math\n", "import math\nimport random\n\nrandom.seed()\n"),
        ),
        {"output: the same again"},
    ),
    "NaN is in the state": (
        edited(
            (
                "buffer=buffer)",
                'buffer=buffer, last=float("nan") if len(events) > len(rows) else 0)',
            )
        ),
        {"output: nothing but numbers"},
    ),
    "words of safety are in comments alone": (
        renamed().replace("import math\n", "import math  # guardrail, fallback\n"),
        {"guardrails: words in code"},
    ),
    "words of safety are in a docstring alone": (
        renamed().replace('"""Clean', '"""A guardrail with a fallback: clean'),
        {"guardrails: words in code"},
    ),
}
"""By name: a source that passes every plain check, and the strict ones that fail."""

SLOW: dict[str, tuple[str, set[str]]] = {
    "time grows with the square": (
        edited(
            (
                ROWS,
                ROWS
                + "            telemetry['same'] = sum(1 for r in rows if r['ts'] < row['ts'])\n",
            )
        ),
        {"tier3: a huge batch"},
    ),
}
"""The same, for what only ten thousand events show."""
