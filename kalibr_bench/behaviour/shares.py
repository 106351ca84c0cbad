"""Two paths of one price, and users who like the answers of the second more: where do calls go?"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kalibr_bench.users import UserSession, sessions
from kalibr_core import AllPathsFailed, Output, Path, Request, Router, Usage

OTHER, LIKED = "other", "liked"
POOL = 3_000
"""Sessions that a run draws from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Of each path: how often users are content with it, and how often it passes gate 1."""

    name: str
    content: Mapping[str, float]
    passes: Mapping[str, float]


CASES = (
    Case(
        name="liked more, gate 1 equal",
        content={OTHER: 0.5, LIKED: 0.9},
        passes={OTHER: 0.95, LIKED: 0.95},
    ),
    Case(
        name="liked alike, gate 1 equal",
        content={OTHER: 0.7, LIKED: 0.7},
        passes={OTHER: 0.95, LIKED: 0.95},
    ),
    Case(
        name="liked more, gate 1 against it",
        content={OTHER: 0.5, LIKED: 0.9},
        passes={OTHER: 0.95, LIKED: 0.75},
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """The liked path's share of the calls, in [0, 1], by fifths of a run; the mean over runs."""

    case: Case
    fifths: tuple[float, ...]


def shares(case: Case, *, calls: int, seeds: Sequence[int]) -> Shares:
    """Route conversations whose users say what they think, by the four reports alone.

    Args:
        calls: of each run, a session each; at least 5.
    """
    runs = [_run(case, calls, seed) for seed in seeds]
    return Shares(
        case=case, fifths=tuple(sum(column) / len(runs) for column in zip(*runs, strict=True))
    )


def _run(case: Case, calls: int, seed: int) -> list[float]:
    rng = random.Random(seed)
    pool = _pool(seed)
    paths = [
        Path(
            model=name,
            name=name,
            base_url="http://127.0.0.1:9",
            input_usd_per_mtok=1.0,
            output_usd_per_mtok=1.0,
        )
        for name in (OTHER, LIKED)
    ]
    first: list[str] = []
    with Router("chat", paths=paths, judge=None, ledger="memory", api_key="-", seed=seed) as router:
        for number in range(calls):
            path_id = _session(router, case, pool, rng, f"s{number}")
            first.append(path_id)
    fifth = calls // 5
    return [first[at * fifth : (at + 1) * fifth].count(LIKED) / fifth for at in range(5)]


def _pool(seed: int) -> dict[bool, list[UserSession]]:
    found: dict[bool, list[UserSession]] = {True: [], False: []}
    for session in sessions(POOL, seed=seed):
        if session.sign is not None and len(session.turns) > 1:
            found[session.sign > 0].append(session)
    return found


def _session(
    router: Router,
    case: Case,
    pool: Mapping[bool, Sequence[UserSession]],
    rng: random.Random,
    name: str,
) -> str:
    """One call and what its user says of it; the path that was chosen first."""

    def read(path_id: str) -> Output:
        passed = rng.random() < case.passes[path_id]
        text = "An answer that says what it should." if passed else ""
        return Output(text=text, finish_reason="stop", usage=_USAGE)

    try:
        done = router.call(Request(prompt="hi"), lambda attempt: attempt.path.id, read=read)
    except AllPathsFailed as error:
        return error.outcomes[0].path_id
    decision = done.decision
    said = rng.choice(pool[rng.random() < case.content[decision.path.id]])
    router.report_pipeline(
        name,
        prompt=said.turns[0].user_message,
        output=said.turns[0].output,
        decision_id=decision.id,
    )
    for turn in said.turns[1:]:
        router.report_user_turn(name, user_message=turn.user_message)
    router.report_session_end(name)
    return decision.outcomes[0].path_id


_USAGE = Usage(input_tokens=100, output_tokens=100)
