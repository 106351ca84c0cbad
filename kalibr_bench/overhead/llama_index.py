"""What KalibrLLM adds to a LlamaIndex LLM."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from kalibr_bench.overhead.callers import FIRST, KEY, OTHERS
from kalibr_bench.overhead.framework import (
    QUESTION,
    Added,
    InFramework,
    compared,
    crowds,
    import_times,
    rounds_of,
    routed,
)
from kalibr_bench.overhead.peers import offline
from kalibr_bench.provider import DEFAULT_MODELS, LoopbackProvider

ANSWER = "The capital of France is Paris."
ADAPTER = "kalibr_llama_index.KalibrLLM"
BARE, ONE, MANY = "LLM", "KalibrLLM, 1 path", "KalibrLLM, 3"


def measure_llama_index(calls: int) -> InFramework:
    """Measure `chat` and `achat`; `llama_index.llms.openai` must be installed.

    Args:
        calls: In process; over HTTP a quarter.
    """
    messages = [import_module("llama_index.core.llms").ChatMessage(QUESTION)]
    with offline(), TemporaryDirectory() as folder:
        inside = _in_process(Path(folder), calls, messages)
        models = [replace(model, quality=1.0) for model in DEFAULT_MODELS]
        with LoopbackProvider(models, process=True, keep_requests=0) as provider:
            llms = _llms(provider.base_url, Path(folder))
            asked = {name: _asked(llm, messages) for name, llm in llms.items()}
            over_http = compared(asked, calls // 4, bare=BARE)
            awaited = {name: _awaited(llm, messages) for name, llm in llms.items()}
            crowd = asyncio.run(crowds(awaited, rounds_of(calls), bare=BARE))
        for llm in llms.values():
            if hasattr(llm, "close"):
                llm.close()
    return InFramework(
        in_process=inside,
        over_http=over_http,
        crowd=crowd,
        import_s=import_times("llama_index.llms.openai", ADAPTER, calls),
    )


def _in_process(folder: Path, calls: int, messages: list[Any]) -> dict[str, Added]:
    llms = [_answering() for _ in range(3)]
    paths = [
        {"model": llm, "name": f"p{n}", "input_usd_per_mtok": 1 + n, "output_usd_per_mtok": 1 + n}
        for n, llm in enumerate(llms)
    ]
    things = {
        BARE: llms[0],
        ONE: routed(ADAPTER, paths[:1], folder / "one.db"),
        MANY: routed(ADAPTER, paths, folder / "many.db"),
        f"{MANY}, no file": routed(ADAPTER, paths, "memory"),
    }
    asked = {name: _asked(llm, messages) for name, llm in things.items()}
    return compared(asked, calls, bare=BARE)


def _answering() -> Any:
    """An LLM that answers at once."""
    core = import_module("llama_index.core.llms")
    callback = import_module("llama_index.core.llms.callbacks").llm_chat_callback
    answer = core.ChatResponse(message=core.ChatMessage(role="assistant", content=ANSWER))

    class Answering(core.MockLLM):  # type: ignore[misc, name-defined]  # imported late
        @callback()  # type: ignore[untyped-decorator]  # the events that each LLM sends
        def chat(self, messages: Any, **kwargs: Any) -> Any:
            return answer

    return Answering(is_chat_model=True)


def _llms(url: str, folder: Path) -> dict[str, Any]:
    made = import_module("llama_index.llms.openai").OpenAI

    def llm(name: str) -> Any:
        return made(model=name, api_base=url, api_key=KEY, max_retries=0)

    first, others = llm(FIRST), [llm(name) for name in OTHERS]
    return {
        BARE: first,
        ONE: routed(ADAPTER, [first], folder / "http-one.db"),
        MANY: routed(ADAPTER, [first, *others], folder / "http-many.db"),
    }


def _asked(llm: Any, messages: list[Any]) -> Callable[[], object]:
    return lambda: llm.chat(messages)


def _awaited(llm: Any, messages: list[Any]) -> Callable[[], Any]:
    return lambda: llm.achat(messages)
