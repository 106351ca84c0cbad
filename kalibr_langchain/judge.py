"""A chat model as gate 2's judge."""

from __future__ import annotations

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import HumanMessage, SystemMessage
from langsmith.run_helpers import tracing_context

from kalibr_core.adapter.copies import Copies
from kalibr_core.errors import ConfigError
from kalibr_core.gates.judge import JudgeFunction, check_rubric, judgement_in, messages_for
from kalibr_core.types import Transcript

from .clients import unretried
from .paths import model_name


def judged_by(model: BaseChatModel, *, rubric: str | None = None) -> JudgeFunction:
    """A judge for `ChatKalibr(judge=...)` or `Judge(model=...)`.

    Its calls are the model's own: they are neither routed nor judged, and neither callbacks nor
    LangSmith are told of them.

    Args:
        model: any chat model; by a bound one, bind its parameters in its constructor.
        rubric: what makes an output good, in your words.

    Raises:
        ConfigError: it is no chat model, or the rubric no text.
    """
    if not isinstance(model, BaseChatModel):
        hint = f"; by its name: Judge(model={model!r})" if isinstance(model, str) else ""
        raise ConfigError(f"a judge must be a chat model, got {type(model).__name__}{hint}")
    check_rubric(rubric)
    quiet = model.model_copy(update={"callbacks": None})
    copies = Copies(quiet, unretried)  # another after a fork

    def judge(request: str, output: str, *, conversation: Transcript = ()) -> object:
        system, user = messages_for(rubric, request, output, conversation)
        with tracing_context(enabled=False):
            answer = copies.blocking.invoke(
                [SystemMessage(system["content"]), HumanMessage(user["content"])]
            )
        return judgement_in(str(answer.text))

    judge.__name__ = model_name(model)  # in the record
    return judge
