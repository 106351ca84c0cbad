"""A population of simulated chat users, to test what is read from their behaviour.

It was written apart from any code that reads behaviour, and imports none. Seeds 0 to 99 are for
tuning, seeds from 1000 on for reports; `held_out=True` speaks from phrases kept back from tuning.

>>> from kalibr_bench.users import evaluate, sessions
>>> found = evaluate(sessions(200, seed=0), judge=lambda session: 1.0)
>>> found.total.share, found.total.accuracy == found.total.accuracy_known
(1.0, False)
"""

from kalibr_bench.users.behaviours import SHARES
from kalibr_bench.users.evaluate import Evaluation, Judge, Tally, evaluate, summary, table
from kalibr_bench.users.phrases import KNOWN, UNKNOWN
from kalibr_bench.users.population import REPORTS, TUNING, sessions
from kalibr_bench.users.records import Exchange, UserSession
from kalibr_bench.users.written import written

__all__ = [
    "KNOWN",
    "REPORTS",
    "SHARES",
    "TUNING",
    "UNKNOWN",
    "Evaluation",
    "Exchange",
    "Judge",
    "Tally",
    "UserSession",
    "evaluate",
    "sessions",
    "summary",
    "table",
    "written",
]
