"""The user's message is found in what chains and graphs take, and the answer in what they give."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import pytest
from langchain_core.documents import Document
from langchain_core.messages import (
    AIMessage,
    ChatMessage,
    HumanMessage,
    HumanMessageChunk,
    SystemMessage,
    ToolMessage,
)
from langchain_core.prompt_values import ChatPromptValue, StringPromptValue
from langgraph.types import Command
from pydantic import BaseModel

from kalibr_core.adapter.behaviour import Decided
from kalibr_langchain.runs import Answer, Root
from kalibr_langchain.said import (
    Said,
    asked_in,
    heard_in,
    missed,
    resumes,
    said_in,
    text_of,
    written_in,
)

HI = Said("Hi")
NAMED = Said("Hi", "m1")
PARTS: list[Any] = [
    {"type": "text", "text": "What is "},
    {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
    {"type": "text", "text": "this?"},
]


@dataclass
class State:
    """A graph's state."""

    messages: list[Any] = field(default_factory=lambda: [HumanMessage("Hi", id="m1")])


class Model(BaseModel):
    """The same in pydantic."""

    question: str = "Hi"


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ("Hi", HI),
        ("  ", None),
        (None, None),
        (7, None),
        (b"Hi", None),
        ([], None),
        ({}, None),
        (HumanMessage("Hi", id="m1"), NAMED),
        (HumanMessageChunk(content="Hi", id="m1"), NAMED),
        (ChatMessage(content="Hi", role="user"), HI),
        (AIMessage("Hi"), None),
        (SystemMessage("Hi"), None),
        (("user", "Hi"), HI),
        (("human", "Hi"), HI),
        (["Hi"], HI),
        ([("system", "Be brief."), ("human", "Hi")], HI),
        ([["user", "Hi"]], HI),
        ([HumanMessage("No"), AIMessage("Why?"), HumanMessage("Hi")], HI),
        ([HumanMessage("Hi"), AIMessage("Why?")], None),
        ([("user", "Hi"), ("assistant", "Why?")], None),
        ([("user", "Hi"), {"role": "assistant", "content": "Why?"}], None),
        ([HumanMessage("Hi"), AIMessage(""), ToolMessage("7", tool_call_id="1")], None),
        ([HumanMessage("Hi"), SystemMessage("Be brief.")], HI),
        ({"role": "user", "content": "Hi", "id": "m1"}, NAMED),
        ([{"type": "human", "content": "Hi"}], HI),
        ([{"role": "user", "content": PARTS}], Said("What is this?")),
        (HumanMessage(PARTS), Said("What is this?")),
        (HumanMessage(PARTS[1:2]), None),
        (StringPromptValue(text="Hi"), HI),
        (
            ChatPromptValue(messages=[SystemMessage("Be brief."), HumanMessage("Hi", id="m1")]),
            NAMED,
        ),
        *(({name: "Hi", "style": "x"}, HI) for name in ("input", "question", "query")),
        ({"human_input": "Hi", "style": "x"}, HI),
        ({"messages": [("user", "Hi")], "input": "no"}, HI),
        ({"input": [HumanMessage("Hi", id="m1")]}, NAMED),
        ({"input": HumanMessage("Hi")}, HI),
        ({"input": {"role": "user", "content": "Hi"}}, HI),
        ({"topic": "Hi"}, HI),
        ({"topic": "Hi", "number": 3}, HI),
        ({"topic": "Hi", "style": "x"}, None),
        ({"input": ""}, None),
        ({"messages": []}, None),
        (State(), NAMED),
        (Model(), HI),
        (Command(resume="Hi"), None),
        (Command(update={"messages": [HumanMessage("Hi", id="m1")]}), NAMED),
        (Command(update=[("messages", [("user", "Hi")])], resume="x"), HI),
        (Command(update=State()), NAMED),
    ],
)
def test_what_the_user_said(inputs: Any, said: Said | None) -> None:
    assert said_in(inputs) == said


def test_a_key_of_your_own_is_the_only_place() -> None:
    assert said_in({"talk": [("user", "Hi")], "input": "no"}, key="talk") == HI
    assert said_in({"input": "no"}, key="talk") is None
    assert said_in(State(), key="messages") == NAMED
    assert said_in("Hi", key="talk") is None
    assert said_in([], key="talk") is None


def test_what_goes_on_with_a_run() -> None:
    assert all(map(resumes, (None, Command(resume=1), Command(goto="there"))))
    assert not any(map(resumes, ({}, "Hi", [], HumanMessage("Hi"))))


ANSWER = AIMessage("Bye")


@pytest.mark.parametrize(
    ("outputs", "answer"),
    [
        ("Bye", ("Bye", None)),
        (ANSWER, ("Bye", ANSWER)),
        ({"messages": [HumanMessage("Hi"), ANSWER, HumanMessage("?")]}, ("Bye", ANSWER)),
        (State(messages=[HumanMessage("Hi"), ANSWER]), ("Bye", ANSWER)),
        (State(messages=[]), ("", None)),
        ({"answer": "Bye", "context": []}, ("Bye", None)),
        ({"output": ANSWER}, ("Bye", ANSWER)),
        (None, ("", None)),
        ([1], ("", None)),
        ({"n": 1}, ('{"n": 1}', None)),
    ],
)
def test_what_was_answered(outputs: Any, answer: tuple[str, AIMessage | None]) -> None:
    assert written_in(outputs) == (*answer, ())


LONG = AIMessage("It was very nice to meet you. Bye.")


