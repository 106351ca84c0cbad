"""The Router behind a KalibrLLM, and what is said of all its paths."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from llama_index.core.llms import LLMMetadata, MessageRole, MockLLM
from llama_index.core.rate_limiter import TokenBucketRateLimiter
from llama_index.llms.anthropic import Anthropic
from llama_index.llms.openai import OpenAI

from kalibr_bench.provider import LoopbackProvider
from kalibr_core import ConfigError, Path, Router
from kalibr_llama_index import KalibrLLM
from kalibr_llama_index.routing import Routing, common_metadata

KEY = "sk-12345678"


def told(*, window: int | None = None, tools: bool = True, **metadata: Any) -> Any:
    path = Path(model="m", context_window=window)
    return SimpleNamespace(path=path, metadata=LLMMetadata(**metadata), calls_tools=tools)


def common(*llms: Any) -> LLMMetadata:
    return common_metadata(llms, goal="support")


def llm(*paths: Any, **settings: Any) -> KalibrLLM:
    return KalibrLLM(goal="g", paths=list(paths), ledger="memory", api_key=KEY, **settings)


def test_the_smallest_window_holds_for_all_and_what_is_declared_wins() -> None:
    assert common(told(context_window=9), told(context_window=5)).context_window == 5
    assert common(told(window=7, context_window=5), told(context_window=9)).context_window == 7


def test_the_longest_output_is_left_room_for() -> None:
    assert common(told(num_output=5), told(num_output=9)).num_output == 9
    assert common(told(num_output=-1), told(num_output=-1)).num_output == -1


@pytest.mark.parametrize("tools", [(True, False), (False, True), (False, False)])
def test_one_path_that_calls_tools_suffices(tools: tuple[bool, bool]) -> None:
    found = common(*(told(tools=one, is_function_calling_model=not one) for one in tools))
    assert found.is_function_calling_model is any(tools)


def test_one_chat_model_suffices() -> None:
    assert common(told(is_chat_model=True), told(is_chat_model=False)).is_chat_model
    assert not common(told(is_chat_model=False)).is_chat_model


def test_the_system_role_is_the_paths_own_where_they_agree() -> None:
    user, system = told(system_role=MessageRole.USER), told(system_role=MessageRole.SYSTEM)
    assert common(user, user).system_role == MessageRole.USER
    assert common(user, system).system_role == MessageRole.SYSTEM


def test_its_name_tells_the_goal() -> None:
    assert common(told()).model_name == "kalibr/support"


def test_a_kalibr_llm_tells_what_its_paths_do() -> None:
    found = llm("gpt-4o", {"model": "gpt-4o-mini", "context_window": 50}).metadata
    assert (found.context_window, found.is_function_calling_model) == (50, True)
    assert not llm({"model": "gpt-4o", "tools": False}).metadata.is_function_calling_model
    assert not llm(MockLLM()).metadata.is_function_calling_model


def test_named_paths_and_llms_are_told_apart() -> None:
    claude = Anthropic(model="claude-sonnet-4-5", api_key=KEY)
    llms = list(llm("gpt-4o", claude)._routing.models.values())
    assert [found.is_named for found in llms] == [True, False]
    assert llms[1].llm is claude


@pytest.mark.parametrize(
    ("limits", "most"), [((5, 5), 5), ((5, 7), None), ((5, None), None), ((None, None), None)]
)
def test_the_limit_of_answers_is_known_where_all_llms_agree(limits: Any, most: Any) -> None:
    found = [
        OpenAI(model=f"gpt-4.{n}", api_key=KEY, max_tokens=m)
        for n, m in zip((1, 5), limits, strict=True)
    ]
    found[1].model = "gpt-4o"
    assert llm(*found)._routing.most_tokens == most


def test_a_limiter_is_waited_for_shortly_only_beside_a_path_without_one() -> None:
    limited = TokenBucketRateLimiter(requests_per_minute=1)
    one = OpenAI(model="gpt-4o", api_key=KEY, rate_limiter=limited)
    other = OpenAI(model="gpt-4.1", api_key=KEY, rate_limiter=limited)
    beside = llm(one, "gpt-4o-mini", max_wait_s=0.5)._routing.models.values()
    assert [path.longest_limiter_wait_s for path in beside] == [0.5, 0.5]
    assert {p.longest_limiter_wait_s for p in llm(one, other)._routing.models.values()} == {
        float("inf")
    }


def test_closing_closes_only_the_router_that_was_made_here(
    shared_server: LoopbackProvider,
) -> None:
    server = shared_server.base_url
    with Router("g", paths=["gpt-4o"], ledger="memory", api_key=KEY, base_url=server) as router:
        given = Routing.of(router)
        assert given.router is router
        given.close()
        KalibrLLM(router=router).close()
        assert KalibrLLM(router=router).core is router
        assert KalibrLLM(router=router).complete("Hi").text, "it is open"
    assert Routing.made(["gpt-4o"], {"goal": "g", "ledger": "memory", "api_key": KEY}).owned
    assert not given.owned


@pytest.mark.parametrize("router", [None, "router", object()])
def test_what_is_no_router_is_told(router: Any) -> None:
    with pytest.raises(ConfigError, match=r"router must be a kalibr_core\.Router"):
        Routing.of(router)


def test_a_path_without_a_server_is_told() -> None:
    paths = [Path(model="m", provider="adapter", name="mine")]
    router = Router(goal="g", paths=paths, ledger="memory")
    with router, pytest.raises(ConfigError, match="'mine' has no server, and an LLM is not given"):
        Routing.of(router)
