"""One run: every arm analyses the same documents, one document after the other."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from kalibr_bench.resilience.arms import ARMS, Agent, Wiring, seed_of
from kalibr_bench.resilience.documents import documents
from kalibr_bench.resilience.records import Execution, RunResult, Settings
from kalibr_bench.resilience.scenario import RATE, SEEDS_PER_RUN


class Upstream(Protocol):
    """A provider that can be told to degrade a model; the loopback provider is one."""

    @property
    def base_url(self) -> str: ...

    def degrade(self, model: str, *, rate: float, when: tuple[int, int] | None) -> None: ...

    def restore(self, model: str) -> None: ...


class Run:
    """One run of all arms against one provider.

    Args:
        settings: What is to be run.
        seed: Of documents, answers, failures, and each arm's own chance.
        upstream: The provider; one run at a time.
        together: Let all arms analyse a document at the same time: with slow models.
    """

    def __init__(
        self, settings: Settings, seed: int, upstream: Upstream, *, together: bool = False
    ) -> None:
        self.result = RunResult(seed=seed)
        self._settings = settings
        self._upstream = upstream
        self._together = together
        self._number = 0
        self._id = secrets.token_hex(4)  # a key that was used before would draw anew

    def rows(self) -> Generator[dict[str, Execution], None, None]:
        """Analyse document after document; yields each one's executions by arm.

        An interrupt in the middle of a document leaves `result` with whole ones only.
        """
        scenario, first = self._settings.scenario, self.result.seed * SEEDS_PER_RUN
        start, stop = scenario.window
        self._upstream.degrade(scenario.model, rate=RATE, when=(first + start, first + stop))
        agents: dict[str, Agent] = {}
        with ThreadPoolExecutor(max(len(self._settings.arms), 1)) as pool:
            try:
                for name in self._settings.arms:
                    agents[name] = ARMS[name].make(self._wiring(name))
                for number, document in enumerate(documents(self.result.seed, scenario.length)):
                    self._number = number
                    row = self._row(agents, document, first + number, pool)
                    self.result.add(row)
                    yield row
            finally:
                for agent in agents.values():
                    agent.close()
                self._upstream.restore(scenario.model)

    def _row(
        self, agents: dict[str, Agent], document: str, seed: int, pool: ThreadPoolExecutor
    ) -> dict[str, Execution]:
        def one(agent: Agent) -> Execution:
            return agent.analyse(document, seed=seed)

        over: Callable[..., Iterator[Execution]] = pool.map if self._together else map
        return dict(zip(agents, over(one, agents.values()), strict=True))

    def _wiring(self, name: str) -> Wiring:
        return Wiring(
            base_url=self._upstream.base_url,
            token=f"{name}-{self._id}",
            seed=seed_of("router", self.result.seed),
            rates=lambda: self._settings.scenario.rates(self._number),
        )
