"""Peers are used where they are, and none is ever needed."""

from __future__ import annotations

import os

import pytest

from kalibr_bench.overhead import callers, learners
from kalibr_bench.overhead.peers import (
    OFFLINE,
    Failed,
    chosen,
    failures,
    installed,
    offline,
    opened,
    versions,
)


def test_only_what_is_installed_is_chosen() -> None:
    assert chosen(callers.PEERS, has=lambda module: False) == {}
    assert [*chosen(callers.PEERS, has=lambda module: module == "litellm")] == ["LiteLLM Router"]
    assert [*chosen(learners.PEERS, has=lambda module: True)] == ["River", "MABWiser"]


def test_a_module_is_found_without_an_import() -> None:
    assert installed("json")
    assert not installed("no_such_module_anywhere")


def test_what_cannot_be_made_is_told_apart() -> None:
    def missing() -> int:
        raise ImportError("no such peer")

    made, errors = opened({"one": lambda: 1, "two": missing})
    assert made == {"one": 1}
    assert failures(errors, own=["one"]) == {"two": Failed(failed="ImportError")}


def test_our_own_failure_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        failures({"kalibr": ZeroDivisionError()}, own=["kalibr"])


def test_peers_are_kept_from_the_network_and_the_environment_is_as_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first, second = OFFLINE
    monkeypatch.setenv(first, "mine")
    monkeypatch.delenv(second, raising=False)
    with offline():
        assert {name: os.environ[name] for name in OFFLINE} == OFFLINE
    assert os.environ[first] == "mine"
    assert second not in os.environ


def test_versions_of_what_is_there() -> None:
    found = versions()
    assert "openai" in found
    assert all(found.values())
