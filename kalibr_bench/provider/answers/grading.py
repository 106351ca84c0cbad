"""A model as a judge: it reads the work that it is sent and scores it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from statistics import NormalDist

from kalibr_bench.provider.answers.points import covered_share, points_in
from kalibr_bench.provider.answers.reading import read
from kalibr_bench.provider.draws import Draws
from kalibr_bench.provider.request import ChatRequest

_NAMED = 3
"""Points that a reason names."""
_NORMAL = NormalDist()


@dataclass(frozen=True, slots=True)
class Work:
    """What is to be graded."""

    request: str
    output: str


def work_in(chat: ChatRequest) -> Work | None:
    """The work that a prompt asks to be graded; None: it does not ask.

    Such a prompt tells to give a ``score`` and a ``reason``, and its user message is a JSON object
    of two strings, ``request`` and ``output``, and perhaps a ``conversation``, which is not read.
    """
    if not all(word in chat.all_text for word in ("score", "reason")):
        return None
    try:
        given = json.loads(chat.user_text)
    except ValueError:
        return None
    if not isinstance(given, dict) or given.keys() - {"conversation"} != {"request", "output"}:
        return None
    request, output = given["request"], given["output"]
    if not isinstance(request, str) or not isinstance(output, str):
        return None
    return Work(request, output)


def judgement(work: Work, draws: Draws, *, noise: float) -> str:
    """A reason and a score as JSON: what the output covers of what was asked for.

    Where no points were asked for: of what the request is about.

    Args:
        noise: Standard deviation of the score's error, >= 0; the score stays in [0, 1].
    """
    points = points_in(work.request)
    share, missing = covered_share(points, work.output) if points else _on_topic(work)
    centred = min(max(draws.uniform("judgement"), 1e-9), 1 - 1e-9)
    score = min(max(share + noise * _NORMAL.inv_cdf(centred), 0.0), 1.0)
    said = f"leaves out {', '.join(missing[:_NAMED])}" if missing else "covers what was asked for"
    return json.dumps({"reason": f"It {said}.", "score": round(score, 3)}, ensure_ascii=False)


def _on_topic(work: Work) -> tuple[float, tuple[str, ...]]:
    topics = read(work.request).topics
    missing = tuple(topic for topic in topics if topic.lower() not in work.output.lower())
    return 1.0 - len(missing) / len(topics), missing
