"""All measurements of one run."""

from __future__ import annotations

import platform
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from kalibr_bench.overhead import callers, learners, peers
from kalibr_bench.overhead.framework import InFramework
from kalibr_bench.overhead.in_process import InProcess, measure_in_process
from kalibr_bench.overhead.langchain import measure_langchain
from kalibr_bench.overhead.llama_index import measure_llama_index
from kalibr_bench.overhead.over_http import Called, measure_over_http
from kalibr_bench.overhead.peers import Failed
from kalibr_bench.overhead.policy_alone import BARS_S, PolicyTimes, measure_policy
from kalibr_bench.overhead.state import MEMORY_BAR, SNAPSHOT_BAR, StateSize, measure_state


@dataclass(frozen=True, slots=True, kw_only=True)
class Overhead:
    """What routing costs; times in seconds, sizes in bytes per arm.

    Attributes:
        http: By way to call and by caller.
        in_process: Around a stub.
        policy: By number of arms and by policy.
        state: By world.
        langchain: ChatKalibr, where LangChain is installed.
        llama_index: KalibrLLM, where LlamaIndex is installed.
    """

    http: dict[str, dict[str, Called | Failed]]
    in_process: InProcess
    policy: dict[int, dict[str, PolicyTimes | Failed]]
    state: dict[str, StateSize]
    langchain: InFramework | None = None
    llama_index: InFramework | None = None


def measure(
    calls: int, *, with_peers: bool = True, on_step: Callable[[str], object] = lambda name: None
) -> Overhead:
    """Measure everything; things that are compared are called in turns.

    Args:
        calls: In process; over HTTP a quarter of them.
        with_peers: Also those of others that are installed.
        on_step: Told what comes next.
    """
    routers = peers.chosen(callers.PEERS) if with_peers else {}
    bandits = peers.chosen(learners.PEERS) if with_peers else {}
    on_step("in process")
    inside = measure_in_process(calls)
    on_step("the state")
    state = measure_state(2 * calls)
    on_step("the policy alone")
    policy = measure_policy(calls, peers=bandits)
    on_step("over loopback HTTP")
    http = measure_over_http(calls // 4, peers=routers)
    chats = llms = None
    if peers.installed("langchain_openai"):
        on_step("LangChain")
        chats = measure_langchain(calls)
    if "llama-index-llms-openai" in peers.versions():
        on_step("LlamaIndex")
        llms = measure_llama_index(calls)
    return Overhead(
        http=http,
        in_process=inside,
        policy=policy,
        state=state,
        langchain=chats,
        llama_index=llms,
    )


def as_json(found: Overhead) -> dict[str, Any]:
    """All figures; times in seconds, sizes in bytes per arm. A failed peer has only `failed`."""
    return {
        "benchmark": "overhead",
        "format": 4,
        "versions": {"python": platform.python_version()} | peers.versions(),
        "bars": {
            "policy_mean_s": {str(size): bar for size, bar in BARS_S.items()},
            "memory_bytes": MEMORY_BAR,
            "snapshot_bytes": SNAPSHOT_BAR,
        },
        "http": {way: _each(rows) for way, rows in found.http.items()},
        "in_process": asdict(found.in_process),
        "policy": {str(size): _each(rows) for size, rows in found.policy.items()},
        "state": _each(found.state),
        "langchain": None if found.langchain is None else asdict(found.langchain),
        "llama_index": None if found.llama_index is None else asdict(found.llama_index),
    }


def _each(rows: Mapping[str, Any]) -> dict[str, Any]:
    return {name: asdict(row) for name, row in rows.items()}