@pytest.mark.parametrize(
    ("outputs", "answer"),
    [
        (Model(), ("Hi", None, ("Hi",))),
        ({"city": "Paris"}, ("Paris", None, ("Paris",))),
        ({"reply": 'Say "Grün".\n', "safe": True}, ('Say "Grün".\n', None, ('Say "Grün".\n',))),
        ({"reply": ANSWER, "safe": True}, ("Bye", ANSWER, ("Bye",))),
        ({"reply": ANSWER, "text_too": "Bye"}, ("Bye\nBye", ANSWER, ("Bye", "Bye"))),
        ({"title": ANSWER, "reply": LONG}, (f"Bye\n{LONG.text}", LONG, ("Bye", LONG.text))),
        ({"title": ANSWER, "reply": LONG.text}, (f"Bye\n{LONG.text}", None, ("Bye", LONG.text))),
        ([ANSWER], ("Bye", ANSWER, ("Bye",))),
        (
            {"talk": [HumanMessage("Hi"), LONG, HumanMessage("?"), ANSWER]},
            ("Bye", ANSWER, ("Bye",)),
        ),
        (["one", "two"], ("one\ntwo", None, ("one", "two"))),
        ({"found": [Document("A page.")], "reply": "Bye"}, ("Bye", None, ("Bye",))),
    ],
)
def test_of_a_structure_all_texts_and_the_longest_message_are_the_answer(
    outputs: Any, answer: tuple[str, AIMessage | None, tuple[str, ...]]
) -> None:
    assert written_in(outputs) == answer


def test_a_deep_or_a_wide_structure_is_not_read_to_its_end() -> None:
    deep: Any = "Bye"
    for _ in range(5):
        deep = [deep]
    assert written_in(deep).parts == ()
    assert len(written_in([str(number) for number in range(10_000)]).parts) == 64


@pytest.mark.parametrize(
    ("inputs", "key", "held"),
    [
        ({"lang": "English", "question": "Hi"}, "quesion", ("lang", "question")),
        ({"task": "Hi", "n": 3, "reader": "me"}, None, ("task", "reader")),
        ({"input": "Hi"}, None, ()),
        ({"n": 3}, "quesion", ()),
        ({"question": ""}, "question", ()),
        ({f"k{n}": "Hi" for n in range(99)}, None, tuple(f"k{n}" for n in range(10))),
    ],
)
def test_where_a_message_may_stand_that_is_not_found(
    inputs: Any, key: str | None, held: tuple[str, ...]
) -> None:
    assert heard_in(inputs, key=key)[1] == held


def test_the_warning_names_the_key_that_was_given_and_those_that_are_there() -> None:
    said = missed(("lang", "question"), key="quesion")
    assert "input_key='quesion' is not in a run's input" in said
    assert "texts in 'lang', 'question'" in said
    said = missed(("task", "reader"), key=None)
    assert "texts in 'task', 'reader'" in said
    assert "input_key=..." in said


def test_what_a_final_state_was_asked_for_with() -> None:
    assert asked_in({"messages": [HumanMessage("Hi", id="m1"), ANSWER]}) == NAMED
    assert asked_in({"messages": [ANSWER]}) is None
    assert asked_in("Bye") is None


def test_a_tool_calls_text_is_its_arguments() -> None:
    call = {"name": "weather", "args": {"city": "Paris"}, "id": "1"}
    assert text_of(AIMessage("", tool_calls=[call])) == '{"city": "Paris"}'
    assert text_of(AIMessage("Bye", tool_calls=[call])) == "Bye"
    assert text_of(HumanMessage("")) == ""


# Whose work it is.

POEM = 'Das "Meer" ist weit und grau,\nund im Herbst wird es kühler.'
GUARD = "Yes, that is safe."


@pytest.mark.parametrize(
    ("wrote", "output"),
    [
        (POEM, {"reply": POEM, "safe": True}),
        (POEM, {"reply": POEM, "verdict": GUARD}),
        (POEM, {"reply": f"Here it is: {POEM}", "verdict": "safe"}),
        (POEM, {"reply": {"parts": [POEM]}, "safe": True}),
        (POEM, [POEM]),
        ("Paris", {"reply": "Paris", "why": "It is the capital."}),
        (
            '{"title": "Meer", "lines": ["weit", "grau"]}',
            {"title": "Meer", "lines": ["weit", "grau"]},
        ),
        ('{"title":"Meer","n":1}', {"title": "Meer", "n": 1, "safe": "yes"}),
    ],
)
def test_a_structures_author_is_who_wrote_its_text(wrote: str, output: Any) -> None:
    """However it is written: quotes, line breaks and umlauts are no hindrance."""
    first, guard = Decided("d1", "write"), Decided("d2", "guard")
    root = Root(uuid4(), "chat", None, (), False)
    root.answers.extend([Answer(first, wrote), Answer(guard, GUARD)])
    text, _, parts = written_in(output)
    assert root.decided(None, text, parts) == (guard, first)


def test_an_answer_that_the_output_does_not_hold_did_not_write_it() -> None:
    first, last = Decided("d1", "write"), Decided("d2", "guard")
    root = Root(uuid4(), "chat", None, (), False)
    for text in ("", "{}", "[1]", '{"city": "Rome"}', "{not JSON", "Rome", str([7] * 9)):
        root.answers.clear()
        root.answers.extend([Answer(first, text), Answer(last, GUARD)])
        text, _, parts = written_in({"city": "Paris, by the Seine", "safe": True})
        assert root.decided(None, text, parts) == (first, last)
