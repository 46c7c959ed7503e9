"""A live run: what is said while it goes on."""

import polars as pl
import pytest

from grokscope.schemas import Kind, Pattern, Status
from grokscope.transitions import detect
from grokscope.transitions.evaluation.synthetic import CurveRecipe, synthetic_run, truth_of

RUN = CurveRecipe(evaluations=300, noise=0.005)
STAGES = [
    (100, Pattern.OTHER, True),
    (600, Pattern.MEMORIZATION, False),
    (1500, Pattern.MEMORIZATION, False),
    (2200, Pattern.MEMORIZATION, True),
    (3300, Pattern.GROKKING, True),
    (20_000, Pattern.GROKKING, False),
]


@pytest.mark.parametrize(("step", "pattern", "in_progress"), STAGES)
def test_the_verdict_on_a_live_run_follows_its_evidence(*, step: int, pattern: Pattern, in_progress: bool):
    verdict = detect(synthetic_run(RUN).filter(pl.col("step") <= step))[0]
    assert (verdict.pattern, verdict.in_progress) == (pattern, in_progress)


def test_a_rise_that_the_log_cuts_is_in_progress_and_not_yet_completed():
    verdict = detect(synthetic_run(RUN).filter(pl.col("step") <= 3300))[0]
    event = verdict.transitions[-1]
    assert (event.kind, event.status) == (Kind.GENERALIZATION, Status.IN_PROGRESS)
    assert verdict.generalized is None
    assert verdict.missing[-1].startswith("test/accuracy neither stays at 0.95 nor settles at a lower level")


def test_no_generalization_is_called_before_the_onset():
    onset = truth_of(RUN).onset
    points = synthetic_run(RUN)
    for step in range(50, round(onset or 0), 50):
        verdict = detect(points.filter(pl.col("step") <= step))[0]
        assert all(event.kind is not Kind.GENERALIZATION for event in verdict.transitions)


def test_a_slow_creep_is_no_rise_under_way():
    points = synthetic_run(CurveRecipe(midpoint=None, evaluations=200))
    creeping = points.with_columns(
        value=pl.when(pl.col("metric") == "test/accuracy")
        .then(pl.col("value") + 0.1 * pl.int_range(pl.len()).over("metric") / 200)
        .otherwise(pl.col("value"))
    )
    verdict = detect(creeping)[0]
    assert (verdict.pattern, verdict.in_progress) == (Pattern.MEMORIZATION, False)
