"""The resilience benchmark: an agent whose model degrades, over real HTTP.

>>> from kalibr_bench.resilience import Settings, benchmark, scenario, summaries
>>> settings = Settings(scenario=scenario("original", "quick"), arms=("hard-coded", "kalibr"))
>>> results = benchmark(settings, seeds=[1])
>>> summaries(results)["kalibr"].overall.success.trials
35
"""

from kalibr_bench.resilience.arms import ARMS
from kalibr_bench.resilience.documents import documents
from kalibr_bench.resilience.many import benchmark, loopback
from kalibr_bench.resilience.records import Call, Execution, Results, RunResult, Settings
from kalibr_bench.resilience.scenario import MODELS, SIZES, STORIES, Phase, Scenario, scenario
from kalibr_bench.resilience.summary import Part, Summary, ratio, summaries
from kalibr_bench.resilience.task import is_valid, messages_for, problems

__all__ = [
    "ARMS",
    "MODELS",
    "SIZES",
    "STORIES",
    "Call",
    "Execution",
    "Part",
    "Phase",
    "Results",
    "RunResult",
    "Scenario",
    "Settings",
    "Summary",
    "benchmark",
    "documents",
    "is_valid",
    "loopback",
    "messages_for",
    "problems",
    "ratio",
    "scenario",
    "summaries",
]
