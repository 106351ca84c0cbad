"""An LLM as gate 2's judge."""

from __future__ import annotations

from contextvars import ContextVar

from llama_index.core.llms import LLM, ChatMessage, LLMMetadata

from kalibr_core.adapter.copies import Copies
from kalibr_core.errors import ConfigError
from kalibr_core.gates.judge import JudgeFunction, check_rubric, judgement_in, messages_for
from kalibr_core.types import Transcript

from .clients import unretried
from .paths import model_name

judging: ContextVar[bool] = ContextVar("kalibr_llama_judging", default=False)
"""A judge's own calls are no answers to a person, and need name no conversation."""


def judged_by(llm: LLM, *, rubric: str | None = None) -> JudgeFunction:
    """A judge for `KalibrLLM(judge=...)` or `Judge(model=...)`.

    Its calls are the LLM's own: they are neither routed nor judged, and no callbacks are told.

    Args:
        llm: of any integration.
        rubric: what makes an output good, in your words.

    Raises:
        ConfigError: it is no LLM, or the rubric no text.
    """
    if not isinstance(llm, LLM):
        hint = f"; by its name: Judge(model={llm!r})" if isinstance(llm, str) else ""
        raise ConfigError(f"a judge must be an LLM, got {type(llm).__name__}{hint}")
    check_rubric(rubric)
    copies = Copies(llm, unretried)  # another after a fork

    def judge(request: str, output: str, *, conversation: Transcript = ()) -> object:
        system, user = messages_for(rubric, request, output, conversation)
        before = judging.set(True)
        try:
            answer = copies.blocking.chat(
                [
                    ChatMessage(role="system", content=system["content"]),
                    ChatMessage(role="user", content=user["content"]),
                ]
            )
        finally:
            judging.reset(before)
        return judgement_in(answer.message.content)

    judge.__name__ = model_name(llm, LLMMetadata())  # in the record; its own may be unknown
    return judge
