"""How long a Router takes calls: until it is closed; and what a fork makes anew."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from .choice import Roster
from .clients import Clients
from .errors import RouterClosed
from .judging import Judging, at_work
from .learner import Learner
from .options import checked_wait

if TYPE_CHECKING:
    import random

DRAIN_POLL_S = 0.01


class Lifetime:
    """Ends a Router's parts in order, once.

    Args:
        owns_ledger: close the learner's ledger too.
        rng: drawn anew in a forked child; None: the draws are to be reproducible.
    """

    def __init__(
        self,
        *,
        learner: Learner,
        roster: Roster,
        clients: Clients,
        judging: Judging | None,
        owns_ledger: bool,
        rng: random.Random | None,
    ) -> None:
        self._learner = learner
        self._roster = roster
        self._clients = clients
        self._judging = judging
        self._owns_ledger = owns_ledger
        self._rng = rng
        self._pid = os.getpid()
        self.is_closed = False
        self._drains = False

    def check(self) -> None:
        """Before a call.

        Raises:
            RouterClosed: it is closed.
        """
        if self.is_closed and not (self._drains and at_work()):  # a judge may call its own Router
            raise RouterClosed(self._learner.goal)
        self.notice_fork()

    def notice_fork(self) -> None:
        """Forked workers must not all draw the same, and each writes under a name of its own."""
        if self._pid == os.getpid():
            return
        self._pid = os.getpid()
        self._learner.forked()
        self._roster.blocks.forked()
        self._roster.sessions.forked()
        if self._rng is not None:
            self._rng.seed()

    def flush(self, *, timeout_s: float) -> bool:
        """Wait for the judge, and for the ledger to take what waits; False: not all came in time.

        Raises:
            RouterClosed: it is closed.
            ConfigError: the time is no number from 0 on.
        """
        self.check()
        ends = time.monotonic() + checked_wait(timeout_s)
        while (self._judging is not None and self._judging.under_way) or not self._learner.flush():
            if time.monotonic() >= ends:
                return False
            time.sleep(DRAIN_POLL_S)
        return True

    def close(self, last: Callable[[], object]) -> None:
        """Wait for the judge, write the beliefs down and close the clients.

        Args:
            last: done first, while the ledger takes entries.
        """
        if not self.is_closed:
            self.is_closed = True
            try:
                last()
                if self._judging is not None:
                    self._drains = True
                    self._judging.close()
            finally:
                self._drains = False
                self._learner.close(ledger=self._owns_ledger)
                self._clients.close()

    async def aclose(self, last: Callable[[], object]) -> None:
        """`close`, awaited; and the running event loop's connections too."""
        if not self.is_closed:
            self.is_closed = True
            try:
                last()
                if self._judging is not None:
                    self._drains = True
                    await _drained(self._judging)
            finally:
                self._drains = False
                self._learner.close(ledger=self._owns_ledger)
                await self._clients.aclose()


async def _drained(judging: Judging) -> None:
    import asyncio  # slow to import

    ends = time.monotonic() + judging.drain_s
    try:
        while judging.under_way and time.monotonic() < ends:
            await asyncio.sleep(DRAIN_POLL_S)
    finally:
        judging.close(ends=0.0)
