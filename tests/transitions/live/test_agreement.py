"""Batch and live are one engine: fed the same prefix they confirm the same events."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
from hypothesis import example, given, settings
from hypothesis import strategies as st

from grokscope.schemas import Kind, Status, Transition
from grokscope.transitions import LiveDetector, detect
from grokscope.transitions.evaluation.synthetic import CurveRecipe, Shape, Spacing, synthetic_run
from grokscope.transitions.live.history import CAPACITY

PUBLIC = Path(__file__).parents[3].parent / "shared" / "data" / "curves.parquet"
RECIPES = st.builds(
    CurveRecipe,
    evaluations=st.integers(7, 70),
    spacing=st.sampled_from(Spacing),
    shape=st.sampled_from(Shape),
    memorized_at=st.sampled_from([None, 60.0, 300.0]),
    midpoint=st.sampled_from([None, 100.0, 2000.0, 9000.0]),
    plateau=st.sampled_from([0.01, 0.3]),
    top=st.sampled_from([0.6, 1.0]),
    noise=st.sampled_from([0.0, 0.02, 0.1]),
    autocorrelation=st.sampled_from([0.0, 0.6]),
    dips=st.integers(0, 3),
    lost_at=st.sampled_from([None, 15_000.0]),
    seed=st.integers(0, 5),
)
SETTINGS = settings(max_examples=20, deadline=None, derandomize=True)


def with_others(points: pl.DataFrame, *, diverges: bool) -> pl.DataFrame:
    """Return the run with losses that mirror the accuracies, an early MRR, and what nobody reads."""
    loss = points.with_columns(
        metric=pl.col("metric").str.replace("accuracy", "loss"), value=3 - 2.9 * pl.col("value")
    )
    if diverges:
        cut = pl.col("step") > pl.col("step").quantile(0.8)
        loss = loss.with_columns(value=pl.when(cut).then(float("nan")).otherwise(pl.col("value")))
    test = points.filter(pl.col("metric") == "test/accuracy")
    rank = test.with_columns(metric=pl.lit("test/mrr"), value=pl.col("value").shift(-2).forward_fill())
    norm = test.with_columns(metric=pl.lit("weights/norm"))
    return pl.concat([points, loss, rank, norm])


def evaluations(points: pl.DataFrame) -> Iterator[tuple[int, Mapping[str, float]]]:
    for (step,), rows in points.sort("step").group_by("step", maintain_order=True):
        yield int(str(step)), dict(zip(rows["metric"], rows["value"], strict=True))


def batch(points: pl.DataFrame, step: int | None = None) -> tuple[Transition, ...]:
    known = points if step is None else points.filter(pl.col("step") <= step)
    return tuple(e for e in detect(known)[0].transitions if e.status is Status.CONFIRMED)


def is_same(one: Transition, other: Transition) -> bool:
    return one.kind is other.kind and one.low <= other.high and other.low <= one.high


def is_known(event: Transition, known: Iterable[Transition]) -> bool:
    return any(is_same(event, k) for k in known)


def is_own_rise(event: Transition) -> bool:
    """The training set's own jump, which ``update`` leaves to memorization."""
    return event.kind is Kind.PHASE_CHANGE and event.metric.startswith("train/")


@SETTINGS
@given(recipe=RECIPES, diverges=st.booleans())
def test_fed_any_prefix_it_confirms_what_detect_confirms_of_that_prefix(
    recipe: CurveRecipe, *, diverges: bool
):
    points = with_others(synthetic_run(recipe), diverges=diverges)
    detector, standing = LiveDetector("synthetic"), list[Transition]()
    for step, values in evaluations(points):
        reported = detector.update(step, values)
        known = batch(points, step)
        assert detector.is_exact
        assert detector.confirmed() == known
        new = [e for e in reported if e.status is Status.CONFIRMED]
        standing = [
            e for e in standing if e.kind not in {t.kind for t in reported} or is_known(e, known)
        ] + new
        assert all(e in known for e in new)
        if new:
            assert all(is_known(e, known) for e in standing)
            assert all(is_known(k, standing) for k in known if not is_own_rise(k))


# It rises to 0.6 only, a level that no counter looks at.
RISES_TO_SIX_TENTHS = CurveRecipe(
    evaluations=21, memorized_at=60.0, midpoint=100.0, plateau=0.01, top=0.6, shape=Shape.LOGISTIC
)


