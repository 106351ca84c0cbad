"""Gate 3 on simulated users: is what it reads from their behaviour right, and does it route?"""

from kalibr_bench.behaviour.command import command, told
from kalibr_bench.behaviour.reading import OutputTally, Reading, read
from kalibr_bench.behaviour.shares import CASES, Case, Shares, shares

__all__ = [
    "CASES",
    "Case",
    "OutputTally",
    "Reading",
    "Shares",
    "command",
    "read",
    "shares",
    "told",
]
