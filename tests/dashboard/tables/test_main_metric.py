"""What an experiment is first looked at by, and that it is the curve that verdicts are made from."""

import polars as pl
import pytest

from grokscope.dashboard.tables.main_metric import main_metric_of, place_of_first
from grokscope.schemas import POINT_SCHEMA


def curves(**runs):
    rows = [
        (run, metric, step, None, value)
        for run, metrics in runs.items()
        for metric, values in metrics.items()
        for step, value in enumerate(values)
    ]
    return pl.DataFrame(rows, schema=POINT_SCHEMA, orient="row")


def test_each_run_shows_the_held_out_curve_that_it_is_judged_by():
    found = main_metric_of(
        curves(
            both={"train/accuracy": [0.1], "val/accuracy": [0.2, 0.3], "test/accuracy": [0.4, 0.5]},
            validated={"train/accuracy": [0.1], "val/accuracy": [0.2, 0.3], "test/accuracy": [0.4]},
            shifted={"train/accuracy": [0.1], "shift:b/accuracy": [0.6], "shift:a/accuracy": [0.7]},
            untested={"train/accuracy": [0.1]},
            checkpoints={"shift:a/accuracy": [0.7]},
        )
    )
    assert found is not None
    held_out = found.points.filter(pl.col("metric") == found.test).select("run_id", "value")
    assert held_out.rows() == [
        ("both", 0.4),
        ("both", 0.5),
        ("validated", 0.2),
        ("validated", 0.3),
        ("shifted", 0.7),
    ]
    trained = found.points.filter(pl.col("metric") == found.train)["run_id"].to_list()
    assert trained == ["both", "validated", "shifted", "untested"]


def test_loss_is_shown_where_there_is_no_accuracy_and_nothing_where_there_is_neither():
    found = main_metric_of(curves(a={"val/loss": [1.0], "weights/norm": [2.0]}))
    assert found is not None
    assert (found.quantity, found.points["metric"].to_list()) == ("loss", ["test/loss"])
    assert main_metric_of(curves(a={"weights/norm": [2.0]})) is None


@pytest.mark.parametrize(
    ("names", "place"),
    [
        (["test/loss", "train/accuracy"], 1),
        (["train/loss", "val/loss", "weights/norm"], 1),
        (["shift:far/accuracy", "train/loss", "val/accuracy"], 2),
        (["weights/norm"], 0),
        ([], 0),
    ],
)
def test_held_out_accuracy_is_looked_at_first(names, place):
    assert place_of_first(names) == place
