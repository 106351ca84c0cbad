"""The world is fair: the best path stands in each place, and prices are equal."""

from __future__ import annotations

from kalibr_bench.provider.answers.points import points_in
from kalibr_bench.quality import Settings, scenario


def test_the_best_paths_place_goes_round() -> None:
    assert [scenario.names(seed).index(scenario.best(seed)) for seed in range(4)] == [0, 1, 2, 0]
    assert all(sorted(scenario.names(seed)) == list(scenario.names(seed)) for seed in range(3))


def test_all_that_a_run_asks_is_served_and_costs_the_same() -> None:
    served = {model.name: model for model in scenario.models(Settings(noise=0.3))}
    for seed in range(3):
        coverage = [served[name].coverage for name in scenario.names(seed)]
        assert sorted(coverage) == [0.6, 0.6, 0.85]
        assert served[scenario.best(seed)].coverage == 0.85
    assert len({model.cost_usd(1000, 1000) for model in served.values()}) == 1
    assert served[scenario.GRADER].grading_noise == 0.3


def test_requests_are_seeded_and_ask_for_points() -> None:
    first = scenario.requests(7, 20)
    assert first == scenario.requests(7, 20)
    assert first != scenario.requests(8, 20)
    assert all(len(points_in(messages[0]["content"])) == 10 for messages in first)
