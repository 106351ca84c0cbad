"""Several runs at once, in threads that do not keep the process from ending."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence

from kalibr_bench.gauntlet.records import Run


class Crew:
    """Makes an arm's runs; what has ended stays here, so that an interrupt loses none.

    Args:
        run: Makes the run of a number and a seed.
        seeds: One for each run, in the order of their numbers.
        at_once: Runs under way at the same time, >= 1.
    """

    def __init__(
        self, run: Callable[[int, int | None], Run], seeds: Sequence[int | None], at_once: int
    ) -> None:
        self._run, self._left = run, deque(enumerate(seeds))
        self._changed = threading.Condition()
        self._ended: list[Run] = []
        self._begun = 0
        self._broken: BaseException | None = None
        for _ in range(min(at_once, len(seeds))):
            threading.Thread(target=self._work, daemon=True).start()

    def ended(self, number: int) -> Run | None:
        """The run that was the number-th to end, from 0; waits for it; None: there will be none."""
        with self._changed:
            self._changed.wait_for(lambda: self._broken or self._knows(number))
            if self._broken is not None:
                raise self._broken
            return self._ended[number] if number < len(self._ended) else None

    def stop(self) -> int:
        """Begin no other run; how many have begun and not ended."""
        with self._changed:
            self._left.clear()
            self._changed.notify_all()
            return self._begun - len(self._ended)

    def _knows(self, number: int) -> bool:
        return number < len(self._ended) or number >= self._begun + len(self._left)

    def _work(self) -> None:
        try:
            while (work := self._next()) is not None:
                run = self._run(*work)
                with self._changed:
                    self._ended.append(run)
                    self._changed.notify_all()
        except BaseException as error:  # noqa: BLE001  # it is raised where runs are waited for
            with self._changed:
                self._broken = error
                self._changed.notify_all()

    def _next(self) -> tuple[int, int | None] | None:
        with self._changed:
            if not self._left:
                return None
            self._begun += 1
            return self._left.popleft()
