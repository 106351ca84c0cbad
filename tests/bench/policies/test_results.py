"""The whole: what is run, and that it can be repeated."""

from __future__ import annotations

import pytest

from kalibr_bench.policies import results as module
from kalibr_bench.policies.export import as_json
from kalibr_bench.policies.results import Results, Settings, laboratory, parts_of, seeds_for, work
from kalibr_bench.policies.scenarios import SCENARIOS

SETTINGS = Settings(
    scenarios=("random", "S1", "S10"),
    policies=("kalibr", "thompson", "oracle"),
    seeds={"random": range(3, 5), "S1": range(20), "S10": range(2)},
)


@pytest.fixture(scope="module")
def alone() -> Results:
    return laboratory(SETTINGS, workers=1)


def test_the_outcome_does_not_depend_on_the_workers(
    alone: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert as_json(laboratory(SETTINGS, workers=2)) == as_json(alone)


def test_a_policys_outcome_does_not_depend_on_how_its_seeds_are_shared_out(
    alone: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ALONE", 100)
    ours = Settings(scenarios=SETTINGS.scenarios, policies=("kalibr",), seeds=SETTINGS.seeds)
    cut = laboratory(ours).table()
    for name in SETTINGS.scenarios:
        assert cut[name, "kalibr"] == alone.table()[name, "kalibr"]


def test_other_seeds_are_other_runs(alone: Results) -> None:
    seeds = {**SETTINGS.seeds, "S1": range(100, 120)}
    other = laboratory(Settings(scenarios=("S1",), policies=("kalibr",), seeds=seeds))
    assert other.table()["S1", "kalibr"] != alone.table()["S1", "kalibr"]


def test_progress_adds_up_to_the_work() -> None:
    done: list[float] = []
    laboratory(SETTINGS, on_done=done.append)
    assert sum(done) == pytest.approx(work(SETTINGS))


def test_the_oracle_pays_what_the_others_are_compared_with(alone: Results) -> None:
    table = alone.table()
    for name in SETTINGS.scenarios:
        assert table[name, "oracle"].loss.mean == 0.0
        assert table[name, "oracle"].cps == pytest.approx(table[name, "oracle"].oracle_cps)
        assert table[name, "kalibr"].oracle_cps == table[name, "oracle"].oracle_cps
    assert table["random", "kalibr"].runs == 8


def test_what_never_happens_is_written_as_never() -> None:
    settings = Settings(scenarios=("S1",), policies=("uniform",), seeds={"S1": range(20)})
    figures = as_json(laboratory(settings))["figures"]["S1"]["uniform"]
    assert (figures["leave"], figures["back50"]) == ("never", None)


def test_full_runs_have_seeds_that_nothing_was_tuned_on() -> None:
    for name, of in SCENARIOS.items():
        default, full = seeds_for(name, full=False), seeds_for(name, full=True)
        assert (len(default), len(full)) == (of.quick, of.full)
        assert not set(default) & set(full)


def test_seeds_are_cut_without_loss() -> None:
    parts = parts_of(range(5, 16), 4)
    assert [seed for part in parts for seed in part] == [*range(5, 16)]
    assert max(map(len, parts)) == 4
