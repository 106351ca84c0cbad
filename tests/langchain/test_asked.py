"""One call as LangChain asks for it: what routing learns of it, and what each path is sent."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_anthropic import ChatAnthropic
from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
)
from langchain_openai import ChatOpenAI
from pydantic import BaseModel

from kalibr_core import ConfigError, Path
from kalibr_core.features import hash_of
from kalibr_core.types import Request
from kalibr_langchain.asked import Asked
from kalibr_langchain.chat import Chat
from kalibr_langchain.structured import Structured
from kalibr_langchain.tools import Tools

KEY: Any = "sk-12345678"
TOOL: dict[str, Any] = {
    "type": "function",
    "function": {"name": "f", "description": "", "parameters": {"type": "object"}},
}
SCHEMA = {"title": "City", "type": "object", "properties": {"name": {"type": "string"}}}
PICTURE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}}


class City(BaseModel):
    """A city."""

    name: str


def asked(
    *messages: BaseMessage,
    stop: list[str] | None = None,
    defaults: dict[str, Any] | None = None,
    session: str | None = None,
    structured: Structured | None = None,
    **arguments: Any,
) -> Asked:
    return Asked(
        messages=list(messages) or [HumanMessage("Hi")],
        stop=stop,
        arguments=arguments,
        defaults=defaults or {},
        session=session,
        structured=structured,
    )


def request(*messages: BaseMessage, **given: Any) -> Request:
    return asked(*messages, **given).request


def chat(*, is_named: bool = True, **params: Any) -> Chat:
    model = ChatOpenAI(model="gpt-4o", api_key=KEY)
    return Chat(Path(model="gpt-4o", params=params), model, is_named=is_named)


def sent(one: Asked, path: Chat) -> dict[str, Any]:
    return {name: value for name, value in one.on(path)[1].items() if value is not None}


# What routing learns.


@pytest.mark.parametrize(
    ("messages", "prompt"),
    [
        ([HumanMessage("first"), AIMessage("x"), HumanMessage("last"), AIMessage("y")], "last"),
        ([HumanMessage("q"), ToolMessage("1", tool_call_id="1")], "q"),
        ([HumanMessage([{"type": "text", "text": "a"}, PICTURE, "b"])], "ab"),
        ([SystemMessage("Be brief.")], ""),
    ],
)
def test_the_prompt_is_the_last_users_text(messages: list[BaseMessage], prompt: str) -> None:
    assert request(*messages).prompt == prompt


def test_what_is_counted() -> None:
    messages = [SystemMessage("x" * 400), HumanMessage(["Was?", PICTURE, PICTURE])]
    found = request(*messages, tools=[TOOL, TOOL]).features
    assert (found.turns, found.tools, found.schema, found.images) == (2, 2, False, 2)
    assert 100 <= found.input_tokens <= 120
    assert found.script == "latin"


@pytest.mark.parametrize(
    ("part", "kind"),
    [
        (PICTURE, "images"),
        ({"type": "image", "base64": "aGk=", "mime_type": "image/png"}, "images"),
        ({"type": "audio", "base64": "aGk=", "mime_type": "audio/wav"}, "audio"),
        ({"type": "input_audio", "input_audio": {"data": "aGk=", "format": "wav"}}, "audio"),
        ({"type": "file", "base64": "aGk=", "mime_type": "application/pdf"}, "files"),
        ({"type": "video", "base64": "aGk=", "mime_type": "video/mp4"}, "video"),
    ],
)
def test_what_messages_hold_beside_text_is_needed_of_a_path(
    part: dict[str, Any], kind: str
) -> None:
    assert request(HumanMessage(["Look:", part])).takes == {kind}
    assert request(ToolMessage([part], tool_call_id="1")).takes == {kind}
    assert request(HumanMessage("Hi"), AIMessage([part])).takes == frozenset()


def test_tools_are_those_of_the_call() -> None:
    tools = Tools([TOOL])
    assert request(tools=tools).tools is tools
    assert request(tools=None).tools == ()


@pytest.mark.parametrize("model", ["gpt-4o", None])
def test_a_call_may_name_its_path(model: str | None) -> None:
    assert request(model=model).only == model


def test_a_session_is_known_by_its_hash_alone() -> None:
    assert request(session="alice").features.session == hash_of("alice") != "alice"
    assert request().features.session is None


@pytest.mark.parametrize(
    ("given", "most"),
    [
        ({"max_tokens": 5}, 5),
        ({"max_completion_tokens": 6}, 6),
        ({"defaults": {"max_tokens": 7}}, 7),
        ({"max_tokens": 5, "defaults": {"max_tokens": 7}}, 5),
        ({}, None),
        ({"max_tokens": "many"}, None),
    ],
)
def test_the_calls_limit_of_tokens_wins_over_the_models(given: Any, most: int | None) -> None:
    assert request(**given).max_output_tokens == most


OPENAI_FORMAT = {"type": "json_schema", "json_schema": {"name": "City", "schema": SCHEMA}}


@pytest.mark.parametrize("given", [{"type": "json_object"}, OPENAI_FORMAT])
def test_a_format_that_was_bound_by_hand_is_judged_as_it_is(given: dict[str, Any]) -> None:
    found = request(response_format=given)
    assert (found.response_format, found.parse, found.features.schema) == (given, None, True)


@pytest.mark.parametrize(
    "given", [{"structured": Structured(City)}, {"response_format": City}], ids=str
)
def test_a_class_judges_its_answers_itself(given: dict[str, Any]) -> None:
    found = request(**given)
    assert found.response_format == {"type": "json_object"}
    assert found.parse is not None
    assert found.parse('{"name": "Paris"}') == City(name="Paris")
    with pytest.raises(ValueError):
        found.parse("{}")


BAD: list[tuple[dict[str, Any], str]] = [
    ({"n": 2}, "does not take n=; several answers"),
    ({"api_key": "sk-1"}, "does not take api_key="),
    ({"base_url": "http://x"}, "does not take base_url="),
    ({"max_retries": 3}, "does not take max_retries=; .*max_attempts="),
    ({"model": ChatOpenAI(model="gpt-4o", api_key=KEY)}, "names one of the paths, got ChatOpenAI"),
    ({"response_format": 5}, "response_format must be OpenAI's or a pydantic class, got 5"),
    ({"response_format": {"type": "json_schema"}}, "json_schema"),
]


@pytest.mark.parametrize(("arguments", "text"), BAD)
def test_what_a_routed_call_cannot_do_is_told(arguments: dict[str, Any], text: str) -> None:
    with pytest.raises(ConfigError, match=text) as caught:
        _ = asked(**arguments).request
    assert "sk-1" not in str(caught.value)


def test_a_session_that_is_no_text_is_told() -> None:
    session: Any = 7
    with pytest.raises(ConfigError, match="session_id must be a string, got int"):
        _ = asked(session=session).request


def test_no_messages_are_told() -> None:
    none = Asked(messages=[], stop=None, arguments={}, defaults={}, session=None, structured=None)
    with pytest.raises(ConfigError, match="messages is empty"):
        _ = none.request


@pytest.mark.parametrize("arguments", [{"n": 1}, {"n": None}, {"max_retries": None}])
def test_what_changes_nothing_is_taken(arguments: dict[str, Any]) -> None:
    assert request(**arguments).prompt == "Hi"


# What a path is sent.


def test_a_paths_own_parameter_wins_over_the_calls_and_that_over_the_models() -> None:
    one = asked(defaults={"temperature": 0.1, "top_p": 0.1}, top_p=0.2, seed=1)
    assert sent(one, chat()) == {"temperature": 0.1, "top_p": 0.2, "seed": 1}
    # What is the path's own its model has already.
    assert sent(one, chat(temperature=0.9)) == {"top_p": 0.2, "seed": 1}
    assert sent(one, chat(top_p=0.9)) == {"temperature": 0.1, "seed": 1}


@pytest.mark.parametrize("own", ["max_tokens", "max_completion_tokens"])
@pytest.mark.parametrize("given", ["max_tokens", "max_completion_tokens"])
def test_a_limit_of_tokens_is_one_parameter_by_either_name(own: str, given: str) -> None:
    limit: dict[str, Any] = {given: 5}
    params: dict[str, Any] = {own: 9}
    assert sent(asked(**limit), chat(**params)) == {}
    assert sent(asked(**limit), chat()) == limit


def test_a_chat_models_own_settings_stay_and_only_the_call_adds() -> None:
    one = asked(defaults={"temperature": 0.1}, top_p=0.2)
    assert sent(one, chat(is_named=False, top_p=0.9)) == {"top_p": 0.2}


def test_the_path_that_a_call_names_is_sent_its_own_models_name() -> None:
    assert sent(asked(model="mine"), chat()) == {}


@pytest.mark.parametrize("given", [{"stop": ["x"]}, {"defaults": {"stop": ["x"]}}])
def test_where_to_stop_is_said_by_the_call_or_the_model(given: dict[str, Any]) -> None:
    assert sent(asked(**given), chat()) == {"stop": ["x"]}


def test_tools_and_how_to_use_them_go_along() -> None:
    one = asked(tools=Tools([TOOL]), tool_choice="any", parallel_tool_calls=False)
    assert sent(one, chat()) == {
        "tools": [TOOL],
        "tool_choice": "required",
        "parallel_tool_calls": False,
    }


def test_a_structure_is_asked_for_beside_what_the_call_says() -> None:
    found = sent(asked(structured=Structured(City), seed=1), chat())
    assert found["seed"] == 1
    assert found["response_format"]["json_schema"]["name"] == "City"


def test_each_path_gets_the_history_as_it_takes_it() -> None:
    thought = {"type": "thinking", "thinking": "hm"}
    history = AIMessage(
        [thought, {"type": "text", "text": "Paris."}],
        response_metadata={"kalibr": {"path": "another"}},
    )
    one = asked(history, HumanMessage("And?"))
    messages, _ = one.on(chat())
    assert [message.content for message in messages] == ["Paris.", "And?"]
    assert one.messages[0] is history


def test_a_model_that_thinks_does_not_in_a_turn_that_another_path_began() -> None:
    """Anthropic refuses a tool's result after a turn that does not begin with its own thoughts."""
    claude = ChatAnthropic(
        model_name="claude-sonnet-4-0",
        api_key="x" * 12,  # type: ignore[arg-type]
        max_tokens=4000,
        thinking={"type": "enabled", "budget_tokens": 2000},
    )
    chat = Chat(Path(model="claude", provider="adapter"), claude)

    def thinking(by: str) -> Any:
        called = AIMessage(
            "",
            tool_calls=[{"name": "f", "args": {}, "id": "call_1"}],
            response_metadata={"kalibr": {"path": by}},
        )
        messages = [HumanMessage("Hi."), called, ToolMessage("x", tool_call_id="call_1")]
        asked = Asked(
            messages=messages, stop=None, arguments={}, defaults={}, session=None, structured=None
        )
        return asked.model_of(chat, claude)._get_request_payload(messages).get("thinking")  # type: ignore[attr-defined]

    assert thinking("another") is None
    assert thinking("claude") == {"type": "enabled", "budget_tokens": 2000}
    assert claude.thinking is not None, "the user's own stays"


def test_all_but_the_last_human_message_was_said_besides() -> None:
    call = {"name": "weather", "args": {"city": "Rome"}, "id": "1"}
    found = asked(
        SystemMessage("Be kind."),
        HumanMessage("first"),
        HumanMessage("second"),
        AIMessage("", tool_calls=[call]),
        ToolMessage("Sunny.", tool_call_id="1"),
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
