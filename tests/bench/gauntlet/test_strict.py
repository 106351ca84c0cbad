"""The drawn inputs: of a seed alone, each seed's own, and fair by construction."""

from __future__ import annotations

import statistics
from collections import deque
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kalibr_bench.gauntlet import CONTRACT, PROMPT, Limits
from kalibr_bench.gauntlet.adversary import core, draw_bulk, events_of, minority, spikes
from kalibr_bench.gauntlet.asking import Asker
from kalibr_bench.gauntlet.grades import Tier
from kalibr_bench.gauntlet.plain import ENOUGH_WORDS, SCENARIOS, put, words_found
from kalibr_bench.gauntlet.problem import BUGGY, HIGHEST_SANE, MAX_STEPS
from kalibr_bench.gauntlet.results import NotADict, all_finite, close, in_order, number, rows
from kalibr_bench.gauntlet.sandbox import Reply, Verdict
from kalibr_bench.gauntlet.sandbox.inside.wire import DEPTH, Opaque, Value
from kalibr_bench.gauntlet.strict import STRICT, strict_check


class Recorder(Asker):
    """Notes what a check sends, and answers with what it was given."""

    def __init__(self, answer: Any = None) -> None:
        super().__init__("def process_batch(e, s): return {}", Limits())
        self.answer = answer if answer is not None else {}
        self.sent: list[str] = []

    def reply(self, events: Any, state: Any = None, **_: bool) -> Reply:
        self.sent.append(repr(events))
        return Reply(verdict=Verdict.OK, value=self.answer, events=self.answer)


RECORDER = Recorder()
RECORDER.__exit__(None, None, None)


def sent(seed: int) -> list[str]:
    with Recorder() as recorder:
        for name in STRICT[Tier.INTEGRITY]:
            strict_check(recorder, Tier.INTEGRITY, name, seed)
    return recorder.sent


def test_a_seed_draws_the_same_and_another_seed_another() -> None:
    assert sent(1) == sent(1)
    assert not set(sent(1)) & set(sent(2))


numbers = st.integers(-9, 9) | st.floats() | st.booleans() | st.none() | st.text(max_size=3)
values = st.recursive(
    numbers | st.builds(Opaque, st.just("C")),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=3) | st.integers(), inner, max_size=3)
        | st.lists(inner, max_size=3).map(deque)
    ),
    max_leaves=8,
)
row_like = st.fixed_dictionaries({}, optional={"ts": values, "reading": values, "label": values})
results = values | st.fixed_dictionaries(
    {},
    optional={
        "clean": st.lists(row_like | values, max_size=4) | values,
        "mean": values,
        "std": values,
        "telemetry": values,
        "state": values | st.fixed_dictionaries({}, optional={"seen": values, "buffer": values}),
    },
)


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_no_result_whatever_it_holds_upsets_a_check(data: st.DataObject) -> None:
    """A check says what is wrong; it never raises, and never passes what is not right."""
    tier = data.draw(st.sampled_from(list(STRICT)))
    name = data.draw(st.sampled_from([n for n in STRICT[tier] if n != "a huge batch"]))
    answer = data.draw(results)
    RECORDER.answer = answer
    check = strict_check(RECORDER, tier, name, 1)
    assert check.passed == (not check.detail)
    assert isinstance(put(RECORDER, SCENARIOS[tier]), str)


def test_a_result_too_deep_to_be_written_down_is_wrong_and_no_error() -> None:
    deep: Any = []
    for _ in range(DEPTH):
        deep = [deep]
    RECORDER.answer = {"clean": [], "mean": 0.0, "std": deep}
    check = strict_check(RECORDER, Tier.OUTPUT, "the same again", 1)
    assert check.detail.startswith("returned what cannot be handed on")


