"""The quality benchmark: paths that differ in nothing but how good they write, over real HTTP.

>>> from kalibr_bench.quality import Settings, benchmark, summaries
>>> settings = Settings(calls=100, samplings=("informative",), policies=("kalibr",))
>>> results = benchmark(settings, seeds=[1])
>>> summaries(results)["kalibr", "informative"].passed
1.0
"""

from kalibr_bench.quality.records import POLICIES, SAMPLINGS, Results, RunResult, Settings
from kalibr_bench.quality.run import benchmark
from kalibr_bench.quality.summary import Soon, Summary, summaries

__all__ = [
    "POLICIES",
    "SAMPLINGS",
    "Results",
    "RunResult",
    "Settings",
    "Soon",
    "Summary",
    "benchmark",
    "summaries",
]
