"""Sessions written one by one, rather than drawn: their writer had not seen what reads them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.resources import files

from kalibr_bench.users.records import Exchange, UserSession

OUTPUT = "Here you are."
"""What the assistant answers each time: nothing is to be read from it."""


def written(*, held_out: bool) -> Iterator[UserSession]:
    """The sessions, always the same, in twelve languages ("mix": several in one session).

    Whether the user was content is told of a session as a whole: its last answer has the sign.

    Args:
        held_out: the half that nobody looked at while what reads behaviour was tuned; without it,
            the other half.

    >>> next(written(held_out=False)).turns[-1].user_message
    'thanks, that clears it up'
    """
    text = (files(__package__) / "written.jsonl").read_text(encoding="utf-8")
    for row in map(json.loads, text.splitlines()):
        if row["held_out"] is held_out:
            *before, last = row["turns"]
            exchanges = [Exchange(user_message=said, output=OUTPUT, sign=None) for said in before]
            exchanges.append(Exchange(user_message=last, output=OUTPUT, sign=row["sign"]))
            yield UserSession(
                language=row["language"], behaviour=row["behaviour"], turns=tuple(exchanges)
            )
