"""A decision's entries in the record -> why this path, against what, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .bandit import propensity
from .booking import basis_from
from .paths import is_number
from .types import JSON, Basis, Entry, Pull

RULES = {
    "leader": "its success came out best in a draw from what is believed of each path",
    "cheaper": "it is cheaper than the best one, and the evidence does not say that it is worse "
    "by more than the saving is worth",
    "probe": "it had not been tried for a while, and finding out whether it has become better "
    "was worth a call",
    "conversation": "the conversation's previous turn was answered there, and a switch would have "
    "cost more than it was worth",
    "only": "it was the only path that could be tried",
    "retry_after": "it had asked to be called again after a short wait",
    "retry": "it had failed at once, and the caller wants it asked again first",
    "fallback": "the policy could not choose, so the first path was taken",
}

ESTIMATED = ("leader", "cheaper", "probe", "conversation")
"""Rules whose propensity is worked out from the basis."""
PRIOR_COUNT = 4.0
"""Of the first run's prior, Beta(3, 1)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmView:
    """A path as it was known when the choice was made."""

    path_id: str
    success: float
    """Posterior mean of its success, in [0, 1]."""
    evidence: float
    """As much is known as about so many outcomes tell, scores and users included; 0: only the
    prior."""
    cost_usd: float | None
    down: bool
    """True: it was taken for failing, and only probed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Why a call went where it went. `str()` of it is meant to be read."""

    decision_id: str
    goal: str
    at: float
    """Seconds since the epoch."""
    chosen: str
    """The path of the first attempt."""
    rule: str
    why: str
    propensity: float | None
    """Probability with which `chosen` was chosen; exact, or estimated from `arms`."""
    arms: tuple[ArmView, ...]
    attempts: tuple[str, ...]
    """One line for each, in order."""
    later: tuple[str, ...]
    """Reports and scores."""

    def __str__(self) -> str:
        share = "" if self.propensity is None else f", with probability {self.propensity:.2f}"
        lines = [
            f"decision {self.decision_id} of goal {self.goal!r}",
            f"chose {self.chosen}{share}: {self.why}",
        ]
        lines += [f"  {_arm_line(arm)}" for arm in self.arms]
        lines += ["attempts:", *(f"  {line}" for line in self.attempts)]
        if self.later:
            lines += ["later:", *(f"  {line}" for line in self.later)]
        return "\n".join(lines)


def explain_entries(entries: Sequence[Entry]) -> Explanation:
    """Read a decision's entries, at least one."""
    attempts = [entry for entry in entries if entry.kind == "attempt"]
    first = (attempts or list(entries))[0]
    basis = basis_from(first.data.get("basis"))
    chosen = str(first.data.get("chosen", first.path_id))
    rule = str(first.data.get("rule", "unknown"))
    return Explanation(
        decision_id=first.decision_id,
        goal=first.goal,
        at=first.at,
        chosen=chosen,
        rule=rule,
        why=RULES.get(rule, f"its policy's rule is {rule!r}"),
        propensity=propensity_of(first, basis),
        arms=tuple(map(_view, basis)),
        attempts=tuple(map(_attempt_line, attempts)),
        later=tuple(_later_line(entry) for entry in entries if entry.kind != "attempt"),
    )


def propensity_of(first: Entry, basis: tuple[Basis, ...]) -> float | None:
    """The recorded propensity, else the one that the basis gives; None: it cannot be told."""
    data = first.data
    recorded, rule = data.get("propensity"), str(data.get("rule"))
    if not is_number(recorded) and (rule not in ESTIMATED or _is_of_another_rule(data)):
        return None
    due, previous = data.get("due"), data.get("previous")
    pull = Pull(
        arm=str(data.get("chosen", first.path_id)),
        rule=rule,
        propensity=float(recorded) if is_number(recorded) else None,
        basis=basis,
        due=due if isinstance(due, str) else None,
        previous=previous if isinstance(previous, str) else None,
    )
    try:
        return propensity(pull)
    except (ValueError, ArithmeticError):
        return None


def _is_of_another_rule(data: Mapping[str, JSON]) -> bool:
    """Decisions of earlier versions hold no doubt, and were made by another rule 4."""
    basis = data.get("basis")
    return isinstance(basis, list) and any(isinstance(b, list) and len(b) < 5 for b in basis)


def _view(basis: Basis) -> ArmView:
    total = sum(weight for weight, _, _ in basis.runs) or 1.0
    return ArmView(
        path_id=basis.arm,
        success=sum(w * a / (a + b) for w, a, b in basis.runs) / total,
        evidence=max(0.0, sum(w * (a + b) for w, a, b in basis.runs) / total - PRIOR_COUNT),
        cost_usd=basis.cost_usd,
        down=basis.down,
    )


def _arm_line(arm: ArmView) -> str:
    cost = "unknown cost" if arm.cost_usd is None else f"about {arm.cost_usd:.2g} USD a call"
    state = ", taken for failing" if arm.down else ""
    tell = "outcome tells" if round(arm.evidence) == 1 else "outcomes tell"
    much = f"as much as about {arm.evidence:.0f} {tell}"
    known = much if arm.evidence >= 0.5 else "not tried yet"
    return f"{arm.path_id}: success {arm.success:.3f} ({known}), {cost}{state}"


def _attempt_line(entry: Entry) -> str:
    data = entry.data
    number = entry.id.rpartition(":")[2]
    return f"{number}. {entry.path_id}: {_became(entry)}, {_figures(data)}"


def _became(entry: Entry) -> str:
    data = entry.data
    if data.get("abandoned"):
        return "the caller left before the end"
    if (failure := data.get("failure")) is not None:
        reason = f" ({data['reason']})" if data.get("reason") else ""
        status = f" {data['status']}" if data.get("status") else ""
        return f"failed: {failure}{status}{reason}"
    return "passed gate 1" if entry.reward is not None else "answered, not judged"


def _figures(data: Mapping[str, JSON]) -> str:
    cost, latency = data.get("cost_usd"), data.get("latency_s")
    parts = []
    if is_number(latency):
        parts.append(f"{latency:.3f} s")
    parts.append(f"{cost:.2g} USD" if is_number(cost) else "cost unknown")
    return ", ".join(parts)


def _number(value: object) -> str:
    return f"{value:.3g}" if is_number(value) else str(value)


def _later_line(entry: Entry) -> str:
    reason = f": {entry.data['reason']}" if entry.data.get("reason") else ""
    if entry.kind == "report":
        return f"reported as a {'success' if entry.reward else 'failure'}{reason}"
    if entry.kind == "action":
        return f"{entry.data.get('action')} by the user ({entry.reward})"
    if entry.kind == "replaced":
        return f"{entry.data.get('action')} counts no more: the user has done something else"
    if entry.kind == "momentum":
        way = "converged" if (entry.reward or 0.0) > 0.5 else "diverged"
        return f"the conversation {way} ({entry.reward})"
    if entry.kind == "judge":
        return f"judged {_number(entry.reward)} by {entry.data.get('judge')}"
    return f"{entry.kind} {_number(entry.reward)}{reason}"
