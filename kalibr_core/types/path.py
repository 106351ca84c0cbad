"""What a call may be routed to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

JSON: TypeAlias = "bool | int | float | str | Sequence[JSON] | Mapping[str, JSON] | None"
"""What `json.dumps` takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """One way to answer a request: a model and the parameters it runs with.

    Args:
        model: the provider's model name, with an optional prefix: `groq/llama-3.3-70b-versatile`.
        params: sent with each call (`temperature`, `max_tokens`, ...); JSON values.
        name: the path's id, where the one made of model and params is not wanted.
        provider: one of `providers.PROVIDERS`; by default told from the model's name. "adapter":
            a framework's model object makes the calls, and the Router's own methods cannot.
        base_url: an OpenAI-compatible server to call instead of the provider's own.
        api_key: never shown, logged or stored.
        api_key_env: the environment variable that holds the key.
        timeout_s: longest time of one attempt; for a stream its longest silence.
        first_token_s: longest time until a stream's first token.
        input_usd_per_mtok: list price, USD per million prompt tokens.
        output_usd_per_mtok: list price, USD per million completion tokens.
        cached_input_usd_per_mtok: the same for prompt tokens read from the provider's cache.
        context_window: tokens of prompt and completion together.
        tools: False: the path cannot call tools and is not eligible where tools are given.
        images: False: the path cannot read images and is not eligible where there are any.
        audio: the same for sound.
        files: the same for documents, such as PDF.
        video: the same for films.
    """

    model: str
    params: Mapping[str, JSON] = field(default_factory=dict, repr=False)
    """Not in the repr: headers among them may hold a key. The id shows the plain ones."""
    name: str | None = None
    provider: str | None = None
    base_url: str | None = field(default=None, repr=False)
    """Not in the repr: it may hold a login. The id names the server without."""
    api_key: str | None = field(default=None, repr=False)
    api_key_env: str | None = None
    timeout_s: float | None = None
    first_token_s: float | None = None
    input_usd_per_mtok: float | None = None
    output_usd_per_mtok: float | None = None
    cached_input_usd_per_mtok: float | None = None
    context_window: int | None = None
    tools: bool | None = None
    images: bool | None = None
    audio: bool | None = None
    files: bool | None = None
    video: bool | None = None
    id: str = field(init=False, default="")
    """Stable across processes; two paths that differ only in params have two ids."""

    def __post_init__(self) -> None:
        from ..paths import checked_id  # the record's checks live beside the parser

        object.__setattr__(self, "id", checked_id(self))

    def __deepcopy__(self, memo: dict[int, object]) -> Path:
        """Itself, with its key, which `asdict` and pickle leave out by copying it."""
        return self
