"""Arguments of the constructor that are not ChatKalibr's: what to write instead."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic.fields import FieldInfo

from kalibr_core.adapter import hints

ELSEWHERE = {
    "model": 'name your models in paths=, such as paths=["gpt-4o-mini", "gpt-4o"]',
    "model_name": 'name your models in paths=, such as paths=["gpt-4o-mini", "gpt-4o"]',
    "openai_api_key": "give it as api_key=, or to a path",
    "openai_api_base": "give it as base_url=, or to a path",
    "max_completion_tokens": "give it as max_tokens=",
    "n": "several answers to one call cannot be judged as one; call n times",
    "default_headers": 'give it as model_kwargs={"extra_headers": {...}}, or to a path',
    "extra_body": "give its parameters in model_kwargs=",
    "stream_usage": "streams always tell their usage",
    "http_client": "give it to a chat model, and the model to paths=",
    "http_async_client": "give it to a chat model, and the model to paths=",
    "use_responses_api": "set it on a ChatOpenAI, and give that to paths=",
    "reasoning": "set it on a ChatOpenAI, and give that to paths=",
}
"""Arguments of `ChatOpenAI`'s, and what becomes of them."""


def check_names(data: Iterable[str], fields: Mapping[str, FieldInfo]) -> None:
    """Refuse what is no argument, with what to write instead.

    Raises:
        ConfigError: names it.
    """
    known = set(fields)
    for field in fields.values():
        known.update(_aliases(field))
    hints.check_names(data, known, model="ChatKalibr", elsewhere=ELSEWHERE, further="model_kwargs")


def _aliases(field: FieldInfo) -> list[str]:
    alias: Any = field.validation_alias or field.alias
    choices = getattr(alias, "choices", None) or [alias]
    return [choice for choice in choices if isinstance(choice, str)]
