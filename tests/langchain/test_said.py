"""The user's message is found in what chains and graphs take, and the answer in what they give."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
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

from kalibr_langchain.said import Said, answer_in, asked_in, resumes, said_in, text_of

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
        (Model(), ('{"question":"Hi"}', None)),
        ({"city": "Paris"}, ('{"city": "Paris"}', None)),
        (None, ("", None)),
        ([1], ("", None)),
    ],
)
def test_what_was_answered(outputs: Any, answer: tuple[str, AIMessage | None]) -> None:
    assert answer_in(outputs) == answer


def test_what_a_final_state_was_asked_for_with() -> None:
    assert asked_in({"messages": [HumanMessage("Hi", id="m1"), ANSWER]}) == NAMED
    assert asked_in({"messages": [ANSWER]}) is None
    assert asked_in("Bye") is None


def test_a_tool_calls_text_is_its_arguments() -> None:
    call = {"name": "weather", "args": {"city": "Paris"}, "id": "1"}
    assert text_of(AIMessage("", tool_calls=[call])) == '{"city": "Paris"}'
    assert text_of(AIMessage("Bye", tool_calls=[call])) == "Bye"
    assert text_of(HumanMessage("")) == ""
