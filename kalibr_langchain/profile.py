"""What a routed model can do, by LangChain's word for it: its profile."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from langchain_core.language_models.model_profile import ModelProfile

SMALLEST = ("max_input_tokens", "max_output_tokens")
ANY = (
    "tool_calling",
    "image_inputs",
    "image_url_inputs",
    "pdf_inputs",
    "audio_inputs",
    "video_inputs",
)
"""What one path suffices for: a call that needs it goes to no other."""


def common_profile(profiles: Sequence[Mapping[str, Any] | None]) -> ModelProfile | None:
    """One profile for several models; None: none of them has one.

    What any path can do, where calls are sent to those that can; what all can do, where the form of
    an answer depends on it (`structured_output`); the smallest of the known windows.
    """
    known = [profile for profile in profiles if profile]
    if not known:
        return None
    found: dict[str, Any] = {}
    for name in ANY:
        if any(name in profile for profile in known):
            found[name] = any(profile.get(name) for profile in known)
    for name in SMALLEST:
        sizes = [p[name] for p in known if isinstance(p.get(name), int)]
        if sizes:
            found[name] = min(sizes)
    found["structured_output"] = len(known) == len(profiles) and all(
        profile.get("structured_output") for profile in known
    )
    return cast("ModelProfile", found)
