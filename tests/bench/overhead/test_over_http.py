"""Callers side by side: pairs within one run, and a peer that fails."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from kalibr_bench.overhead.callers import BARE, CHAT, Caller
from kalibr_bench.overhead.over_http import LEAST, Called, async_ways, sync_ways
from kalibr_bench.overhead.peers import Failed

BROKEN = {"unmade": ImportError("no such peer")}


def test_every_caller_is_compared_with_the_bare_one() -> None:
    found = sync_ways({"kalibr": _caller(), BARE: _caller()}, {}, 8)
    assert [*found] == ["completion", "stream"]
    assert _called(found["completion"]["kalibr"]).times.count == 8
    assert _called(found["stream"]["kalibr"]).times.count == LEAST
    for rows in found.values():
        bare, ours = _called(rows[BARE]).ratio, _called(rows["kalibr"]).ratio
        assert (bare.low, bare.value, bare.high) == (1.0, 1.0, 1.0)
        assert ours.low <= ours.value <= ours.high


def test_a_peer_that_fails_is_a_line() -> None:
    callers = {"kalibr": _caller(), BARE: _caller(), "peer": _caller(_fail)}
    for found in (
        sync_ways(callers, BROKEN, 1),
        asyncio.run(async_ways(callers, BROKEN, 1)),
    ):
        for rows in found.values():
            assert [*rows] == ["kalibr", BARE, "peer", "unmade"]
            assert rows["peer"] == Failed(failed="OSError")
            assert rows["unmade"] == Failed(failed="ImportError")
            assert isinstance(rows["kalibr"], Called)


def test_our_own_failure_is_raised() -> None:
    with pytest.raises(OSError, match="refused"):
        sync_ways({"kalibr": _caller(_fail), BARE: _caller()}, {}, 1)


def test_what_a_wrapper_adds_is_told_from_its_client() -> None:
    callers = {"kalibr": _caller(), BARE: _caller(), "chain": _caller(wraps=CHAT)}
    assert _called(sync_ways(callers, {}, 1)["completion"]["chain"]).own is None
    rows = sync_ways(callers | {CHAT: _caller()}, {}, 1)["completion"]
    assert _called(rows["chain"]).own is not None
    assert _called(rows["kalibr"]).own == _called(rows["kalibr"]).ratio


def test_callers_are_closed() -> None:
    closed: list[str] = []

    async def aclose() -> None:
        closed.append("async")

    caller = _caller(close=lambda: closed.append("sync"), aclose=aclose)
    sync_ways({"kalibr": _caller(), BARE: caller}, {}, 1)
    asyncio.run(async_ways({"kalibr": _caller(), BARE: caller}, {}, 1))
    assert closed == ["sync", "async"]


def _called(row: Called | Failed) -> Called:
    assert isinstance(row, Called)
    return row


def _fail() -> None:
    raise OSError("refused")


def _caller(call: Callable[[], object] = lambda: None, **rest: object) -> Caller:
    async def acall() -> None:
        call()

    return Caller(completion=call, acompletion=acall, stream=call, astream=acall, **rest)  # type: ignore[arg-type]
