import re
from urllib.parse import unquote
from xml.etree import ElementTree as ET

import polars as pl
import pytest

from grokscope.dashboard.charts import StepAxis
from grokscope.dashboard.charts.elements.quantity import Quantity
from grokscope.dashboard.charts.sparkline import HEIGHT, WIDTH, sparkline

SHARE = Quantity(low=0, high=1)


def drawn(rows, **options):
    points = pl.DataFrame(
        rows, schema={"role": pl.String, "step": pl.Int64, "value": pl.Float64}, orient="row"
    )
    given = {"axis": StepAxis(last=100, log=False), "quantity": SHARE, "colour": "#123456"} | options
    picture = unquote(sparkline(points, **given).removeprefix("data:image/svg+xml,"))
    return ET.fromstring(picture)


def paths(svg):
    """Return what is drawn in the colour of the run: the lines."""
    return [path.get("d") for path in svg.findall(".//{*}path") if path.get("stroke") == "#123456"]


def test_a_line_goes_from_edge_to_edge_and_its_values_from_bottom_to_top():
    assert paths(drawn([("test", 0, 0.0), ("test", 100, 1.0)])) == [f"M0,{HEIGHT}L{WIDTH},0"]


def test_the_training_curve_is_dashed_and_the_held_out_one_is_not():
    svg = drawn([(role, step, 0.5) for role in ("test", "train") for step in (0, 100)])
    lines = [path for path in svg.findall(".//{*}path") if path.get("stroke") == "#123456"]
    assert [line.get("stroke-dasharray") is not None for line in lines] == [True, False]


def test_what_is_no_number_leaves_a_gap_and_what_is_beyond_the_scale_stays_on_the_picture():
    (line,) = paths(drawn([("test", 0, 0.0), ("test", 50, None), ("test", 100, 9.0)]))
    assert line == f"M0,{HEIGHT}M{WIDTH},0"
    log = Quantity(low=0.1, high=10, log=True)
    assert paths(drawn([("test", 0, -1.0), ("test", 100, 10.0)], quantity=log)) == [f"M{WIDTH},0"]


def test_the_band_spans_the_interval_of_the_onset():
    (band,) = drawn([("test", 0, 0.0)], onset=(25, 75)).findall(".//{*}rect")
    assert (float(band.get("x")), float(band.get("width"))) == (pytest.approx(80), pytest.approx(160))


def test_nothing_is_drawn_of_no_points():
    assert paths(drawn([])) == []


def test_a_picture_of_many_points_stays_small_and_holds_only_numbers_of_ours():
    svg = sparkline(
        pl.DataFrame({"role": "test", "step": range(160), "value": [i / 159 for i in range(160)]}),
        axis=StepAxis(last=160),
        quantity=SHARE,
        colour="#123456",
    )
    assert len(svg) < 6_000
    assert not re.search(r"<script|href|on\w+=", unquote(svg))
