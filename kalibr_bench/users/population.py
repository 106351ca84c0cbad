"""Sessions of simulated users, drawn by seed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random

from kalibr_bench.users.behaviours import BEHAVIOURS, SHARES
from kalibr_bench.users.desk import Desk
from kalibr_bench.users.habits import habits
from kalibr_bench.users.phrases import KNOWN, phrasebook
from kalibr_bench.users.records import UserSession

TUNING = range(100)
"""Seeds to look at while a system is being tuned; reports take seeds from `REPORTS` on."""
REPORTS = 1000


def sessions(
    count: int,
    *,
    seed: int,
    languages: Sequence[str] = KNOWN,
    held_out: bool = False,
) -> Iterator[UserSession]:
    """Draw sessions: behaviour by `SHARES`, language evenly. The first n are always the same n.

    Args:
        count: how many, 0 or more.
        seed: 0 to 99 (`TUNING`) while a system is tuned, from 1000 (`REPORTS`) on in reports.
        languages: of `KNOWN` and `UNKNOWN`; at least one.
        held_out: users speak from the third of phrases that is kept back, and from no other;
            without it, from the other two thirds. A system that does worse on it has learned
            the phrases, not the users.

    Raises:
        ValueError: a negative count, no language, or one that there are no phrases in.
    """
    if count < 0 or not languages:
        raise ValueError(f"need a count >= 0 and a language, got {count} and {languages!r}")
    for language in languages:
        phrasebook(language, held_out=held_out)
    return (
        _session(Random(f"{seed}/{number}/{held_out}"), languages, held_out)
        for number in range(count)
    )


def _session(rng: Random, languages: Sequence[str], held_out: bool) -> UserSession:
    behaviour = rng.choices(list(SHARES), weights=list(SHARES.values()))[0]
    language = rng.choice(languages)
    book = phrasebook(language, held_out=held_out)
    desk = Desk(rng=rng, book=book, habits=habits(rng))
    turns = tuple(BEHAVIOURS[behaviour](desk))
    return UserSession(language=language, behaviour=behaviour, turns=turns)
