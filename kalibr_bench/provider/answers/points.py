"""Notes on points that a prompt asks for: some are covered, and the rest is talked around."""

from __future__ import annotations

import math
import random
import re

from kalibr_bench.provider.answers.reading import read
from kalibr_bench.provider.draws import Draws

_ASKED = re.compile(
    r"\b(?:cover|address|discuss)\b[^\n:]{0,60}\bpoints\b[^\n:]{0,40}:[ \t]*\n"
    r"((?:[ \t]*(?:[-*•]|\d+[.)])[ \t]+\S[^\n]*(?:\n|\Z))+)",
    re.I,
)
_MARK = re.compile(r"^[ \t]*(?:[-*•]|\d+[.)])[ \t]+", re.M)
LEAST_SAID = 40
"""Characters that a paragraph must say on its point to cover it."""
_SAID = (
    "the published figures moved by {n} % within {m} years, mostly because the rules changed twice"
    " in that time.",
    "{n} of the last 100 cases that were reported met the plan; in most of the others it took {m}"
    " months longer.",
    "the best documented example reached {n} % of its target after {m} quarters, and its records"
    " are open.",
    "surveys put it at {n} out of 100, with a spread of {m} between the regions that took part.",
)
_VAGUE = (
    "There is much to be said here as well, and opinions differ from case to case, as they so often"
    " do.",
    "It goes without saying that this, too, depends on a number of things and on how one looks at"
    " it.",
    "Many people have thought about this for a long time, and it remains interesting in many ways.",
    "In general, one should keep an open mind here and weigh what is known against what is not.",
)


def points_in(text: str) -> tuple[str, ...]:
    """The points that a prompt asks to be covered, none if it does not ask.

    >>> points_in("A note on tides, please. Cover these points:\\n- costs\\n- main risks")
    ('costs', 'main risks')
    """
    match = _ASKED.search(text)
    if match is None:
        return ()
    lines = (_MARK.sub("", line).strip(" \t.;,") for line in match.group(1).splitlines())
    return tuple(dict.fromkeys(line for line in lines if line))


def note(asked: str, points: tuple[str, ...], draws: Draws, *, share: float) -> str:
    """A text that covers a share of the points; as long, and as well formed, whatever the share.

    Args:
        asked: The prompt.
        points: At least one.
        share: In [0, 1]; between two whole numbers of points, chance decides.
    """
    count = math.floor(share * len(points) + draws.uniform("points"))
    order = sorted(points, key=lambda point: draws.uniform(f"covered {point}"))
    covered = frozenset(order[:count])
    about = read(asked.partition("\n")[0]).topics
    parts = [_part(point, draws.within("point", point), point in covered) for point in points]
    head = f"This note looks at {about[0]} as it stands today, by what has been published."
    end = "What is said here rests on open sources, and should be checked before it is relied on."
    return "\n\n".join((head, *parts, end))


def covered_share(points: tuple[str, ...], output: str) -> tuple[float, tuple[str, ...]]:
    """How much of what was asked for an output covers, and the points that it leaves out.

    A point is covered by a paragraph that begins with it and has something to say on it.

    >>> covered_share(("costs", "risks"), "Costs: " + 8 * "they fell. " + "\\n\\nRisks: few.")
    (0.5, ('risks',))
    """
    missing = tuple(point for point in points if not _covers(point, output))
    return 1.0 - len(missing) / len(points), missing


def share_drawn(mean: float, evenness: float, draws: Draws) -> float:
    """A share in [0, 1] from Beta(evenness * mean, evenness * (1 - mean)); 0 even: all or none."""
    if mean in (0.0, 1.0):
        return mean
    if evenness == 0.0:
        return float(draws.uniform("share") < mean)
    chance = random.Random(draws.integer("share"))
    return chance.betavariate(evenness * mean, evenness * (1.0 - mean))


def _part(point: str, draws: Draws, covered: bool) -> str:
    if not covered:
        return draws.pick("vague", _VAGUE)
    said = draws.pick("said", _SAID)
    n, m = 20 + draws.integer("n") % 70, 2 + draws.integer("m") % 9
    return f"{point[:1].upper()}{point[1:]}: {said.format(n=n, m=m)}"


def _covers(point: str, output: str) -> bool:
    pattern = rf"^\W*{re.escape(point)}\b[^\n]{{{LEAST_SAID},}}"
    return re.search(pattern, output, re.I | re.M) is not None
