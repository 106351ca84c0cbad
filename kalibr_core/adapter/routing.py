"""A Router, and a framework's model for each of its paths."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, Self, TypeVar

from ..errors import ConfigError
from ..providers import Endpoint, endpoints_of
from ..router import Router
from ..types import Path
from .listing import Kind
from .routers import checked_router

M = TypeVar("M")


class PathModel(Protocol):
    """A path and its model, as an adapter calls it."""

    limiter: Any
    """The model's own rate limiter; None: it has none."""
    longest_limiter_wait_s: float

    @property
    def most_tokens(self) -> int | None:
        """The limit of an answer that the model has of its own."""

    def close(self) -> None:
        """Let its connections go."""


P = TypeVar("P", bound=PathModel)


@dataclass(frozen=True, slots=True, kw_only=True)
class Making(Generic[M, P]):
    """How an adapter makes what stands behind its paths.

    Args:
        kind: the framework's models, as paths.
        named: makes the model of a path that is a name.
        held: makes what calls a path; the endpoint is None where the model is the user's own.
        declared: a path with what is known of its model beside what the user said.
    """

    kind: Kind[M]
    named: Callable[[Path, Endpoint], M]
    held: Callable[[Path, M, Endpoint | None], P]
    declared: Callable[[Path, M], Path] = lambda path, model: path

    def of_router(self, router: Router, given: Mapping[str, M]) -> dict[str, P]:
        """What calls a Router's paths, by their ids.

        Raises:
            ConfigError: one of them has neither a server nor a model.
        """
        found: dict[str, P] = {}
        for path in router.paths:
            endpoint, model = router.endpoints.get(path.id), given.get(path.id)
            if model is None and endpoint is not None:
                model = self.named(path, endpoint)
            if model is None:
                raise ConfigError(
                    f"path {path.id!r} has no server, and {self.kind.word} is not given"
                )
            found[path.id] = self.held(path, model, endpoint)
        return found


class Routing(Generic[P]):
    """A Router, and what calls each of its paths.

    Where one of them has no rate limiter of its own, the others' are waited for no longer than a
    `Retry-After` is.
    """

    __slots__ = ("__weakref__", "held", "models", "most_tokens", "owned", "router")

    def __init__(self, router: Router, models: Mapping[str, P], *, owned: bool) -> None:
        self.router = router
        self.models = models
        if any(model.limiter is None for model in models.values()):
            for model in models.values():
                model.longest_limiter_wait_s = router.limits.max_wait_s
        limits = {model.most_tokens for model in models.values()}
        self.most_tokens = limits.pop() if len(limits) == 1 else None
        """The limit of an answer that all the paths' own models have."""
        self.held: object = None
        """What it was made of, and is told from others by."""
        self.owned = owned
        """Was the Router made here, to be closed here?"""

    @classmethod
    def make(
        cls, making: Making[Any, P], paths: Sequence[Any], settings: Mapping[str, Any]
    ) -> Self:
        """Make a Router for these paths.

        Raises:
            ConfigError: says what, which value, what to do.
        """
        listed = making.kind.listed(paths)
        servers = {name: settings.get(name) for name in ("base_url", "api_key")}
        endpoints = endpoints_of([entry.path for entry in listed], **servers)
        given = {
            entry.path.id: entry.model or making.named(entry.path, endpoints[entry.path.id])
            for entry in listed
        }
        declared = [making.declared(entry.path, given[entry.path.id]) for entry in listed]
        router = Router(paths=declared, **settings)
        made = cls(router, making.of_router(router, given), owned=True)
        made.held = (paths, settings)
        return made

    @classmethod
    def around(cls, making: Making[Any, P], router: object) -> Self:
        """The routing of a Router that the user has made.

        Raises:
            ConfigError: it is none, or one of its paths has no server.
        """
        ready = checked_router(router)
        return cls(ready, making.of_router(ready, {}), owned=False)

    def close(self) -> None:
        """Close the connections, and the Router where it was made here."""
        for model in self.models.values():
            model.close()
        if self.owned:
            self.router.close()
