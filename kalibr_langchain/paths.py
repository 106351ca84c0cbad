"""What users list as paths -> core `Path`s, and the chat models that call them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from langchain_core.language_models import BaseChatModel

from kalibr_core.adapter.listing import Kind
from kalibr_core.errors import ConfigError
from kalibr_core.paths import RESERVED, PathSpec, check_base_url
from kalibr_core.providers import ADAPTER
from kalibr_core.types import JSON, Path

ChatPathSpec: TypeAlias = "PathSpec | BaseChatModel"
"""A model's name, a dict of `Path`'s fields whose `model` may be a chat model, a `Path`, or a chat
model."""

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


def _path_of(model: BaseChatModel, declared: Mapping[str, object]) -> Path:
    """A chat model as a path; what is declared of it wins over its profile."""
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


def _hint(spec: object) -> str:
    return (
        "; bind_tools and with_structured_output go on ChatKalibr itself"
        if hasattr(spec, "bound")
        else ""
    )


CHAT_MODELS = Kind(
    cls=BaseChatModel,  # type: ignore[type-abstract]  # it is only asked what is an instance
    word="a chat model",
    path_of=_path_of,
    hint=_hint,
)
"""What `ChatKalibr` takes as paths."""


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
