"""The Router behind a `KalibrLLM`, and the LLMs of its paths."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Self

from llama_index.core.base.llms.types import LLMMetadata, MessageRole
from llama_index.core.constants import DEFAULT_CONTEXT_WINDOW
from llama_index.core.llms import LLM

from kalibr_core import Router
from kalibr_core.adapter import routing
from kalibr_core.adapter.routing import Making
from kalibr_core.providers import Endpoint
from kalibr_core.types import Path

from .path_llm import PathLLM
from .paths import LLMS, LLMPathSpec

log = logging.getLogger("kalibr")


class Routing(routing.Routing[PathLLM]):
    """A Router, and one LLM for each of its paths."""

    __slots__ = ("metadata",)

    def __init__(self, router: Router, models: Mapping[str, PathLLM], *, owned: bool) -> None:
        super().__init__(router, models, owned=owned)
        self.metadata = common_metadata(list(models.values()), goal=router.goal)

    @classmethod
    def made(cls, paths: Sequence[LLMPathSpec], settings: Mapping[str, Any]) -> Self:
        """Make a Router for these paths; errors as `make`'s."""
        return cls.make(_making(), paths, settings)

    @classmethod
    def of(cls, router: object) -> Self:
        """The routing of a Router that the user has made; errors as `around`'s."""
        return cls.around(_making(), router)


@cache
def _making() -> Making[LLM, PathLLM]:
    from .named import named_llm  # slow to import

    def held(path: Path, llm: LLM, endpoint: Endpoint | None) -> PathLLM:
        return PathLLM(path, llm, is_named=endpoint is not None)

    return Making(kind=LLMS, named=named_llm, held=held)


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
