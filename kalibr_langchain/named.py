"""A path that is a model's name -> the `ChatOpenAI` that calls it."""

from __future__ import annotations

from typing import Any

from langchain_core.language_models import LanguageModelInput
from langchain_openai import ChatOpenAI
from pydantic import SecretStr, ValidationError

from kalibr_core.errors import ConfigError
from kalibr_core.providers import Endpoint
from kalibr_core.types import Path

ELSEWHERE = {"extra_headers": "default_headers", "extra_query": "default_query"}
"""What the `openai` client takes with each call, and a chat model once."""

FIELDS = frozenset(ChatOpenAI.model_fields) | {
    field.alias for field in ChatOpenAI.model_fields.values() if field.alias
}
KNOWS_SCHEMAS = ("openai", "google", None)
"""Providers whose servers take `response_format` of type `json_schema`; None: the user's own."""


class CompatibleChatOpenAI(ChatOpenAI):
    """`ChatOpenAI` for servers that speak like OpenAI's.

    Those know the limit of tokens by its first name only.
    """

    def _get_request_payload(
        self, input_: LanguageModelInput, *, stop: list[str] | None = None, **kwargs: Any
    ) -> dict[str, Any]:
        payload: dict[str, Any] = super()._get_request_payload(input_, stop=stop, **kwargs)
        if "max_completion_tokens" in payload:
            payload["max_tokens"] = payload.pop("max_completion_tokens")
        return payload


def named_model(path: Path, endpoint: Endpoint) -> ChatOpenAI:
    """Make the model of a named path.

    Raises:
        ConfigError: a parameter that `ChatOpenAI` refuses.
    """
    is_openais = endpoint.provider == "openai"
    settings, body = _settings(path)
    if body:
        settings["extra_body"] = {**body, **settings.get("extra_body", {})}
    if not endpoint.is_openais:  # other servers seldom have the Responses API
        settings.setdefault("use_responses_api", False)
    try:
        model = (ChatOpenAI if is_openais else CompatibleChatOpenAI)(
            model=endpoint.model,
            base_url=endpoint.base_url,
            api_key=SecretStr(endpoint.api_key),
            max_retries=0,
            stream_usage=True,
            **settings,
        )
    except (ValidationError, TypeError) as error:
        raise ConfigError(f"path {path.id!r}: its params do not fit ChatOpenAI: {error}") from error
    if not endpoint.is_openais:  # OpenAI's account, read from the environment, is not theirs
        for client in (model.root_client, model.root_async_client):
            client.organization = client.project = None
    return model


def default_method(endpoint: Endpoint | None) -> str | None:
    """How a named path's structured output is asked for, where the caller leaves it open."""
    if endpoint is None:
        return None
    return "json_schema" if endpoint.provider in KNOWS_SCHEMAS else "function_calling"


def _settings(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """The path's params as fields of `ChatOpenAI`, and the ones that it has no field for."""
    known: dict[str, Any] = {}
    unknown: dict[str, Any] = {}
    for name, value in path.params.items():
        name = ELSEWHERE.get(name, name)
        (known if name in FIELDS else unknown)[name] = value
    return known, unknown
