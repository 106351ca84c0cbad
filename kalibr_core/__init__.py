"""Kalibr: routes each LLM call to the path that works now, at the lowest price.

>>> from kalibr_core import Router
"""

from ._version import __version__
from .errors import (
    AllPathsFailed,
    BadResponse,
    BudgetExceeded,
    ConfigError,
    KalibrError,
    LedgerError,
    NoEligiblePath,
    OutputRejected,
    PathsBlocked,
    RouterClosed,
    StreamInterrupted,
    UnknownAction,
    UnknownDecision,
    UnknownGoal,
    UnknownPath,
    UnknownSession,
)
from .explain import Explanation
from .gates.judge import Judge, Judgement
from .ledger import MemoryLedger, SQLiteLedger
from .ports import Gate, Ledger, Policy
from .router import Router
from .status import GoalStatus, PathStatus
from .types import (
    Decision,
    Failure,
    FailureKind,
    Outcome,
    Output,
    Path,
    Request,
    ToolCall,
    Usage,
    Verdict,
)

__all__ = [
    "AllPathsFailed",
    "BadResponse",
    "BudgetExceeded",
    "ConfigError",
    "Decision",
    "Explanation",
    "Failure",
    "FailureKind",
    "Gate",
    "GoalStatus",
    "Judge",
    "Judgement",
    "KalibrError",
    "Ledger",
    "LedgerError",
    "MemoryLedger",
    "NoEligiblePath",
    "Outcome",
    "Output",
    "OutputRejected",
    "Path",
    "PathStatus",
    "PathsBlocked",
    "Policy",
    "Request",
    "Router",
    "RouterClosed",
    "SQLiteLedger",
    "StreamInterrupted",
    "ToolCall",
    "UnknownAction",
    "UnknownDecision",
    "UnknownGoal",
    "UnknownPath",
    "UnknownSession",
    "Usage",
    "Verdict",
    "__version__",
]
