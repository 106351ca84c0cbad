"""All measurements of one run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from kalibr_bench.overhead.in_process import InProcess, measure_in_process
from kalibr_bench.overhead.over_http import OverHTTP, measure_over_http
from kalibr_bench.overhead.policy_alone import measure_policy
from kalibr_bench.overhead.timing import Median


@dataclass(frozen=True, slots=True, kw_only=True)
class Overhead:
    """What routing costs; times in seconds.

    Attributes:
        http: By way to call.
        in_process: Around a stub.
        policy: By number of arms: the Router's policy, and plain Thompson sampling.
    """

    http: dict[str, OverHTTP]
    in_process: InProcess
    policy: dict[int, tuple[Median, Median]]


def measure(calls: int, *, on_step: Callable[[str], object] = lambda name: None) -> Overhead:
    """Measure everything; each of two things that are compared is called in turns.

    Args:
        calls: In process; over HTTP a quarter of them.
        on_step: Told what comes next.
    """
    on_step("in process")
    inside = measure_in_process(calls)
    on_step("over loopback HTTP")
    http = measure_over_http(max(calls // 4, 20))
    on_step("the policy alone")
    return Overhead(http=http, in_process=inside, policy=measure_policy(calls))


def as_json(found: Overhead) -> dict[str, Any]:
    """All figures; times in seconds."""
    return {
        "benchmark": "overhead",
        "format": 1,
        "http": {way: asdict(times) for way, times in found.http.items()},
        "in_process": asdict(found.in_process),
        "policy": {
            str(size): {"kalibr": asdict(own), "thompson": asdict(plain)}
            for size, (own, plain) in found.policy.items()
        },
    }
