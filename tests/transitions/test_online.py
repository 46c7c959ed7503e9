"""The live detector: what it says while a run goes on, and what it may never say."""

from collections.abc import Iterator, Mapping

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import beta

from grokscope.schemas import Kind, OnlineDetector, Status, Transition
from grokscope.transitions import LiveDetector, detect
from grokscope.transitions.online import CONFIRMABLE
from grokscope.transitions.summary import CAPACITY
from grokscope.transitions.synthetic import Recipe, Spacing, synthetic_run, truth_of

RUN = Recipe(evaluations=300, noise=0.005)
RECIPES = st.builds(
    Recipe,
    evaluations=st.integers(7, 90),
    spacing=st.sampled_from(Spacing),
    memorized_at=st.sampled_from([None, 60.0, 300.0]),
    midpoint=st.sampled_from([None, 100.0, 2000.0, 9000.0]),
    plateau=st.sampled_from([0.01, 0.3]),
    noise=st.sampled_from([0.0, 0.02, 0.1]),
    dips=st.integers(0, 3),
    lost_at=st.sampled_from([None, 15_000.0]),
    seed=st.integers(0, 5),
)


def evaluations(points: pl.DataFrame) -> Iterator[tuple[int, Mapping[str, float]]]:
    for row in points.pivot("metric", index="step", values="value").sort("step").iter_rows(named=True):
        yield row.pop("step"), row


def fed(recipe: Recipe, **options: float) -> tuple[LiveDetector, list[Transition]]:
    detector = LiveDetector("synthetic", **options)
    return detector, [
        e for step, values in evaluations(synthetic_run(recipe)) for e in detector.update(step, values)
    ]


def batch(points: pl.DataFrame) -> tuple[Transition, ...]:
    events = detect(points)[0].transitions
    return tuple(e for e in events if e.kind in CONFIRMABLE and e.status is Status.CONFIRMED)


def test_it_is_the_detector_that_a_tracker_takes():
    detector: OnlineDetector = LiveDetector()
    assert detector.update(0, {"train/accuracy": 0.1}) == ()
    assert detector.status is None


def test_a_run_that_groks_is_memorized_then_suspected_then_confirmed():
    detector, events = fed(RUN)
    told = [(e.kind, e.status) for e in events]
    assert told == [
        (Kind.MEMORIZATION, Status.CONFIRMED),
        (Kind.GENERALIZATION, Status.SUSPECTED),
        (Kind.GENERALIZATION, Status.CONFIRMED),
    ]
    assert (detector.state.value, detector.status) == ("confirmed", Status.CONFIRMED)


def test_the_suspicion_comes_before_half_of_the_rise_is_over_and_brackets_its_onset():
    suspected = next(e for e in fed(RUN)[1] if e.status is Status.SUSPECTED)
    truth = truth_of(RUN)
    assert truth.onset is not None
    assert truth.onset <= suspected.step <= 1.1 * (truth.midpoint or 0)
    assert suspected.low <= 1.1 * truth.onset <= suspected.high


def test_what_is_lost_again_is_regressed():
    detector, events = fed(Recipe(evaluations=300, lost_at=9000.0))
    assert (events[-1].kind, events[-1].status) == (Kind.COLLAPSE, Status.CONFIRMED)
    assert (detector.state.value, detector.status) == ("regressed", Status.REJECTED)


def test_a_collapse_that_recovers_is_withdrawn():
    points = synthetic_run(Recipe(evaluations=600, spacing=Spacing.LINEAR))
    lost = (pl.col("metric") == "test/accuracy") & pl.col("step").is_between(9000, 9500)
    dipped = points.with_columns(value=pl.when(lost).then(0.01).otherwise(pl.col("value")))
    detector = LiveDetector()
    events = [e for step, values in evaluations(dipped) for e in detector.update(step, values)]
    collapses = [e.status for e in events if e.kind is Kind.COLLAPSE]
    assert collapses in ([], [Status.CONFIRMED, Status.REJECTED])
    assert detector.state.value == "confirmed"


@settings(max_examples=25, deadline=None, derandomize=True)
@given(RECIPES)
def test_fed_any_prefix_it_confirms_what_detect_confirms_of_that_prefix(recipe: Recipe):
    points = synthetic_run(recipe)
    detector = LiveDetector("synthetic")
    for step, values in evaluations(points):
        told = detector.update(step, values)
        known = batch(points.filter(pl.col("step") <= step))
        assert detector.confirmed() == known
        assert all(e in known for e in told if e.status is Status.CONFIRMED)
        assert all(e.kind not in {k.kind for k in known} for e in told if e.status is Status.REJECTED)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(RECIPES)
