"""Each run is read by itself: its units, and what its metrics are taken for."""

import polars as pl
import pytest

from grokscope.dashboard.state.run_metrics import RunUnits, as_shown
from grokscope.schemas import POINT_SCHEMA
from grokscope.store import roles_by_run
from grokscope.transitions.curves.units import Unit

TWO = pl.DataFrame(
    {
        "run_id": ["a", "a", "b", "b", "b"],
        "metric": ["val_acc", "reward", "train_loss", "valid_loss", "reward"],
    }
)


def points(**runs):
    rows = [
        (run, metric, step, None, value)
        for run, metrics in runs.items()
        for metric, values in metrics.items()
        for step, value in enumerate(values)
    ]
    return pl.DataFrame(rows, schema=POINT_SCHEMA, orient="row")


def test_a_metric_that_runs_take_for_different_things_is_said_as_most_take_it_with_how_many_do_not():
    third = TWO.filter(run_id="b").with_columns(run_id=pl.lit("c"))
    roles = {role.name: role for role in roles_by_run(pl.concat([TWO, third]), {})}
    assert roles["reward"].canonical == "val/reward"
    assert roles["reward"].reason.endswith("1 run reads it otherwise, by the names beside it there.")
    assert "otherwise" not in roles["val_acc"].reason


@pytest.mark.parametrize(
    ("values", "unit"),
    [
        ([0.1, 0.5, 0.9] * 4, None),
        ([10.0, 50.0, 90.0] * 4, Unit.PER_CENT),
        ([100.0, 500.0, 900.0] * 4, Unit.COUNT),
    ],
)
def test_the_unit_is_told_by_the_whole_curve(values, unit):
    curves = points(a={"train/accuracy": values, "train/loss": [2.0] * 12})
    assert RunUnits().of(curves) == ({} if unit is None else {"a": {"train/accuracy": unit}})


def test_per_cent_that_stays_below_1_is_told_by_its_partner_and_only_in_its_own_run():
    low = [0.9] * 12
    curves = points(a={"train/accuracy": [1.0, 99.0] * 6, "test/accuracy": low}, b={"test/accuracy": low})
    units = RunUnits().of(curves)
    assert units == {"a": {"train/accuracy": Unit.PER_CENT, "test/accuracy": Unit.PER_CENT}}
    shown = as_shown(curves, units).filter(metric="test/accuracy")
    assert shown.group_by("run_id").agg(pl.col("value").max()).sort("run_id").rows() == [
        ("a", pytest.approx(0.009)),
        ("b", 0.9),
    ]


def test_counts_are_no_accuracy_and_go_by_a_name_of_their_own():
    curves = points(a={"train/accuracy": [100.0, 900.0] * 6})
    assert as_shown(curves, RunUnits().of(curves))["metric"].unique().to_list() == ["train/accuracy_count"]


def test_a_unit_that_turns_out_later_is_told_anew():
    units = RunUnits()
    begin = [1.2, 1.3] * 6
    assert units.of(points(a={"train/accuracy": begin})) == {"a": {"train/accuracy": Unit.PER_CENT}}
    counts = points(a={"train/accuracy": [*begin, *[500.0] * 9]})
    assert units.of(counts) == {"a": {"train/accuracy": Unit.COUNT}}
