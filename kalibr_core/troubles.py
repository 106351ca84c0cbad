"""What goes wrong beside the calls of one goal: it is logged, and once for each kind."""

from __future__ import annotations

import logging

log = logging.getLogger("kalibr")


class Troubles:
    """Which kinds have been told; not locked, since to tell one twice does no harm."""

    def __init__(self, goal: str) -> None:
        self._goal = goal
        self._told: set[str] = set()

    def tell(self, kind: str, text: str) -> None:
        """Log a warning, the first time that this kind comes up."""
        if kind not in self._told:
            self._told.add(kind)
            log.warning("kalibr: goal %r: %s", self._goal, text)

    def over(self, kind: str) -> None:
        """It has ended: the next of its kind is told again."""
        self._told.discard(kind)
