"""`kalibr bench behaviour`."""

from __future__ import annotations

from typer.testing import CliRunner

from kalibr_bench.cli import app


def test_the_command_tells_each_population_s_figures() -> None:
    done = CliRunner().invoke(
        app, ["behaviour", "--sessions", "20", "--runs", "1", "--calls", "10"]
    )
    assert done.exit_code == 0, done.output
    assert done.output.count("right, of all signalled") == 5
    assert "liked more, gate 1 against it" in done.output
