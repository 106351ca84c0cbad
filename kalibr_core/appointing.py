"""Who judges a Router's answers: what `judge=` says, or the Router's own choice."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .budget import Budget
from .errors import ConfigError
from .gates.judge import DEFAULT, DEFAULT_GOALS, Judge, check_kind
from .judges import Function, Models, default_judges, judges_of
from .judging import Asked, Judging, Work
from .providers import Endpoint
from .sampling import Sampler
from .types import Path

log = logging.getLogger("kalibr")


def judging_for(
    judge: object,
    *,
    goal: str,
    paths: Sequence[Path],
    endpoints: Mapping[str, Endpoint],
    base_url: str | None,
    seed: int | None,
    wall: Callable[[], float],
    known: Callable[[str], float] | None,
    answers: Callable[[str], float] | None,
    told: Callable[[Work, float, Mapping[str, Any]], bool],
) -> Judging | None:
    """What judges a Router's answers; None: nothing does.

    Args:
        known: how many scores a path has from before.
        answers: how many answers a path has given.

    Raises:
        ConfigError: it cannot judge.
    """
    import random  # slow to import

    chosen = _judge_of(judge, goal)
    if chosen is None:
        return None
    asked = _asked_of(
        chosen,
        default_judges(paths, endpoints)
        if isinstance(judge, str)
        else judges_of(chosen, endpoints, base_url=base_url),
        goal=goal,
        wall=wall,
    )
    if asked is None:
        return None
    sampler = Sampler(
        chosen.rate,
        informative=chosen.sampling == "informative",
        rng=random.Random(seed),
        known=known or (lambda path_id: 0.0),
        answers=answers or (lambda path_id: 0.0),
    )
    return Judging(chosen, asked, sampler=sampler, told=told)


def _asked_of(
    judge: Judge,
    models: Sequence[tuple[Path, Endpoint]],
    *,
    goal: str,
    wall: Callable[[], float],
) -> Asked | None:
    """The function or the models that judge; None: there are none."""
    if judge.function is not None:
        return Function(judge, judge.function)
    if not models:
        _off(goal, "none of its paths is DeepSeek's; give judge=Judge(model=...)")
        return None
    asked = Models(judge, models, Budget(judge.budget_usd, wall))
    if judge.budget_usd is not None and not asked.priced:
        log.warning(
            "kalibr: goal %r: a judge's price is unknown, so that its daily_budget_usd cannot "
            "be kept; declare input_usd_per_mtok and output_usd_per_mtok",
            goal,
        )
    return asked


def _judge_of(judge: object, goal: str) -> Judge | None:
    """The judge of this goal's answers.

    Raises:
        ConfigError: it is none.
    """
    if judge is None:
        return None
    if isinstance(judge, str) and judge == DEFAULT:
        if goal in DEFAULT_GOALS:
            return Judge()
        from .gates.structural import TASKS  # loaded as late as the gate itself

        if goal not in TASKS and (meant := _alike(goal, DEFAULT_GOALS)):
            _off(goal, f"by default those of goal {meant!r} are; give judge=Judge(model=...)")
        return None
    if not isinstance(judge, Judge) and callable(judge) and not isinstance(judge, type):
        judge = Judge(model=judge)
    if not isinstance(judge, Judge):
        check_kind(judge)
        raise ConfigError(
            "judge must be a Judge, a function of request and output, or None, got "
            f"{type(judge).__name__}; write Judge(model=...)"
        )
    if judge.judges(goal):
        return judge
    meant = _alike(goal, judge.goals or ())
    hint = f"; is {meant!r} meant to be this one?" if meant else ""
    _off(goal, f"the judge's goals are {list(judge.goals or ())!r}{hint}")
    return None


def _off(goal: str, why: str) -> None:
    log.info("kalibr: goal %r: its answers are not judged: %s", goal, why)


def _alike(goal: str, goals: Sequence[str]) -> str | None:
    """The goal that may have been meant."""
    from difflib import get_close_matches  # seldom needed

    plain = {one.casefold(): one for one in goals}
    found = get_close_matches(goal.casefold(), plain, n=1, cutoff=0.75)
    return plain[found[0]] if found else None
