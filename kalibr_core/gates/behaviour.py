"""Gate 3: what the user did with an answer, told by what came after it.

A user's message is read once, when it is reported: what kind of turn it is, and a sketch that later
ones are compared with. Its text is not kept. What the turns after an answer say of it is its
momentum: converging, diverging, or nothing where there is too little to tell.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType

from ..errors import UnknownAction
from .remarks import Remark
from .sketch import counts_otherwise, fills_otherwise, similarity

ACTIONS = MappingProxyType(
    {
        "output_used_verbatim": 1.0,
        "output_copied": 0.85,
        "output_edited": 0.5,
        "output_discarded": 0.0,
    }
)
"""What users do with an output, and the reward in [0, 1] of each."""
CONVERGING = 0.75
DIVERGING = 0.25
"""Rewards of momentum: a weak positive and a weak negative, beside an ordinary .6."""

SAME = 0.8
"""Similarity from which on a message says again what one before said."""
ALIKE = 0.4
"""The same where that one asked for a change: one more request may have another's form."""
RELATED = 0.2
"""Similarity from which on a message is about the same thing; unrelated ones reach about .15."""
TELLING = 4
"""Words that a request must have to be taken for a new task."""
FOREIGN = 8
"""The same in a language whose words are not known, where its form alone is there to tell."""
LONGER = 1.5
"""Ratio of the lengths of a message and the one before from which on it has grown."""


def checked_action(action: object) -> str:
    """
    Raises:
        UnknownAction: none of `ACTIONS`.
    """
    if not isinstance(action, str) or action not in ACTIONS:
        raise UnknownAction(action, known=tuple(ACTIONS))
    return action


class TurnKind(enum.StrEnum):
    """What a user's message is, to the answer before it."""

    ACCEPTS = "accepts"
    """Is content: "perfect, thanks"; or builds on the answer: "now add tests"."""
    REFINES = "refines"
    """Asks for a change: "shorter, please"."""
    REPEATS = "repeats"
    """Says again what was said before."""
    COMPLAINS = "complains"
    ANEW = "anew"
    """Begins something else."""
    UNCLEAR = "unclear"


CHANGES = frozenset({TurnKind.REFINES, TurnKind.REPEATS, TurnKind.COMPLAINS})
SETTLED = frozenset({TurnKind.ANEW, TurnKind.ACCEPTS})
"""Nothing is wanted of the answer before."""
AGAINST = frozenset({TurnKind.REPEATS, TurnKind.COMPLAINS})


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """A user's message as it is kept: no text, no words."""

    kind: TurnKind
    sketch: str
    words: int


def kind_of(
    remark: Remark,
    sketch: str,
    *,
    before: Sequence[Turn],
    answer: str,
) -> TurnKind:
    """Tell what kind of turn a message is.

    Args:
        sketch: of the message.
        before: the user's last messages, oldest first; the first request is one of them.
        answer: the sketch of the answer that it follows; "": not known.
    """
    if _next_item(sketch, before):
        return TurnKind.ANEW
    alike = max((similarity(sketch, turn.sketch) for turn in before), default=0.0)
    related = alike >= RELATED or similarity(sketch, answer) >= RELATED
    after = before[-1].kind if before else TurnKind.ANEW
    said = _told_by_words(remark, related=related, after=after)
    if said is not None:
        return said
    again = max((_again(sketch, turn) for turn in before), default=0.0)
    if again >= SAME or _grows(remark, sketch, before):
        return TurnKind.REPEATS
    return _wished(remark, related=related, after=after)


def _told_by_words(remark: Remark, *, related: bool, after: TurnKind) -> TurnKind | None:
    """What the user says of the answer; None: they say nothing of it."""
    at_length = remark.asks and remark.words > FOREIGN
    if remark.complains and (related or not at_length):
        return TurnKind.COMPLAINS
    if remark.known and remark.fails and not remark.asks and after is not TurnKind.ACCEPTS:
        return TurnKind.COMPLAINS
    if remark.content:
        polite = remark.changes and not remark.asks
        return TurnKind.REFINES if polite else TurnKind.ACCEPTS
    return TurnKind.UNCLEAR if remark.more else None


def _wished(remark: Remark, *, related: bool, after: TurnKind) -> TurnKind:
    """What is asked for, where nothing is said of the answer."""
    if remark.adds:  # who builds on an answer has taken it
        return TurnKind.ACCEPTS if after in SETTLED else TurnKind.ANEW
    changes = remark.changes and not (remark.asks and remark.words > FOREIGN)
    if changes or (related and (remark.wants or remark.asks)):
        return TurnKind.REFINES
    if related:
        return TurnKind.UNCLEAR
    begins = remark.asks and remark.words >= TELLING if remark.known else remark.words >= FOREIGN
    return TurnKind.ANEW if begins else TurnKind.UNCLEAR


def _again(sketch: str, turn: Turn) -> float:
    """How surely a message says this turn again; `SAME` and more: it does."""
    if counts_otherwise(sketch, turn.sketch):
        return 0.0  # the same for another number
    found = similarity(sketch, turn.sketch)
    return max(found, SAME) if turn.kind not in SETTLED and found >= ALIKE else found


def _next_item(sketch: str, before: Sequence[Turn]) -> bool:
    """Is this a request from before for something else, as in "translate: yes", "translate: no"?"""
    settled = all(turn.kind in SETTLED for turn in before)  # else it may be an insistence's form
    return settled and any(fills_otherwise(sketch, turn.sketch) for turn in before)


def _grows(remark: Remark, sketch: str, before: Sequence[Turn]) -> bool:
    """Does the user say it at greater length again and again?"""
    if len(before) < 3 or before[-1].kind not in (TurnKind.REFINES, TurnKind.REPEATS):
        return False
    longer = remark.words >= LONGER * before[-1].words >= LONGER**2 * before[-2].words
    return longer and similarity(sketch, before[-1].sketch) >= RELATED


def momentum(since: Sequence[TurnKind], before: Sequence[TurnKind], *, ended: bool) -> float | None:
    """The reward that the turns after an answer give it, in [0, 1]; None: too little to tell.

    Args:
        since: the turns that came after the answer, oldest first.
        before: those before it in the conversation; the last one brought the answer about.
        ended: the user has left; else a further answer has come in its place.
    """
    telling = [kind for kind in since if kind is not TurnKind.UNCLEAR]
    if not telling:
        return _left_with(before) if ended and not since else None
    last = telling[-1]
    if last in AGAINST:
        return DIVERGING
    if last is TurnKind.ACCEPTS:
        return CONVERGING
    if last is TurnKind.ANEW:
        right = SETTLED.issuperset(before[-1:]) or _refined_once(before)
        doubted = CHANGES & set(telling[:-1]) or not right
        return None if doubted else CONVERGING
    return None  # however many changes: one wants more of what is good


def _left_with(before: Sequence[TurnKind]) -> float | None:
    """The user has said nothing of the last answer: what had it been asked for with?"""
    if not before:
        return None
    if _refined_once(before):
        return CONVERGING
    if before[-1] in AGAINST:
        return DIVERGING if len(before) > 1 and before[-2] in AGAINST else None
    return None


def _refined_once(kinds: Sequence[TurnKind]) -> bool:
    """Was a change asked for, and nothing amiss before it?"""
    return kinds[-1:] == [TurnKind.REFINES] and SETTLED.issuperset(kinds[-2:-1])
