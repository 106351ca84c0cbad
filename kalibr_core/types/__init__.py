"""The plain records that travel along one routed call. Unknown is `None`, never 0."""

from .call import (
    Attempt,
    Decision,
    Failed,
    Failure,
    FailureKind,
    FirstChunk,
    Outcome,
    Succeeded,
    Wait,
    Waited,
)
from .evidence import Arm, Basis, Batch, Context, Entry, Evidence, EvidenceKind, Pull
from .exchange import (
    INPUTS,
    NO_FEATURES,
    Features,
    Output,
    Request,
    ToolCall,
    Transcript,
    Usage,
    Verdict,
)
from .path import JSON, Path

__all__ = [
    "INPUTS",
    "JSON",
    "NO_FEATURES",
    "Arm",
    "Attempt",
    "Basis",
    "Batch",
    "Context",
    "Decision",
    "Entry",
    "Evidence",
    "EvidenceKind",
    "Failed",
    "Failure",
    "FailureKind",
    "Features",
    "FirstChunk",
    "Outcome",
    "Output",
    "Path",
    "Pull",
    "Request",
    "Succeeded",
    "ToolCall",
    "Transcript",
    "Usage",
    "Verdict",
    "Wait",
    "Waited",
]
