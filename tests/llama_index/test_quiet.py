"""LLM classes without callbacks: no event of a copy's, and the user's classes as they were."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any

import pytest
from llama_index.core.instrumentation.event_handlers import BaseEventHandler
from llama_index.core.instrumentation.span_handlers import BaseSpanHandler
from llama_index.core.llms import (
    LLM,
    ChatMessage,
    ChatResponse,
    CompletionResponse,
    CustomLLM,
    LLMMetadata,
    MockLLM,
)
from llama_index.core.llms.callbacks import llm_chat_callback, llm_completion_callback
from llama_index.llms.anthropic import Anthropic
from llama_index.llms.openai import OpenAI, OpenAIResponses
from llama_index.llms.openai_like import OpenAILike
from llama_index_instrumentation import get_dispatcher
from pydantic import Field

from kalibr_bench.provider import LoopbackProvider
from kalibr_llama_index.forms import FORMS
from kalibr_llama_index.quiet import QUIET, quiet

from .ways import WAYS, ask, text_of

KEY = "sk-12345678"


class Plain(CustomLLM):
    """A user's LLM, as LlamaIndex's page tells to write one."""

    @property
    def metadata(self) -> LLMMetadata:
        return LLMMetadata()

    @llm_completion_callback()
    def complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponse:
        return CompletionResponse(text="plain")

    @llm_completion_callback()
    def stream_complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> Any:
        yield CompletionResponse(text="plain", delta="plain")


class Undecorated(Plain):
    """One without callbacks."""

    def complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponse:
        return CompletionResponse(text="undecorated")


class Above(Plain):
    """One that adds to what it inherits."""

    @llm_completion_callback()
    def complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponse:
        return CompletionResponse(text=super().complete(prompt, **kwargs).text + " and above")


class Top(Above):
    """One more."""

    @llm_completion_callback()
    def complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponse:
        return CompletionResponse(text=super().complete(prompt, **kwargs).text + " and top")


class Heir(Top):
    """One that changes nothing."""


calls: list[str] = []


def counted(method: Callable[..., Any]) -> Callable[..., Any]:
    """A decorator of the user's own."""

    @wraps(method)
    def wrapper(self: Any, *args: Any, **kwargs: Any) -> Any:
        calls.append("counted")
        return method(self, *args, **kwargs)

    return wrapper


class Counted(Plain):
    """One with its own decorator on the outside."""

    @counted
    def complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponse:
        return CompletionResponse(text="counted")


class CountedChat(MockLLM):
    """One with its own decorator inside LlamaIndex's."""

    @llm_chat_callback()
    @counted
    def chat(self, messages: Any, **kwargs: Any) -> ChatResponse:
        return ChatResponse(message=ChatMessage(role="assistant", content="counted"))


class Mixin:
    """What an LLM may inherit beside."""

    def said(self) -> str:
        return "mixed in"


class Mixed(Mixin, Above):
    """One of two bases."""


class Events(BaseEventHandler):
    """Keeps the names of events."""

    seen: list[str] = Field(default_factory=list)

    @classmethod
    def class_name(cls) -> str:
        return "Events"

    def handle(self, event: Any, **kwargs: Any) -> None:
        self.seen.append(event.class_name())


class Spans(BaseSpanHandler[Any]):
    """Keeps the ids of spans."""

    seen: list[str] = Field(default_factory=list)

    def new_span(self, id_: str, *args: Any, **kwargs: Any) -> None:
        self.seen.append(id_)

    def prepare_to_exit_span(self, *args: Any, **kwargs: Any) -> None: ...

    def prepare_to_drop_span(self, *args: Any, **kwargs: Any) -> None: ...


@pytest.fixture
def heard() -> Iterator[list[str]]:
    events = Events(seen=[])
    spans = Spans(open_spans={}, completed_spans=[], dropped_spans=[], current_span_ids={})
    root = get_dispatcher()
    root.add_event_handler(events)
    root.add_span_handler(spans)

    class Heard(list[str]):
        def __iter__(self) -> Iterator[str]:
            return iter([*events.seen, *spans.seen])

    yield Heard()
    root.event_handlers = [h for h in root.event_handlers if h is not events]
    root.span_handlers = [h for h in root.span_handlers if h is not spans]


