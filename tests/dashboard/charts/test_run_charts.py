"""Charts of one run's page: valid Vega-Lite, in which other people's text is data alone."""

import json

import polars as pl
import pytest

from grokscope.dashboard.charts import LIGHT, StepAxis
from grokscope.dashboard.charts.run.definitions import definitions_chart
from grokscope.dashboard.charts.run.layers import layers_chart
from grokscope.dashboard.charts.run.snapshots import bars_chart, lines_chart, points_chart

EVIL = "' || alert(1) || 'datum.x {{expr}} <img src=x>"
AXIS = StepAxis(last=2000)
CELLS = pl.DataFrame(
    {
        "row": [0, 0, 1, 1],
        "column": [0, 1, 0, 1],
        "row_label": [EVIL, EVIL, "b", "b"],
        "column_label": ["1", "2", "1", "2"],
        "value": [1.0, 2.0, 3.0, 0.5],
    }
)
STEPS = pl.DataFrame({"layer": [EVIL, "b"], "step": [0, 10], "end": [10, 20], "value": [1.0, 2.0]})
DATES = pl.DataFrame({"definition": ["ours", "none"], "step": [5, None], "low": [4, None], "high": [6, None]})
CHARTS = {
    "definitions": definitions_chart(DATES, axis=AXIS, palette=LIGHT),
    "layers": layers_chart(STEPS, pl.DataFrame({"step": [5]}), axis=AXIS, palette=LIGHT),
    "bars": bars_chart(CELLS.filter(column=0), low=0.5, high=3.0, palette=LIGHT),
    "lines": lines_chart(CELLS, low=0.5, high=3.0, palette=LIGHT),
    "points": points_chart(
        pl.DataFrame({"row_label": [EVIL], "x": [1.0], "y": [2.0]}), x=(0.0, 1.0), y=(2.0, 2.0), palette=LIGHT
    ),
}


def walk(node, path=()):
    yield path, node
    for key, child in (
        node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    ):
        yield from walk(child, (*path, key))


@pytest.mark.parametrize("kind", CHARTS)
def test_a_chart_is_valid_and_its_text_is_data(kind):
    spec = CHARTS[kind].to_dict(validate=True)
    assert json.loads(json.dumps(spec, allow_nan=False)) == spec
    where = {path for path, node in walk(spec) if isinstance(node, str) and "alert(1)" in node}
    assert bool(where) is (kind != "definitions")
    for path in where:
        assert path[0] == "datasets" or path[-2] in ("domain", "sort"), path
    assert not {path[-1] for path, node in walk(spec) if path and isinstance(node, str)} & {"href", "url"}


def test_places_that_are_numbers_lie_where_they_say_and_names_lie_side_by_side():
    rows = CELLS.filter(row=0).with_columns(row=pl.Series([0, 1]), row_label=pl.Series(["5", "9"]))
    numbered = bars_chart(rows, low=0.0, high=2.0, palette=LIGHT).to_dict()
    assert numbered["layer"][0]["encoding"]["x"]["field"] == "at"
    assert [row["at"] for data in numbered["datasets"].values() for row in data] == [5.0, 9.0]
    assert CHARTS["bars"].to_dict()["layer"][0]["encoding"]["x"]["field"] == "row_label"
