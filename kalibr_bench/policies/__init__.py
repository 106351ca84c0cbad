"""The policies' laboratory: many policies side by side in simulated worlds.

>>> from kalibr_bench.policies import Settings, laboratory
>>> settings = Settings(scenarios=("S1",), policies=("kalibr", "oracle"), seeds={"S1": range(2)})
>>> table = laboratory(settings).table()
>>> table["S1", "oracle"].loss.mean
0.0
"""

from kalibr_bench.policies.contenders import CONTENDERS
from kalibr_bench.policies.figures import Figures
from kalibr_bench.policies.results import Results, Settings, laboratory
from kalibr_bench.policies.scenarios import SCENARIOS, SUITE

__all__ = [
    "CONTENDERS",
    "SCENARIOS",
    "SUITE",
    "Figures",
    "Results",
    "Settings",
    "laboratory",
]
