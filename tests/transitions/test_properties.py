"""What must not matter does not: order, duplicates, other metrics, the unit of the step axis."""

from itertools import pairwise

import numpy as np
import polars as pl
from hypothesis import example, given, settings
from hypothesis import strategies as st

from grokscope.schemas import Date, Verdict
from grokscope.transitions import detect
from grokscope.transitions.evaluation.synthetic import CurveRecipe, Spacing, synthetic_run

RECIPES = st.builds(
    CurveRecipe,
    evaluations=st.integers(7, 120),
    spacing=st.sampled_from(Spacing),
    memorized_at=st.sampled_from([None, 60.0, 300.0]),
    midpoint=st.sampled_from([None, 100.0, 2000.0, 9000.0]),
    plateau=st.sampled_from([0.01, 0.3]),
    noise=st.sampled_from([0.0, 0.02, 0.2]),
    dips=st.integers(0, 3),
    lost_at=st.sampled_from([None, 15_000.0]),
    seed=st.integers(0, 5),
)
SETTINGS = settings(max_examples=60, deadline=None, derandomize=True)


@SETTINGS
@given(RECIPES, st.integers(0, 10))
def test_the_order_of_rows_does_not_matter(recipe: CurveRecipe, seed: int):
    points = synthetic_run(recipe)
    assert detect(points.sample(fraction=1, shuffle=True, seed=seed)) == detect(points)


@SETTINGS
@given(RECIPES)
def test_rows_logged_twice_do_not_matter(recipe: CurveRecipe):
    points = synthetic_run(recipe)
    assert detect(pl.concat([points, points.head(20)])) == detect(points)


@SETTINGS
@given(RECIPES)
def test_unrelated_metrics_and_other_runs_do_not_matter(recipe: CurveRecipe):
    points = synthetic_run(recipe)
    noise = points.with_columns(metric=pl.lit("weights/norm"))
    other = synthetic_run(CurveRecipe(), run_id="other")
    found = {verdict.run: verdict for verdict in detect(pl.concat([other, noise, points]))}
    assert found["synthetic"] == detect(points)[0]


@SETTINGS
@given(RECIPES, st.integers(2, 1000))
def test_the_answer_follows_a_rescaled_step_axis(recipe: CurveRecipe, factor: int):
    points = synthetic_run(recipe)
    plain, scaled = detect(points)[0], detect(points.with_columns(pl.col("step") * factor))[0]
    assert (scaled.pattern, scaled.in_progress) == (plain.pattern, plain.in_progress)
    for one, other in zip(dates(plain), dates(scaled), strict=True):
        assert (one is None) == (other is None)
        if one is not None and other is not None:
            # Steps are whole: dates are rounded, ends of intervals outwards, before scaling and after.
            assert abs(other.step - factor * one.step) <= factor / 2 + 1
            assert abs(other.low - factor * one.low) <= factor
            assert abs(other.high - factor * one.high) <= factor


@SETTINGS
@given(RECIPES)
def test_dates_lie_within_the_log_and_in_order(recipe: CurveRecipe):
    points = synthetic_run(recipe)
    verdict, last = detect(points)[0], int(points["step"].max())
    for date in dates(verdict):
        assert date is None or 0 <= date.low <= date.step <= date.high <= last


@SETTINGS
@given(RECIPES, st.floats(0.05, 1.0))
def test_no_prefix_of_a_run_calls_a_generalization_before_its_onset(recipe: CurveRecipe, share: float):
    points = synthetic_run(recipe)
    whole = detect(points)[0]
    cut = points.filter(pl.col("step") <= share * recipe.last_step)
    events = [event for event in detect(cut)[0].transitions if event.kind.value == "generalization"]
    ends = int(cut["step"].max())
    assert not events or (recipe.midpoint is not None and (whole.onset is None or ends >= whole.onset.low))


WILD = st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=4, max_size=60)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(WILD, st.integers(0, 10))
def test_of_any_curves_no_date_nor_an_end_of_its_interval_is_later_than_what_comes_after_it(
    levels: list[tuple[float, float]], seed: int
):
    rises = [(0.95 * a, b**3) for a, b in sorted(levels)] if seed % 2 else levels
    for outcome in detect(logged(steps_of(len(levels), seed), rises))[0].outcomes:
        found = [d for d in (outcome.onset, outcome.midpoint, outcome.generalized) if d is not None]
        for one, later in pairwise(found):
            assert max(one.step - later.step, one.low - later.low, one.high - later.high) <= 0


@settings(max_examples=200, deadline=None, derandomize=True)
@given(WILD, st.integers(0, 1000), st.integers(2, 1000))
# The onset was rounded to step 1, so the evaluation there counted as ground before it.
@example([(0.0, v) for v in (0.22, 0.4, 0.59, 0.52, 0.47, 0.61, 0.67, 0.63, 0.7, 0.7, 0.7)], 0, 7)
def test_how_steps_are_counted_does_not_matter_in_short_logs_from_step_0(
    levels: list[tuple[float, float]], seed: int, factor: int
):
    steps = steps_of(len(levels), seed)
    plain, scaled = (detect(logged(steps * by, levels))[0] for by in (1, factor))
    assert (scaled.pattern, scaled.in_progress) == (plain.pattern, plain.in_progress)


def steps_of(count: int, seed: int) -> np.ndarray:
    """Return 0, 1, 2, ... or 0 and others in small uneven steps."""
    rng = np.random.default_rng(seed)
    return np.concatenate(([0], np.cumsum(rng.integers(1, 2 + seed % 10, count - 1))))


def logged(steps: np.ndarray, levels: list[tuple[float, float]]) -> pl.DataFrame:
    train, test = zip(*levels, strict=True)
    metrics = [name for name in ("train/accuracy", "test/accuracy") for _ in steps]
    return pl.DataFrame({"metric": metrics, "step": np.tile(steps, 2), "value": [*train, *test]})


def dates(verdict: Verdict) -> list[Date | None]:
    return [verdict.memorized, verdict.onset, verdict.midpoint, verdict.generalized]
