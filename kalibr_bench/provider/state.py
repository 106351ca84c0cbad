"""All that the server remembers: faults, degradations, scripts, counts. One thread owns it."""

from __future__ import annotations

import time
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from kalibr_bench.provider.answer import Answer
from kalibr_bench.provider.conversation import Player, conversation_of
from kalibr_bench.provider.draws import Draws, key_of
from kalibr_bench.provider.fault import STREAM_FAULTS, Fault
from kalibr_bench.provider.injection import Degradation
from kalibr_bench.provider.models import DEFAULT_MODELS, Model, catalogue
from kalibr_bench.provider.problem import no_model
from kalibr_bench.provider.request import ChatRequest
from kalibr_bench.provider.stats import Received, Stats, Tally, summed

REMEMBERED_PROMPTS = 500_000
Responder = Callable[[Mapping[str, Any]], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """How a provider is set up; see ``LoopbackProvider``."""

    models: tuple[Model, ...] = DEFAULT_MODELS
    seed: int = 0
    latency_scale: float = 0.0
    port: int = 0
    control_token: str = ""
    keep_requests: int = 1000


@dataclass(slots=True, kw_only=True)
class _Armed:
    """A fault that waits for its requests."""

    number: int
    fault: Fault
    model: str | None
    token: str | None
    hits: int = 0


@dataclass(slots=True, kw_only=True)
class _Script:
    """Answers that wait for their requests."""

    model: str
    token: str | None
    answers: deque[Answer] = field(default_factory=deque)


class State:
    """The provider's memory; every method is quick and does no I/O."""

    def __init__(
        self,
        config: Config,
        *,
        responder: Responder | None = None,
        players: Mapping[str, Player] | None = None,
    ) -> None:
        self.config = config
        self.responder = responder
        self.catalogue = catalogue(config.models)
        self.players = {self._canonical(name): play for name, play in (players or {}).items()}
        self.reset()

    def reset(self) -> None:
        """Forget everything but the models and the seed."""
        self._armed: list[_Armed] = []
        self._numbered = 0
        self._degradations: list[Degradation] = []
        self._scripts: list[_Script] = []
        self._seen: OrderedDict[bytes, int] = OrderedDict()
        self._tallies: defaultdict[tuple[str, str], Tally] = defaultdict(Tally)
        self._received: deque[Received] = deque(maxlen=self.config.keep_requests)

    def model(self, name: str) -> Model:
        """The model that answers to a name or alias; a 404 Problem if there is none."""
        found = self.catalogue.get(name)
        if found is None:
            raise no_model(name)
        return found

    def _canonical(self, name: str) -> str:
        if name not in self.catalogue:
            known = ", ".join(model.name for model in self.config.models)
            raise ValueError(f"unknown model {name!r}; served: {known}")
        return self.catalogue[name].name

    # -- control ------------------------------------------------------------------------------

    def degrade(self, rule: Degradation) -> None:
        """Add a rule; of those that fit a request, the one added last holds."""
        self._canonical(rule.model)
        self._degradations.append(rule)

    def restore(self, model: str, token: str | None) -> None:
        """Drop a model's rules: all of them, or those of one token."""
        name = self._canonical(model)
        self._degradations = [
            rule
            for rule in self._degradations
            if self._canonical(rule.model) != name or token not in (None, rule.token)
        ]

    def fault(self, model: str | None, fault: Fault, token: str | None) -> None:
        """Arm a fault; those that fit a request are tried in the order in which they were armed."""
        name = None if model is None else self._canonical(model)
        self._armed.append(_Armed(number=self._numbered, fault=fault, model=name, token=token))
        self._numbered += 1

    def clear_faults(self, model: str | None, token: str | None) -> None:
        """Disarm faults: all of them, or those of one model or token."""
        name = None if model is None else self._canonical(model)
        self._armed = [
            armed
            for armed in self._armed
            if name not in (None, armed.model) or token not in (None, armed.token)
        ]

    def script(self, model: str, answers: list[Answer], token: str | None) -> None:
        """Queue exact answers behind those that wait already."""
        name = self._canonical(model)
        self._scripts.append(_Script(model=name, token=token, answers=deque(answers)))

    def stats(self, token: str | None, *, open_connections: int) -> Stats:
        """Counts of everybody or of one token."""
        of_model: defaultdict[str, list[Tally]] = defaultdict(list)
        for (owner, model), tally in self._tallies.items():
            if token in (None, owner):
                of_model[model].append(tally)
        models = {model: summed(tallies) for model, tallies in of_model.items()}
        return Stats(
            models=models,
            open_connections=open_connections,
            closed_early=sum(counts.closed_early for counts in models.values()),
            cpu_s=time.thread_time(),
        )

    def received(self, model: str | None, token: str | None) -> list[Received]:
        """The last requests, oldest first."""
        return [r for r in self._received if model in (None, r.model) and token in (None, r.token)]

    # -- serving ------------------------------------------------------------------------------

    def tally(self, token: str, model: str) -> Tally:
        """The counts of one token and model, to add to."""
        return self._tallies[token, model]

    def note(self, received: Received) -> None:
        """Remember a request, and forget the oldest beyond ``keep_requests``."""
        self._received.append(received)

    def turn(self, chat: ChatRequest, model: Model, token: str) -> tuple[Draws, int]:
        """The chance of this request, and how often the token had sent it before."""
        asked = f"{chat.seed}\x1f{model.name}\x1f{chat.prompt_digest.hex()}"
        owned = key_of(token, asked)[:12]
        n = self._seen.pop(owned, -1) + 1
        self._seen[owned] = n
        if len(self._seen) > REMEMBERED_PROMPTS:
            self._seen.popitem(last=False)
        return Draws(key=key_of(self.config.seed, asked, n)), n

    def take_fault(self, chat: ChatRequest, model: Model, token: str, draws: Draws) -> Fault | None:
        """The fault that hits this request; one that has had its ``times`` is dropped."""
        for armed in self._armed:
            if self._hits(armed, chat, model, token, draws):
                armed.hits += 1
                if armed.fault.times is not None and armed.hits >= armed.fault.times:
                    self._armed.remove(armed)
                return armed.fault
        return None

    def _hits(
        self, armed: _Armed, chat: ChatRequest, model: Model, token: str, draws: Draws
    ) -> bool:
        fault = armed.fault
        fits = armed.model in (None, model.name) and armed.token in (None, token)
        if not fits or (fault.kind in STREAM_FAULTS and not chat.stream):
            return False
        if fault.when is not None and not fault.when[0] <= chat.seed < fault.when[1]:
            return False
        return fault.rate >= 1.0 or draws.uniform(f"fault {armed.number}") < fault.rate

    def play(self, chat: ChatRequest, model: Model) -> Any:
        """What the model's player says, else the responder; None: the model's own answer."""
        player = self.players.get(model.name)
        said = player(conversation_of(chat, model, seed=self.config.seed)) if player else None
        if said is None and self.responder is not None:
            said = self.responder(chat.body)
        return said

    def take_script(self, model: Model, token: str) -> Answer | None:
        """The next scripted answer for this model and token."""
        for script in self._scripts:
            if script.model == model.name and script.token in (None, token) and script.answers:
                answer = script.answers.popleft()
                if not script.answers:
                    self._scripts.remove(script)
                return answer
        return None

    def degradation(self, chat: ChatRequest, model: Model, token: str) -> Degradation | None:
        """The rule that holds for this request."""
        for rule in reversed(self._degradations):
            timely = rule.when is None or rule.when[0] <= chat.seed < rule.when[1]
            if self._canonical(rule.model) == model.name and rule.token in (None, token) and timely:
                return rule
        return None
