"""A conversation as gate 3 keeps it: which answers were given, and what kinds of turns followed.

It is folded from events and holds no text. An answer's momentum is settled once: when another
answer has come in its place, or when the user has left.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from .bandit.constants import DEFAULTS
from .gates.behaviour import ACTIONS, CHANGES, CONVERGING, RELATED, Turn, TurnKind, momentum
from .gates.sketch import similarity
from .paths import is_number
from .types import JSON

FORMAT = 1
MOST_TURNS = 4
"""Whose sketches are kept."""
MOST_KINDS = 8
MOST_OUTPUTS = 3
MOST_MADE = 16
"""Paths that one answer can be credited to."""
MOST_EVENTS = 32
"""Whose ids are remembered."""
EARLIER = 0.5
"""How much of a signal goes to the paths that made an answer's earlier parts: rewards are drawn
towards an ordinary one."""
ORDINARY = DEFAULTS.behaviour_ordinary
"""The reward that leaves a path's value as it is."""


class Made(NamedTuple):
    """Whose work an answer is."""

    goal: str
    decision_id: str
    path_id: str
    last: bool = True
    """It wrote the answer; False: an earlier part of what led to it."""


class Signal(NamedTuple):
    """What a user's behaviour says of one path."""

    made: Made
    name: str
    """One of `ACTIONS`, or `momentum`."""
    reward: float
    """In [0, 1]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """What is known of a conversation; nothing of it is text."""

    answers: int
    """How many were reported so far."""
    decision_ids: tuple[str, ...]
    """Whose the last answers are, at most `MOST_OUTPUTS`, the newest last; without those that no
    decision is known of, such as one reported by its model alone, or a plain model's."""
    turns: tuple[TurnKind, ...]
    """What the user's last messages were read as, at most `MOST_KINDS`, the newest last; the
    request that began the conversation is one of them, `anew`."""
    ended: bool
    """Its end was reported, and no answer since."""


@dataclass(slots=True)
class Output:
    """An answer."""

    event: str
    made: list[Made]
    request: str
    answer: str
    before: list[TurnKind]
    since: list[TurnKind] = field(default_factory=list)
    settled: bool = False
    moving: bool = False
    """The user has gone on to something else; what they say next tells whether for good."""

    def signals(self, name: str, reward: float) -> list[Signal]:
        return [
            Signal(made, name, reward if made.last else ORDINARY + EARLIER * (reward - ORDINARY))
            for made in self.made
        ]

    def settle(self, *, ended: bool) -> list[Signal]:
        """Its momentum, once; none while it may still turn out that the user comes back."""
        if self.settled:
            return []
        reward = momentum(self.since, self.before, ended=ended)
        told = [kind for kind in self.since if kind is not TurnKind.UNCLEAR]
        if reward is not None and told[-1:] == [TurnKind.ANEW]:
            self.moving = not ended
            self.settled = ended
            return []
        self.settled = True
        return [] if reward is None else self.signals("momentum", reward)

    def heard(self, turn: Turn) -> list[Signal]:
        """A turn after the user had gone on."""
        if not self.moving or self.settled:
            return []
        self.settled = True
        back = turn.kind is not TurnKind.ANEW
        if turn.kind in CHANGES or (back and similarity(turn.sketch, self.request) >= RELATED):
            return []  # it was an aside: that tells nothing
        return self.signals("momentum", CONVERGING)


