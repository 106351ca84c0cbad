"""Gate 1 (structural, or the caller's predicate), gate 2 (judge) and gate 3 (behaviour)."""
