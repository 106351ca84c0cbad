"""A chat model as gate 2's judge."""

from __future__ import annotations

from collections.abc import Callable

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import HumanMessage, SystemMessage

from kalibr_core.errors import ConfigError
from kalibr_core.gates.judge import judgement_in, messages_for


def judged_by(model: BaseChatModel, *, rubric: str | None = None) -> Callable[[str, str], object]:
    """A judge for `ChatKalibr(judge=...)` or `Judge(model=...)`.

    Its calls are the model's own: they are neither routed nor judged, and no callbacks are told.

    Args:
        model: any chat model; by a bound one, bind its parameters in its constructor.
        rubric: what makes an output good, in your words.

    Raises:
        ConfigError: it is no chat model.
    """
    if not isinstance(model, BaseChatModel):
        raise ConfigError(f"a judge must be a chat model, got {type(model).__name__}")

    def judge(request: str, output: str) -> object:
        system, user = messages_for(rubric, request, output)
        answer = model.invoke(
            [SystemMessage(system["content"]), HumanMessage(user["content"])],
            config={"callbacks": []},
        )
        return judgement_in(str(answer.text))

    return judge
