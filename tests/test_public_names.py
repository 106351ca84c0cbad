"""What is public is listed here, so that growth shows in the diff."""

from __future__ import annotations

import importlib
import inspect

import pytest

from kalibr_core import Router

PUBLIC: dict[str, list[str]] = {
    "kalibr_core": [
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
    ],
    "kalibr_core.testing": [
        "HANG",
        "WAYS",
        "BrokenGate",
        "BrokenPolicy",
        "FailingLedger",
        "FakeClock",
        "FirstArm",
        "FixedGate",
        "Pause",
        "ProviderError",
        "Scripted",
        "Step",
        "Way",
        "answer",
        "check_ledger",
        "check_policy",
        "provider_error",
    ],
    "kalibr_core.ledger": ["MemoryLedger", "SQLiteLedger", "default_location", "open_ledger"],
    "kalibr_core.bandit": [
        "Constants",
        "FixedPolicy",
        "RunLengthPolicy",
        "ThompsonPolicy",
        "UniformPolicy",
        "propensities",
        "propensity",
    ],
    "kalibr_core.types": [
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
    ],
    "kalibr_core.feedback": [
        "ACTIONS",
        "Classify",
        "Session",
        "TurnKind",
        "report_action",
        "report_pipeline",
        "report_session_end",
        "report_user_turn",
    ],
    "kalibr_core.gates.structural": [
        "TASKS",
        "PredicateGate",
        "Reason",
        "StructuralGate",
        "check_response_format",
    ],
    "kalibr_langchain": [
        "ATTEMPT_FAILED",
        "ChatKalibr",
        "KalibrCallbackHandler",
        "feedback_buttons",
        "judged_by",
        "report",
        "report_action",
    ],
    "kalibr_llama_index": [
        "AttemptFailedEvent",
        "DecisionEvent",
        "KalibrEventHandler",
        "KalibrLLM",
        "Run",
        "judged_by",
        "report",
        "report_action",
    ],
    "kalibr_bench.provider": [
        "CONTENT_FAULTS",
        "DEFAULT_MODELS",
        "FAULT_KINDS",
        "HTTP_FAULTS",
        "INJECTION_KINDS",
        "STREAM_FAULTS",
        "TRANSPORT_FAULTS",
        "Answer",
        "Conversation",
        "Degradation",
        "Fault",
        "LoopbackProvider",
        "Model",
        "ModelStats",
        "Player",
        "Received",
        "Stats",
        "ToolCall",
        "count_tokens",
        "tokens",
    ],
}


@pytest.mark.parametrize("package", PUBLIC)
def test_public_names_are_these_and_all_are_there(package: str) -> None:
    module = importlib.import_module(package)
    assert list(module.__all__) == PUBLIC[package]
    for name in module.__all__:
        assert getattr(module, name) is not None


def test_a_public_name_says_what_it_is_for() -> None:
    """Every public class and function has a docstring."""
    for package, names in PUBLIC.items():
        module = importlib.import_module(package)
        for name in names:
            thing = getattr(module, name)
            if inspect.isclass(thing) or inspect.isfunction(thing):
                assert thing.__doc__, f"{package}.{name}"


def test_everything_after_the_first_argument_is_named() -> None:
    """Public methods of the Router can grow arguments without breaking a caller."""
    two = ("call", "acall", "call_stream", "acall_stream", "report_action")
    for name, method in inspect.getmembers(Router, inspect.isfunction):
        if name.startswith("_") and name != "__init__":
            continue
        positional = [
            p
            for p in inspect.signature(method).parameters.values()
            if p.kind is p.POSITIONAL_OR_KEYWORD
        ]
        assert len(positional) <= (3 if name in two else 2), name
