"""One call as LlamaIndex asks for it: what routing learns of it, and what each path is sent."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from llama_index.core.base.llms.types import (
    AudioBlock,
    ChatMessage,
    DocumentBlock,
    ImageBlock,
    TextBlock,
    ThinkingBlock,
    ToolCallBlock,
    VideoBlock,
)
from llama_index.core.llms import MockLLM
from llama_index.core.tools import FunctionTool
from llama_index.core.types import PydanticProgramMode
from llama_index.llms.openai import OpenAI, OpenAIResponses
from pydantic import BaseModel

from kalibr_core import ConfigError, NoEligiblePath, Path
from kalibr_core.features import hash_of
from kalibr_llama_index.asked import Asked, checked_messages, checked_prompt
from kalibr_llama_index.path_llm import PathLLM
from kalibr_llama_index.structured import Structured
from kalibr_llama_index.tools import Tools

KEY = "sk-12345678"
OPENAIS = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]


class City(BaseModel):
    """A city."""

    name: str


def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


def user(*blocks: Any, role: str = "user") -> ChatMessage:
    held = [TextBlock(text=block) if isinstance(block, str) else block for block in blocks]
    return ChatMessage(role=role, blocks=held)


def asked(messages: Any = None, *, session: str | None = None, **arguments: Any) -> Asked:
    defaults = arguments.pop("defaults", {})
    own = arguments.pop("own", None)
    return Asked(
        messages=[user("Hi")] if messages is None else messages,
        arguments=arguments,
        defaults=defaults,
        session=session,
        most_tokens=own,
    )


def path(*, is_named: bool = True, llm: Any = None, **params: Any) -> PathLLM:
    given = llm or OpenAI(model="gpt-4o", api_key=KEY)
    return PathLLM(Path(model="gpt-4o", params=params), given, is_named=is_named)


def sent(one: Asked, to: PathLLM) -> dict[str, Any]:
    found = one.on(to)
    found.pop("messages", None)
    return found


TOOLS = Tools([FunctionTool.from_defaults(add)])
WANTED = Structured(City, PydanticProgramMode.DEFAULT)

# What routing learns.


@pytest.mark.parametrize(
    ("messages", "prompt"),
    [
        ([user("first"), user("x", role="assistant"), user("last")], "last"),
        ([user("q"), user("1", role="tool")], "q"),
        ([user("be brief", role="system")], ""),
        ([user("a", ImageBlock(url="http://h/a.png"), "b")], "a\nb"),
        ([user(ImageBlock(url="http://h/a.png"))], ""),
        ("complete this", "complete this"),
        ("", ""),
    ],
)
def test_the_prompt_is_the_last_users_text(messages: Any, prompt: str) -> None:
    assert asked(messages).request.prompt == prompt


def test_its_form_is_llama_indexs_word() -> None:
    assert asked("x").form == "complete"
    assert asked().form == "chat"


@pytest.mark.parametrize(
    ("block", "takes", "images"),
    [
        (ImageBlock(url="http://h/a.png"), {"images"}, 1),
        (AudioBlock(url="http://h/a.wav"), {"audio"}, 0),
        (DocumentBlock(url="http://h/a.pdf"), {"files"}, 0),
        (VideoBlock(url="http://h/a.mp4"), {"video"}, 0),
        ("text", set(), 0),
        (ThinkingBlock(content="hm"), set(), 0),
    ],
)
def test_what_messages_hold_beside_text_is_asked_of_the_paths(
    block: Any, takes: set[str], images: int
) -> None:
    request = asked([user("x", block)]).request
    assert request.takes == takes
    assert request.features.images == images
    made = asked([user("x"), user(block, role="assistant")]).request
    assert made.takes == set(), "what a model has made goes along as far as the next takes it"


def test_features_tell_no_text() -> None:
    features = asked(
        [user("secret"), user("secret")], session="alice", tools=TOOLS
    ).request.features
    assert (features.turns, features.tools, features.schema) == (2, 1, False)
    assert features.session == hash_of("alice")
    assert "secret" not in repr(features)
    assert "alice" not in repr(features)
    assert features.input_tokens > 8


@pytest.mark.parametrize(
    ("given", "most"),
    [
        ({}, None),
        ({"own": 9}, 9),
        ({"defaults": {"max_tokens": 5}, "own": 9}, 5),
        ({"defaults": {"max_tokens": 5}, "max_tokens": 3}, 3),
        ({"defaults": {"max_tokens": 5}, "max_completion_tokens": 3}, 3),
    ],
)
def test_the_limit_of_the_answer_is_the_narrowest_word(given: Any, most: int | None) -> None:
    request = asked(**given).request
    assert request.max_output_tokens == most
    assert ("truncated" in request.tolerates) is (most is not None)


def test_tools_are_known_to_the_gate_and_checked() -> None:
    request = asked(tools=TOOLS).request
    assert list(request.tools) == list(TOOLS)
    assert request.parse_calls is not None
    assert "tool_call" in request.tolerates
    plain = asked(tools=OPENAIS).request
    assert (plain.tools, plain.parse_calls) == (OPENAIS, None)


def test_a_structure_is_parsed_and_its_refusal_not_tolerated() -> None:
    request = asked(response_format=WANTED).request
    assert request.response_format == {"type": "json_object"}
    assert request.parse is not None
    assert request.parse('{"name": "Paris"}') == City(name="Paris")
    assert "refusal" not in request.tolerates
    assert request.features.schema
    assert "refusal" in asked().request.tolerates


def test_a_call_may_go_to_one_path_alone() -> None:
    assert asked(model="gpt-4o").request.only == "gpt-4o"
    assert asked().request.only is None


# What each path is sent.


def test_settings_are_for_named_paths_alone() -> None:
    one = asked(defaults={"temperature": 0.5, "max_tokens": 9}, top_p=0.1)
    assert sent(one, path()) == {"temperature": 0.5, "max_tokens": 9, "top_p": 0.1}
    assert sent(one, path(is_named=False)) == {"top_p": 0.1}


def test_the_call_wins_over_the_settings_and_a_named_path_over_the_call() -> None:
    one = asked(defaults={"temperature": 0.5, "max_tokens": 9}, temperature=0.7, max_tokens=3)
    assert sent(one, path()) == {"temperature": 0.7, "max_tokens": 3}
    assert sent(one, path(temperature=0.1)) == {"max_tokens": 3}
    assert sent(one, path(max_completion_tokens=7)) == {"temperature": 0.7}
    assert sent(one, path(is_named=False, temperature=0.1))["temperature"] == 0.7


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
def test_a_path_is_sent_one_limit(name: str) -> None:
    found = sent(asked(defaults={"max_tokens": 9}, **{name: 3}), path())
    assert found == {name: 3}


@pytest.mark.parametrize(
    "name", ["model", "stream", "n", "max_retries", "api_key", "base_url", "tool_choice"]
)
def test_what_is_the_routers_reaches_no_path(name: str) -> None:
    for to in (path(), path(is_named=False)):
        assert name not in sent(asked(**{name: None}), to)
    assert "model" not in sent(asked(model="gpt-4o"), path())


def test_a_completion_is_sent_as_one() -> None:
    one = Asked(messages="Hi", formatted=True, arguments={}, defaults={}, session=None)
    assert one.on(path()) == {"prompt": "Hi", "formatted": True}


GIVEN: list[dict[str, Any]] = [
    {"tools": OPENAIS, "tool_choice": "auto"},
    {"response_format": {"type": "json_object"}},
]


@pytest.mark.parametrize("given", GIVEN)
def test_openais_own_form_goes_to_paths_that_speak_it(given: dict[str, Any]) -> None:
    one = asked(**given)
    for llm in (None, OpenAIResponses(model="gpt-4o", api_key=KEY)):
        assert sent(one, path(llm=llm)) == given
    with pytest.raises(NoEligiblePath, match=r"gpt-4o: its LLM takes no (tools|response_format)="):
        one.on(path(llm=MockLLM()))


def test_tools_and_structures_are_asked_for_in_the_paths_own_way() -> None:
    assert sent(asked(tools=TOOLS), path())["tools"][0]["function"]["name"] == "add"
    assert "response_format" in sent(asked(response_format=WANTED), path())


def test_nothing_of_the_callers_is_changed() -> None:
    messages = [user("Hi"), user("x", ThinkingBlock(content="hm"), role="assistant")]
    arguments: dict[str, Any] = {"stop": ["END"], "tools": TOOLS, "max_tokens": 5}
    before = copy.deepcopy(([m.model_dump() for m in messages], {**arguments, "tools": None}))
    one = Asked(messages=messages, arguments=arguments, defaults={"a": 1}, session=None)
    for to in (path(), path(is_named=False), path(temperature=0.1)):
        given = one.on(to)
        given["messages"].clear()
        given["stop"] = "changed"
    assert one.request
    assert ([m.model_dump() for m in messages], {**arguments, "tools": None}) == before
    assert one.on(path())["messages"]


# What is refused.


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"response_format": City}, "must be a dict in OpenAI's form, got .*as_structured_llm"),
        ({"response_format": "json"}, "must be a dict in OpenAI's form, got 'json'"),
        ({"n": 2}, "does not take n="),
        ({"model": 5}, "names one of the paths"),
        ({"session": 5}, "session_id must be a string"),
    ],
)  # fmt: skip
def test_what_a_routed_call_cannot_do_is_told(given: Any, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        asked(**given).check()


def refusal(one: Asked) -> str | None:
    """Why a call is refused; None: it is not."""
    try:
        one.check()
    except ConfigError as error:
        return str(error)
    return None


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"messages": "x"},
        {"n": 1},
        {"response_format": WANTED},
        {"response_format": {"type": "json_object"}},
    ],
)
def test_a_usual_call_is_not_refused(given: Any) -> None:
    assert refusal(asked(**given)) is None


@pytest.mark.parametrize(
    ("messages", "told"),
    [
        ([], "messages is empty"),
        (user("Hi"), r"must be a list of ChatMessage, got ChatMessage; write"),
        ({"role": "user"}, "got dict"),
        (5, "got int"),
        ([user("Hi"), {"role": "user"}], r"messages\[1\] .*got dict"),
        (["Hi"], r"messages\[0\] .*got str"),
        ("Hi", r"must be a list of ChatMessage, got str"),
    ],
)
def test_what_is_no_conversation_is_told(messages: Any, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        checked_messages(messages)


def test_a_conversation_or_prompt_is_given_back_as_it_is() -> None:
    messages = (user("Hi"),)
    assert checked_messages(messages) is messages
    assert checked_prompt("") == ""


@pytest.mark.parametrize("prompt", [None, 5, ["Hi"], user("Hi"), b"Hi"])
def test_what_is_no_prompt_is_told(prompt: Any) -> None:
    with pytest.raises(ConfigError, match="prompt must be a string, got "):
        checked_prompt(prompt)


def test_all_but_the_last_users_message_was_said_besides() -> None:
    call = ToolCallBlock(tool_call_id="1", tool_name="weather", tool_kwargs={"city": "Rome"})
    found = asked(
        [
            ChatMessage(role="system", content="Be kind."),
            user("first"),
            user("second"),
            ChatMessage(role="assistant", blocks=[call]),
            ChatMessage(role="tool", content="Sunny."),
        ]
    ).request
    assert (found.prompt, list(found.conversation())) == (
        "second",
        [
            {"role": "system", "content": "Be kind."},
            {"role": "user", "content": "first"},
            {"role": "assistant", "content": 'weather({"city": "Rome"})'},
            {"role": "tool", "content": "Sunny."},
        ],
    )
    assert list(asked("a prompt").request.conversation()) == []
