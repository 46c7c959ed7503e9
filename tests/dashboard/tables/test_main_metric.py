"""What runs are first looked at by: the curves that their verdicts are made from, each run by its own."""

import polars as pl
import pytest

from grokscope.dashboard.state.data import JudgedPair, Snapshot
from grokscope.dashboard.tables.main_metric import (
    first_metric,
    held_out_points,
    held_out_scores,
    main_curves,
)
from grokscope.schemas import POINT_SCHEMA


def main(pairs=None, **runs):
    rows = [
        (run, metric, step, None, value)
        for run, metrics in runs.items()
        for metric, values in metrics.items()
        for step, value in enumerate(values)
    ]
    curves = pl.DataFrame(rows, schema=POINT_SCHEMA, orient="row")
    return main_curves(Snapshot(curves=curves, pairs=pairs or {}))


def test_a_run_is_drawn_by_the_pair_that_it_is_judged_by_whatever_else_it_logs():
    judged = JudgedPair(test="val/f1", train="train/f1")
    found = main({"a": judged}, a={"test/accuracy": [0.1], "train/f1": [0.2], "val/f1": [0.3]})
    assert found.select("metric", "role", "quantity").rows() == [
        ("train/f1", "train", "f1"),
        ("val/f1", "test", "f1"),
    ]


def test_a_training_curve_on_another_scale_is_not_drawn_with_its_held_out_curve():
    judged = JudgedPair(test="val/accuracy", train="train/loss")
    found = main({"a": judged}, a={"train/loss": [2.0], "val/accuracy": [0.3]})
    assert found.select("metric", "role").rows() == [("val/accuracy", "test")]


def test_a_run_that_cannot_be_judged_yet_shows_its_held_out_curve_and_its_training_curve():
    found = main(
        both={"train/accuracy": [0.1], "val/accuracy": [0.2, 0.3], "test/accuracy": [0.4, 0.5]},
        validated={"train/accuracy": [0.1], "val/accuracy": [0.2, 0.3], "test/accuracy": [0.4]},
        shifted={"train/accuracy": [0.1], "shift:b/accuracy": [0.6], "shift:a/accuracy": [0.7]},
        untested={"train/accuracy": [0.1]},
        checkpoints={"shift:a/accuracy": [0.7]},
        losses={"val/loss": [1.0], "weights/norm": [2.0]},
    )
    tests = found.filter(pl.col("role") == "test").select("run_id", "metric", "value").rows()
    assert tests == [
        ("both", "test/accuracy", 0.4),
        ("both", "test/accuracy", 0.5),
        ("validated", "val/accuracy", 0.2),
        ("validated", "val/accuracy", 0.3),
        ("shifted", "shift:a/accuracy", 0.7),
        ("losses", "val/loss", 1.0),
    ]
    trained = found.filter(pl.col("role") == "train")["run_id"].to_list()
    assert trained == ["both", "validated", "shifted", "untested"]


def test_held_out_curves_of_one_quantity_by_several_names_can_be_looked_at_together():
    found = main(a={"val/accuracy": [0.2]}, b={"test/accuracy": [0.4]}, c={"test/loss": [1.0]})
    assert held_out_scores(found) == {"held-out/accuracy": 2}
    together = held_out_points(found, "held-out/accuracy")
    assert together.select("run_id", "metric", "value").rows() == [
        ("a", "held-out/accuracy", 0.2),
        ("b", "held-out/accuracy", 0.4),
    ]
    metrics = {"held-out/accuracy": 2, "test/accuracy": 1, "test/loss": 1, "val/accuracy": 1}
    assert first_metric(metrics, found) == "held-out/accuracy"


@pytest.mark.parametrize(
    ("metrics", "first"),
    [
        ({"test/loss": 1, "train/accuracy": 1}, "train/accuracy"),
        ({"train/loss": 2, "val/loss": 2, "weights/norm": 3}, "val/loss"),
        ({"shift:far/accuracy": 1, "train/loss": 1, "val/accuracy": 1}, "val/accuracy"),
        ({"weights/norm": 1}, "weights/norm"),
        ({}, None),
    ],
)
def test_without_a_run_that_is_judged_a_held_out_score_that_most_runs_have_is_looked_at_first(metrics, first):
    assert first_metric(metrics, main()) == first
