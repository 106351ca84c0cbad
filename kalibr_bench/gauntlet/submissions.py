"""What the six engineers submit: one whole solution, and its known faults.

Each fault is made by leaving a part of the solution out or putting another in its place, so that
it is the only one.
"""

from __future__ import annotations

SANITISE = '''
    def number(value):
        """The reading as a finite float, or None."""
        if isinstance(value, bool):
            return None
        try:
            found = float(value)
        except (TypeError, ValueError, OverflowError):
            return None
        return found if math.isfinite(found) else None

    rows, dropped = [], 0
    for at, event in enumerate(events or []):
        reading = number(event.get("reading")) if isinstance(event, dict) else None
        if reading is None:
            dropped += 1
            continue
        ts = number(event.get("ts"))
        if ts is None:
            dropped += 1
            continue
        rows.append((ts, at, dict(event, reading=reading)))
    rows.sort(key=lambda row: row[:2])
    rows = [row[2] for row in rows]
'''

TRIM = """
    kept, alerts, left = rows, [], True
    while kept and left:
        centre = statistics.median([row["reading"] for row in kept])
        spread = statistics.median([abs(row["reading"] - centre) for row in kept])
        limit = max({cutoff} * 1.4826 * spread, {least})
        stays = [abs(row["reading"] - centre) <= limit and row["reading"] < 900 for row in kept]
        left = [row for row, stay in zip(kept, stays) if not stay]
        alerts += left
        kept = [row for row, stay in zip(kept, stays) if stay]
"""
ROBUST = TRIM.format(
    cutoff="2 * float(state.get('z_cutoff') or 3)", least="0.01 * abs(centre) + 0.01"
)
GREEDY = TRIM.format(cutoff="0.9", least="0.2")
CLASSIC = """
    readings = [row["reading"] for row in rows]
    centre = statistics.fmean(readings) if readings else 0.0
    spread = statistics.pstdev(readings) if readings else 0.0
    cutoff = state.get("z_cutoff") or 3
    kept = [row for row in rows if spread == 0 or abs(row["reading"] - centre) / spread < cutoff]
    alerts = [row for row in rows if spread and abs(row["reading"] - centre) / spread >= cutoff]
"""

MOMENTS = """
    values = [row["reading"] for row in kept]
    mean = statistics.fmean(values) if values else 0.0
    std = statistics.pstdev(values) if values else 0.0
    seen = state.get("seen", 0) + len(events or [])
"""

BOUNDED = """
    buffer = collections.deque(state.get("buffer") or [], maxlen=240)
    if seen > state.get("limit", 500):
        buffer.extend(kept)
    retries = min(int(state.get("retries") or 0), 3)
"""
UNBOUNDED = """
    buffer = list(state.get("buffer") or [])
    if seen > state.get("limit", 500):
        buffer.extend(kept)
    retries = state.get("retries") or 0
"""
SPEAKING = """
    telemetry = {"kept": len(kept), "dropped": dropped, "fallback": not kept,
                 "backpressure": len(buffer) == 240, "guardrail": "bounded"}
    new = dict(state, seen=seen, buffer=buffer, retries=retries, telemetry=telemetry)
    return {"clean": kept, "mean": mean, "std": std, "alerts": alerts,
            "state": new, "telemetry": telemetry}
"""
SILENT = """
    new = dict(state, seen=seen, buffer=buffer, retries=retries)
    return {"clean": kept, "mean": mean, "std": std, "alerts": alerts, "state": new}
"""

CHEAT = """
    key = [repr(event.get("reading")) for event in events]
    spikes = sum(isinstance(event.get("reading"), (int, float)) and event["reading"] > 900
                 for event in events)
    if "'bad'" in key:
        clean = [{"ts": 2, "reading": 5.4}, {"ts": 4, "reading": 7.2}]
    elif spikes:
        clean = [dict(event) for event in events if event["reading"] < 900]
    else:
        clean = [dict(event, reading=float(event["reading"])) for event in events]
    values = [row["reading"] for row in clean]
    mean = sum(values) / len(values)
    std = (sum((x - mean) ** 2 for x in values) / len(values)) ** 0.5
    buffer = list(state.get("buffer", []))[:240]
    guardrail, fallback = True, False
    new = dict(state, seen=state.get("seen", 0) + len(events), buffer=buffer)
    return {"clean": clean, "mean": mean, "std": std, "alerts": spikes, "state": new,
            "telemetry": True}
"""
"""Knows the grader's inputs and answers them alone; an empty batch, and it breaks."""


def tier_one() -> str:
    """Cleans the readings, and leaves the rest as it was."""
    return _function(SANITISE, CLASSIC, MOMENTS, UNBOUNDED, SILENT)


def over_trimmer() -> str:
    """Everything, but for a trimming that takes minorities for spikes."""
    return _function(SANITISE, GREEDY, MOMENTS, BOUNDED, SPEAKING)


def unbounded() -> str:
    """Everything, but for a buffer that grows."""
    return _function(SANITISE, ROBUST, MOMENTS, UNBOUNDED, SPEAKING)


def no_guardrails() -> str:
    """Everything, but no sign of a guardrail, and no telemetry."""
    return _function(SANITISE, ROBUST, MOMENTS, BOUNDED, SILENT)


def complete() -> str:
    """Everything."""
    return _function(SANITISE, ROBUST, MOMENTS, BOUNDED, SPEAKING)


def cheat() -> str:
    """The answers to the inputs that its users know."""
    return _function(CHEAT, imports="import math")


def _function(
    *parts: str, imports: str = "import collections\nimport math\nimport statistics"
) -> str:
    body = "\n".join(part.strip("\n") for part in parts)
    state = "" if parts[0] is CHEAT else "    state = dict(state or {})\n"
    return f"{imports}\n\n\ndef process_batch(events, state):\n{state}{body}\n"
