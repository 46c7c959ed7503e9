"""Curves of a frame: which values are left out, and from when on a curve is lost."""

import math

import numpy as np
import polars as pl
import pytest

from grokscope.transitions.curves.series import Curve, curves_by_run, on_grid

NAN = math.nan


@pytest.mark.parametrize(
    ("values", "lost"),
    [
        ([1.0, 2.0, 3.0], ()),
        ([1.0, NAN, 3.0], ()),
        ([1.0, 2.0, NAN], (2,)),
        ([1.0, NAN, math.inf], (1, 2)),
        ([NAN, NAN, NAN], (0, 1, 2)),
    ],
)
def test_a_curve_is_lost_from_its_last_number_on(values: list[float], lost: tuple[int, ...]):
    frame = pl.DataFrame({"run_id": "r", "metric": "train/loss", "step": range(3), "value": values})
    curve = curves_by_run(frame)["r"]["train/loss"]
    assert curve.lost_at == lost
    assert curve.dropped == sum(not math.isfinite(value) for value in values)


def test_the_level_at_a_grid_point_is_the_median_of_the_evaluations_around_it():
    steps = np.unique(np.geomspace(100, 1000, 200).round().astype(int))
    values = np.sin(np.arange(len(steps)) / 9)
    grid = np.linspace(np.log(100), np.log(1000), 8)
    nearest = np.argmin(np.abs(np.log(steps)[:, None] - grid), axis=1)
    expected = [np.median(values[nearest == i]) for i in range(8)]
    curve = Curve(metric="m", steps=steps, values=values)
    assert on_grid(curve, grid) == pytest.approx(expected)
