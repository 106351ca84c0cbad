"""The agents that are compared. Each asks by the real `openai` client, with a key of its own."""

from __future__ import annotations

import hashlib
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Protocol

from kalibr_bench.resilience.oracle import OraclePolicy
from kalibr_bench.resilience.records import Call, Execution
from kalibr_bench.resilience.scenario import MODELS
from kalibr_bench.resilience.task import MAX_TOKENS, is_valid, messages_for
from kalibr_core import BadResponse, Decision, KalibrError, Path, Policy, Router
from kalibr_core.answers import read_completion
from kalibr_core.bandit import UniformPolicy
from kalibr_core.prices import cost_usd, price_of

GOAL = "document_analysis"
PRICES = {model: price_of(Path(model=model)) for model in MODELS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wiring:
    """Where an arm asks, and what makes it reproducible.

    Attributes:
        base_url: The provider.
        token: The arm's API key, which is its own: by it the provider counts its retries.
        seed: Seed of the arm's own chance.
        rates: The truth, for the oracle alone.
    """

    base_url: str
    token: str
    seed: int
    rates: Callable[[], Mapping[str, float]]


class Agent(Protocol):
    """Analyses documents."""

    def analyse(self, document: str, *, seed: int) -> Execution:
        """One document; `seed` goes with the request, so that all agents meet the same luck."""
        ...

    def close(self) -> None: ...


class Chain:
    """Asks models in a fixed order until one gives a valid answer; remembers nothing.

    With a single model it is the hard-coded agent.
    """

    def __init__(self, models: Sequence[str], wiring: Wiring) -> None:
        import openai

        self._models = tuple(models)
        self._client = openai.OpenAI(
            base_url=wiring.base_url, api_key=wiring.token, max_retries=0, timeout=120.0
        )

    def analyse(self, document: str, *, seed: int) -> Execution:
        started = time.perf_counter()
        calls: list[Call] = []
        for model in self._models:
            calls.append(self._call(model, document, seed))
            if calls[-1].valid:
                break
        latency_s = time.perf_counter() - started
        return Execution(calls=tuple(calls), valid=calls[-1].valid, latency_s=latency_s)

    def _call(self, model: str, document: str, seed: int) -> Call:
        import openai

        messages: Any = messages_for(document)
        try:
            answer = self._client.chat.completions.create(
                model=model, messages=messages, seed=seed, max_tokens=MAX_TOKENS
            )
            output = read_completion(answer)
        except (openai.OpenAIError, BadResponse) as error:
            return Call(path=model, valid=False, cost_usd=_cost_of_error(error))
        price = cost_usd(PRICES[model], output.usage)
        return Call(path=model, valid=is_valid(output.text), cost_usd=price)

    def close(self) -> None:
        self._client.close()


def _cost_of_error(error: Exception) -> float | None:
    """A provider that refused to answer does not bill; one that was cut off may."""
    return 0.0 if getattr(error, "status_code", None) is not None else None


class Routed:
    """Asks by a Router.

    Args:
        policy: In place of the Router's own.
        max_attempts: 1: no healing, routing alone.
    """

    def __init__(
        self, wiring: Wiring, *, policy: Policy | None = None, max_attempts: int | None = None
    ) -> None:
        more: dict[str, Any] = {} if max_attempts is None else {"max_attempts": max_attempts}
        self.router = Router(
            GOAL,
            paths=list(MODELS),
            success_when=is_valid,
            policy=policy,
            ledger="memory",
            base_url=wiring.base_url,
            api_key=wiring.token,
            seed=wiring.seed,
            **more,
        )

    def analyse(self, document: str, *, seed: int) -> Execution:
        started = time.perf_counter()
        decision: Decision | None
        text: str | None = None
        try:
            answer = self.router.completion(
                messages_for(document), seed=seed, max_tokens=MAX_TOKENS
            )
            decision = answer.kalibr  # type: ignore[attr-defined]  # the Router hangs it on
            text = answer.choices[0].message.content
        except KalibrError as error:
            decision = getattr(error, "kalibr", None)
        latency_s = time.perf_counter() - started
        return Execution(calls=_calls(decision), valid=is_valid(text), latency_s=latency_s)

    def close(self) -> None:
        self.router.close()


def _calls(decision: Decision | None) -> tuple[Call, ...]:
    outcomes = decision.outcomes if decision else ()
    return tuple(Call(path=o.path_id, valid=o.reward == 1.0, cost_usd=o.cost_usd) for o in outcomes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """One of the compared agents.

    Attributes:
        title: As the tables show it.
        about: One line.
        make: Makes the agent for one run.
    """

    title: str
    about: str
    make: Callable[[Wiring], Agent]


ARMS: Mapping[str, Arm] = MappingProxyType(
    {
        "hard-coded": Arm(
            title="hard-coded",
            about="always gpt-4o, no retry",
            make=lambda wiring: Chain(["gpt-4o"], wiring),
        ),
        "kalibr": Arm(title="Kalibr", about="Router with its defaults", make=Routed),
        "no-healing": Arm(
            title="no healing",
            about="Kalibr with one attempt per call: the routing alone",
            make=lambda wiring: Routed(wiring, max_attempts=1),
        ),
        "chain": Arm(
            title="chain",
            about="gpt-4o, then gpt-4o-mini, then gpt-3.5-turbo; no memory",
            make=lambda wiring: Chain(list(MODELS), wiring),
        ),
        "uniform": Arm(
            title="uniform",
            about="a path at random, with Kalibr's healing",
            make=lambda wiring: Routed(
                wiring, policy=UniformPolicy(list(MODELS), random.Random(wiring.seed))
            ),
        ),
        "oracle": Arm(
            title="oracle",
            about="knows the true rates, with Kalibr's healing",
            make=lambda wiring: Routed(wiring, policy=OraclePolicy(wiring.rates)),
        ),
    }
)


def seed_of(*parts: object) -> int:
    """A seed that is the same in every process and on every machine."""
    text = "\x1f".join(map(str, parts))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=6).digest(), "big")
