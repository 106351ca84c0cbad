"""A judge costs a call no time; with room at the bar, since other work shares the cores."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kalibr_bench.quality import overhead
from kalibr_bench.quality.overhead import HANGS, MOST_BLOCKS, OFF, ON, WORLDS, World

BLOCKS = replace(WORLDS[2], block=25)


@pytest.mark.parametrize("world", [WORLDS[0], BLOCKS], ids=["pauses", "blocks"])
def test_a_call_waits_for_no_judge(world: World) -> None:
    found = overhead._measured(world, 30)
    assert list(found) == [OFF, ON, HANGS]
    assert found[OFF].median.value == 1.0
    assert found[OFF].judged == {}
    assert found[ON].judged["judged"] > 10
    assert "judged" not in found[HANGS].judged
    assert all(row.median.value < 3.0 for row in found.values())
    assert len({row.times.count for row in found.values()}) == 1
    assert 30 <= found[OFF].times.count < 30 + MOST_BLOCKS * world.block
    assert found[OFF].turns.value == 1.0


def test_tails_are_what_so_many_calls_exceed() -> None:
    times = [float(n) for n in range(1, 101)]
    assert overhead._exceeded_by(0.05)(times) == 96.0
    assert overhead._exceeded_by(0.01)(times[::-1]) == 100.0
    assert overhead._exceeded_by(0.05)([7.0]) == 7.0


def test_turns_compare_neighbours() -> None:
    """A slow minute that both see counts for neither."""
    off = [[1.0, 1.0], [9.0, 9.0], [1.0, 1.0]]
    slower = [[1.1, 1.1], [9.9, 9.9], [1.1, 1.1]]
    assert overhead._neighbours(slower, off).value == pytest.approx(1.1)


def test_answers_may_be_asked_for_after_some_time() -> None:
    first, second = overhead.after([2.0, 40.0])
    assert first.about == "after some 2 ms, without a pause"
    assert second.scale == pytest.approx(WORLDS[1].scale)
    assert first.scale == pytest.approx(WORLDS[1].scale / 20)
