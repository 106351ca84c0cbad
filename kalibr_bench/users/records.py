"""What a simulated user's session is: what was said, in order, and what was true of it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """The user writes, the assistant answers.

    The next exchange's `user_message` is the user's reaction to this `output`.

    Attributes:
        user_message: what the user wrote; never empty.
        output: what the assistant answered; never empty.
        sign: the truth about this output: 1 the user took it, -1 it fell short (a refinement
            also says that it did), None where nobody could tell, or where the output was
            small talk.
    """

    user_message: str
    output: str
    sign: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class UserSession:
    """One conversation from its first message to the user's leaving.

    Attributes:
        language: ISO 639-1 code, of `KNOWN` or `UNKNOWN`.
        behaviour: a key of `SHARES`.
        turns: at least one exchange, in the order in which they happened.
    """

    language: str
    behaviour: str
    turns: tuple[Exchange, ...]

    @property
    def sign(self) -> int | None:
        """1 the user got what they wanted, -1 they did not, None nobody could tell.

        It is the last sign that any of the outputs has: who complains and is then served is
        content, and who is never served is not.
        """
        known = [turn.sign for turn in self.turns if turn.sign is not None]
        return known[-1] if known else None
