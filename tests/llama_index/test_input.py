"""Bad input is told: what, which value, what to do; and no path is asked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from llama_index.core.base.llms.types import (
    AudioBlock,
    ChatMessage,
    DocumentBlock,
    ImageBlock,
    TextBlock,
)
from llama_index.core.llms import MockLLM
from llama_index.core.prompts import PromptTemplate
from llama_index.core.tools import FunctionTool
from llama_index.llms.openai import OpenAI
from pydantic import BaseModel, ValidationError

from kalibr_bench.provider import LoopbackProvider
from kalibr_core import ConfigError, KalibrError, NoEligiblePath, RouterClosed
from kalibr_llama_index import KalibrLLM

from .ways import WAYS, ask, first_arm, record

FIRST, SECOND = "gpt-4o", "gpt-4o-mini"
KEY = "sk-secret-12345678"


def make(server: LoopbackProvider, *paths: Any, **options: Any) -> KalibrLLM:
    return first_arm(
        *(paths or (FIRST, SECOND)), **{"base_url": server.base_url, "api_key": KEY, **options}
    )


def weather(city: str) -> str:
    """The weather in a city."""
    return city


TOOL = FunctionTool.from_defaults(weather)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"goal": "g"}, "needs goal and paths"),
        ({"paths": ["gpt-4o"]}, "needs goal and paths"),
        ({"goal": "g", "paths": []}, "paths is empty"),
        ({"goal": "g", "paths": "gpt-4o"}, "paths must be a list"),
        ({"goal": "g", "paths": MockLLM()}, "paths must be a list"),
        ({"goal": "g", "paths": [7]}, "a path is a model's name"),
        ({"goal": "g", "paths": [object()]}, "a path is a model's name"),
        ({"goal": "", "paths": ["ollama/a"]}, "goal must be a non-empty string"),
        ({"goal": "g", "paths": ["ollama/a", "ollama/a"]}, "two paths have the id"),
        ({"goal": "g", "paths": [MockLLM(), MockLLM()]}, "two paths have the id"),
        ({"goal": "g", "paths": ["ollama/a"], "max_attempts": 0}, "max_attempts"),
        ({"goal": "g", "paths": ["ollama/a"], "timeout": -1}, "timeout_s"),
        ({"goal": "g", "paths": ["ollama/a"], "max_retries": 1, "max_attempts": 1}, "not both"),
        ({"goal": "g", "paths": ["ollama/a"], "stream_mode": "later"}, "stream_mode"),
        ({"goal": "g", "paths": ["gpt-4o"]}, "OPENAI_API_KEY"),
        ({"goal": "g", "paths": ["nobody-7b"]}, "no provider is known"),
        ({"goal": "g", "paths": [{"model": MockLLM(), "params": {}}]}, "set it on the model"),
        ({"goal": "g", "paths": [{"model": "ollama/a", "params": {"stream": True}}]}, "stream"),
        ({"router": object()}, "must be a kalibr_core.Router"),
        ({"goal": "g", "paths": ["ollama/a"], "additional_kwargs": {"n": 2}}, "additional_kwargs"),
    ],
)
def test_what_cannot_be_made_is_told_as_it_is(options: dict[str, Any], text: str) -> None:
    with pytest.raises((ConfigError, ValidationError), match=text):
        KalibrLLM(**{"ledger": "memory", **options} if "router" not in options else options)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"model": "gpt-4o"}, "name your models in paths="),
        ({"api_base": "http://x"}, "give it as base_url="),
        ({"tempreature": 0}, "did you mean temperature="),
        ({"sucess_when": bool}, "did you mean success_when="),
        ({"top_p": 0.5}, "additional_kwargs={'top_p': ...}"),
        ({"http_client": None}, "set it on an LLM"),
    ],
)
def test_arguments_of_others_are_told_where_they_go(options: dict[str, Any], text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        KalibrLLM(goal="g", paths=["ollama/a"], ledger="memory", **options)
    assert text in str(caught.value)


def test_an_llm_that_knows_no_metadata_is_told_and_what_to_do() -> None:
    """LlamaIndex's OpenAI LLM knows OpenAI's models only, and says so when it is first called."""
    with pytest.raises(ConfigError, match="OpenAILike"):
        KalibrLLM(goal="g", paths=[OpenAI(model="other-7b", api_key=KEY)], ledger="memory")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"n": 2}, "does not take n="),
        ({"session_id": object()}, "session_id must be a string"),
        ({"on_exhausted": "zzz"}, "on_exhausted must be"),
        ({"model": 7}, "model= names one of the paths"),
        ({"max_retries": 7}, "does not take max_retries="),
        ({"tools": "weather"}, "tools must be a list"),
        ({"tools": [TOOL]}, "chat_with_tools"),
        ({"response_format": "json"}, "response_format must be a dict"),
        ({"response_format": {"type": "json_schema", "json_schema": {"schema": 7}}}, "schema"),
    ],
)
def test_what_cannot_be_asked_is_a_clear_error(
    options: dict[str, Any], text: str, way: str, server: LoopbackProvider
) -> None:
    with pytest.raises(ConfigError, match=text):
        ask(make(server), way, **options)
    assert server.requests() == []


@pytest.mark.parametrize(
    ("messages", "text"),
    [
        ([], "messages is empty"),
        (None, "messages must be a list"),
        ([{"role": "user", "content": "x"}], r"messages\[0\] must be a ChatMessage, got dict"),
        (["x"], r"messages\[0\] must be a ChatMessage, got str"),
    ],
)
@pytest.mark.parametrize("way", ["chat", "achat", "stream_chat", "astream_chat"])
def test_messages_that_are_none_are_told(
    messages: Any, text: str, way: str, server: LoopbackProvider
) -> None:
    with pytest.raises(ConfigError, match=text):
        ask(make(server), way, messages)


@pytest.mark.parametrize("way", ["complete", "acomplete", "stream_complete", "astream_complete"])
@pytest.mark.parametrize("prompt", [None, 7, ["x"]])
def test_a_prompt_that_is_no_text_is_told(way: str, prompt: Any, server: LoopbackProvider) -> None:
    with pytest.raises(ConfigError, match="prompt must be a string"):
        ask(make(server), way, prompt)


@pytest.mark.parametrize("tools", ["weather", [weather], [7]])
def test_tools_that_are_none_are_told(tools: Any, server: LoopbackProvider) -> None:
    with pytest.raises(ConfigError, match=r"tools\[0\] is a|tools must be a list of LlamaIndex"):
        make(server).chat_with_tools(tools, user_msg="x")


def test_tools_where_no_path_can_call_them(server: LoopbackProvider) -> None:
    llm = make(server, {"model": FIRST, "tools": False}, MockLLM())
    with pytest.raises(NoEligiblePath, match=r"gpt-4o: cannot call tools.*cannot call tools"):
        llm.chat_with_tools([TOOL], user_msg="x")


@pytest.mark.parametrize("output_cls", [dict, "City", None, 7])
def test_a_class_that_is_none_of_pydantics_is_told(
    output_cls: Any, server: LoopbackProvider
) -> None:
    with pytest.raises(ConfigError, match="output_cls must be a pydantic class"):
        make(server).structured_predict(output_cls, PromptTemplate("x"))


def test_a_class_without_a_schema_is_told(server: LoopbackProvider) -> None:
    class Odd(BaseModel):
        made: Callable[[], None]

    with pytest.raises(ConfigError, match="has no JSON schema"):
        make(server).structured_predict(Odd, PromptTemplate("x"))


@pytest.mark.parametrize(
    ("block", "lacks"),
    [
        (ImageBlock(url="https://example.com/cat.png"), "images"),
        (AudioBlock(audio=b"aGk=", format="wav"), "audio"),
        (DocumentBlock(data=b"aGk=", document_mimetype="application/pdf", title="a"), "files"),
    ],
)
def test_content_goes_only_to_paths_that_take_it(
    block: Any, lacks: str, server: LoopbackProvider
) -> None:
    blind = {"model": FIRST, lacks: False}
    message = ChatMessage(role="user", blocks=[TextBlock(text="What is this?"), block])
    assert record(make(server, blind, SECOND).chat([message]))["path"] == SECOND
    with pytest.raises(NoEligiblePath, match=f"cannot read {lacks}"):
        make(server, blind).chat([message])


def test_a_closed_llm_says_so(server: LoopbackProvider) -> None:
    llm = make(server)
    llm.complete("Hello there, how are you?")
    core = llm.core
    llm.close()
    with pytest.raises(RouterClosed):
        core.completion([{"role": "user", "content": "x"}])


@pytest.mark.parametrize("way", WAYS)
def test_a_closed_llm_is_not_called(way: str, server: LoopbackProvider) -> None:
    llm = make(server)
    llm.close()
    with pytest.raises(KalibrError, match="closed"):
        ask(llm, way)
    assert server.requests() == []
