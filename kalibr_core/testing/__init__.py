"""Fakes and check lists for tests: of code that uses Kalibr, and of your own policy or ledger.

No network, no sleeping, no patching: a `Router` takes its time, chance, policy, gate and ledger as
arguments, and `Scripted` stands in for the provider.

>>> from kalibr_core import Path, Router
>>> clock = FakeClock()
>>> router = Router("demo", paths=["openai/a", "openai/b"], api_key="none", policy=FirstArm(),
...                 ledger="memory", **clock.arguments())
>>> provider = Scripted({"openai/a": provider_error(503), "openai/b": "Paris."}, clock=clock)
>>> provider.route(router).output.text, provider.called
('Paris.', ['openai/a', 'openai/b'])

`check_policy` and `check_ledger` hold what every `Policy` and `Ledger` must keep; they raise
`AssertionError`, under any test runner.
"""

from .clock import FakeClock
from .ledger_checks import check_ledger
from .policy_checks import check_policy
from .provider import (
    HANG,
    WAYS,
    Pause,
    ProviderError,
    Scripted,
    Step,
    Way,
    answer,
    provider_error,
)
from .seams import BrokenGate, BrokenPolicy, FailingLedger, FirstArm, FixedGate

__all__ = [
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
]
