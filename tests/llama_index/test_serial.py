"""A routed LLM as plain data, without keys, and back; and its copies."""

from __future__ import annotations

import copy
import json
import pickle
from typing import Any

import pytest
from llama_index.core.llms import MockLLM
from llama_index.llms.anthropic import Anthropic
from llama_index.llms.openai import OpenAI
from llama_index.llms.openai_like import OpenAILike

from kalibr_bench.provider import LoopbackProvider
from kalibr_core import ConfigError, Path, Router
from kalibr_llama_index import KalibrLLM
from kalibr_llama_index.serial import _classes, made_path, plain_llm

SECRET = "sk-secret-12345678"


@pytest.fixture(autouse=True)
def _at(shared_server: LoopbackProvider, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KALIBR_BASE_URL", shared_server.base_url)
    for name in ("OPENAI", "ANTHROPIC", "KALIBR"):
        monkeypatch.setenv(f"{name}_API_KEY", "sk-of-the-environment")


def is_long(text: str) -> bool:
    return len(text) > 1


def gpt(**settings: Any) -> OpenAI:
    return OpenAI(**{"model": "gpt-4o", "api_key": SECRET, **settings})


def llm(*paths: Any, **settings: Any) -> KalibrLLM:
    given = {"goal": "serial", "paths": list(paths) or ["gpt-4o"], "ledger": "memory"}
    return KalibrLLM(**{**given, **settings})


def by_dict(one: KalibrLLM) -> KalibrLLM:
    return KalibrLLM.from_dict(json.loads(json.dumps(one.to_dict())))


def by_json(one: KalibrLLM) -> KalibrLLM:
    return KalibrLLM.from_json(one.to_json())


def by_pickle(one: KalibrLLM) -> KalibrLLM:
    found: KalibrLLM = pickle.loads(pickle.dumps(one))
    return found


every_way = pytest.mark.parametrize("sent", [by_dict, by_json, by_pickle])

HIDDEN: dict[str, Any] = {
    "dict": lambda: llm({"model": "gpt-4o", "api_key": SECRET}),
    "Path": lambda: llm(Path(model="gpt-4o", api_key=SECRET)),
    "its own": lambda: llm(api_key=SECRET),
    "LLM": lambda: llm(gpt()),
    "LLM in a dict": lambda: llm({"model": gpt(), "name": "mine"}),
    "Anthropic": lambda: llm(Anthropic(model="claude-sonnet-4-5", api_key=SECRET)),
    "LLM headers": lambda: llm(gpt(default_headers={"x-api-key": SECRET})),
    "LLM kwargs": lambda: llm(gpt(additional_kwargs={"extra_headers": {"Authorization": SECRET}})),
    "LLM body": lambda: llm(gpt(additional_kwargs={"extra_body": {"api_key": SECRET}})),
    "headers": lambda: llm({"model": "gpt-4o", "params": {"extra_headers": {"x-auth": SECRET}}}),
    "kwargs": lambda: llm(additional_kwargs={"extra_headers": {"authorization": SECRET}}),
    "routed": lambda: llm(llm(gpt())),
    "login": lambda: llm(base_url=f"http://user:{SECRET}@127.0.0.1:9/v1"),
    "login of a path": lambda: llm(
        {"model": "gpt-4o", "base_url": f"http://user:{SECRET}@127.0.0.1:9/v1"}
    ),
    "login of an LLM": lambda: llm(gpt(api_base=f"http://user:{SECRET}@127.0.0.1:9/v1")),
}
each = pytest.mark.parametrize("which", HIDDEN)


@each
def test_no_key_is_in_what_is_written(which: str) -> None:
    one = HIDDEN[which]()
    assert SECRET not in json.dumps(one.to_dict())
    assert SECRET not in one.to_json()
    assert SECRET.encode() not in pickle.dumps(one)


@each
def test_no_key_is_in_what_is_shown(which: str) -> None:
    one = HIDDEN[which]()
    assert SECRET not in repr(one)
    assert SECRET not in str(one)


@pytest.mark.parametrize("which", [name for name in HIDDEN if "login" not in name])
@every_way
def test_what_is_made_again_has_the_same_paths(which: str, sent: Any) -> None:
    one = HIDDEN[which]()
    assert [path.id for path in sent(one).core.paths] == [path.id for path in one.core.paths]


SETTINGS: dict[str, Any] = {
    "task": "extraction",
    "timeout_s": 5.0,
    "max_attempts": 2,
    "temperature": 0.1,
    "max_tokens": 50,
    "seed": 1,
    "additional_kwargs": {"top_p": 0.5},
    "stream_mode": "hold",
    "on_exhausted": "best",
    "system_prompt": "Be brief.",
}


@every_way
def test_settings_survive(sent: Any) -> None:
    one = llm("gpt-4o", {"model": "gpt-4o-mini", "params": {"temperature": 0.2}}, **SETTINGS)
    other = sent(one)
    assert type(other) is KalibrLLM
    assert {name: getattr(other, name) for name in SETTINGS} == SETTINGS
    assert (other.goal, other.ledger) == ("serial", "memory")
    assert other.core is not one.core
    assert other.complete("Hi").text


def test_functions_go_along_where_they_can() -> None:
    assert by_pickle(llm(success_when=is_long)).success_when is is_long
    assert "success_when" not in llm(success_when=is_long).to_dict()


@every_way
def test_llms_are_made_again_from_their_settings(
    sent: Any, shared_server: LoopbackProvider
) -> None:
    given = gpt(api_base=shared_server.base_url, temperature=0.3, max_tokens=700, max_retries=5)
    like = OpenAILike(model="mine", api_key=SECRET, context_window=77, api_base="http://host/v1")
    other = sent(llm(given, {"model": like, "name": "wrapped", "tools": False}))
    remade, wrapped = other.paths[0], other.paths[1]["model"]
    assert (type(remade), type(wrapped)) == (OpenAI, OpenAILike)
    assert (remade.temperature, remade.max_tokens, remade.max_retries) == (0.3, 700, 5)
    assert remade.api_key == "sk-of-the-environment"
    assert wrapped.context_window == 77
    assert other.paths[1]["tools"] is False


class Own(MockLLM):
    """A user's LLM that has no name of its own: it is LlamaIndex's for its parent."""


def test_a_users_own_class_is_not_quietly_made_its_parents() -> None:
    one = llm({"model": Own(), "name": "own"})
    try:
        other = by_pickle(one)
    except ConfigError:
        return
    assert other.paths is not None
    assert type(other.paths[0]["model"]) is Own


UNKNOWN: list[Any] = [
    {"class_name": "NoSuchLLM"},
    {"class_name": "os.system", "command": "touch /tmp/x"},
    {"class_name": "llama_index.llms.openai.OpenAI"},
    {"class_name": None},
    {"class_name": 7},
    {"class_name": ["openai_llm"]},
    {"class_name": "Router"},
]


@pytest.mark.parametrize("data", UNKNOWN)
def test_a_class_that_is_not_imported_is_told_and_none_is(data: Any) -> None:
    import sys

    before = set(sys.modules)
    for spec in (data, {"model": data, "name": "mine"}):
        with pytest.raises(ConfigError, match="is not imported here; import its integration"):
            made_path(spec)
    assert set(sys.modules) == before


def test_the_llm_that_is_made_of_such_data_tells_it_alike() -> None:
    written = {**llm().to_dict(), "paths": [{"class_name": "NoSuchLLM", "api_key": SECRET}]}
    with pytest.raises(ConfigError, match="'NoSuchLLM', which is not imported here") as caught:
        KalibrLLM.from_dict(written)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    "data", [{"class_name": "openai_llm", "temperature": "warm"}, {"class_name": "custom_llm"}]
)
def test_settings_that_make_no_llm_are_told(data: Any) -> None:
    with pytest.raises(ConfigError, match=r"cannot be made again|is not imported here"):
        made_path(data)


