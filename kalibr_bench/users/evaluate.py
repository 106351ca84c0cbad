"""How well a judge of sessions tells content users from the others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from kalibr_bench.users.records import UserSession

Judge = Callable[[UserSession], float | None]
"""The mean reward in [0, 1] of the signals of a session; None where it gave no signal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Counts of sessions."""

    sessions: int = 0
    known: int = 0
    """Those in which the user was content or not; in the others nobody could tell."""
    signalled: int = 0
    signalled_known: int = 0
    right: int = 0
    """Signalled, known, and the reward on the right side of one half; one half is on neither."""

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            sessions=self.sessions + other.sessions,
            known=self.known + other.known,
            signalled=self.signalled + other.signalled,
            signalled_known=self.signalled_known + other.signalled_known,
            right=self.right + other.right,
        )

    @property
    def share(self) -> float | None:
        """Signalled of all sessions; None without sessions."""
        return _ratio(self.signalled, self.sessions)

    @property
    def share_known(self) -> float | None:
        """Signalled of those with a known sign; None without any."""
        return _ratio(self.signalled_known, self.known)

    @property
    def accuracy(self) -> float | None:
        """Right of the signalled, where a signal that nobody could give counts as wrong."""
        return _ratio(self.right, self.signalled)

    @property
    def accuracy_known(self) -> float | None:
        """Right of the signalled with a known sign; the others are left out."""
        return _ratio(self.right, self.signalled_known)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """Tallies by (behaviour, language), in the order in which they first occurred."""

    cells: Mapping[tuple[str, str], Tally]

    @property
    def total(self) -> Tally:
        """All sessions."""
        return sum(self.cells.values(), Tally())

    def behaviour(self, name: str) -> Tally:
        """The sessions of one behaviour."""
        return sum((t for (b, _), t in self.cells.items() if b == name), Tally())

    def language(self, code: str) -> Tally:
        """The sessions in one language."""
        return sum((t for (_, lang), t in self.cells.items() if lang == code), Tally())


def evaluate(sessions: Iterable[UserSession], judge: Judge) -> Evaluation:
    """Ask the judge about each session and count.

    Raises:
        ValueError: the judge gave something outside [0, 1], or NaN.
    """
    cells: dict[tuple[str, str], Tally] = {}
    for session in sessions:
        key = (session.behaviour, session.language)
        cells[key] = cells.get(key, Tally()) + tallied(session.sign, judge(session))
    return Evaluation(cells=cells)


def tallied(sign: int | None, reward: float | None) -> Tally:
    """One session's tally.

    >>> tallied(-1, 0.2).right, tallied(-1, 0.5).right, tallied(None, 0.2).signalled
    (1, 0, 1)
    """
    if reward is not None and not 0 <= reward <= 1:
        raise ValueError(f"a reward is None or in [0, 1], got {reward!r}")
    known, given = sign is not None, reward is not None
    right = sign is not None and reward is not None and (reward - 0.5) * sign > 0
    return Tally(
        sessions=1,
        known=int(known),
        signalled=int(given),
        signalled_known=int(known and given),
        right=int(right),
    )


def table(evaluation: Evaluation) -> str:
    """Rows are behaviours, columns languages: `right / signalled of sessions`, and the totals.

    A last row and column sum up; four lines below give the shares.
    """
    names = list(dict.fromkeys(name for name, _ in evaluation.cells))
    codes = list(dict.fromkeys(code for _, code in evaluation.cells))
    rows = [["right/signalled of all", *codes, "all"]]
    for name in names:
        cells = [evaluation.cells.get((name, code), Tally()) for code in codes]
        rows.append([name, *map(_cell, cells), _cell(evaluation.behaviour(name))])
    sums = [evaluation.language(code) for code in codes]
    rows.append(["all", *map(_cell, sums), _cell(evaluation.total)])
    widths = [max(len(row[n]) for row in rows) for n in range(len(rows[0]))]
    lines = [
        "  ".join(
            [
                row[0].ljust(widths[0]),
                *(c.rjust(w) for c, w in zip(row[1:], widths[1:], strict=True)),
            ]
        )
        for row in rows
    ]
    return "\n".join([*lines, "", summary(evaluation)])


def summary(evaluation: Evaluation) -> str:
    """Four lines: the shares of all sessions together."""
    total = evaluation.total
    return "\n".join(
        [
            f"signalled, of all sessions:              {_percent(total.share)}",
            f"signalled, of those with a known sign:   {_percent(total.share_known)}",
            f"right, of all signalled:                 {_percent(total.accuracy)}",
            f"right, of signalled with a known sign:   {_percent(total.accuracy_known)}",
        ]
    )


def _cell(tally: Tally) -> str:
    return f"{tally.right}/{tally.signalled} of {tally.sessions}"


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.1%}"


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None
