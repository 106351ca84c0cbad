"""Putting scenarios to a submission: a dead child is replaced, a hostile one is not asked again."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import Self

from kalibr_bench.gauntlet.problem import MOST_BUFFERED
from kalibr_bench.gauntlet.results import Event
from kalibr_bench.gauntlet.sandbox import FATAL, Limits, Loaded, Reply, Session, Verdict
from kalibr_bench.gauntlet.sandbox.inside.wire import TooMuch, Value

State = dict[str, Value]


class Failed(Exception):
    """A scenario cannot go on: the submission did not answer."""


LABEL = "unit 7"


def unmarked(events: list[Event]) -> list[Event]:
    """As they are handed over: one label for all, so that none tells what its event is."""
    return [
        {**event, "label": LABEL} if type(event) is dict and "label" in event else event
        for event in events
    ]


def fresh_state() -> State:
    """The state that a grader starts from."""
    return {"seen": 0, "limit": 200, "buffer": deque(maxlen=MOST_BUFFERED), "z_cutoff": 3}


class Asker:
    """One submission and the child that it lives in.

    Args:
        source: The submission.
        start: Makes a session for it, `Session`.
        limits: Of each child, and how many may die.
    """

    def __init__(
        self, source: str, limits: Limits, start: Callable[..., Session] = Session
    ) -> None:
        self._source, self._limits, self._start = source, limits, start
        self._deaths = 0
        self._session = start(source, limits=limits)
        self._new_scenario = False
        self.loaded: Loaded = self._session.loaded
        self.verdict, self.detail = self.loaded.verdict, self.loaded.text

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._session.close()

    def begin(self) -> None:
        """A new scenario: nothing that the source has stored in its globals is left."""
        self._new_scenario = True

    def call(self, events: list[Event], state: State | None = None, *, keep: bool = False) -> Value:
        """What the submission returns; raises `Failed` if it does not return."""
        return self.reply(events, state, keep=keep).value

    def reply(
        self,
        events: list[Event],
        state: State | None = None,
        *,
        keep: bool = False,
        echo: bool = False,
    ) -> Reply:
        """The whole answer to one call."""
        self._revive()
        fresh, self._new_scenario = self._new_scenario, False
        try:
            reply = self._session.call(events, state, keep=keep, fresh=fresh, echo=echo)
        except TooMuch:
            # The arguments are its own earlier results: more than can be handed back.
            reply = Reply(verdict=Verdict.OUTPUT, text="returned more than can be handed on")
        if reply.verdict is Verdict.OK:
            return reply
        self._deaths += not self._session.alive
        if _rank(reply.verdict) > _rank(self.verdict):
            self.verdict, self.detail = reply.verdict, reply.text
        raise Failed(f"{reply.verdict}: {reply.text}")

    def _revive(self) -> None:
        if self.verdict in FATAL or self.loaded.verdict is not Verdict.OK:
            raise Failed(f"{self.verdict}: {self.detail}")
        if self._session.alive:
            return
        if self._deaths > self._limits.deaths or not self._new_scenario:
            raise Failed(f"{self.verdict}: not asked again")
        self._session = self._start(self._source, limits=self._limits)
        if self._session.loaded.verdict is not Verdict.OK:
            self._deaths += 1
            raise Failed(f"{self._session.loaded.verdict}: {self._session.loaded.text}")


def ask(
    asker: Asker, events: list[Event], state: State | None = None, *, keep: bool = False
) -> Value:
    """What the submission returns for drawn events, which it gets `unmarked`."""
    return asker.call(unmarked(events), state, keep=keep)


def _rank(verdict: Verdict) -> int:
    """How bad it is: an exception is less than a killed child, and that less than a breach."""
    if verdict in FATAL:
        return 3
    return {Verdict.OK: 0, Verdict.RAISED: 1}.get(verdict, 2)
