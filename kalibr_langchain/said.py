"""What the user said, and what was answered, in the inputs and outputs of LangChain's runs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from itertools import islice
from typing import Any, NamedTuple, TypeGuard

from langchain_core.documents import Document
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langchain_core.prompt_values import PromptValue
from pydantic import BaseModel

from kalibr_core.session_ids import shown

INPUTS = ("messages", "input", "question", "query", "human_input")
"""Where chains and graphs take the user's message; the first one that is there counts."""
OUTPUTS = ("output", "answer", "result", "response", "text", "content")
HUMAN, ANSWERS = ("user", "human"), ("assistant", "ai")
"""Roles, as messages that are tuples or dicts name them."""
DEEPEST, MOST_PARTS = 3, 64
"""Within an output: levels that are looked through for texts, and texts that are taken."""
MOST_NAMED = 10
"""Keys of an input that a warning names."""


class Said(NamedTuple):
    """A user's message."""

    text: str
    message_id: str | None = None
    """None: it has none of its own."""


class Written(NamedTuple):
    """What a run has given."""

    text: str = ""
    message: AIMessage | None = None
    """It stands in this; None: in none that is known."""
    parts: tuple[str, ...] = ()
    """All texts of a structure that says of none that it is the answer."""


NO_ANSWER = Written()
NOTHING: tuple[Said | None, tuple[str, ...]] = (None, ())
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


def heard_in(inputs: object, *, key: str | None) -> tuple[Said | None, tuple[str, ...]]:
    """`said_in`, and where a dict or a state in which it finds none may hold one."""
    said = said_in(inputs, key=key)
    return said, () if said is not None else _elsewhere(inputs, key)


def _elsewhere(inputs: object, key: str | None) -> tuple[str, ...]:
    if resumes(inputs) or isinstance(inputs, str | BaseMessage | PromptValue | list | tuple):
        return ()
    if any(_held(inputs, name) is not None for name in (INPUTS if key is None else (key,))):
        return ()
    held = inputs if isinstance(inputs, Mapping) else getattr(inputs, "__dict__", {})
    names = (str(name) for name, value in held.items() if _said(value) is not None)
    return tuple(islice(names, MOST_NAMED))


def missed(held: Sequence[str], *, key: str | None) -> str:
    """What is said of an input whose texts, under these keys, are not taken for the user's."""
    listed = ", ".join(map(shown, held))
    if key is None:
        return (
            f"no message of the user's was found in a run's input, which holds texts in {listed}: "
            "it is no turn; say where the message stands: KalibrCallbackHandler(input_key=...)"
        )
    return (
        f"input_key={shown(key)} is not in a run's input, which holds texts in {listed}: it is no "
        "turn; give the right one: KalibrCallbackHandler(input_key=...)"
    )


def is_command(inputs: object) -> bool:
    """Is it LangGraph's `Command`? LangGraph itself may not be installed."""
    return type(inputs).__name__ == "Command" and hasattr(inputs, "resume")


def written_in(outputs: object) -> Written:
    """What a run has given: its final text, or "", and the message that it stands in.

    Of a structure that says of none of its texts that it is the answer, all together are it; of the
    messages in it, it is the one that holds most.
    """
    if isinstance(outputs, str):
        return Written(outputs)
    if isinstance(outputs, AIMessage):
        return Written(str(outputs.text), outputs)
    if isinstance(messages := _held(outputs, "messages"), list | tuple):
        return _last_of(messages)
    for name in OUTPUTS:
        found = _held(outputs, name)
        if isinstance(found, str):
            return Written(found)
        if isinstance(found, AIMessage):
            return Written(str(found.text), found)
    return _all_of(outputs)


def _last_of(messages: Iterable[object]) -> Written:
    answers = [message for message in messages if isinstance(message, AIMessage)]
    return Written(str(answers[-1].text), answers[-1]) if answers else NO_ANSWER


def _all_of(outputs: object) -> Written:
    found = list(islice(_within(outputs, DEEPEST), MOST_PARTS))
    parts = tuple(text_of(one) if isinstance(one, AIMessage) else one for one in found)
    longest = max(map(len, parts), default=0)
    told = [one for part, one in zip(parts, found, strict=True) if len(part) == longest]
    message = next((one for one in told if isinstance(one, AIMessage)), None)
    return Written("\n".join(parts) or _as_json(outputs), message, parts)


def _within(outputs: object, depth: int) -> Iterator[str | AIMessage]:
    """The texts and the models' messages in a structure; of a talk, the last message."""
    if isinstance(outputs, str | AIMessage):
        yield outputs
    elif depth > 0 and not isinstance(outputs, BaseMessage | Document):
        for value in _values(outputs):
            yield from _within(value, depth - 1)


def _values(outputs: object) -> Iterable[object]:
    if isinstance(outputs, Mapping):
        return list(outputs.values())
    if _is_sequence(outputs):
        last = _last_of(outputs).message
        return outputs if last is None else [last]
    if isinstance(outputs, BaseModel):
        return list(vars(outputs).values())
    if is_dataclass(outputs):
        return [getattr(outputs, field.name) for field in fields(outputs)]
    return ()


def strings_in(text: str) -> tuple[str, ...]:
    """The texts in an answer that is JSON; (): it is none, or holds none."""
    if text[:1] not in ("{", "["):
        return ()
    try:
        read = json.loads(text)
    except (ValueError, RecursionError):
        return ()
    return tuple(one for one in _within(read, DEEPEST) if isinstance(one, str))


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


def _is_sequence(value: object) -> TypeGuard[Sequence[object]]:
    return isinstance(value, list | tuple)


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
