"""Curves of a frame: which values are left out, and from when on a curve is lost."""

import math

import polars as pl
import pytest

from grokscope.transitions.curves.series import curves_by_run

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
