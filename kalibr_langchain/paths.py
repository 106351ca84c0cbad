"""What users list as paths -> core `Path`s, and the chat models that call them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, TypeAlias

from langchain_core.language_models import BaseChatModel

from kalibr_core.errors import ConfigError
from kalibr_core.paths import RESERVED, PathSpec, check_base_url, parse_path, parse_paths
from kalibr_core.providers import ADAPTER
from kalibr_core.types import JSON, Path

ChatPathSpec: TypeAlias = "PathSpec | BaseChatModel"
"""A model's name, a dict of `Path`'s fields whose `model` may be a chat model, a `Path`, or a chat
model."""

DECLARED = frozenset(f.name for f in fields(Path) if f.init) - {
    "model",
    "provider",
    "params",
    "base_url",
    "api_key",
    "api_key_env",
}
"""What a dict may say of a chat model; its parameters are its own."""

NOT_IN_NAMES = frozenset({"model_name", "streaming", "_type"}) | RESERVED.keys()
"""Identifying parameters that do not tell two paths apart, or that a path does not take."""

PROFILE = {
    "tools": "tool_calling",
    "images": "image_inputs",
    "audio": "audio_inputs",
    "files": "pdf_inputs",
    "video": "video_inputs",
}
"""A path's capabilities by the words of LangChain's model profiles."""


@dataclass(frozen=True, slots=True)
class ListedPath:
    """One entry of `paths`."""

    path: Path
    model: BaseChatModel | None
    """None: it is made from the path's name."""


def listed_paths(specs: Sequence[ChatPathSpec]) -> tuple[ListedPath, ...]:
    """Check a model's `paths`.

    Raises:
        ConfigError: none, two of the same id, or one that is no path.
    """
    if isinstance(specs, str | Mapping | Path | BaseChatModel) or not isinstance(specs, Sequence):
        raise ConfigError(f"paths must be a list, got {type(specs).__name__}; write paths=[...]")
    listed = tuple(map(_listed, specs))
    parse_paths([entry.path for entry in listed])  # none at all, or one twice
    return listed


def _listed(spec: ChatPathSpec) -> ListedPath:
    if isinstance(spec, BaseChatModel):
        return ListedPath(_path_of(spec, {}), spec)
    model = spec.get("model") if isinstance(spec, Mapping) else None
    if isinstance(spec, Mapping) and isinstance(model, BaseChatModel):
        return ListedPath(_path_of(model, spec), model)
    if not isinstance(spec, str | Mapping | Path):
        hint = "; bind_tools and with_structured_output go on ChatKalibr itself"
        raise ConfigError(
            "a path is a model's name, a dict, a Path or a chat model, "
            f"got {type(spec).__name__}{hint if hasattr(spec, 'bound') else ''}"
        )
    path = parse_path(spec)
    if path.provider == ADAPTER:
        raise ConfigError(f"path {path.id!r} has provider={ADAPTER!r}, but no chat model is given")
    return ListedPath(path, None)


def _path_of(model: BaseChatModel, declared: Mapping[str, object]) -> Path:
    """A chat model as a path; what is declared of it wins over its profile."""
    for name in declared:
        if name != "model" and name not in DECLARED:
            raise ConfigError(
                f"a path with a chat model does not take {name!r}: set it on the model. "
                f"What may be declared is {', '.join(sorted(DECLARED))}"
            )
    if getattr(model, "n", None) not in (None, 1):
        raise ConfigError(
            f"{type(model).__name__} has n={model.n}; several answers to one call "  # type: ignore[attr-defined]  # found by getattr
            "cannot be judged as one"
        )
    said: dict[str, Any] = {**capabilities(model), **declared}
    said["model"] = model_name(model)
    if said.get("name") is None and (server := _server(model)):
        said.setdefault("base_url", server)
    return Path(params=_plain_params(model), provider=ADAPTER, **said)


def model_name(model: BaseChatModel) -> str:
    """What LangChain's tracing calls the model; else its class's name."""
    found = model._get_ls_params().get("ls_model_name")
    return found if isinstance(found, str) and found.strip() else type(model).__name__


def capabilities(model: BaseChatModel) -> dict[str, Any]:
    """What the model's profile says it can do, in the words of `Path`; unknown is left out."""
    profile: Mapping[str, Any] = model.profile or {}
    said: dict[str, Any] = {
        ours: profile[theirs]
        for ours, theirs in PROFILE.items()
        if isinstance(profile.get(theirs), bool)
    }
    if type(model).bind_tools is BaseChatModel.bind_tools:
        said["tools"] = False
    window = profile.get("max_input_tokens")
    if isinstance(window, int) and window > 0:
        said["context_window"] = window
    return said


def _plain_params(model: BaseChatModel) -> dict[str, JSON]:
    """Parameters that tell two models of one name apart: numbers and short words, no secrets."""
    return {
        key: value
        for key, value in model._identifying_params.items()
        if key not in NOT_IN_NAMES
        and "timeout" not in key
        and isinstance(value, str | int | float | bool)
        and len(str(value)) <= 40
    }


def _server(model: BaseChatModel) -> str | None:
    """The server of an OpenAI-compatible model that is not OpenAI's own."""
    url = getattr(model, "openai_api_base", None)
    try:
        check_base_url(url)
    except ConfigError:
        return None
    return url if isinstance(url, str) else None
