"""The forms of a call that a LlamaIndex LLM has: its methods, each wrapped in spans."""

from __future__ import annotations

import inspect
from typing import Any

from llama_index.core.llms import LLM

FORMS = (
    "chat",
    "achat",
    "stream_chat",
    "astream_chat",
    "complete",
    "acomplete",
    "stream_complete",
    "astream_complete",
)


def keep_signatures(cls: type[LLM]) -> None:
    """LlamaIndex's spans look at a method's signature in each call; working it out anew takes
    longer than a choice."""
    for name in FORMS:
        function: Any = getattr(vars(cls)[name], "__wrapped__", None)
        if function is not None:
            function.__signature__ = inspect.signature(function)
