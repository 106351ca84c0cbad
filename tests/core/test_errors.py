"""Errors cross the border of a process: task queues and pools pickle them."""

from __future__ import annotations

import copy
import pickle

import pytest

from kalibr_core import (
    AllPathsFailed,
    BadResponse,
    BudgetExceeded,
    ConfigError,
    KalibrError,
    LedgerError,
    NoEligiblePath,
    OutputRejected,
    PathsBlocked,
    StreamInterrupted,
    UnknownAction,
    UnknownDecision,
    UnknownGoal,
    UnknownPath,
    UnknownSession,
)
from kalibr_core.testing import provider_error

from .scene import Scene, named

ERRORS: list[KalibrError] = [
    KalibrError("x"),
    ConfigError("x"),
    UnknownDecision("d1", hint=" (record.db)"),
    UnknownSession("no session 's' in this ledger"),
    UnknownGoal("g", known=["a", "b"]),
    UnknownPath("m", goal="g", known=["p"]),
    UnknownAction("copied", known=["output_copied"]),
    LedgerError("cannot open"),
    NoEligiblePath(["a: no tools", "b: too small"]),
    BudgetExceeded(0.5, ["a"]),
    PathsBlocked(None, ["a"]),
    PathsBlocked(2.5, ["a"]),
    StreamInterrupted("cut"),
    BadResponse("HTML"),
    OutputRejected("empty", "detail"),
    AllPathsFailed([], [], stopped="x"),
]


def sent(error: KalibrError) -> KalibrError:
    found = pickle.loads(pickle.dumps(error))
    assert isinstance(found, KalibrError)
    return found


@pytest.mark.parametrize("error", ERRORS, ids=lambda e: type(e).__name__)
def test_every_error_comes_back_as_it_was(error: KalibrError) -> None:
    for found in (sent(error), copy.copy(error), copy.deepcopy(error)):
        assert type(found) is type(error)
        assert str(found) == str(error)
        assert found.args == error.args
        assert vars(found) == vars(error)


class Unpicklable(Exception):
    """As the SDKs' own: its `__init__` takes more than its message."""

    def __init__(self, message: str, *, status_code: int) -> None:
        super().__init__(message)
        self.status_code = status_code


def test_the_errors_of_attempts_come_back_and_no_key_with_them() -> None:
    errors = [Unpicklable("sk-12345678", status_code=500), provider_error(503), OSError("down")]
    names = ("a", "b", "c")
    scene = Scene(
        dict(zip(names, errors, strict=True)),
        paths=named(*names, api_key="sk-12345678"),
        max_attempts=3,
    )
    error = scene.kalibr_error()
    assert isinstance(error, AllPathsFailed)
    assert b"sk-1234" not in pickle.dumps(error)
    found = sent(error)
    assert isinstance(found, AllPathsFailed)
    assert str(found) == str(error)
    assert found.outcomes == error.outcomes
    assert list(map(str, found.errors)) == ["Unpicklable 500", "ProviderError 503", "down"]
    assert type(found.errors[2]) is OSError
    assert found.kalibr is not None
    assert error.kalibr is not None
    assert found.kalibr.id == error.kalibr.id
    assert found.kalibr.path.api_key is None
    assert error.kalibr.path.api_key == "sk-12345678"


def test_a_text_that_was_given_for_an_id_is_not_told_in_full() -> None:
    told = str(UnknownDecision("The whole answer of a model, with all that the user asked. " * 9))
    assert len(told) < 80
    assert "user asked" not in told