@pytest.mark.parametrize("seed", range(50))
def test_what_must_stay_and_what_must_go_are_far_apart(seed: int) -> None:
    """So that median rules, fences and trimming agree: fairness is in the numbers."""
    rng = Random(seed)
    bulk = draw_bulk(rng)
    near, far = minority(rng, bulk), spikes(rng, bulk, bulk.count // 6)
    assert min(far) < bulk.low < max(bulk.readings) < max(far)
    edge = bulk.width / 2
    assert max(bulk.readings) < HIGHEST_SANE
    assert all(edge < bulk.middle - reading <= 2.05 * edge for reading in near)
    assert all(abs(reading - bulk.middle) >= 79 * edge for reading in far)
    assert len(far) <= 0.2 * (len(far) + bulk.count)
    assert len(set(bulk.readings)) == bulk.count


@pytest.mark.parametrize("name", ["drawn tails", "tail of a flat batch"])
@pytest.mark.parametrize("seed", range(20))
def test_for_every_seed_a_fifth_are_spikes_alike_and_others_lie_on_both_sides(
    name: str, seed: int
) -> None:
    """Otherwise the verdict on a rule that misses either of them would hang on the seed."""
    batches = [[event["reading"] for event in events] for events in spiked(name, seed)]
    middles = [statistics.median(batch) for batch in batches]
    sides = [
        [reading - middle for reading in batch if abs(reading - middle) > 6 * spread(batch)]
        for batch, middle in zip(batches, middles, strict=True)
    ]
    assert all(min(far) < 0 < max(far) for far in sides[:-1])
    fifth = sides[-1]
    assert 0.18 < len(fifth) / len(batches[-1]) <= 0.2
    assert max(map(abs, fifth)) < 1.01 * min(map(abs, fifth))
    assert len({far > 0 for far in fifth}) == 1
    assert max(batches[-1]) < HIGHEST_SANE


def spread(batch: list[float]) -> float:
    middle = statistics.median(batch)
    return statistics.median(abs(reading - middle) for reading in batch) + 1e-9


def spiked(name: str, seed: int) -> list[list[dict[str, Any]]]:
    """What a check sends where each batch before was answered as it should be."""

    batches: list[list[dict[str, Any]]] = []

    class Sound(Recorder):
        def __init__(self) -> None:
            pass  # no child is asked

        def begin(self) -> None:
            pass

        def reply(self, events: Any, state: Any = None, **_: bool) -> Reply:
            batches.append(events)
            batch = [event["reading"] for event in events]
            limit = 6 * spread(batch)
            middle = statistics.median(batch)
            kept = [event for event in events if abs(event["reading"] - middle) <= limit]
            return Reply(verdict=Verdict.OK, value={"clean": kept})

    assert strict_check(Sound(), Tier.HEAVY_TAIL, name, seed).passed
    return batches


def test_drawn_events_have_times_of_their_own() -> None:
    rng = Random(3)
    events = events_of(rng, core(draw_bulk(rng)), shuffled=True)
    times = [event["ts"] for event in events]
    assert times != sorted(times)
    assert len(set(times)) == len(times)


@pytest.mark.parametrize(
    ("value", "wanted"),
    [(1, 1.0), (2.5, 2.5), (True, None), ("3", None), (float("nan"), None), (10**400, None)],
)
def test_a_number_is_finite_and_no_boolean(value: object, wanted: float | None) -> None:
    assert number(value) == wanted


def test_rows_are_dicts_with_readings() -> None:
    assert rows({"clean": []}) == []
    assert rows({"clean": [{"ts": 1, "reading": 2}]}) is not None
    for clean in (None, "ab", [1.0], [{"ts": 1}], [{"reading": "1"}], {"reading": 1.0}):
        assert rows({"clean": clean}) is None
    nothing: list[Value] = [None, [], 1.0]
    for result in nothing:
        with pytest.raises(NotADict):
            rows(result)


def test_order_needs_a_time_in_every_row() -> None:
    for times, wanted in (((1, 1, 2.5), True), ((2, 1), False), ((1, None), False), ((), True)):
        kept = rows({"clean": [{"ts": ts, "reading": 0.0} for ts in times]})
        assert kept is not None
        assert in_order(kept) is wanted


def test_finite_looks_everywhere() -> None:
    assert all_finite({"a": [1, (2.0, {"b": "nan"})]})
    for value in (float("nan"), [float("inf")], {"a": ({"b": float("nan")},)}, {float("inf"): 1}):
        assert not all_finite(value)


def test_close_is_relative_to_the_scale() -> None:
    assert close(1.0 + 1e-7, 1.0)
    assert not close(1.0 + 1e-5, 1.0)
    assert not close(float("nan"), 0.0)
    assert not close(True, 1.0)


def test_every_safety_word_that_the_prompt_names_counts() -> None:
    told = " ".join(CONTRACT.split())
    assert "at least two such words in names or strings of the code" in told
    named = told[told.index("(guardrail") + 1 : told.index(", retry)")] + ", retry"
    assert all(len(words_found(word)) == 1 for word in named.split(", "))
    assert len(words_found(named)) == len(named.split(", ")) > ENOUGH_WORDS


@pytest.mark.parametrize(
    "clause",
    [
        "Nothing of 900 or more stays",
        '"clean", "mean", "std", "alerts", "state", "telemetry"',
        "Once seen has passed the limit, and not before",
        "are added at its end, and the oldest entries make room",
        "(limit, z_cutoff) is handed on as it is",
        "also when they are a fifth of the batch or the rest is flat",
    ],
)
def test_what_strict_looks_at_is_in_the_prompt(clause: str) -> None:
    assert clause in " ".join(CONTRACT.split())


def test_the_prompt_holds_the_function_the_contract_and_the_steps() -> None:
    assert BUGGY in PROMPT
    assert CONTRACT in PROMPT
    assert f"at most {MAX_STEPS} steps" in PROMPT
    assert "statistics" in CONTRACT
    assert "{" not in CONTRACT
