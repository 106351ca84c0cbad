"""The Router behind a `KalibrLLM`, and the LLMs of its paths."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any, Self

from llama_index.core.base.llms.types import LLMMetadata, MessageRole
from llama_index.core.constants import DEFAULT_CONTEXT_WINDOW
from llama_index.core.llms import LLM

from kalibr_core import Router
from kalibr_core.adapter.routers import checked_router
from kalibr_core.errors import ConfigError
from kalibr_core.providers import endpoints_of

from .path_llm import PathLLM
from .paths import LLMS, LLMPathSpec

log = logging.getLogger("kalibr")


class Routing:
    """A Router, and one LLM for each of its paths."""

    __slots__ = ("__weakref__", "held", "llms", "metadata", "most_tokens", "owned", "router")

    def __init__(self, router: Router, llms: Mapping[str, PathLLM], *, owned: bool) -> None:
        self.router = router
        self.llms = llms
        if any(llm.limiter is None for llm in llms.values()):
            for llm in llms.values():
                llm.longest_limiter_wait_s = router.limits.max_wait_s
        self.metadata = common_metadata(list(llms.values()), goal=router.goal)
        limits = {getattr(llm.llm, "max_tokens", None) for llm in llms.values()}
        self.most_tokens: int | None = limits.pop() if len(limits) == 1 else None
        """The limit of an answer that all the paths' own LLMs have."""
        self.held: object = None
        """What it was made of, and is told from others by."""
        self.owned = owned
        """Was the Router made here, to be closed here?"""

    @classmethod
    def made(cls, paths: Sequence[LLMPathSpec], settings: Mapping[str, Any]) -> Self:
        """Make a Router for these paths.

        Raises:
            ConfigError: says what, which value, what to do.
        """
        from .named import named_llm  # slow to import

        listed = LLMS.listed(paths)
        servers = {name: settings.get(name) for name in ("base_url", "api_key")}
        endpoints = endpoints_of([entry.path for entry in listed], **servers)
        llms = {
            entry.path.id: entry.model or named_llm(entry.path, endpoints[entry.path.id])
            for entry in listed
        }
        router = Router(paths=[entry.path for entry in listed], **settings)
        made = cls(router, _path_llms(router, llms), owned=True)
        made.held = (paths, settings)
        return made

    @classmethod
    def of(cls, router: Router) -> Self:
        """The routing of a Router that the user has made.

        Raises:
            ConfigError: it is none, or one of its paths has no server.
        """
        return cls(checked_router(router), _path_llms(router, {}), owned=False)

    def close(self) -> None:
        """Close the connections, and the Router where it was made here."""
        for llm in self.llms.values():
            llm.close()
        if self.owned:
            self.router.close()


def common_metadata(llms: Sequence[PathLLM], *, goal: str) -> LLMMetadata:
    """What can be said of all paths: the smallest window, and what any of them can do.

    Calls with tools go to paths that take them, so one suffices. LlamaIndex leaves `num_output`
    tokens of the window to the answer: the largest counts.
    """
    known = [llm.metadata for llm in llms]
    _warn_of_windows(llms)
    roles = {metadata.system_role for metadata in known}
    return LLMMetadata(
        context_window=min(_window(llm) for llm in llms),
        num_output=max(metadata.num_output for metadata in known),
        is_chat_model=any(metadata.is_chat_model for metadata in known),
        is_function_calling_model=any(llm.calls_tools for llm in llms),
        model_name=f"kalibr/{goal}",
        system_role=roles.pop() if len(roles) == 1 else MessageRole.SYSTEM,
    )


def _warn_of_windows(llms: Sequence[PathLLM]) -> None:
    """LLM classes that know no window say LlamaIndex's default, which then is everybody's."""
    largest = max(map(_window, llms))
    for llm in llms:
        window = _window(llm)
        if window <= DEFAULT_CONTEXT_WINDOW < largest:
            log.warning(
                "kalibr: path %r says that its context window is %d tokens, by which LlamaIndex "
                "packs the prompts for all paths; set context_window= on its LLM, or declare it, "
                'such as {"model": llm, "context_window": 128000}',
                llm.path.id,
                window,
            )


def _window(llm: PathLLM) -> int:
    return llm.path.context_window or llm.metadata.context_window


def _path_llms(router: Router, llms: Mapping[str, LLM]) -> dict[str, PathLLM]:
    from .named import named_llm  # slow to import

    found: dict[str, PathLLM] = {}
    for path in router.paths:
        endpoint, llm = router.endpoints.get(path.id), llms.get(path.id)
        if endpoint is not None:
            found[path.id] = PathLLM(path, llm or named_llm(path, endpoint), is_named=True)
        elif llm is not None:
            found[path.id] = PathLLM(path, llm)
        else:
            raise ConfigError(f"path {path.id!r} has no server, and no LLM is given")
    return found
