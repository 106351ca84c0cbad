"""A model's answer to a request: the kind of answer it asks for, good or flawed."""

from __future__ import annotations

import json

from kalibr_bench.provider.answer import Answer
from kalibr_bench.provider.answers.document import analysis, document_of, is_analysis
from kalibr_bench.provider.answers.flaws import flawed
from kalibr_bench.provider.answers.grading import judgement, work_in
from kalibr_bench.provider.answers.hints import Hints
from kalibr_bench.provider.answers.merging import Unsatisfiable
from kalibr_bench.provider.answers.objects import asks_for_object, described
from kalibr_bench.provider.answers.points import note, points_in, share_drawn
from kalibr_bench.provider.answers.prose import from_tools, prose
from kalibr_bench.provider.answers.schema import instance
from kalibr_bench.provider.answers.tools import calls_tool, results_of, tool_answer
from kalibr_bench.provider.draws import Draws
from kalibr_bench.provider.models import Model
from kalibr_bench.provider.problem import invalid
from kalibr_bench.provider.request import ChatRequest


def compose(chat: ChatRequest, draws: Draws, model: Model) -> Answer:
    """A good answer: in form; of the points that a prompt asks for, it covers the model's share.

    Raises:
        Problem: a 400 if a schema in the request cannot be satisfied.
    """
    try:
        if calls_tool(chat):
            return tool_answer(chat, draws)
        return Answer(text=_text(chat, draws, model))
    except Unsatisfiable as error:
        raise invalid(f"Invalid schema: {error}", code="invalid_json_schema") from error


def attempt(chat: ChatRequest, draws: Draws, model: Model) -> tuple[Answer, str | None]:
    """What a model makes of a request: good with probability ``model.quality``, else flawed.

    Returns:
        The answer, and the name of its flaw (None for a good one).
    """
    answer = compose(chat, draws, model)
    if draws.uniform("quality") < model.quality:
        return answer, None
    return flawed(answer, draws)


def _text(chat: ChatRequest, draws: Draws, model: Model) -> str:
    work = work_in(chat)
    if work is not None:
        return judgement(work, draws, noise=model.grading_noise)
    wanted = chat.response_format
    results = results_of(chat)
    if wanted is not None and wanted["type"] == "json_schema":
        about = "\n".join(text for _, text in results) or document_of(chat)
        value = instance(wanted["json_schema"]["schema"], Hints(about), draws)
        return json.dumps(value, ensure_ascii=False)
    if is_analysis(chat.all_text):
        return analysis(chat)
    told = chat.all_text
    if not results and (wanted is not None or asks_for_object(told)):
        found = described(told, document_of(chat)) or {"answer": prose(chat)}
        return json.dumps(found, ensure_ascii=False)
    text = from_tools(chat, results) if results else _plain(chat, draws, model)
    return text if wanted is None else json.dumps({"answer": text}, ensure_ascii=False)


def _plain(chat: ChatRequest, draws: Draws, model: Model) -> str:
    points = points_in(chat.user_text)
    if not points:
        return prose(chat)
    share = share_drawn(model.coverage, model.evenness, draws)
    return note(chat.user_text, points, draws, share=share)
