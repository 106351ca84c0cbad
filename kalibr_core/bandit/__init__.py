"""Policies: which arm to pull, learned from outcomes. Standard library only, no I/O, no clock."""

from .baselines import FixedPolicy, ThompsonPolicy, UniformPolicy
from .constants import Constants
from .policy import RunLengthPolicy
from .propensity import propensities, propensity

__all__ = [
    "Constants",
    "FixedPolicy",
    "RunLengthPolicy",
    "ThompsonPolicy",
    "UniformPolicy",
    "propensities",
    "propensity",
]
