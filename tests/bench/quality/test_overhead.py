"""A judge costs a call no time; with room at the bar, since other work shares the cores."""

from __future__ import annotations

import pytest

from kalibr_bench.quality import overhead
from kalibr_bench.quality.overhead import HANGS, OFF, WORLDS, World


@pytest.mark.parametrize("world", [WORLDS[0], WORLDS[2]], ids=["pauses", "blocks"])
def test_a_call_waits_for_no_judge(world: World) -> None:
    found = overhead._measured(world, 50)
    assert list(found) == [OFF, "on", HANGS]
    assert found[OFF].median.value == 1.0
    assert found[OFF].judged == {}
    assert found["on"].judged["judged"] > 10
    assert "judged" not in found[HANGS].judged
    assert all(row.median.value < 3.0 for row in found.values())
    assert all(row.times.count == 50 for row in found.values())
