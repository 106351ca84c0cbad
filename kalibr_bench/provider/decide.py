"""One request, decided: every choice about it and no I/O."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from kalibr_bench.provider.answer import Answer, as_answer, cut
from kalibr_bench.provider.answers.compose import attempt, compose
from kalibr_bench.provider.draws import Draws
from kalibr_bench.provider.fault import HTTP_FAULTS, Fault
from kalibr_bench.provider.injection import error_text, rate_limit_json, refusal_text, spoil
from kalibr_bench.provider.models import Model
from kalibr_bench.provider.problem import invalid, too_long
from kalibr_bench.provider.request import ChatRequest
from kalibr_bench.provider.state import State

_UNANSWERED = frozenset(HTTP_FAULTS) | {"reset", "hang", "html", "trickle"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """A decided request.

    Attributes:
        chat: The request.
        model: The served model.
        draws: Its chance.
        n: How often the token had sent it before.
        token: API token.
        answers: One per choice; empty if the fault leaves none.
        fault: What happens to the response on its way.
        outcome: As ``Received.outcome``.
        completion_tokens: Billed, >= 0.
    """

    chat: ChatRequest
    model: Model
    draws: Draws
    n: int
    token: str
    answers: tuple[Answer, ...] = ()
    fault: Fault | None = None
    outcome: str = "good"
    completion_tokens: int = 0

    @property
    def served_as(self) -> str:
        """The model name on the answer."""
        return self.model.response_name or self.chat.model


def decide(state: State, chat: ChatRequest, token: str) -> Turn:
    """Decide a request.

    Order: a scripted fault; the model's limits; a scripted answer, else the model's player's, else
    the responder's, else the model's own (good with probability ``quality``); then the injection;
    then a content fault.

    Raises:
        Problem: the model is unknown or cannot take the request.
    """
    model = state.model(chat.model)
    draws, n = state.turn(chat, model, token)
    turn = Turn(chat=chat, model=model, draws=draws, n=n, token=token)
    fault = state.take_fault(chat, model, token, draws)
    if fault is not None and fault.kind in _UNANSWERED:
        return replace(turn, fault=fault, outcome=f"fault:{fault.kind}")
    _check_limits(chat, model)
    scripted = state.take_script(model, token)
    turn = _scripted(turn, scripted) if scripted is not None else _made(state, turn)
    return turn if fault is None else _harmed(turn, fault)


def _check_limits(chat: ChatRequest, model: Model) -> None:
    prompt, completion = chat.prompt_tokens, chat.max_tokens or 0
    if prompt + completion > model.context_window:
        raise too_long(window=model.context_window, prompt=prompt, completion=completion)
    if chat.last["role"] == "assistant" and not model.accepts_prefill:
        raise invalid(
            "This model does not support assistant message prefill. The conversation must end with"
            " a user message.",
            param="messages",
        )


def _scripted(turn: Turn, answer: Answer) -> Turn:
    fault = answer.fault
    if fault is not None and fault.kind in _UNANSWERED:
        return replace(turn, fault=fault, outcome=f"fault:{fault.kind}")
    if fault is not None and answer.text is None and not answer.tool_calls and not answer.refusal:
        answer = _cut(turn, compose(turn.chat, turn.draws, turn.model))
    turn = _answered(turn, (answer,) * turn.chat.n, "scripted")
    return turn if fault is None else _harmed(turn, fault)


def _made(state: State, turn: Turn) -> Turn:
    given = state.play(turn.chat, turn.model)
    if given is None:
        answers, outcome = _own(turn)
    else:
        answer = as_answer(given)
        if answer.fault is not None:
            return _scripted(turn, answer)
        answers, outcome = (_cut(turn, answer),) * turn.chat.n, "scripted"
    return _injected(state, _answered(turn, answers, outcome))


def _own(turn: Turn) -> tuple[tuple[Answer, ...], str]:
    """The model's own answers, one per choice, and whether one of them is flawed."""
    answers: list[Answer] = []
    flaws: list[str] = []
    for index in range(turn.chat.n):
        draws = turn.draws if index == 0 else turn.draws.within("choice", index)
        answer, flaw = attempt(turn.chat, draws, turn.model)
        answers.append(_cut(turn, answer))
        flaws += [flaw] if flaw else []
    return tuple(answers), f"flawed:{flaws[0]}" if flaws else "good"


def _cut(turn: Turn, answer: Answer) -> Answer:
    return cut(answer, max_tokens=turn.chat.max_tokens, stop=turn.chat.stop)


def _answered(turn: Turn, answers: tuple[Answer, ...], outcome: str) -> Turn:
    named = tuple(_with_ids(answer, turn, index) for index, answer in enumerate(answers))
    billed = sum(answer.completion_tokens for answer in named)
    return replace(turn, answers=named, outcome=outcome, completion_tokens=billed)


def _with_ids(answer: Answer, turn: Turn, index: int) -> Answer:
    if not answer.tool_calls:
        return answer
    draws = turn.draws.within("tool call", turn.token, index)
    calls = tuple(
        replace(
            call,
            id=call.id or f"call_{draws.hexadecimal(f'{at}a')}{draws.hexadecimal(f'{at}b')[:8]}",
        )
        for at, call in enumerate(answer.tool_calls)
    )
    return replace(answer, tool_calls=calls)


def _injected(state: State, turn: Turn) -> Turn:
    rule = state.degradation(turn.chat, turn.model, turn.token)
    if rule is None or turn.draws.uniform("injection") >= rule.rate:
        return turn
    kind = turn.draws.pick("injection kind", rule.kinds)
    answers = tuple(spoil(answer, kind, turn.draws) for answer in turn.answers)
    executed = turn.completion_tokens
    turn = _answered(turn, answers, f"injected:{kind}")
    return replace(turn, completion_tokens=executed) if rule.billed == "executed" else turn


def _harmed(turn: Turn, fault: Fault) -> Turn:
    outcome = f"fault:{fault.kind}"
    change = _CONTENT.get(fault.kind)
    if change is None:
        return replace(turn, fault=fault, outcome=outcome)
    answers = tuple(change(answer, fault, turn.draws) for answer in turn.answers)
    return replace(_answered(turn, answers, outcome), fault=fault)


def _length(answer: Answer, fault: Fault, draws: Draws) -> Answer:
    shorter = cut(answer, max_tokens=fault.kept_tokens, stop=())
    return replace(shorter, finish_reason="length")


def _malformed(answer: Answer, fault: Fault, draws: Draws) -> Answer:
    return Answer(text=fault.message or '{"summary": "The document", "items": ["one", "two"')


_CONTENT: Mapping[str, Callable[[Answer, Fault, Draws], Answer]] = MappingProxyType(
    {
        "malformed_json": _malformed,
        "empty_content": lambda answer, fault, draws: Answer(text=""),
        "refusal": lambda answer, fault, draws: Answer(text=fault.message or refusal_text(draws)),
        "error_text": lambda answer, fault, draws: Answer(text=fault.message or error_text(draws)),
        "error_json": lambda answer, fault, draws: Answer(text=fault.message or rate_limit_json()),
        "length": _length,
    }
)
