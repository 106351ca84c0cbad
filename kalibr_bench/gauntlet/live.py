"""The gauntlet on real models: which ones, and what it may cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kalibr_bench.gauntlet.many import OnRun, OnWait, run_arms
from kalibr_bench.gauntlet.problem import MAX_STEPS, PROMPT
from kalibr_bench.gauntlet.records import ROUTED, UNIFORM, Results, Settings
from kalibr_bench.provider import count_tokens
from kalibr_core import ConfigError, Path
from kalibr_core.prices import cost_usd, price_of
from kalibr_core.providers import endpoints_of
from kalibr_core.types import Usage

MODELS = ("gpt-4o-mini", "gpt-4o", "claude-sonnet-4", "deepseek-chat", "gemini-2.5-flash")
"""Asked where nothing else is said, as far as there are keys for them."""
USUAL_STEPS = 6
STEP_TOKENS = 400
"""What a step says, about: an expression, and once a whole function."""


def paths_of(names: Sequence[str]) -> list[dict[str, Any]]:
    """Real models as a Router's paths.

    Args:
        names: Models that there must be keys for; none: those of `MODELS` that there are keys for.

    Raises:
        ConfigError: a key is missing; names the variable.
    """
    found = [_path(name) for name in names or MODELS if names or _has_key(name)]
    if not found:
        raise ConfigError(f"there is no key for any of {', '.join(MODELS)}; without --live none is")
    endpoints_of([Path(**path) for path in found])
    return found


def _path(name: str) -> dict[str, Any]:
    price = price_of(Path(model=name))
    if price is None:
        return {"model": name, "name": name}
    return {
        "model": name,
        "name": name,
        "input_usd_per_mtok": price.input,
        "output_usd_per_mtok": price.output,
        "context_window": price.context_window,
    }


def _has_key(name: str) -> bool:
    try:
        endpoints_of([Path(model=name)])
    except ConfigError:
        return False
    return True


def estimate(settings: Settings, paths: Sequence[Mapping[str, Any]]) -> str:
    """The question that is asked before money is spent."""
    usual = {str(path["name"]): _usd(path, USUAL_STEPS) for path in paths}
    most = {str(path["name"]): _usd(path, MAX_STEPS) for path in paths}
    about = sum(_of_arm(arm, usual) for arm in settings.arms) * settings.runs
    at_most = sum(most.get(arm, max(most.values())) for arm in settings.arms) * settings.runs
    unknown = [name for name, usd in usual.items() if not usd]
    more = f" (not counting {', '.join(unknown)}, whose prices are not known)" if unknown else ""
    count = settings.runs * len(settings.arms)
    runs = f"{count} run{'s' * (count > 1)} on {', '.join(usual)}"
    if about == 0:
        return f"{runs}: cost unknown, there is no price for {', '.join(unknown)}. Go on?"
    return f"{runs}: about ${about:.2f}, hardly more than ${at_most:.2f}{more}. Go on?"


def _of_arm(arm: str, each: Mapping[str, float]) -> float:
    return sum(each.values()) / len(each) if arm in (ROUTED, UNIFORM) else each[arm]


def _usd(path: Mapping[str, Any], steps: int) -> float:
    """A run of so many steps, each of which sends all that was said before; 0: not known."""
    sent = sum(count_tokens(PROMPT) + 2 * STEP_TOKENS * step for step in range(steps))
    usage = Usage(input_tokens=sent, output_tokens=steps * STEP_TOKENS)
    return cost_usd(price_of(Path(**path)), usage) or 0.0


def benchmark(
    settings: Settings,
    paths: Sequence[Mapping[str, Any]],
    *,
    on_run: OnRun,
    on_wait: OnWait = lambda count: None,
) -> Results:
    """Run every arm on real models; see `many.benchmark`."""
    return run_arms(settings, paths, on_run=on_run, on_wait=on_wait, live=True)
