"""What happened, in a few sentences."""

from __future__ import annotations

from kalibr_bench.resilience.records import Results
from kalibr_bench.resilience.summary import Part, Summary, ratio


def percent(share: float | None, *, digits: int = 1) -> str:
    """A share in percent, without the sign; "-" where there is none."""
    return "-" if share is None else f"{100 * share:.{digits}f}"


def closing(results: Results, found: dict[str, Summary]) -> str:
    """What happened."""
    scenario = results.settings.scenario
    kalibr, fixed = found.get("kalibr"), found.get("hard-coded")
    degraded = any(summary.degraded.success.trials for summary in found.values())
    if not degraded:
        return f"No execution has met the degraded {scenario.model} yet."
    said = [_kalibr(kalibr, scenario.model)] if kalibr is not None else []
    if fixed is not None:
        said.append(_fixed(fixed, scenario.model))
    factor = ratio(found)
    if kalibr is not None and factor is not None:
        each = kalibr.cost_per_success_usd or 0.0
        said.append(
            f"A valid answer cost Kalibr ${each:.6f}, all attempts counted; hard-coded it cost "
            f"{factor:.1f} times as much."
        )
    said.append(_return(kalibr, scenario.model) if kalibr is not None else "")
    return " ".join(filter(None, said))


def _kalibr(kalibr: Summary, model: str) -> str:
    part = kalibr.degraded
    before, during = kalibr.parts[0].routing.get(model, 0.0), part.routing.get(model, 0.0)
    bad = part.first.trials - part.first.successes
    healed = part.success.successes - part.first.successes
    move = f"from {percent(before, digits=0)} % to {percent(during, digits=0)} %"
    if not bad:
        return f"While {model} failed, Kalibr moved its first attempts there {move}; none failed."
    return (
        f"While {model} failed, Kalibr moved its first attempts there {move}. "
        f"{bad} of its {part.first.trials} first answers were bad, {healed} of those were healed "
        f"on another path before the caller saw them, and {percent(part.success.value)} % of the "
        "calls got a valid answer."
    )


def _fixed(fixed: Summary, model: str) -> str:
    got = f"got {percent(fixed.degraded.success.value)} % valid answers in that time"
    if model == "gpt-4o":
        return f"The hard-coded agent stayed and {got}: it fails until somebody changes its code."
    return f"The hard-coded agent, on a path that stayed healthy, {got}."


def _return(kalibr: Summary, model: str) -> str:
    """Whether a path that came back was taken up again."""
    back: list[Part] = [p for p in kalibr.parts if p.name == "return" and p.success.trials]
    if not back:
        return ""
    share = percent(back[0].routing.get(model), digits=0)
    return (
        f"After {model} had come back, Kalibr tried it now and then, and in the last phase sent "
        f"{share} % of its first attempts there again."
    )
