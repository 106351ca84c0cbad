"""What may stand in `paths`, how each is named, and what is told where one cannot be."""

from __future__ import annotations

from typing import Any

import pytest
from llama_index.core.llms import LLM, CompletionResponse, CustomLLM, LLMMetadata, MockLLM
from llama_index.llms.anthropic import Anthropic
from llama_index.llms.openai import OpenAI
from llama_index.llms.openai_like import OpenAILike

from kalibr_core import ConfigError, Path
from kalibr_core.adapter.listing import Listed
from kalibr_llama_index import KalibrLLM
from kalibr_llama_index.paths import LLMS, calls_tools, metadata_of, model_name

SECRET = "sk-12345678"


def gpt(**settings: Any) -> OpenAI:
    return OpenAI(**{"model": "gpt-4o", "api_key": SECRET, **settings})


def like(**settings: Any) -> OpenAILike:
    given = {"model": "mine", "api_key": SECRET, "api_base": "http://host/v1"}
    return OpenAILike(**{**given, **settings})


def claude(**settings: Any) -> Anthropic:
    return Anthropic(**{"model": "claude-sonnet-4-5", "api_key": SECRET, **settings})


class Own(CustomLLM):
    """A user's LLM that tells nothing of itself."""

    @property
    def metadata(self) -> LLMMetadata:
        return LLMMetadata(context_window=-1)

    def complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponse:
        return CompletionResponse(text="a")

    def stream_complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> Any: ...

    @classmethod
    def class_name(cls) -> str:
        return "own"


def listed(spec: Any) -> Listed[LLM]:
    return LLMS.listed([spec])[0]


def ids(*specs: Any) -> list[str]:
    return [entry.path.id for entry in LLMS.listed(specs)]


def test_names_dicts_paths_and_llms_may_be_mixed() -> None:
    llm, path = gpt(model="gpt-4.1"), Path(model="deepseek-chat")
    named, parsed, given, wrapped, adapted = LLMS.listed(
        ["gpt-4o", {"model": "gpt-4o-mini"}, path, {"model": llm, "name": "mine"}, claude()]
    )
    assert [named.model, parsed.model, given.model] == [None, None, None]
    assert given.path is path
    assert wrapped.model is llm
    assert (wrapped.path.id, wrapped.path.model) == ("mine", "gpt-4.1")
    assert (adapted.path.model, adapted.path.provider) == ("claude-sonnet-4-5", "adapter")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (gpt(temperature=0.1), gpt(temperature=0.2)),
        (gpt(max_tokens=10), gpt(max_tokens=20)),
        (gpt(), gpt(api_base="http://localhost:8000/v1")),
        (like(), like(api_base="http://other/v1")),
        (claude(temperature=0.1), claude(temperature=0.2)),
    ],
)
def test_llms_that_differ_have_two_ids(one: LLM, other: LLM) -> None:
    assert len(set(ids(one, other))) == 2


def test_the_same_settings_have_the_same_id_each_time() -> None:
    assert (
        ids(gpt(max_tokens=5)) == ids(gpt(max_tokens=5)) == ["gpt-4o?max_tokens=5&temperature=0.1"]
    )


def test_what_does_not_tell_two_paths_apart_is_not_in_an_id() -> None:
    assert ids(gpt()) == ids(gpt(timeout=3, max_retries=7, reuse_client=False))
    assert ids(claude(max_retries=7)) == ids(claude())


@pytest.mark.parametrize(
    "llm",
    [
        gpt(default_headers={"x-key": "hunter2"}),
        gpt(additional_kwargs={"user": "hunter2" * 8, "extra_body": {"key": "hunter2"}}),
        gpt(api_base="http://user:hunter2@localhost:8000/v1"),
        like(api_base="http://user:hunter2@localhost:8000/v1"),
        claude(default_headers={"x-key": "hunter2"}),
    ],
)
def test_no_secret_is_in_an_id_or_repr(llm: LLM) -> None:
    path = listed(llm).path
    for text in (path.id, repr(path)):
        assert "hunter2" not in text
        assert SECRET not in text


