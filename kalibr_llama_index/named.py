"""A path that is a model's name -> the LlamaIndex `OpenAI` LLM that calls it."""

from __future__ import annotations

from typing import Any, TypeVar

from llama_index.core.base.llms.types import LLMMetadata
from llama_index.core.bridge.pydantic import PrivateAttr
from llama_index.llms.openai import OpenAI
from openai import AsyncOpenAI
from openai import OpenAI as Client
from pydantic import ValidationError

from kalibr_core.arguments import for_create, with_one_limit
from kalibr_core.errors import ConfigError
from kalibr_core.providers import Endpoint
from kalibr_core.types import Path

from .windows import window_of

FIELDS = ("temperature", "max_tokens", "logprobs", "top_logprobs", "modalities", "audio_config")
"""A path's parameters that are the LLM's own settings; it sends all others as they are."""
KNOWS_SCHEMAS = ("openai", "google", None)
"""Providers whose servers take `response_format` of type `json_schema`; None: the user's own."""
C = TypeVar("C", bound="Client | AsyncOpenAI")

LONGEST_S = 600.0
"""The client's own time-out: the attempt's is shorter."""


class NamedLLM(OpenAI):
    """LlamaIndex's `OpenAI` for any server that speaks like OpenAI's, and any model."""

    _endpoint: Endpoint = PrivateAttr()
    _window: int = PrivateAttr()
    _calls_tools: bool = PrivateAttr()

    def __init__(self, path: Path, endpoint: Endpoint, **settings: Any) -> None:
        super().__init__(
            model=endpoint.model,
            api_base=endpoint.base_url,
            api_key=endpoint.api_key,
            max_retries=0,
            timeout=LONGEST_S,
            **settings,
        )
        self._endpoint = endpoint
        self._window = window_of(path, endpoint.model)
        self._calls_tools = path.tools is not False

    @property
    def metadata(self) -> LLMMetadata:
        return LLMMetadata(
            context_window=self._window,
            num_output=self.max_tokens or -1,
            is_chat_model=True,
            is_function_calling_model=self._calls_tools,
            model_name=self.model,
        )

    def _get_client(self) -> Client:
        return _without_account(super()._get_client(), self._endpoint)

    def _get_aclient(self) -> AsyncOpenAI:
        return _without_account(super()._get_aclient(), self._endpoint)

    def _should_use_structure_outputs(self) -> bool:
        return self._endpoint.provider in KNOWS_SCHEMAS

    def _get_model_kwargs(self, **kwargs: Any) -> dict[str, Any]:
        arguments = super()._get_model_kwargs(**kwargs)
        return for_create(with_one_limit(arguments, self._endpoint))


def named_llm(path: Path, endpoint: Endpoint) -> OpenAI:
    """Make the LLM of a named path.

    Raises:
        ConfigError: a parameter that LlamaIndex's `OpenAI` refuses.
    """
    settings = {name: value for name, value in path.params.items() if name in FIELDS}
    further = {name: value for name, value in path.params.items() if name not in FIELDS}
    try:
        return NamedLLM(path, endpoint, additional_kwargs=further, **settings)
    except (ValidationError, TypeError, ValueError) as error:
        raise ConfigError(
            f"path {path.id!r}: its params do not fit LlamaIndex's OpenAI: {error}"
        ) from error


def _without_account(client: C, endpoint: Endpoint) -> C:
    """OpenAI's organisation and project, read from the environment, go to no other provider."""
    if not endpoint.is_openais:
        client.organization = client.project = None
    return client