def test_classes_of_ours_for_routed_calls_are_nobodys_to_make() -> None:
    one = llm(gpt())
    assert one.complete
    assert one._routing.models
    for path in one._routing.models.values():
        assert type(path.blocking) not in _classes()
    assert next(cls for cls in _classes() if cls.class_name() == "openai_llm") is OpenAI


@pytest.mark.parametrize("spec", ["gpt-4o", 7, None, {"model": "gpt-4o"}, Path(model="m")])
def test_what_is_no_plain_llm_is_left_as_it_is(spec: Any) -> None:
    assert made_path(spec) == spec


def test_writing_leaves_the_llm_as_it_is() -> None:
    given = gpt(default_headers={"x-api-key": SECRET, "x-team": "blue"})
    shown = plain_llm(given)
    assert shown["default_headers"] == {"x-team": "blue"}
    assert given.default_headers == {"x-api-key": SECRET, "x-team": "blue"}
    assert given.api_key == SECRET


def test_counts_of_tokens_are_no_keys() -> None:
    shown = plain_llm(gpt(max_tokens=5, additional_kwargs={"max_tokens": "7"}))
    assert (shown["max_tokens"], shown["additional_kwargs"]) == (5, {"max_tokens": "7"})


def test_a_ready_router_cannot_be_pickled_and_is_written_as_its_paths() -> None:
    with Router(goal="serial", paths=["gpt-4o"], ledger="memory") as router:
        one = KalibrLLM(router=router)
        with pytest.raises(pickle.PicklingError, match=r"ready router=.*give goal= and paths="):
            pickle.dumps(one)
        assert by_dict(one).core.paths[0].id == "gpt-4o"
        assert by_dict(one).goal == "serial"


COPIES = [
    copy.copy,
    copy.deepcopy,
    lambda one: one.model_copy(),
    lambda one: one.model_copy(deep=True),
]


@pytest.mark.parametrize("copied", COPIES)
@each
def test_copies_within_the_process_learn_together(copied: Any, which: str) -> None:
    one = HIDDEN[which]()
    other = copied(one)
    assert other is not one
    assert other.core is one.core
    assert other.paths == one.paths


def test_the_key_of_a_server_is_found_again_in_the_environment(
    server: LoopbackProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed = pickle.dumps(llm(base_url=server.base_url, api_key=SECRET))
    monkeypatch.setenv("KALIBR_API_KEY", "sk-there-0123456789")
    pickle.loads(packed).complete("Hi")
    assert server.stats("sk-there-0123456789")["gpt-4o"].requests == 1
