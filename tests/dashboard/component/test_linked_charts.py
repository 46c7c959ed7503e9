"""What linked charts give the browser, and the committed file of libraries that draws them."""

import json
from dataclasses import replace
from pathlib import Path

import altair as alt
import polars as pl
import pytest

from grokscope.dashboard.charts import LIGHT
from grokscope.dashboard.charts.elements.palette import layered
from grokscope.dashboard.charts.linked import Line, LinkedAxis, LinkedChart, LinkedGrid, whole_spec
from grokscope.dashboard.component import linked_charts
from grokscope.dashboard.component.linked_charts.element import payload
from grokscope.dashboard.component.linked_charts.packing import unpacked
from grokscope.dashboard.exporting.figure import drawn
from grokscope.dashboard.exporting.vega_bundle import bundle

ASSETS = Path(linked_charts.__file__).with_name("assets")


def chart(value=0.5):
    frame = pl.DataFrame({"step": [0.0, 9.0], "value": [value, 1.0]})
    points = (
        alt.Chart(frame)
        .mark_point()
        .encode(
            x=alt.X("step:Q", scale=alt.Scale(domain=[0, 9])),
            y=alt.Y("value:Q", scale=alt.Scale(domain=[0, 1])),
        )
    )
    line = Line(
        key="a", name="a", group="a", color="red", x=[0, 9], y=[0.1, None], low=[0.0, None], high=[0.2, None]
    )
    spec = layered([points], LIGHT, height=100).to_dict(validate=False)
    return LinkedChart(key="c", title="test accuracy", text="said", spec=spec, lines=[line])


def given(*charts):
    return unpacked(payload(LinkedGrid(charts=charts, axes={"shared": LinkedAxis(last=9)}, palette=LIGHT)))


def test_the_committed_libraries_are_what_the_converter_makes():
    assert (ASSETS / "vega.js").read_text("utf-8") == bundle()


@pytest.mark.parametrize(
    "script",
    sorted(path for path in ASSETS.parents[1].rglob("assets/*.js") if path.name != "vega.js"),
    ids=lambda path: path.name,
)
def test_own_scripts_make_no_markup_of_text(script):
    text = script.read_text("utf-8")
    assert [
        word
        for word in ("innerHTML", "insertAdjacentHTML", "eval(", "Function(", "http://", "https://")
        if word in text.replace("http://www.w3.org/2000/svg", "")
    ] == []


def test_what_the_browser_is_given_is_json_without_nan():
    json.dumps(given(chart()), allow_nan=False)


def test_curves_come_with_their_numbers_and_looks():
    [line] = given(chart())["charts"][0]["lines"]
    assert (line["x"], line["y"]) == ([0, 9], [0.1, None])
    assert (line["low"], line["high"]) == ([0.0, None], [0.2, None])
    assert (line["key"], line["color"], line["is_read"]) == ("a", "red", True)
    assert "count" not in line


def test_steps_that_curves_share_are_sent_once():
    steps = list(range(1000))
    lines = [replace(chart().lines[0], key=key, x=steps, y=[at] * 1000) for at, key in enumerate("abcd")]
    grid = LinkedGrid(
        charts=[replace(chart(), lines=lines)], axes={"shared": LinkedAxis(last=9)}, palette=LIGHT
    )
    assert len(payload(grid)) < (1 + len(lines)) * 8 * len(steps) + 8000


def test_lines_are_named_in_the_order_of_the_rail():
    line = chart().lines[0]
    lines = [replace(line, group=group) for group in ("decay 10", "decay 0.1", "decay 2")]
    assert given(replace(chart(), lines=lines))["order"] == ["decay 0.1", "decay 2", "decay 10"]


def test_other_data_leave_the_shape_of_a_chart_as_it_is():
    first, second = (given(chart(value))["charts"][0]["spec"] for value in (0.5, 0.6))
    assert first["datasets"] != second["datasets"]
    assert {**first, "datasets": None} == {**second, "datasets": None}


def test_a_whole_chart_has_curves_and_bands_and_is_one_that_vega_draws():
    spec = whole_spec(chart())
    assert [layer["mark"]["type"] for layer in spec["layer"]] == ["area", "line", "point", "point"]
    assert spec["title"] == "test accuracy"
    assert drawn(spec, "svg").startswith(b"<svg")


def test_a_whole_path_is_drawn_in_the_order_of_its_steps():
    path = Line(key="a", name="a", group="a", color="red", x=[9, 0, 5], y=[0.1, 0.2, 0.3], steps=[0, 1, 2])
    spec = whole_spec(replace(chart(), lines=[path]))
    assert spec["layer"][0]["encoding"]["order"] == {"field": "step", "type": "quantitative"}
    assert [row["step"] for row in spec["datasets"]["curve 0"]] == [0, 1, 2]
    assert drawn(spec, "svg").startswith(b"<svg")
