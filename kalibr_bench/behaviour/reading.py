"""Each simulated session through gate 3: which outputs got a signal, and was its sign right?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kalibr_bench.users import Evaluation, UserSession, evaluate, sessions, written
from kalibr_core.conversations import Made
from kalibr_core.ledger.memory import MemoryConversations
from kalibr_core.signals import Signals
from kalibr_core.types import Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputTally:
    """Outputs that got a signal."""

    right: int
    wrong: int
    untold: int
    """Nobody could have told whether the user took it."""

    @property
    def accuracy(self) -> float | None:
        """Right of those that can be told; None without any."""
        told = self.right + self.wrong
        return self.right / told if told else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    sessions: Evaluation
    """A session's reward is that of its last signal, as its sign is that of its last output."""
    outputs: OutputTally


def read(count: int, *, seed: int, languages: Sequence[str], held_out: bool) -> Reading:
    """Let gate 3 read a population.

    Args:
        count: sessions.
        languages: of `KNOWN` and `UNKNOWN`.
        held_out: speak from the phrases that were kept back from tuning.
    """
    tally = {1: 0, -1: 0, 0: 0}

    def judge(session: UserSession) -> float | None:
        rewards = rewards_of(session)
        for at, reward in rewards:
            sign = session.turns[at].sign
            right = None if sign is None else (reward - 0.5) * sign > 0
            tally[0 if right is None else 1 if right else -1] += 1
        return rewards[-1][1] if rewards else None

    found = evaluate(sessions(count, seed=seed, languages=languages, held_out=held_out), judge)
    return Reading(
        sessions=found, outputs=OutputTally(right=tally[1], wrong=tally[-1], untold=tally[0])
    )


def read_written(*, held_out: bool) -> Evaluation:
    """Let gate 3 read the sessions that were written one by one."""

    def judge(session: UserSession) -> float | None:
        rewards = rewards_of(session)
        return rewards[-1][1] if rewards else None

    return evaluate(written(held_out=held_out), judge)


def rewards_of(session: UserSession) -> list[tuple[int, float]]:
    """A session as the handlers report it: which output, and the reward in [0, 1] that it got."""
    booked: list[Entry] = []

    def book(entry: Entry) -> bool:
        booked.append(entry)
        return True

    signals = Signals(
        keeper=MemoryConversations(),
        book=book,
        told=lambda decision_id: (),
        origin=lambda: "bench",
        wall=lambda: 0.0,
    )
    for at, turn in enumerate(session.turns):
        if at:
            signals.user_turn("s", turn.user_message, event_id=None, classify=None)
        signals.pipeline(
            "s",
            [Made("g", str(at), "p")],
            prompt=turn.user_message,
            output=turn.output,
            event_id=str(at),
        )
    signals.session_end("s")
    return [(int(entry.decision_id), entry.reward) for entry in booked if entry.reward is not None]
