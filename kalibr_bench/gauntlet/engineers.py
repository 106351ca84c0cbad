"""Six engineers of set skill, whom the loopback provider plays turn by turn.

None of them is better for being dearer, so that a choice by price finds no good one but by luck.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from kalibr_bench.gauntlet import submissions
from kalibr_bench.provider import Answer, Conversation, Model, Player, ToolCall

Write = Callable[[], str]

BY_EYE = "[x for x in ['5.4', ' NaN', None, 'bad'] if isinstance(x, str)]"
NAN = "float(' NaN') == float(' NaN')"
FLAT = "statistics.pstdev([9.0] * 6)"
MASKED = "(1000 - statistics.fmean([10, 10, 10, 1000])) / statistics.pstdev([10, 10, 10, 1000])"
ROBUST = "statistics.median([abs(x - 10.25) for x in [10.0, 10.1, 10.2, 10.3, 1000.0]])"
MISTYPED = "math.isfinite(float('nan')"
MEANT = "math.isfinite(float('nan'))"
ALSO_MINE = "sorted([(3, 'a'), (1, 'b'), (2, 'c')])"


@dataclass(frozen=True, slots=True, kw_only=True)
class Engineer:
    """A played model.

    Attributes:
        about: What is wrong with its work.
        model: Its name, price and speed.
        probes: What it evaluates before it submits, one after another.
        usual: Writes its usual submission.
        other: Writes what it submits otherwise.
        skill: Probability in [0, 1] that a run ends with `other`.
    """

    about: str
    model: Model
    probes: tuple[str, ...]
    usual: Write
    other: Write
    skill: float = 0.0

    def __call__(self, conversation: Conversation) -> Answer | None:
        """Play the next turn; without the task's tools there is nothing to play."""
        if not conversation.offers("submit_code"):
            return None
        errors = ["error (" in result for result in conversation.results]
        if errors and errors[-1]:
            return _call("python_expression", expression=MEANT)  # it reads what it is told
        at = conversation.turn - sum(errors)
        if at < len(self.probes):
            return _call("python_expression", expression=self.probes[at])
        lucky = conversation.luck.uniform("skill") < self.skill
        return _call("submit_code", code=(self.other if lucky else self.usual)())


def _call(tool: str, **arguments: str) -> Answer:
    return Answer(text=None, tool_calls=(ToolCall(name=tool, arguments=json.dumps(arguments)),))


def _model(name: str, usd: tuple[float, float], *, latency_s: float, tokens_per_s: float) -> Model:
    return Model(
        name=name,
        quality=1.0,
        latency_s=latency_s,
        tokens_per_s=tokens_per_s,
        input_usd_per_mtok=usd[0],
        output_usd_per_mtok=usd[1],
    )


ENGINEERS: Mapping[str, Engineer] = MappingProxyType(
    {
        engineer.model.name: engineer
        for engineer in (
            Engineer(
                about="mends tier 1 and nothing else",
                model=_model("tier-one", (0.10, 0.40), latency_s=0.3, tokens_per_s=200.0),
                probes=(NAN, BY_EYE),
                usual=submissions.tier_one,
                other=submissions.tier_one,
            ),
            Engineer(
                about="takes minorities for spikes",
                model=_model("over-trimmer", (0.25, 1.00), latency_s=0.4, tokens_per_s=180.0),
                probes=(NAN, FLAT, MASKED),
                usual=submissions.over_trimmer,
                other=submissions.over_trimmer,
            ),
            Engineer(
                about="lets the buffer grow",
                model=_model("unbounded", (0.50, 2.00), latency_s=0.4, tokens_per_s=150.0),
                probes=(MISTYPED, FLAT, ROBUST),
                usual=submissions.unbounded,
                other=submissions.unbounded,
            ),
            Engineer(
                about="mends everything, 19 times of 20",
                model=_model("complete", (1.00, 4.00), latency_s=0.5, tokens_per_s=120.0),
                probes=(NAN, FLAT, MASKED, ROBUST),
                usual=submissions.unbounded,
                other=submissions.complete,
                skill=0.95,
            ),
            Engineer(
                about="answers the inputs that it knows",
                model=_model("cheat", (1.50, 6.00), latency_s=0.4, tokens_per_s=150.0),
                probes=(ALSO_MINE,),
                usual=submissions.cheat,
                other=submissions.cheat,
            ),
            Engineer(
                about="leaves the guardrails out, 9 times of 10",
                model=_model("no-guardrails", (3.00, 15.00), latency_s=0.7, tokens_per_s=80.0),
                probes=(NAN, FLAT, MISTYPED, ROBUST),
                usual=submissions.no_guardrails,
                other=submissions.complete,
                skill=0.1,
            ),
        )
    }
)
"""By name, from the cheapest to the dearest."""


def players() -> dict[str, Player]:
    """What plays each model, for the loopback provider."""
    return dict(ENGINEERS)


def models() -> list[Model]:
    """What the loopback provider serves."""
    return [engineer.model for engineer in ENGINEERS.values()]


def paths(base_url: str) -> list[dict[str, Any]]:
    """The engineers as a Router's paths."""
    return [
        {
            "model": model.name,
            "name": model.name,
            "base_url": base_url,
            "api_key": "loopback",
            "input_usd_per_mtok": model.input_usd_per_mtok,
            "output_usd_per_mtok": model.output_usd_per_mtok,
            "context_window": model.context_window,
        }
        for model in models()
    ]
