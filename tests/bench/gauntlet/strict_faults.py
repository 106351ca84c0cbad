"""Faults that only the strict checks find, with those that must fail for each."""

from __future__ import annotations

from tests.bench.gauntlet.faults import (
    BOUND,
    BUFFER,
    MEAN,
    NUMERIC,
    PICK,
    ROWS,
    SEEN,
    SORT,
    SPREAD,
    STATE,
    TELL,
)
from tests.bench.gauntlet.submissions import edited, renamed

EXTEND = "buffer.extend(clean)"
IMPORT = "import statistics\n"
CENTRE = "(v - mean) ** 2 for v in values"
CENTRED = "(v - statistics.fmean(values)) ** 2 for v in values"
CLIP = """

def clipped(rows):
    for _ in rows:
        values = [row["reading"] for row in rows]
        middle, bound = statistics.fmean(values), 3 * statistics.pstdev(values) + 1e-3
        rows = [r for r in rows if abs(r["reading"] - middle) <= bound and r["reading"] < 900]
    return rows
"""

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
    "what is within 35 is no spike": (
        edited((SPREAD, "bound = max(4 * spread, 35.0)")),
        {"tier2_heavy_tail: drawn tails"},
    ),
    "only high spikes go": (
        edited((BOUND, BOUND.replace('abs(r["reading"] - middle)', 'r["reading"] - middle'))),
        {"tier2_heavy_tail: drawn tails", "tier2_heavy_tail: tail of a flat batch"},
    ),
    "a deviation judges, again and again": (
        edited((PICK, "clean = clipped(rows)"), (IMPORT, IMPORT + CLIP)),
        {"tier2_heavy_tail: drawn tails", "tier2_heavy_tail: tail of a flat batch"},
    ),
    "a deviation judges where most readings are equal": (
        edited((SPREAD, "bound = 3 * (spread or statistics.pstdev(values)) + 1e-3")),
        {"tier2_heavy_tail: tail of a flat batch"},
    ),
    "900 and more stays": (
        edited((BOUND, BOUND.replace(' and r["reading"] < 900', ""))),
        {"tier2_heavy_tail: 900 and more"},
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
        {"tier3: ten batches", "tier3: what is buffered"},
    ),
    "the buffer fills before the limit": (
        edited(("    if seen > limit:\n", "    if True:\n")),
        {"tier3: what is buffered"},
    ),
    "spikes are buffered": (
        edited((EXTEND, "buffer.extend(row for row in rows if row not in clean[1:])")),
        {"tier3: what is buffered"},
    ),
    "the oldest stay buffered": (
        edited((EXTEND, "buffer.extend(clean[: 240 - len(buffer)])")),
        {"tier3: what is buffered"},
    ),
    "what was buffered is dropped": (
        edited((BUFFER, "buffer = deque([], maxlen=240)")),
        {"tier3: what is buffered"},
    ),
    "readings alone are buffered": (
        edited((EXTEND, "buffer.extend(values)")),
        {"tier3: what is buffered"},
    ),
    "alerts are not told": (edited(('"alerts": [], ', "")), {"output: all parts"}),
    "the limit is lost": (
        edited(
            (
                "state.update(seen=seen, limit=limit",
                "state.pop('limit', 0)\n    state.update(seen=seen",
            )
        ),
        {"output: all parts"},
    ),
    "the cut-off is lost": (
        edited(("state.update(seen", 'state.pop("z_cutoff", 0)\n    state.update(seen')),
        {"output: all parts"},
    ),
    "the median is told as the mean": (
        edited((MEAN, "mean = statistics.median(values) if values else 0.0"), (CENTRE, CENTRED)),
        {"output: mean and std"},
    ),
    "the count ends at 500": (
        edited((SEEN, 'seen = min(500, state.get("seen", 0) + len(events))')),
        {"tier3: ten batches"},
    ),
    "count is of the last batch": (
        edited((SEEN, "seen = len(events)")),
        {"tier3: ten batches", "tier3: what is buffered", "output: no state"},
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
