"""Each agent does what its name says."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kalibr_bench.provider import Fault, LoopbackProvider
from kalibr_bench.resilience import ARMS, MODELS, Execution, documents, is_valid
from kalibr_bench.resilience.arms import Agent, Wiring, seed_of

DOCUMENT = documents(0, 1)[0]
CHAIN = list(MODELS)


@pytest.fixture
def server() -> Iterator[LoopbackProvider]:
    with LoopbackProvider() as running:
        yield running


def agent(server: LoopbackProvider, name: str) -> Agent:
    wiring = Wiring(
        base_url=server.base_url, token=f"token-{name}", seed=1, rates=lambda: dict(MODELS)
    )
    return ARMS[name].make(wiring)


def analysed(server: LoopbackProvider, name: str, seed: int = 1) -> Execution:
    made = agent(server, name)
    try:
        return made.analyse(DOCUMENT, seed=seed)
    finally:
        made.close()


def test_a_good_answer_is_valid(server: LoopbackProvider) -> None:
    execution = analysed(server, "hard-coded")
    assert execution.valid
    assert [call.path for call in execution.calls] == ["gpt-4o"]
    assert execution.calls[0].cost_usd == pytest.approx(0.0018, rel=0.5)


def test_the_hard_coded_agent_does_not_retry(server: LoopbackProvider) -> None:
    server.degrade("gpt-4o", rate=1.0)
    execution = analysed(server, "hard-coded")
    assert not execution.valid
    assert len(execution.calls) == 1
    assert server.stats()["gpt-4o"].requests == 1


def test_the_chain_goes_on_to_the_next_path_and_pays_for_all(server: LoopbackProvider) -> None:
    for model in CHAIN[:2]:
        server.degrade(model, rate=1.0)
    execution = analysed(server, "chain")
    assert [(call.path, call.valid) for call in execution.calls] == [
        ("gpt-4o", False),
        ("gpt-4o-mini", False),
        ("gpt-3.5-turbo", True),
    ]
    assert execution.valid
    assert not execution.first_valid
    assert execution.cost_usd == pytest.approx(sum(call.cost_usd or 0 for call in execution.calls))


def test_the_chain_forgets(server: LoopbackProvider) -> None:
    server.degrade("gpt-4o", rate=1.0)
    made = agent(server, "chain")
    firsts = [made.analyse(DOCUMENT, seed=seed).first for seed in range(5)]
    made.close()
    assert firsts == ["gpt-4o"] * 5


@pytest.mark.parametrize(("name", "most"), [("no-healing", 1), ("kalibr", 3), ("uniform", 3)])
def test_attempts_when_all_fail(server: LoopbackProvider, name: str, most: int) -> None:
    for model in CHAIN:
        server.degrade(model, rate=1.0)
    execution = analysed(server, name)
    assert not execution.valid
    assert len(execution.calls) == most


@pytest.mark.parametrize("name", sorted(ARMS))
def test_a_server_error_is_a_failed_attempt_that_costs_nothing(
    server: LoopbackProvider, name: str
) -> None:
    for model in CHAIN:
        server.fault(model, Fault(kind="server_error"))
    execution = analysed(server, "no-healing" if name == "kalibr" else name)
    assert not execution.valid
    assert all(call.cost_usd == 0.0 for call in execution.calls)
    assert execution.calls


def test_every_agent_is_judged_by_the_same_check(server: LoopbackProvider) -> None:
    """Kalibr's gate and the benchmark's own verdict on what came out must agree."""
    made = agent(server, "kalibr")
    server.degrade("gpt-4o-mini", rate=0.5)
    for seed in range(30):
        execution = made.analyse(DOCUMENT, seed=seed)
        assert execution.valid == execution.calls[-1].valid
    made.close()


def test_the_models_make_what_the_check_wants(server: LoopbackProvider) -> None:
    made = agent(server, "oracle")
    found = [made.analyse(document, seed=9) for document in documents(2, 50)]
    made.close()
    assert sum(execution.first_valid for execution in found) >= 45


def test_is_valid_is_what_the_router_asks() -> None:
    assert is_valid is not None
    assert seed_of("router", 1) == seed_of("router", 1) != seed_of("router", 2)
