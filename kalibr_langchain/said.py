"""What the user said, and what was answered, in the inputs and outputs of LangChain's runs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langchain_core.prompt_values import PromptValue
from pydantic import BaseModel

INPUTS = ("messages", "input", "question", "query", "human_input")
"""Where chains and graphs take the user's message; the first one that is there counts."""
OUTPUTS = ("output", "answer", "result", "response", "text", "content")
HUMAN, ANSWERS = ("user", "human"), ("assistant", "ai")
"""Roles, as messages that are tuples or dicts name them."""
NO_ANSWER: tuple[str, AIMessage | None] = ("", None)
"""What `answer_in` gives where there is none."""

NO_MESSAGE = (
    "no message of the user's was found in a run's input, so that it is no turn; say where it "
    "stands: KalibrCallbackHandler(input_key=...)"
)


class Said(NamedTuple):
    """A user's message."""

    text: str
    message_id: str | None = None
    """None: it has none of its own."""


NOTHING: tuple[Said | None, bool] = (None, False)
"""What `heard_in` gives where there is nothing."""


def said_in(inputs: object, *, key: str | None = None) -> Said | None:
    """The user's message in a run's input; None: there is none, or an answer has followed it.

    Args:
        inputs: a text, messages, a prompt's value, a state (a dict, a dataclass, a pydantic model),
            or LangGraph's `Command`.
        key: where it stands in a dict or a state; None: in `INPUTS`, or in a dict's only text.
    """
    if is_command(inputs):
        inputs = _updated(inputs.update)  # type: ignore[attr-defined]  # it is a Command
    if key is not None:
        return _said(_held(inputs, key))
    found = _said(inputs)
    if found is not None or isinstance(inputs, str | BaseMessage | PromptValue | list | tuple):
        return found
    for name in INPUTS:
        if (value := _held(inputs, name)) is not None:
            return _said(value)
    texts = [v for v in inputs.values() if isinstance(v, str)] if _is_dict(inputs) else []  # type: ignore[attr-defined]
    return _said(texts[0]) if len(texts) == 1 else None


def resumes(inputs: object) -> bool:
    """Does a run go on with an earlier one's work?"""
    return inputs is None or is_command(inputs)


def heard_in(inputs: object, *, key: str | None) -> tuple[Said | None, bool]:
    """`said_in`, and whether a dict or a state where it finds none may hold one elsewhere."""
    said = said_in(inputs, key=key)
    return said, said is None and _is_missed(inputs, key)


def _is_missed(inputs: object, key: str | None) -> bool:
    if resumes(inputs) or isinstance(inputs, str | BaseMessage | PromptValue | list | tuple):
        return False
    if any(_held(inputs, name) is not None for name in (INPUTS if key is None else (key,))):
        return False
    held = inputs if isinstance(inputs, Mapping) else getattr(inputs, "__dict__", {})
    return any(_said(value) is not None for value in held.values())


def is_command(inputs: object) -> bool:
    """Is it LangGraph's `Command`? LangGraph itself may not be installed."""
    return type(inputs).__name__ == "Command" and hasattr(inputs, "resume")


def answer_in(outputs: object) -> tuple[str, AIMessage | None]:
    """A run's final text, or "", and the message that it stands in."""
    if isinstance(outputs, str):
        return outputs, None
    if isinstance(outputs, AIMessage):
        return str(outputs.text), outputs
    if isinstance(messages := _held(outputs, "messages"), list | tuple):
        answers = [message for message in messages if isinstance(message, AIMessage)]
        return (str(answers[-1].text), answers[-1]) if answers else ("", None)
    for name in OUTPUTS:
        found = _held(outputs, name)
        if isinstance(found, str):
            return found, None
        if isinstance(found, AIMessage):
            return str(found.text), found
    return _as_json(outputs), None


def asked_in(outputs: object) -> Said | None:
    """The user's last message in a graph's final state: of a run that went on without a new one."""
    messages = _held(outputs, "messages")
    if not isinstance(messages, list | tuple):
        return None
    return _said([message for message in messages if not isinstance(message, AIMessage)])


def text_of(message: BaseMessage) -> str:
    """An answer's text; where it is a tool's call, its arguments."""
    if text := str(message.text):
        return text
    calls = message.tool_calls if isinstance(message, AIMessage) else []
    return "\n".join(json.dumps(call["args"], default=str) for call in calls)


def _said(value: object) -> Said | None:
    if isinstance(value, str):
        return Said(value) if value.strip() else None
    if isinstance(value, PromptValue):
        value = value.to_messages()
    if _is_dict(value) or isinstance(value, BaseMessage) or _is_pair(value):
        value = [value]
    if not isinstance(value, Sequence) or isinstance(value, bytes):
        return None
    for message in reversed(value):
        role, text, message_id = _read(message)
        if role in ANSWERS:
            return None
        if role in HUMAN:
            return Said(text, message_id) if text.strip() else None
    return None


def _read(message: Any) -> tuple[str, str, str | None]:
    """A message's role, text and id, in any of the forms that LangChain takes."""
    if isinstance(message, str):
        return "human", message, None
    if isinstance(message, AIMessage):
        return "ai", "", None
    if isinstance(message, BaseMessage):
        role = getattr(message, "role", "human" if isinstance(message, HumanMessage) else "")
        return str(role), str(message.text), message.id or None
    if _is_pair(message):
        return message[0], _text(message[1]), None
    if _is_dict(message):
        role, told = message.get("role", message.get("type")), message.get("id")
        text = _text(message.get("content"))
        return str(role), text, told if isinstance(told, str) and told else None
    return "", "", None


def _text(content: object) -> str:
    """A content's text parts."""
    if not isinstance(content, str | list):
        return ""
    return str(HumanMessage(content).text)


def _is_pair(value: object) -> bool:
    return isinstance(value, tuple | list) and len(value) == 2 and value[0] in (*HUMAN, *ANSWERS)


def _is_dict(value: object) -> bool:
    return isinstance(value, Mapping)


def _held(state: object, name: str) -> object:
    if isinstance(state, Mapping):
        return state.get(name)
    if isinstance(state, str | BaseMessage | PromptValue | list | tuple):
        return None
    return getattr(state, name, None)


def _updated(update: object) -> object:
    """A Command's update, which may be pairs."""
    if isinstance(update, Sequence) and not isinstance(update, str):
        return dict(update)
    return update


def _as_json(outputs: object) -> str:
    """A structured answer as text."""
    if isinstance(outputs, BaseModel):
        return outputs.model_dump_json()
    if isinstance(outputs, dict):
        return json.dumps(outputs, default=str)
    return ""
