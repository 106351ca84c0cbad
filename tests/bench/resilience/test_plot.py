"""The picture."""

from __future__ import annotations

from pathlib import Path

import pytest

from kalibr_bench.resilience import Results
from kalibr_bench.resilience.plot import routing_over_time, save


@pytest.mark.parametrize(
    ("name", "begin"), [("a.png", b"\x89PNG\r\n\x1a\n"), ("a.svg", b"<?xml"), ("a.pdf", b"%PDF")]
)
def test_a_picture_is_written(quick: Results, tmp_path: Path, name: str, begin: bytes) -> None:
    save(quick, tmp_path / name)
    assert (tmp_path / name).read_bytes().startswith(begin)
    assert (tmp_path / name).stat().st_size > 5_000


def test_shares_sum_to_one_at_every_execution(quick: Results) -> None:
    shares = routing_over_time(quick, "kalibr")
    assert {len(values) for values in shares.values()} == {35}
    for at in zip(*shares.values(), strict=True):
        assert sum(at) == pytest.approx(1.0)
