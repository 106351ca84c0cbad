"""How large a named model's context window is, in tokens."""

from __future__ import annotations

import logging

from llama_index.core.constants import DEFAULT_CONTEXT_WINDOW
from llama_index.llms.openai.utils import openai_modelname_to_contextsize

from kalibr_core.types import Path

log = logging.getLogger("kalibr")

WINDOWS = (
    ("claude-", 200_000),
    ("gemini-1.5-pro", 2_097_152),
    ("gemini-", 1_048_576),
    ("gemma-", 32_768),
    ("deepseek-", 64_000),
    ("llama-3.1", 131_072),
    ("llama-3.3", 131_072),
    ("llama-4", 131_072),
    ("llama3", 8_192),
    ("mistral-", 32_768),
    ("ministral-", 131_072),
    ("codestral-", 32_768),
    ("magistral-", 40_960),
    ("open-mistral", 32_768),
    ("qwen", 32_768),
    ("gpt-5", 400_000),
)
"""Of models that LlamaIndex's OpenAI LLM does not know; where versions differ, the smallest."""


def window_of(path: Path, model: str) -> int:
    """The path's window; LlamaIndex's default where nobody knows it, which is told."""
    if path.context_window is not None:
        return path.context_window
    try:
        return int(openai_modelname_to_contextsize(model))
    except ValueError:
        name = model.rpartition("/")[2].lower()
        for prefix, tokens in WINDOWS:
            if name.startswith(prefix):
                return tokens
    log.warning(
        "kalibr: the context window of path %r is unknown, and taken to be %d tokens; LlamaIndex "
        'packs its prompts by it: declare it, such as {"model": %r, "context_window": 128000}',
        path.id,
        DEFAULT_CONTEXT_WINDOW,
        path.model,
    )
    return DEFAULT_CONTEXT_WINDOW