@dataclass(slots=True)
class Conversation:
    """Answers and turns, the newest last; bounded, whatever happens."""

    outputs: list[Output] = field(default_factory=list)
    turns: list[Turn] = field(default_factory=list)
    kinds: list[TurnKind] = field(default_factory=list)
    events: list[str] = field(default_factory=list)
    votes: dict[str, int] = field(default_factory=dict)
    """Function words by language; see `remarks.votes_in`."""
    ended: bool = False
    number: int = 0
    """Answers so far that are some path's work."""

    def has_seen(self, event: str | None) -> bool:
        return event is not None and event in self.events

    def answered(
        self, event: str, made: Sequence[Made], *, request: Turn, answer: str
    ) -> list[Signal]:
        """An answer has been given; those before it are settled.

        Args:
            event: its id; the same again adds what it names for the first time.
            made: empty: none of ours, so that what follows speaks of nobody's.
            request: what it was asked for with.
            answer: the answer's sketch, or "".
        """
        last = self.outputs[-1] if self.outputs else None
        if last is not None and last.event == event:
            last.made = _merged(last.made, made)
            last.answer = answer or last.answer
            return []
        if self.ended:
            self.ended, self.turns, self.kinds = False, [], []
        signals = [signal for output in self.outputs for signal in output.settle(ended=False)]
        if not self.turns:
            self.turns.append(request)
            self.kinds.append(TurnKind.ANEW)
        self.outputs.append(
            Output(event, _merged([], made), request.sketch, answer, list(self.kinds))
        )
        self.outputs = self.outputs[-MOST_OUTPUTS:]
        self.number += bool(made)
        self._note(event)
        return signals

    def said(self, event: str | None, turn: Turn) -> list[Signal]:
        """The user has said something."""
        signals = [signal for output in self.outputs for signal in output.heard(turn)]
        if self.outputs:
            self.outputs[-1].since = [*self.outputs[-1].since, turn.kind][-MOST_KINDS:]
        kept = (
            replace(turn, sketch="") if self.ended else turn
        )  # nothing is compared with it any more
        self.turns = [*self.turns, kept][-MOST_TURNS:]
        self.kinds = [*self.kinds, turn.kind][-MOST_KINDS:]
        self._note(event)
        return signals

    def left(self, *, ended: bool) -> list[Signal]:
        """The user has left, or has been silent for so long that it comes to the same."""
        signals = [signal for output in self.outputs for signal in output.settle(ended=True)]
        self.ended = self.ended or ended
        self.turns = [replace(turn, sketch="") for turn in self.turns]  # of no more use
        return signals

    def acted(self, action: str) -> list[Signal]:
        """The user has done something with the last answer; [] where there is none."""
        return self.outputs[-1].signals(action, ACTIONS[action]) if self.outputs else []

    def heard_of(self, votes: Mapping[str, int]) -> None:
        """Count a message's function words; the newest weigh most."""
        kept = {name: count // 2 for name, count in self.votes.items()}
        full = self.votes.get("", 0) > 200
        base = kept if full else dict(self.votes)
        for name, count in votes.items():
            base[name] = base.get(name, 0) + count
        self.votes = {name: count for name, count in base.items() if count}

    def told(self, *, made_up: str) -> Session:
        """What users may see of it.

        Args:
            made_up: how ids begin that stand for no decision.
        """
        ids = [output.made[-1].decision_id for output in self.outputs if output.made]
        return Session(
            answers=self.number,
            decision_ids=tuple(one for one in ids if not one.startswith(made_up)),
            turns=tuple(self.kinds),
            ended=self.ended,
        )

    def _note(self, event: str | None) -> None:
        if event is not None:
            self.events = [*self.events, event][-MOST_EVENTS:]

    def state(self) -> JSON:
        """Plain JSON; `restored` reads it back."""
        return {
            "format": FORMAT,
            "outputs": [
                [
                    output.event,
                    [list(made) for made in output.made],
                    "" if output.settled else output.request,
                    "" if output.settled else output.answer,
                    [kind.value for kind in output.before],
                    [kind.value for kind in output.since],
                    output.settled,
                    output.moving,
                ]
                for output in self.outputs
            ],
            "turns": [[turn.kind.value, turn.sketch, turn.words] for turn in self.turns],
            "kinds": [kind.value for kind in self.kinds],
            "events": list(self.events),
            "votes": dict(self.votes),
            "ended": self.ended,
            "number": self.number,
        }


def restored(state: Any) -> Conversation:
    """Read a state back; one that is none, or of another format, begins anew."""
    try:
        if state["format"] != FORMAT:
            return Conversation()
        return Conversation(
            outputs=[_output(*told) for told in state["outputs"]],
            turns=[_turn(*told) for told in state["turns"]],
            kinds=[TurnKind(kind) for kind in state["kinds"]],
            events=[str(event) for event in state["events"]],
            votes={str(name): int(count) for name, count in state["votes"].items()},
            ended=bool(state["ended"]),
            number=int(state["number"]),
        )
    except (TypeError, ValueError, KeyError, AttributeError, OverflowError):
        return Conversation()


def _output(
    event: str,
    made: Iterable[Sequence[Any]],
    request: str,
    answer: str,
    before: Iterable[str],
    since: Iterable[str],
    settled: bool,
    moving: bool,
) -> Output:
    return Output(
        str(event),
        [Made(str(goal), str(id_), str(path), bool(last)) for goal, id_, path, last in made],
        str(request),
        str(answer),
        [TurnKind(kind) for kind in before],
        [TurnKind(kind) for kind in since],
        bool(settled),
        bool(moving),
    )


def _turn(kind: str, sketch: str, words: object) -> Turn:
    if not is_number(words):
        raise ValueError
    return Turn(kind=TurnKind(kind), sketch=str(sketch), words=int(words))


def _merged(known: Sequence[Made], made: Sequence[Made]) -> list[Made]:
    """One for each path of each goal: the last decision there, and whether it wrote the answer."""
    found = {(one.goal, one.path_id): one for one in known}
    for one in made:
        found.pop((one.goal, one.path_id), None)
        found[one.goal, one.path_id] = one
    return list(found.values())[-MOST_MADE:]
