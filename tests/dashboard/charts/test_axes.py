"""Axes hold what is drawn, whatever it is, and say what they are of."""

import json
import math

import polars as pl
import pytest

from grokscope.dashboard.charts import StepAxis
from grokscope.dashboard.charts.elements.quantity import quantity_of


def test_an_axis_over_a_range_of_steps_begins_and_ends_there():
    axis = StepAxis(last=1000, first=50, is_cut=True)
    assert axis.encoding().to_dict()["scale"]["domain"] == [50, 1000]
    assert axis.ticks() == [50, 100, 300, 1000]


@pytest.mark.parametrize("log", [True, False])
def test_an_axis_over_flops_has_round_labels_and_keeps_the_beginning(log):
    axis = StepAxis(last=108e9, unit="FLOPs", linear_below=4.3e8, log=log)
    assert axis.ticks() == [0, 3e9, 10e9, 30e9, 100e9]
    encoded = axis.encoding().to_dict()
    assert encoded["scale"]["domain"] == [0, 108e9]
    assert "step" not in encoded["axis"]["labelExpr"]


@pytest.mark.parametrize(
    "values",
    [[1e308, -1e308], [1.7e308], [5e-324, 1.79e308], [math.nan], [-1.0, math.inf], [math.inf, -math.inf]],
)
@pytest.mark.parametrize("metric", ["loud", "test/loss", "test/accuracy"])
def test_an_axis_of_any_values_has_ends_and_labels_that_are_numbers(metric, values):
    quantity = quantity_of(metric, pl.Series(values, dtype=pl.Float64))
    assert json.dumps(quantity.encoding().to_dict(), allow_nan=False)
    assert math.isfinite(quantity.value_at(0.5))


@pytest.mark.parametrize("last", [-1.0, 0.0, 5e-324, 8e307])
def test_a_step_axis_of_any_end_has_labels(last):
    axis = StepAxis(
        last=last, first=min(last, 0.0), unit="tokens", title="tokens", linear_below=max(1.0, last / 10)
    )
    assert json.dumps(axis.encoding().to_dict(), allow_nan=False)
    assert len(axis.ticks()) < 40
