"""What happens when: the models, the phases, and which model degrades."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

MODELS: Mapping[str, float] = MappingProxyType(
    {"gpt-4o": 0.99, "gpt-4o-mini": 0.97, "gpt-3.5-turbo": 0.93}
)
"""Name -> how often its answer is valid while nothing is injected."""
RATE = 0.7
"""How often a degraded model's good answer is spoilt."""
SEEDS_PER_RUN = 10_000
"""Run s sends its execution i with the request's seed s * this + i."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """A stretch of executions.

    Attributes:
        name: As the tables show it.
        length: Executions, > 0.
        degraded: Whether the scenario's model is degraded in it.
    """

    name: str
    length: int
    degraded: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A story: phases, and the model that degrades.

    Attributes:
        name: For the command line.
        story: One sentence.
        model: The degraded model.
        phases: In order; the degraded ones follow one another.
    """

    name: str
    story: str
    model: str
    phases: tuple[Phase, ...]

    @property
    def length(self) -> int:
        """Executions of one run."""
        return sum(phase.length for phase in self.phases)

    @property
    def window(self) -> tuple[int, int]:
        """Executions [start, stop) during which the model is degraded."""
        at = [number for number in range(self.length) if self.phase(number).degraded]
        return at[0], at[-1] + 1

    def phase(self, number: int) -> Phase:
        """The phase of an execution, counted from 0."""
        for phase in self.phases:
            if number < phase.length:
                return phase
            number -= phase.length
        raise IndexError(f"this scenario has only {self.length} executions")

    def rates(self, number: int) -> dict[str, float]:
        """Each model's true probability of a valid answer at an execution."""
        degraded = self.phase(number).degraded
        return {
            model: quality * (1.0 - RATE) if degraded and model == self.model else quality
            for model, quality in MODELS.items()
        }


SIZES: Mapping[str, tuple[int, int, int]] = MappingProxyType(
    {"quick": (10, 15, 10), "default": (30, 40, 30), "full": (50, 100, 50)}
)
RETURN: Mapping[str, int] = MappingProxyType({"quick": 45, "default": 130, "full": 200})
"""Further executions of the scenario `recovery`, for a return to be seen. A path that was down is
probed ever more rarely, and is trusted again after several probes; where a good one has taken its
place, all that a return can gain is the price, and it takes longer than the outage did."""

STORIES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "original": ("gpt-4o", "gpt-4o degrades: the model that the hard-coded agent relies on."),
        "preferred": (
            "gpt-4o-mini",
            "gpt-4o-mini degrades: the path that the router prefers, since it is nearly as good as "
            "gpt-4o at 6 % of its price.",
        ),
        "recovery": (
            "gpt-4o-mini",
            "gpt-4o-mini, the path that the router prefers, degrades, and comes back with the "
            "observation phase.",
        ),
    }
)


def scenario(name: str, size: str = "default") -> Scenario:
    """One of `STORIES` in one of `SIZES`.

    Raises:
        ValueError: there is no such scenario or size.
    """
    if name not in STORIES:
        raise ValueError(f"scenario must be one of {', '.join(STORIES)}, got {name!r}")
    if size not in SIZES:
        raise ValueError(f"size must be one of {', '.join(SIZES)}, got {size!r}")
    model, story = STORIES[name]
    learning, degradation, observation = SIZES[size]
    phases: tuple[Phase, ...] = (
        Phase(name="learning", length=learning, degraded=False),
        Phase(name="degradation", length=degradation, degraded=True),
        Phase(name="observation", length=observation, degraded=name != "recovery"),
    )
    if name == "recovery":
        phases = (*phases, Phase(name="return", length=RETURN[size], degraded=False))
    return Scenario(name=name, story=story, model=model, phases=phases)
