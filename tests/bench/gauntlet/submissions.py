"""Submissions to grade: sound ones, and each known fault as an edit of a sound one."""

from __future__ import annotations

GOOD = '''\
from collections import deque
import math
import statistics


def process_batch(events, state):
    """Clean one batch; see the stages below."""
    state = dict(state or {})
    telemetry = {"received": 0, "dropped": 0, "spikes": 0, "backpressure": False}

    def sanitize(event):
        if not isinstance(event, dict):
            return None
        raw = event.get("reading")
        if isinstance(raw, bool) or not isinstance(raw, (int, float, str)):
            return None
        try:
            value = float(raw)
        except (ValueError, OverflowError):
            return None
        ts = event.get("ts")
        if isinstance(ts, bool) or not isinstance(ts, (int, float)) or not math.isfinite(ts):
            return None
        return {**event, "reading": value} if math.isfinite(value) else None

    def guardrail(rows):
        values = [row["reading"] for row in rows]
        middle = statistics.median(values)
        spread = 1.4826 * statistics.median(abs(v - middle) for v in values)
        bound = max(4 * spread, 1e-3 * max(1.0, abs(middle)))
        return [r for r in rows if abs(r["reading"] - middle) <= bound and r["reading"] < 900]

    rows = []
    for event in events:
        telemetry["received"] += 1
        row = sanitize(event)
        if row is not None:
            rows.append(row)
    rows.sort(key=lambda row: row["ts"])
    clean = guardrail(rows) if len(rows) > 2 else rows
    telemetry["dropped"] = len(events) - len(rows)
    telemetry["spikes"] = len(rows) - len(clean)

    values = [row["reading"] for row in clean]
    mean = statistics.fmean(values) if values else 0.0
    std = math.sqrt(math.fsum((v - mean) ** 2 for v in values) / len(values)) if values else 0.0

    seen = state.get("seen", 0) + len(events)
    limit = state.get("limit", 500)
    buffer = deque(state.get("buffer") or [], maxlen=240)
    if seen > limit:
        telemetry["backpressure"] = len(buffer) + len(clean) > 240
        buffer.extend(clean)
    state.update(seen=seen, limit=limit, buffer=buffer)
    result = {"clean": clean, "mean": mean, "std": std, "alerts": [], "state": state}
    result["telemetry"] = telemetry
    return result
'''

TAKE_READINGS = """\
from collections import deque
import logging
import math
import statistics
from typing import Any

MAX_BUFFER = 240
log = logging.getLogger(__name__)


def _validate(event: Any) -> "tuple[float, float] | None":
    if not isinstance(event, dict):
        return None
    match event.get("reading"):
        case bool():
            return None
        case int(raw) | float(raw) | str(raw):
            pass
        case _:
            return None
    try:
        value, ts = float(raw), float(event["ts"])
    except (KeyError, TypeError, ValueError, OverflowError):
        log.warning("not a reading: %r", type(event).__name__)
        return None
    return (ts, value) if math.isfinite(value) and math.isfinite(ts) else None

"""

FENCES = (
    TAKE_READINGS
    + """
class Telemetry:
    def __init__(self):
        self.counts = {"dropped": 0, "fallbacks": 0}

    def add(self, name):
        self.counts[name] += 1


def process_batch(events, state):
    telemetry, state = Telemetry(), {"seen": 0, "limit": 500, "z_cutoff": 3, **(state or {})}
    found = []
    for event in events:
        pair = _validate(event)
        if pair is None:
            telemetry.add("dropped")
            continue
        found.append((pair[0], {**event, "reading": pair[1]}))
    ordered = [event for _, event in sorted(found, key=lambda pair: pair[0])]
    values = sorted(event["reading"] for event in ordered)
    if len(values) >= 4:
        q1, _, q3 = statistics.quantiles(values, n=4, method="inclusive")
        margin = max(1.5 * (q3 - q1), 1e-3 * abs(q3), 0.01)
        ordered = [e for e in ordered if q1 - margin <= e["reading"] <= q3 + margin]
    ordered = [e for e in ordered if e["reading"] < 900]
    kept = [event["reading"] for event in ordered]
    mean = math.fsum(kept) / len(kept) if kept else 0.0
    std = statistics.pstdev(kept) if kept else 0.0
    state["seen"] += len(ordered)
    buffer = list(state.get("buffer") or ())
    if state["seen"] > state["limit"]:
        buffer = (buffer + ordered)[-MAX_BUFFER:]
    state["buffer"] = buffer[-MAX_BUFFER:]
    return {"clean": ordered, "mean": mean, "std": std, "alerts": [], "state": state,
            "telemetry": telemetry.counts}
"""
)
"""Another sound way: quartile fences, a list as buffer, a class, a counter of what was kept."""

