"""A routed LLM as plain data, without keys, and back."""

from __future__ import annotations

import inspect
import os
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from llama_index.core.llms import LLM

from kalibr_core.adapter.keys import KEY_ENV, plain_headers, portable_spec, without_login
from kalibr_core.errors import ConfigError
from kalibr_core.providers import NO_KEY, PROVIDERS

from .quiet import QUIET

SECRET = re.compile(
    r"api_?key|(^|_)(key|token|secret|password|credentials?|cookie|authorization)$", re.IGNORECASE
)
"""Names of settings that hold keys; how many tokens there may be is none."""
CLASS = "class_name"
OPENAI_HOST = urlsplit(PROVIDERS["openai"].base_url).hostname
PYTHON = "python_class"
"""Module and name: several classes may share LlamaIndex's name for them."""


def plain_path(spec: Any) -> Any:
    """A path as plain data: the key is in the environment where it is made again."""
    if isinstance(spec, LLM):
        return plain_llm(spec)
    shown = portable_spec(spec)
    if isinstance(shown, Mapping):
        return {n: plain_llm(v) if isinstance(v, LLM) else v for n, v in shown.items()}
    return shown


def made_path(spec: Any) -> Any:
    """A path from plain data.

    Raises:
        ConfigError: the class of its LLM is unknown here.
    """
    if not isinstance(spec, Mapping):
        return spec
    if CLASS in spec:
        return _made_llm(spec)
    return {
        n: _made_llm(v) if isinstance(v, Mapping) and CLASS in v else v for n, v in spec.items()
    }


def classes_in(paths: Any) -> tuple[type[LLM], ...]:
    """The classes of the LLMs among paths."""
    held = (spec.get("model") if isinstance(spec, Mapping) else spec for spec in paths or ())
    return tuple(type(llm) for llm in held if isinstance(llm, LLM))


def plain_llm(llm: LLM) -> dict[str, Any]:
    """An LLM's settings without keys."""
    shown = _without_keys(llm.to_dict())
    return {**shown, CLASS: llm.class_name(), PYTHON: _named(type(llm))}


def _without_keys(settings: Any) -> Any:
    if isinstance(settings, str):
        return without_login(settings)
    if isinstance(settings, list | tuple):
        return [_without_keys(value) for value in settings]
    if not isinstance(settings, Mapping):
        return settings
    return {
        name: plain_headers(value)
        if str(name).endswith("headers") and isinstance(value, Mapping)
        else _without_keys(value)
        for name, value in settings.items()
        if not (isinstance(value, str) and SECRET.search(str(name).replace("-", "_")))
    }


def _made_llm(settings: Mapping[str, Any]) -> LLM:
    """An LLM of a class that this program has imported: data names no code to run."""
    name, exact = settings[CLASS], settings.get(PYTHON)
    known = (cls for cls in _classes() if cls.class_name() == name)
    found = next((cls for cls in known if _is_meant(cls, exact)), None)
    if found is None:
        raise ConfigError(
            f"a path's LLM is of class {exact or name!r}, which is not imported here; import its "
            "integration first, such as llama_index.llms.openai"
        )
    try:
        made: LLM = found.from_dict(
            {n: v for n, v in settings.items() if n != PYTHON}, **_key_of(settings)
        )
    except Exception as error:
        raise ConfigError(
            f"a path's LLM of class {name!r} cannot be made again: {error}. Its key is looked for "
            "in the environment"
        ) from error
    return made


def _key_of(settings: Mapping[str, Any]) -> dict[str, str]:
    """The key for a server that is not OpenAI's own, which OpenAI's key is not sent to."""
    server = settings.get("api_base")
    if not isinstance(server, str) or urlsplit(server).hostname == OPENAI_HOST:
        return {}
    return {"api_key": os.environ.get(KEY_ENV) or NO_KEY}


def _is_meant(cls: type, exact: str | None) -> bool:
    """Is it the class, or the one that LlamaIndex's name for it is of?"""
    return exact == _named(cls) if exact is not None else CLASS in vars(cls)


def _named(cls: type) -> str:
    return f"{cls.__module__}:{cls.__qualname__}"


def _classes(cls: Any = LLM) -> list[Any]:
    """All classes of LLMs that can be made, the ones that others inherit first."""
    found = []
    for sub in cls.__subclasses__():
        if not vars(sub).get(QUIET):
            found += [*([] if inspect.isabstract(sub) else [sub]), *_classes(sub)]
    return found