def test_an_event_that_stands_is_told_before_a_third_more_evaluations_have_come(recipe: Recipe):
    points = synthetic_run(recipe)
    detector, steps = LiveDetector("synthetic"), points["step"].unique().sort()
    told: set[Kind] = set()
    standing: dict[Kind, int] = {}
    for seen, (step, values) in enumerate(evaluations(points), start=1):
        for event in detector.update(step, values):
            (told.discard if event.status is Status.REJECTED else told.add)(event.kind)
        kinds = {event.kind for event in batch(points.filter(pl.col("step") <= step))}
        standing = {kind: standing.get(kind, seen) for kind in kinds}
        late = {kind for kind, since in standing.items() if seen > 4 / 3 * since + 2 and kind not in told}
        assert late == set(), f"after {seen} of {len(steps)} evaluations"


def test_a_log_longer_than_the_memory_is_dated_as_detect_dates_it():
    recipe = Recipe(evaluations=3 * CAPACITY, spacing=Spacing.LINEAR, last_step=20_000, noise=0.02)
    points = synthetic_run(recipe)
    detector, _ = fed(recipe)
    whole, live = batch(points), detector.confirmed()
    assert [event.kind for event in live] == [event.kind for event in whole]
    assert all(a.low <= b.high and b.low <= a.high for a, b in zip(live, whole, strict=True))


def test_the_share_of_null_runs_ever_suspected_respects_alpha():
    """300 runs at alpha 0.05, wandering noise included: the upper 99 % bound on the rate stays at alpha."""
    alarms, runs = 0, 300
    for seed in range(runs):
        recipe = Recipe(
            midpoint=None,
            evaluations=60 + seed,
            plateau=(0.01, 0.1, 0.3, 0.6)[seed % 4],
            noise=(0.005, 0.02, 0.05)[seed % 3],
            autocorrelation=(0.0, 0.3, 0.6)[seed // 3 % 3],
            seed=seed,
        )
        alarms += any(e.status is Status.SUSPECTED for e in fed(recipe, alpha=0.05)[1])
    assert beta.ppf(0.99, alarms + 1, runs - alarms) <= 0.05


def test_information_is_bet_on_before_accuracy_and_alarms_first():
    points = synthetic_run(RUN)
    early = points.filter(pl.col("metric") == "test/accuracy").with_columns(
        metric=pl.lit("test/information"), value=pl.col("value").shift(-8).forward_fill()
    )
    detector = LiveDetector()
    found = [e for s, v in evaluations(pl.concat([points, early])) for e in detector.update(s, v)]
    suspected = next(e for e in found if e.status is Status.SUSPECTED)
    assert suspected.metric == "test/information"
    assert suspected.step < next(e.step for e in fed(RUN)[1] if e.status is Status.SUSPECTED)


def test_watch_and_alert_are_told_with_the_suspicion():
    detector = LiveDetector()
    events: list[Transition] = []
    for i in range(60):
        risen = max(0.0, min((i - 30) / 20, 1.0))
        values = {
            "train/accuracy": 1.0,
            "test/loss": 5 - 4 * risen,
            "test/mrr": 0.1 + 0.9 * risen,
            "test/accuracy": risen,
        }
        events += detector.update(100 * i, values)
    suspected = next(e for e in events if e.status is Status.SUSPECTED)
    assert suspected.metric == "test/mrr"
    assert suspected.evidence["watch"] == "pass: test/loss turned over by step 3400"
    assert suspected.evidence["alert"] == "pass: test/mrr lifted by step 3400"


def test_the_known_chance_level_serves_as_baseline():
    detector = LiveDetector(baseline=0.0, margin=0.1)
    told = [detector.update(i, {"test/accuracy": 0.9}) for i in range(4)]
    assert [len(events) for events in told].index(1) <= 3


def test_the_e_value_is_an_e_value_on_average():
    """Under the null its expectation is at most 1; 400 runs of fair noise about m₀ itself."""
    rng = np.random.default_rng(0)
    ends = []
    for _ in range(400):
        detector = LiveDetector(baseline=0.2, margin=0.0, alpha=1e-6)
        for step in range(40):
            detector.update(step, {"test/accuracy": float(rng.random() < 0.2)})
        ends.append(detector.e_value)
    assert np.mean(ends) <= 1 + 3 * np.std(ends) / 20


def test_steps_that_go_back_and_values_that_are_no_numbers_are_left_out():
    detector = LiveDetector()
    assert detector.update(10, {"train/accuracy": float("nan"), "test/accuracy": float("inf")}) == ()
    assert detector.update(5, {"train/accuracy": 1.0}) == ()
    assert detector.confirmed() == ()


@pytest.mark.parametrize("alpha", [0.0, 1.0, 2.0])
def test_an_alpha_that_is_no_rate_is_refused(alpha: float):
    with pytest.raises(ValueError, match="alpha is a rate between 0 and 1"):
        LiveDetector(alpha=alpha)
