"""What happened, in a few sentences."""

from __future__ import annotations

from kalibr_bench.resilience.records import Results
from kalibr_bench.resilience.summary import Part, Summary, ratio

HARDLY = 0.1
"""A path that gets a smaller share of the first attempts is hardly used."""


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
    if not part.first.trials:
        return ""
    return f"{_moved(kalibr, model)} {_healed(part)}"


def _moved(kalibr: Summary, model: str) -> str:
    """What became of the failing model's share of the first attempts."""
    before = kalibr.parts[0].routing.get(model, 0.0)
    during = kalibr.degraded.routing.get(model, 0.0)
    was, now = percent(before, digits=0), percent(during, digits=0)
    if before < HARDLY:
        return (
            f"Kalibr hardly used {model} before it failed: it sent it {was} % of its first "
            f"attempts before, and {now} % while it failed."
        )
    if during < before:
        return (
            f"While {model} failed, Kalibr took calls away from it: it sent it {was} % of its "
            f"first attempts before, and {now} % then."
        )
    return (
        f"While {model} failed, Kalibr did not take calls away from it: it sent it {was} % of its "
        f"first attempts before, and {now} % then."
    )


def _healed(part: Part) -> str:
    """How the bad first answers ended."""
    first, success = part.first, part.success
    bad = first.trials - first.successes
    healed = success.successes - first.successes
    if not bad:
        return f"{_of(0, first.trials)} bad."
    end = "on another path before the caller saw"
    if bad == 1:
        fate = f"it was healed {end} it" if healed else "it was not healed"
    elif healed == bad:
        fate = f"{'both' if bad == 2 else 'all'} were healed {end} them"
    elif not healed:
        fate = "none of them was healed"
    else:
        was, them = ("was", "it") if healed == 1 else ("were", "them")
        fate = f"{healed} of those {was} healed {end} {them}"
    share = percent(success.value)
    return f"{_of(bad, first.trials)} bad; {fate}. {share} % of the calls got a valid answer."


def _of(bad: int, trials: int) -> str:
    if trials == 1:
        return f"The only first answer then was{'' if bad else ' not'}"
    count = "None" if not bad else str(bad)
    return f"{count} of its {trials} first answers then {'were' if bad > 1 else 'was'}"


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