def test_an_llms_own_server_is_in_its_id_and_openais_is_not() -> None:
    assert ids(like()) == ["mine@host/v1?temperature=0.1"]
    assert "@" not in ids(gpt(api_base="https://api.openai.com/v1"))[0]
    assert ids({"model": like(), "name": "short"}) == ["short"]


def test_what_is_declared_wins_over_the_metadata() -> None:
    path = listed({"model": gpt(), "tools": False, "context_window": 50, "images": True}).path
    assert (path.tools, path.context_window, path.images) == (False, 50, True)
    path = listed(gpt()).path
    assert (path.tools, path.context_window, path.images) == (True, 128_000, None)


def test_an_llm_that_tells_nothing_is_named_by_its_class() -> None:
    path = listed(Own()).path
    assert (path.id, path.tools, path.context_window) == ("own", False, None)


def test_an_llm_that_is_told_to_call_tools_and_cannot_does_not() -> None:
    class Boasting(Own):
        @property
        def metadata(self) -> LLMMetadata:
            return LLMMetadata(is_function_calling_model=True)

    assert not calls_tools(Boasting(), Boasting().metadata)
    assert calls_tools(gpt(), gpt().metadata)
    assert not calls_tools(like(), like().metadata)


@pytest.mark.parametrize("name", ["", "  ", "unknown", None, 5])
def test_an_odd_model_name_is_none(name: Any) -> None:
    class Named(Own):
        model: Any = None

    assert model_name(Named(model=name), LLMMetadata(model_name="unknown")) == "own"
    assert model_name(Named(model=name), LLMMetadata(model_name="told")) == "told"


class Broken(Own):
    """An LLM that cannot tell its metadata."""

    @property
    def metadata(self) -> LLMMetadata:
        raise RuntimeError("no such model")


@pytest.mark.parametrize("llm", [Broken(), gpt(model="of-our-own")])
def test_an_llm_that_tells_no_metadata_is_told_with_what_to_do(llm: LLM) -> None:
    with pytest.raises(ConfigError, match=r"tells no metadata .*OpenAILike") as caught:
        metadata_of(llm)
    assert caught.value.__cause__ is not None
    with pytest.raises(ConfigError, match="tells no metadata"):
        KalibrLLM(goal="g", paths=[llm])


ERRORS: list[tuple[Any, str]] = [
    ("gpt-4o", r"paths must be a list, got str; write paths=\[...\]"),
    ({"model": "gpt-4o"}, "paths must be a list, got dict"),
    (gpt(), "paths must be a list, got OpenAI"),
    (5, "paths must be a list, got int"),
    ([], "paths is empty"),
    (["gpt-4o", "gpt-4o"], "two paths have the id 'gpt-4o'; .*name="),
    ([MockLLM(), MockLLM()], "two paths have the id"),
    ([5], "a path is a model's name, a dict, a Path or an LLM, got int$"),
    ([OpenAI], "got ModelMetaclass"),
    ([{"name": "x"}], "a path needs a model"),
    ([{"model": "m", "temperature": 0.1}], "unknown path field 'temperature'.*params="),
    ([{"model": gpt(), "params": {}}], "does not take 'params': set it on the model"),
    ([{"model": gpt(), "api_key": SECRET}], "does not take 'api_key'"),
    ([{"model": "m", "provider": "adapter"}], "provider='adapter', but an LLM is not given"),
    ([{"model": gpt(), "timeout_s": -1}], "timeout_s must not be zero or negative"),
]


@pytest.mark.parametrize(("specs", "text"), ERRORS)
def test_what_is_no_list_of_paths_is_told(specs: Any, text: str) -> None:
    with pytest.raises(ConfigError, match=text) as caught:
        LLMS.listed(specs)
    assert SECRET not in str(caught.value)


def test_a_structured_llm_is_no_path() -> None:
    from pydantic import BaseModel

    class City(BaseModel):
        name: str

    with pytest.raises(ConfigError, match="as_structured_llm goes on KalibrLLM itself"):
        LLMS.listed([gpt().as_structured_llm(City)])
