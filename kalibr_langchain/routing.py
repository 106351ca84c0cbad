"""The Router behind a `ChatKalibr`, and the chat models of its paths."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any, Self

from langchain_core.language_models import BaseChatModel

from kalibr_core import Router
from kalibr_core.adapter import routing
from kalibr_core.adapter.routing import Making
from kalibr_core.providers import Endpoint
from kalibr_core.types import Path

from .chat import Chat
from .paths import CHAT_MODELS, ChatPathSpec, capabilities


class Routing(routing.Routing[Chat]):
    """A Router, and one chat model for each of its paths."""

    __slots__ = ("identity",)

    def __init__(self, router: Router, models: Mapping[str, Chat], *, owned: bool) -> None:
        super().__init__(router, models, owned=owned)
        self.identity = {"goal": router.goal, "paths": [path.id for path in router.paths]}
        """What tells this model from another, for tracing and caches."""

    @classmethod
    def made(cls, paths: Sequence[ChatPathSpec], settings: Mapping[str, Any]) -> Self:
        """Make a Router for these paths; errors as `make`'s."""
        return cls.make(_making(), paths, settings)

    @classmethod
    def of(cls, router: object) -> Self:
        """The routing of a Router that the user has made; errors as `around`'s."""
        return cls.around(_making(), router)


@cache
def _making() -> Making[BaseChatModel, Chat]:
    from .named import default_method, named_model  # slow to import

    def held(path: Path, model: BaseChatModel, endpoint: Endpoint | None) -> Chat:
        return Chat(path, model, is_named=endpoint is not None, method=default_method(endpoint))

    return Making(kind=CHAT_MODELS, named=named_model, held=held, declared=_declared)


def _declared(path: Path, model: BaseChatModel) -> Path:
    """A path with what LangChain's profile says of its model, where the user says nothing."""
    unsaid = {n: value for n, value in capabilities(model).items() if getattr(path, n) is None}
    return replace(path, **unsaid) if unsaid else path
