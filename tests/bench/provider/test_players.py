"""A model can be played by a function of the conversation."""

from __future__ import annotations

import json
from typing import Any

import openai
import pytest

from kalibr_bench.provider import Answer, Conversation, Fault, LoopbackProvider, ToolCall

from .conftest import Ask

ADD = {"type": "function", "function": {"name": "add", "parameters": {"type": "object"}}}
DRAWS = 40


def adder(conversation: Conversation) -> Answer | str | None:
    """Calls `add` twice and tells what it returned; without the tool it has nothing to say."""
    if not conversation.offers("add"):
        return None
    if conversation.turn < 2:
        arguments = json.dumps({"turn": conversation.turn})
        return Answer(text=None, tool_calls=(ToolCall(name="add", arguments=arguments),))
    return ", ".join(conversation.results)


def lucky(conversation: Conversation) -> str:
    return str(conversation.luck.uniform("skill"))


def talk(client: openai.OpenAI) -> str | None:
    """A tool loop, as agents have it."""
    messages: list[Any] = [{"role": "user", "content": "Go"}]
    for _ in range(5):
        answer = client.chat.completions.create(
            model="gpt-4o",
            messages=messages,
            tools=[ADD],  # type: ignore[list-item]  # plain data, as over the wire
        )
        message = answer.choices[0].message
        if not message.tool_calls:
            return message.content
        messages.append(message.model_dump(exclude_none=True))
        for call in message.tool_calls:
            said = f"result of {json.loads(call.function.arguments)['turn']}"  # type: ignore[union-attr]
            messages.append({"role": "tool", "tool_call_id": call.id, "content": said})
    raise AssertionError("it does not end")


def test_a_player_goes_on_turn_by_turn_and_sees_what_tools_returned() -> None:
    with LoopbackProvider(players={"gpt-4o": adder}) as provider:
        client = openai.OpenAI(base_url=provider.base_url, api_key="k", max_retries=0)
        assert talk(client) == "result of 0, result of 1"


def test_what_a_player_leaves_is_the_responders_and_then_the_models_own() -> None:
    def responder(request: Any) -> str | None:
        return "responded" if request["messages"][-1]["content"] == "respond" else None

    with LoopbackProvider(players={"gpt-4o": adder}, responder=responder) as provider:
        ask = Ask(provider)
        assert ask.text("respond") == "responded"
        assert ask.text("Explain gravity") not in (None, "responded")
    with LoopbackProvider(
        players={"gpt-4o": lambda c: "played"}, responder=lambda body: "responded"
    ) as provider:
        assert Ask(provider).text() == "played"


def test_a_player_plays_its_model_alone_under_all_its_names() -> None:
    with LoopbackProvider(players={"gpt-4o-2024-08-06": lambda c: "played"}) as provider:
        ask = Ask(provider)
        assert ask.text(model="gpt-4o") == ask.text(model="gpt-4o-2024-08-06") == "played"
        assert ask.text(model="gpt-4o-mini") != "played"


def test_a_script_comes_before_the_player_and_injection_after_it() -> None:
    with LoopbackProvider(players={"gpt-4o": lambda c: "played"}) as provider:
        ask = Ask(provider)
        provider.script("gpt-4o", ["scripted"])
        assert [ask.text(), ask.text()] == ["scripted", "played"]
        provider.degrade("gpt-4o", rate=1.0, kinds=["empty"])
        assert ask.text() == ""


def test_a_player_may_fail() -> None:
    with (
        LoopbackProvider(players={"gpt-4o": lambda c: Fault(kind="rate_limit")}) as provider,
        pytest.raises(openai.RateLimitError),
    ):
        Ask(provider)()


def test_a_conversation_keeps_its_luck_and_another_seed_or_opening_draws_anew() -> None:
    with LoopbackProvider(players={"gpt-4o": lucky}) as provider:
        ask = Ask(provider)
        opening = [{"role": "user", "content": "Go"}]
        later = [*opening, {"role": "assistant", "content": "so"}, {"role": "user", "content": "?"}]
        first = ask.text(messages=opening, seed=1)
        assert ask.text(messages=later, seed=1) == first == ask.text(messages=opening, seed=1)
        others = {ask.text(messages=opening, seed=seed) for seed in range(2, DRAWS)}
        assert len(others | {first}) == DRAWS - 1
        assert ask.text("Stop", seed=1) != first


def test_players_need_thread_mode_and_known_models() -> None:
    with pytest.raises(ValueError, match="thread mode"):
        LoopbackProvider(process=True, players={"gpt-4o": adder})
    with pytest.raises(ValueError, match="unknown model"):
        LoopbackProvider(players={"gpt-9": adder})
