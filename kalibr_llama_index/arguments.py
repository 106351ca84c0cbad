"""Arguments of LlamaIndex's `OpenAI`, and what becomes of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pydantic import AliasChoices
from pydantic.fields import FieldInfo

from kalibr_core.adapter import hints

NAMES = 'name your models in paths=, such as paths=["gpt-4o-mini", "gpt-4o"]'
ON_AN_LLM = "set it on an LLM, and give that to paths="
ELSEWHERE = {
    "model": NAMES,
    "model_name": NAMES,
    "llm": "give your LLMs in paths=",
    "llms": "give your LLMs in paths=",
    "api_base": "give it as base_url=, or to a path",
    "model_kwargs": "give them as additional_kwargs=",
    "max_completion_tokens": "give it as max_tokens=",
    "max_new_tokens": "give it as max_tokens=",
    "default_headers": 'give it as additional_kwargs={"extra_headers": {...}}, or to a path',
    "context_window": 'declare it of a path, such as {"model": ..., "context_window": 128000}',
    "reuse_client": "the router's connections are its own",
    "http_client": ON_AN_LLM,
    "async_http_client": ON_AN_LLM,
    "openai_client": ON_AN_LLM,
    "api_version": ON_AN_LLM,
    "strict": ON_AN_LLM,
    "is_chat_model": ON_AN_LLM,
    "is_function_calling_model": 'declare it of a path, such as {"model": ..., "tools": False}',
}


def check_names(data: Iterable[str], fields: Mapping[str, FieldInfo]) -> None:
    """Refuse what is no argument, with what to write instead.

    Raises:
        ConfigError: names it.
    """
    known = set(fields)
    for field in fields.values():
        alias = field.validation_alias
        if isinstance(alias, AliasChoices):
            known.update(choice for choice in alias.choices if isinstance(choice, str))
    hints.check_names(
        data, known, model="KalibrLLM", elsewhere=ELSEWHERE, further="additional_kwargs"
    )
