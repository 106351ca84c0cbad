"""A routed LLM as plain data, without keys, and back."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from llama_index.core.llms import LLM

from kalibr_core.adapter.keys import HEADERS, plain_headers, portable_spec
from kalibr_core.errors import ConfigError

from .quiet import QUIET

SECRET = re.compile(
    r"api_?key|(^|_)(key|token|secret|password|credentials?|cookie|authorization)$", re.IGNORECASE
)
"""Names of settings that hold keys; how many tokens there may be is none."""
CLASS = "class_name"


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


def plain_llm(llm: LLM) -> dict[str, Any]:
    """An LLM's settings without keys."""
    shown = _without_keys(llm.to_dict())
    return {**shown, CLASS: llm.class_name()}


def _without_keys(settings: Mapping[str, Any]) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for name, value in settings.items():
        if isinstance(value, str) and SECRET.search(name):
            continue
        if name in HEADERS and isinstance(value, Mapping):
            kept[name] = plain_headers(value)
        else:
            kept[name] = _without_keys(value) if isinstance(value, Mapping) else value
    return kept


def _made_llm(settings: Mapping[str, Any]) -> LLM:
    """An LLM of a class that this program has imported: data names no code to run."""
    name = settings[CLASS]
    found = next((cls for cls in _classes() if cls.class_name() == name), None)
    if found is None:
        raise ConfigError(
            f"a path's LLM is of class {name!r}, which is not imported here; import its "
            "integration first, such as llama_index.llms.openai"
        )
    try:
        made: LLM = found.from_dict(dict(settings))
    except Exception as error:
        raise ConfigError(
            f"a path's LLM of class {name!r} cannot be made again: {error}. Its key is looked for "
            "in the environment"
        ) from error
    return made


def _classes(cls: Any = LLM) -> list[Any]:
    """All classes of LLMs that can be made, the ones that others inherit first."""
    found = []
    for sub in cls.__subclasses__():
        if not vars(sub).get(QUIET):
            found += [sub, *_classes(sub)]
    return found