@SETTINGS
@given(RECIPES)
@example(RISES_TO_SIX_TENTHS)
def test_what_is_confirmed_is_reported_before_the_log_is_half_as_long_again(recipe: CurveRecipe):
    points = synthetic_run(recipe)
    detector, reported, since = LiveDetector("synthetic"), list[Transition](), dict[Kind, int]()
    for seen, (step, values) in enumerate(evaluations(points), start=1):
        for event in detector.update(step, values):
            if event.status is Status.CONFIRMED:
                reported.append(event)
            elif event.status is Status.REJECTED:
                reported = [e for e in reported if not is_same(e, event)]
        known = {event.kind for event in batch(points, step) if not is_own_rise(event)}
        since = {kind: since.get(kind, seen) for kind in known}
        late = {
            k for k, begin in since.items() if seen > 1.5 * begin + 2 and k not in {e.kind for e in reported}
        }
        assert late == set(), f"after {seen} evaluations, standing since {since}"


@SETTINGS
@given(
    st.integers(0, 10_000), st.integers(30, 120), st.sampled_from(["train/loss", "val_loss", "lambada/acc"])
)
def test_runs_of_one_curve_agree_too_and_their_phase_changes_are_reported(seed: int, count: int, metric: str):
    rng = np.random.default_rng(seed)
    steps = np.unique(np.geomspace(1, 10_000, count).astype(int))
    rise = 1 / (1 + np.exp(-8 * (np.log10(steps) - rng.uniform(1.5, 3.5))))
    values = 0.2 + 0.6 * rise + rng.normal(0, 0.01, len(steps))
    values = 3 - values if metric.endswith("loss") else values
    points = pl.DataFrame({"run_id": "synthetic", "metric": metric, "step": steps, "value": values})
    detector, reported = LiveDetector("synthetic"), list[Transition]()
    for seen, (step, found) in enumerate(evaluations(points), start=1):
        reported += detector.update(step, found)
        if seen % 20 == 0:
            assert detector.confirmed() == batch(points, step)
    assert detector.confirmed() == batch(points)
    prefixes = [batch(points, int(step)) for step in steps[int(len(steps) / 1.6) :]]
    lasting = [e for e in prefixes[0] if all(is_known(e, prefix) for prefix in prefixes)]
    assert all(is_known(e, reported) for e in lasting)


def test_a_loss_that_drops_at_the_turn_of_an_epoch_is_no_phase_change_live_either():
    steps = np.arange(1, 4000, 20)
    loss = pl.DataFrame({"metric": "train/loss", "step": steps, "value": np.where(steps < 1000, 2.0, 0.5)})
    epochs = pl.DataFrame({"metric": "progress/epochs", "step": steps, "value": steps / 1000})
    detector, reported = LiveDetector("run"), list[Transition]()
    for step, values in evaluations(pl.concat([loss, epochs])):
        reported += detector.update(step, values)
    assert batch(loss)
    assert (*reported, *detector.confirmed()) == batch(pl.concat([loss, epochs])) == ()


def logs() -> pl.DataFrame:
    """Return the public curves, where they lie beside the repository; else synthetic ones."""
    if PUBLIC.is_file():
        return pl.read_parquet(PUBLIC).rename({"run": "run_id"})
    recipes = [CurveRecipe(noise=0.02, dips=i % 3, seed=i, shape=list(Shape)[i % 3]) for i in range(30)]
    return pl.concat([synthetic_run(recipe, run_id=str(i)) for i, recipe in enumerate(recipes)])


def test_on_whole_logs_batch_and_live_agree_at_a_third_and_at_the_end():
    for (run,), frame in logs().group_by("run_id", maintain_order=True):
        if frame["step"].n_unique() > CAPACITY:
            continue
        detector, rows = (
            LiveDetector(str(run)),
            list(evaluations(frame.unique(["metric", "step"], keep="last"))),
        )
        for i, (step, values) in enumerate(rows):
            detector.update(step, values)
            if i in (len(rows) // 3, len(rows) - 1):
                assert detector.confirmed() == batch(frame, step), run


def test_a_log_longer_than_the_memory_is_dated_as_detect_dates_it():
    recipe = CurveRecipe(evaluations=3 * CAPACITY, spacing=Spacing.LINEAR, last_step=20_000, noise=0.02)
    for shape in Shape:
        points = synthetic_run(replace(recipe, shape=shape))
        detector = LiveDetector("synthetic")
        for step, values in evaluations(points):
            detector.update(step, values)
        whole, live = batch(points), detector.confirmed()
        assert not detector.is_exact
        assert [event.kind for event in live] == [event.kind for event in whole]
        assert all(is_same(a, b) for a, b in zip(live, whole, strict=True))
