"""What users list as paths -> core `Path`s, and the LLMs that call them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias
from urllib.parse import urlsplit

from llama_index.core.base.llms.types import LLMMetadata
from llama_index.core.llms import LLM
from llama_index.core.llms.function_calling import FunctionCallingLLM
from llama_index.core.llms.structured_llm import StructuredLLM

from kalibr_core.adapter.listing import Kind
from kalibr_core.errors import ConfigError
from kalibr_core.paths import PathSpec, check_base_url
from kalibr_core.providers import ADAPTER, PROVIDERS
from kalibr_core.types import JSON, Path

LLMPathSpec: TypeAlias = "PathSpec | LLM"
"""A model's name, a dict of `Path`'s fields whose `model` may be an LLM, a `Path`, or an LLM."""

TELLING = ("temperature", "max_tokens", "reasoning_effort", "top_p", "top_k", "seed")
"""Settings that tell two LLMs of one model apart."""


def path_of(llm: LLM, declared: Mapping[str, Any]) -> Path:
    """An LLM as a path; what is declared of it wins over its metadata.

    Raises:
        ConfigError: it tells no metadata.
    """
    if isinstance(llm, StructuredLLM):
        raise ConfigError("a StructuredLLM is no path; as_structured_llm goes on KalibrLLM itself")
    metadata = metadata_of(llm)
    said: dict[str, Any] = {
        "tools": calls_tools(llm, metadata),
        "context_window": metadata.context_window if metadata.context_window > 0 else None,
        **declared,
        "model": model_name(llm, metadata),
    }
    if said.get("name") is None and (server := _server(llm)):
        said.setdefault("base_url", server)
    return Path(params=_params(llm), provider=ADAPTER, **said)


def metadata_of(llm: LLM) -> LLMMetadata:
    """What an LLM says of itself.

    Raises:
        ConfigError: it says nothing: LlamaIndex's OpenAI LLM knows OpenAI's models only.
    """
    try:
        return llm.metadata
    except Exception as error:
        raise ConfigError(
            f"{type(llm).__name__} tells no metadata of its model: {error} Give the model's name "
            "as a path, or use an LLM class that knows it, such as OpenAILike"
        ) from error


def model_name(llm: LLM, metadata: LLMMetadata) -> str:
    """The model's name; else its class's."""
    for name in (getattr(llm, "model", None), metadata.model_name):
        if isinstance(name, str) and name.strip() and name != "unknown":
            return name
    return llm.class_name() or type(llm).__name__


def calls_tools(llm: LLM, metadata: LLMMetadata) -> bool:
    """Can it be given tools?"""
    return isinstance(llm, FunctionCallingLLM) and metadata.is_function_calling_model


def _params(llm: LLM) -> dict[str, JSON]:
    said = {name: getattr(llm, name, None) for name in TELLING}
    return {
        name: value
        for name, value in said.items()
        if isinstance(value, str | int | float | bool) and len(str(value)) <= 40
    }


def _server(llm: LLM) -> str | None:
    """The server of an OpenAI-compatible LLM that is not a known provider's own."""
    url = getattr(llm, "api_base", None)
    try:
        check_base_url(url)
    except ConfigError:
        return None
    host = urlsplit(PROVIDERS["openai"].base_url).hostname
    return url if isinstance(url, str) and urlsplit(url).hostname != host else None


LLMS = Kind(
    cls=LLM,  # type: ignore[type-abstract]  # it is only asked what is an instance
    word="an LLM",
    path_of=path_of,
)
"""What `KalibrLLM` takes as paths."""