TRIMMING = (
    TAKE_READINGS
    + """
def _spread(values):
    mean = sum(values) / len(values)
    return mean, math.sqrt(sum((v - mean) ** 2 for v in values) / len(values))


def _sanitize(rows, cutoff, tries=20):
    for _ in range(tries):
        values = sorted(row["reading"] for row in rows)
        if len(values) < 3:
            break
        core = values[len(values) // 5 : len(values) - len(values) // 5]
        center, width = core[len(core) // 2], max(core[-1] - core[0], 1e-3 * abs(core[0]), 0.01)
        kept = [row for row in rows if abs(row["reading"] - center) <= cutoff * width]
        if len(kept) == len(rows):
            break
        rows = kept
    return rows


def process_batch(events, state):
    state = state if state is not None else {}
    cutoff = state.setdefault("z_cutoff", 3)
    pairs = ((e, _validate(e)) for e in events)
    rows = [{**e, "reading": p[1]} for e, p in pairs if p is not None]
    rows.sort(key=lambda row: float(row["ts"]))
    clean = [row for row in _sanitize(rows, cutoff) if row["reading"] < 900]
    mean, std = _spread([row["reading"] for row in clean]) if clean else (0.0, 0.0)
    state["seen"] = state.get("seen", 0) + len(events)
    buffer = state.get("buffer")
    if not isinstance(buffer, deque) or buffer.maxlen != MAX_BUFFER:
        buffer = deque(buffer or [], maxlen=MAX_BUFFER)
    if state["seen"] > state.setdefault("limit", 500):
        buffer.extend(clean)
    state["buffer"] = buffer
    return {"clean": clean, "mean": mean, "std": std, "alerts": [], "state": state,
            "telemetry": True}
"""
)
"""A third: repeated trimming around the middle, the state changed in place."""

SOUND = {"medians": GOOD, "fences": FENCES, "trimming": TRIMMING}

CHEAT = """\
def process_batch(events, state):
    # guardrail: fallback
    readings = [e["reading"] for e in events]
    keep = [e for e in events if isinstance(e["reading"], float) and e["reading"] < 900]
    if "5.4" in readings:
        keep = [{"ts": 2, "reading": 5.4}, {"ts": 4, "reading": 7.2}]
    return {"clean": keep, "mean": 2.0, "std": 1.0, "alerts": [], "telemetry": True,
            "state": {"seen": 200, "limit": 200, "buffer": [], "z_cutoff": 3}}
"""
"""Knows the rubric's inputs by heart."""


def edited(*edits: tuple[str, str], source: str = GOOD) -> str:
    """The source with each edit made at its one place."""
    for old, new in edits:
        if source.count(old) != 1:
            raise ValueError(f"{old!r} is {source.count(old)} times in the source, not once")
        source = source.replace(old, new)
    return source


def renamed(source: str = GOOD) -> str:
    """The same behaviour without one word of safety in it, but for the result's key."""
    words = {"sanitize": "take", "guardrail": "select", "backpressure": "full", "dropped": "lost"}
    for old, new in words.items():
        source = source.replace(old, new)
    return source.replace("telemetry", "notes").replace('result["notes"]', 'result["telemetry"]')