def copied(llm: LLM) -> Any:
    copy = llm.model_copy()
    object.__setattr__(copy, "__class__", quiet(type(llm)))
    return copy


USERS = [
    (Plain, "plain"),
    (Undecorated, "undecorated"),
    (Above, "plain and above"),
    (Top, "plain and above and top"),
    (Heir, "plain and above and top"),
    (Counted, "counted"),
    (Mixed, "plain and above"),
]


@pytest.mark.parametrize(("cls", "said"), USERS, ids=lambda it: getattr(it, "__name__", ""))
@pytest.mark.parametrize("way", ["complete", "acomplete", "chat", "achat"])
def test_a_users_class_says_the_same_and_sends_nothing(
    cls: type[LLM], said: str, way: str, heard: list[str]
) -> None:
    assert text_of(ask(copied(cls()), way)) == said
    assert list(heard) == []


@pytest.mark.parametrize("way", WAYS)
def test_llama_indexs_own_send_nothing_any_way(
    way: str, heard: list[str], shared_server: LoopbackProvider
) -> None:
    server: Any = {"api_base": shared_server.base_url, "api_key": KEY}
    llms: list[LLM] = [
        OpenAI(model="gpt-4o", **server),
        OpenAILike(model="gpt-4o", is_chat_model=True, **server),
        MockLLM(),
    ]
    for llm in llms:
        assert text_of(ask(copied(llm), way))
    assert list(heard) == []


@pytest.mark.parametrize("way", WAYS)
def test_the_original_still_sends_its_events(way: str, heard: list[str]) -> None:
    llm = MockLLM()
    copied(llm)
    assert type(llm) is MockLLM
    ask(llm, way)
    assert list(heard)


@pytest.mark.parametrize("cls", [Counted, CountedChat])
def test_a_decorator_of_the_users_own_stays(cls: type[LLM], heard: list[str]) -> None:
    calls.clear()
    ask(copied(cls()), "complete" if cls is Counted else "chat")
    assert calls == ["counted"]
    assert list(heard) == []


def test_a_mixins_methods_are_there() -> None:
    assert copied(Mixed()).said() == "mixed in"


ALL = [*(cls for cls, _ in USERS), MockLLM, OpenAI, OpenAILike, OpenAIResponses, Anthropic]


@pytest.mark.parametrize("cls", ALL, ids=lambda cls: cls.__name__)
def test_a_quiet_class_stands_for_its_own_and_changes_none(cls: type[LLM]) -> None:
    before = [dict(vars(base)) for base in cls.__mro__]
    made = quiet(cls)
    assert issubclass(made, cls)
    assert made.class_name() == cls.class_name()
    assert made.__name__ == cls.__name__
    assert vars(made)[QUIET] is True
    assert QUIET not in vars(cls)
    assert set(made.model_fields) == set(cls.model_fields)
    assert quiet(cls) is made
    for base, held in zip(cls.__mro__, before, strict=True):
        assert {n: v for n, v in vars(base).items() if n in FORMS} == {
            n: v for n, v in held.items() if n in FORMS
        }


def test_a_method_that_is_set_on_the_object_or_class_later_is_not_lost() -> None:
    """The user's own test may do so."""

    class Late(Plain):
        pass

    Late.complete = lambda self, prompt, **kwargs: CompletionResponse(text="late")  # type: ignore[method-assign,assignment]
    assert copied(Late()).complete("x").text == "late"


def test_an_error_goes_through() -> None:
    class Broken(Plain):
        @llm_completion_callback()
        def complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> Any:
            raise LookupError("mine")

    for way in ("complete", "chat"):
        with pytest.raises(LookupError, match="mine"):
            ask(copied(Broken()), way)


def test_threads_make_one_class_that_works() -> None:
    async def all_() -> list[Any]:
        return await asyncio.gather(*(asyncio.to_thread(quiet, Top) for _ in range(16)))

    quiet.cache_clear()
    for made in asyncio.run(all_()):
        copy = Top()
        object.__setattr__(copy, "__class__", made)
        assert copy.complete("x").text == "plain and above and top"
