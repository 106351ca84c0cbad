"""One error for all attempts, of the first one's kind too; whatever SDK raised it."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from kalibr_core import AllPathsFailed, BadResponse, KalibrError, NoEligiblePath, OutputRejected
from kalibr_core.adapter.errors import Kind, like_first
from kalibr_core.types import EvidenceKind, Outcome

KEY = "sk-secret-12345678"
OUTCOME = Outcome(
    path_id="a",
    number=1,
    reward=0.0,
    evidence=EvidenceKind.AVAILABILITY,
    failure=None,
    latency_s=1.0,
    first_token_s=None,
    usage=None,
    cost_usd=None,
    finish_reason=None,
    model=None,
)


class SDKError(Exception):
    """An error that cannot be made from its text alone."""

    def __init__(self, message: str, *, response: object) -> None:
        super().__init__(message)
        self.response, self.status_code = response, 429


class RateLimited(SDKError):
    """A kind of it."""


class Slotted(Exception):
    """One with a place of its own."""

    __slots__ = ("code",)


class Demanding(Exception):
    """One whose `__new__` asks for more."""

    def __new__(cls, message: str, code: int) -> Demanding:
        return super().__new__(cls, message)


class Unmixable(Exception):
    """A class that cannot be inherited."""

    def __init_subclass__(cls) -> None:
        raise TypeError("final")


def failed(*errors: Exception) -> AllPathsFailed:
    return AllPathsFailed([OUTCOME] * len(errors), errors, stopped="max_attempts reached")


def ours(_: OutputRejected) -> Kind:
    return None, {}


def like(*errors: Exception) -> AllPathsFailed:
    return like_first(failed(*errors), ours)


LIMITED = RateLimited("text of the provider", response=f"Bearer {KEY}")


@pytest.mark.parametrize("kind", [RateLimited, SDKError, AllPathsFailed, KalibrError, RuntimeError])
def test_it_is_caught_by_the_firsts_kinds_and_ours(kind: type[Exception]) -> None:
    with pytest.raises(kind):
        raise like(LIMITED, KeyError("b"))


def test_it_holds_what_the_first_held_and_ours_wins() -> None:
    first = RateLimited("a", response="r")
    first.outcomes, first.kalibr = "not ours", None  # type: ignore[attr-defined]
    error: Any = like(first, KeyError("b"))
    assert (error.status_code, error.response) == (429, "r")
    assert error.outcomes == (OUTCOME, OUTCOME)
    assert error.errors[0] is first
    assert vars(first)["outcomes"] == "not ours", "the provider's own stays as it is"


def test_its_text_and_name_are_ours() -> None:
    error = like(LIMITED)
    assert str(error) == str(failed(LIMITED))
    assert type(error).__name__ == "AllPathsFailed"
    assert "provider" not in str(error)
    assert KEY not in f"{error} {error!r}"


def test_another_process_gets_it_without_the_providers_part() -> None:
    error = like(LIMITED)
    packed = pickle.dumps(error)
    assert KEY.encode() not in packed
    other = pickle.loads(packed)
    assert (type(other), str(other)) == (AllPathsFailed, str(error))
    assert other.outcomes == (OUTCOME,)


@pytest.mark.parametrize("error", [Slotted("a"), KeyError("a"), OSError(104, "a"), TimeoutError()])
def test_any_class_that_can_be_both_is_both(error: Exception) -> None:
    found = like(error)
    assert isinstance(found, type(error))
    assert str(found) == str(failed(error))


@pytest.mark.parametrize(
    "error",
    [BadResponse("a"), NoEligiblePath(["a"]), Demanding("a", 1), Unmixable("a"),
     ExceptionGroup("a", [ValueError()])],
)  # fmt: skip
def test_what_cannot_be_both_or_is_ours_already_is_left_alone(error: Exception) -> None:
    plain = failed(error)
    assert like_first(plain, ours) is plain


def test_a_path_that_could_not_be_asked_is_of_the_kind_of_its_cause() -> None:
    unable = NoEligiblePath(["a"])
    unable.__cause__ = LIMITED
    assert isinstance(like(unable), RateLimited)


def test_a_routed_model_among_the_paths_is_of_its_own_firsts_kind() -> None:
    inner = like(LIMITED)
    assert isinstance(like(inner), RateLimited)
    assert isinstance(like(failed(LIMITED)), RateLimited)


def test_what_gate_1_rejects_is_what_the_framework_says() -> None:
    seen: list[str] = []

    def rejected(error: OutputRejected) -> Kind:
        seen.append(error.reason)
        return LookupError, {"llm_output": None}

    error: Any = like_first(failed(OutputRejected("schema")), rejected)
    assert isinstance(error, LookupError)
    assert error.llm_output is None
    assert seen == ["schema"]


def test_equal_kinds_share_one_class() -> None:
    assert type(like(LIMITED)) is type(like(LIMITED, LIMITED))
