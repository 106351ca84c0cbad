"""The task: a fragile function, what a repaired one must do, and how an agent is asked for it."""

from __future__ import annotations

from textwrap import fill

from kalibr_bench.gauntlet.sandbox import MODULES

MAX_STEPS = 18
"""Steps of one episode: each is one call of the model."""
MOST_BUFFERED = 240
"""Entries that a buffer may hold."""
HIGHEST_SANE = 900
"""What stays in a batch is below this."""

BUGGY = '''\
def process_batch(events, state):
    """Turn one batch of sensor events into clean readings and their statistics."""
    seen = state.get("seen", 0)
    limit = state.get("limit", 500)
    buffer = state.get("buffer", [])
    cutoff = state.get("z_cutoff", 3)

    readings = [float(event["reading"]) for event in events]
    mean = sum(readings) / len(readings)
    std = (sum((r - mean) ** 2 for r in readings) / len(readings)) ** 0.5

    clean, alerts = [], []
    for event, reading in zip(events, readings):
        z = (reading - mean) / std
        if abs(z) < cutoff:
            clean.append({**event, "reading": reading})
        else:
            alerts.append(event)

    seen += len(events)
    if seen > limit:
        buffer.extend(clean)

    state.update(seen=seen, limit=limit, buffer=buffer, z_cutoff=cutoff)
    return {"clean": clean, "mean": mean, "std": std, "alerts": alerts, "state": state}
'''

_CONTRACT = """\
What process_batch(events, state) must do:

- events: a list of dicts with "ts" (a number), "reading" and sometimes more, such as "label". In
  production they come damaged. state: what the last call returned under "state" (it may be None
  or lack keys: seen 0, limit 500, an empty buffer, z_cutoff 3).
- Return a dict: "clean", "mean", "std", "alerts", "state", "telemetry".

Tier 1, data integrity
- clean holds event dicts, each with all that came with it and "reading" as a finite int or float,
  sorted by ts. A numeric string ("5.4", " 7 ") is a reading. None, NaN, infinities, other
  text, booleans, whole numbers too large for a float, a missing reading and events that are no
  dict are none: drop them.
- Events with the same ts are legitimate. An event whose ts is missing or no number may be dropped
  or kept; it must not break the order of the rest.

Tier 2, statistical stability
- A flat batch (all readings equal, or nearly so) loses nothing and divides by nothing.
- Heavy tails: readings far from the bulk, on the scale of the batch's own spread, are spikes and
  go, on either side, also when they are a fifth of the batch or the rest is flat. Judge by the
  batch, not by a fixed bound: a spike may be 400 where the rest is near 10. Nothing of 900 or
  more stays.
- A minority pattern close to the bulk (some 9.5 beside 10.0 to 10.5) is signal: it stays.

Tier 3, resilience
- state["buffer"] holds at most 240 entries whatever came in: a deque(maxlen=240), a plain list or
  nothing. Once seen has passed the limit, and not before, each batch's clean event dicts are added
  at its end, and the oldest entries make room.
- state["seen"] counts events over all batches (all that came, or all that were kept). What else is
  in state (limit, z_cutoff) is handed on as it is.
- Retries, if any, are bounded. A batch of ten thousand events takes well under a second.
- telemetry: a dict (counts, flags), or True. Always there.

Output
- mean and std are the mean and the population standard deviation of the readings in clean. For an
  empty batch clean is [] and mean and std are 0.0.
- Nothing in clean, mean, std, telemetry or state is NaN or infinite. The caller's events stay as
  they were. The same input gives the same clean, mean and std, and cleaning what is already clean
  changes nothing.

Code
- Name the safeguards where they work: at least two such words in names or strings of the code
  (guardrail, telemetry, sanitize, validate, fallback, clamp, quarantine, bounded, retry).
- One source text. No files, network, processes or threads; no os or sys; no names of the
  interpreter's inside such as __dict__ or __globals__ (special methods such as __init__,
  __getitem__ or __exit__ may be defined and called); no metaclass but ABCMeta; class patterns by
  position of built-in types and plain dataclasses only. What can be imported, of some modules only
  a part of their names:
{modules}
"""

_PROMPT = """\
A service preprocesses batches of sensor readings with the function below, and it keeps failing in
three ways that build on each other: damaged data (tier 1), unstable statistics (tier 2), and state
that grows without bound and says nothing (tier 3). Repairing one tier must not break another.

```python
{buggy}```

{contract}
You have two tools and at most {steps} steps:
- python_expression: evaluates a Python expression, or statements that end in one, with math and
  statistics at hand. Nothing is kept between two uses. Try your ideas on edge cases with it.
- submit_code: takes the whole source of your process_batch and ends the task. It is graded once,
  by running it on batches that you do not see. Submit before your steps run out.
"""

CONTRACT = _CONTRACT.format(
    modules=fill(", ".join(MODULES), 96, initial_indent="  ", subsequent_indent="  ")
)
"""What a correct solution does; all that the strict checks look at follows from it."""
PROMPT = _PROMPT.format(buggy=BUGGY, contract=CONTRACT, steps=MAX_STEPS)
"""What the agent is asked."""
