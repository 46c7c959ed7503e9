"""The charts of the page Interventions: valid, with other people's text as data only, in both themes."""

import json

import polars as pl
import pytest

from grokscope.dashboard.charts import DARK, LIGHT
from grokscope.dashboard.charts.elements.palette import Colouring
from grokscope.dashboard.charts.interventions.coordinates import coordinates_chart
from grokscope.dashboard.charts.interventions.front import front_chart
from grokscope.dashboard.charts.interventions.phase import PICKED, phase_chart
from grokscope.dashboard.charts.interventions.profile import profile_chart
from grokscope.dashboard.charts.interventions.trend import trend_chart
from grokscope.dashboard.tables.interventions.coordinates import LINES, TICKS
from grokscope.dashboard.tables.interventions.fronts import FRONT
from grokscope.dashboard.tables.interventions.phases import CELLS, LINE
from grokscope.dashboard.tables.interventions.trends import CURVE, DOTS

EVIL = "' || alert(1) || 'datum.x {{expr}} <img src=x>"


def frame(schema, *rows):
    return pl.DataFrame(rows, schema=schema, orient="row")


CELL_ROWS = frame(
    CELLS,
    (EVIL, "1", 2, 2, "2/2", 1.0, 50.0, None),
    (EVIL, "2", 2, 0, "0/2", 0.0, None, 1),
    ("b", "1", 0, 0, "", None, None, None),
    ("b", "2", 2, 1, "1/2", 0.5, 500.0, None),
)
LINE_ROWS = frame(LINE, (0.0, 0.5, "at", 0), (1.0, 0.7, "at", 1), (0.0, 0.2, "low", 0), (1.0, 0.4, "low", 1))
DOT_ROWS = frame(DOTS, (EVIL, 0.1, True, 50.0, 40.0, 50.0), ("r", 1.0, False, 90.0, 90.0, 90.0))
LAW = frame(CURVE, (0.1, 50.0, 30.0, 70.0), (1.0, 80.0, 60.0, 99.0))
FRONT_ROWS = frame(FRONT, (EVIL, 2, 5.0, 0.9, True, 0.8, None), ("b", 1, 500.0, 0.8, False, None, EVIL))


def phase(palette, colour="share", line=LINE_ROWS):
    return phase_chart(
        CELL_ROWS,
        line,
        names=(EVIL, "y"),
        columns=[EVIL, "b"],
        rows=["1", "2"],
        colour=colour,
        unit="steps",
        palette=palette,
    )


def built(palette):
    colouring = Colouring(field="group", colours=palette.of([EVIL, "b"]), palette=palette)
    runs = pl.DataFrame(
        {"run": [EVIL, "r"], "group": [EVIL, "b"], "compute": [5.0, 500.0], "best": [0.9, 0.8]}
    )
    profiles = pl.DataFrame({"group": [EVIL, EVIL, "b"], "tau": [1.0, 2.0, 1.0], "share": [0.5, 1.0, 0.5]})
    lines = frame(
        LINES,
        *(
            (run, v, 0.5, "1", cost, cost is not None)
            for run, cost in ((EVIL, 9.0), ("r", None))
            for v in "xy"
        ),
    )
    ticks = frame(TICKS, ("x", 0.5, EVIL))
    return {
        "phase": phase(palette),
        "phase by cost": phase(palette, "median"),
        "phase without a boundary": phase(palette, line=LINE.to_frame()),
        "trend": trend_chart(DOT_ROWS, LAW, name=EVIL, unit="steps", palette=palette),
        "trend without a law": trend_chart(
            DOT_ROWS, CURVE.to_frame(), name=EVIL, unit="steps", palette=palette
        ),
        "front": front_chart(runs, FRONT_ROWS, colouring=colouring, quality=EVIL, across="steps"),
        "profile": profile_chart(profiles, colouring=colouring),
        "coordinates": coordinates_chart(lines, ticks, variables=["x", "y"], unit="steps", palette=palette),
    }


def walk(node, path=()):
    yield path, node
    for key, child in (
        node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    ):
        yield from walk(child, (*path, key))


KINDS = tuple(built(LIGHT))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("palette", [LIGHT, DARK])
def test_a_chart_is_valid_in_both_themes_and_its_json_holds_no_nan(kind, palette):
    spec = built(palette)[kind].to_dict(validate=True)
    assert json.loads(json.dumps(spec, allow_nan=False)) == spec
    assert spec["config"]["background"] == palette.paper


@pytest.mark.parametrize("kind", KINDS)
def test_other_peoples_text_is_data_a_title_or_a_domain_and_never_an_expression(kind):
    spec = built(LIGHT)[kind].to_dict()
    where = {path for path, node in walk(spec) if isinstance(node, str) and "alert(1)" in node}
    assert where
    for path in where:
        is_title = path[-1] == "title" and path[-2] != "params"
        assert path[0] == "datasets" or is_title or {"domain", "sort"} & set(path[-2:]), path


def test_a_click_on_a_cell_tells_both_its_values():
    (picked,) = phase(LIGHT).to_dict()["params"]
    assert (picked["name"], picked["select"]["fields"]) == (PICKED, ["x", "y"])


def test_cheap_cells_are_strong_by_cost_and_full_ones_by_share():
    def strengths(colour):
        data = phase(LIGHT, colour).to_dict()["datasets"]
        rows = next(rows for rows in data.values() if "strength" in rows[0])
        return [row["strength"] for row in rows]

    assert strengths("share") == [1.0, 0.0, 0.0, 0.5]
    cheap, none, empty, dear = strengths("median")
    assert cheap > dear > none == empty == 0


def test_values_of_0_are_left_out_of_a_log_axis():
    dots = pl.concat([DOT_ROWS, frame(DOTS, ("zero", 0.0, True, 5.0, 4.0, 5.0))])
    spec = trend_chart(dots, CURVE.to_frame(), name="wd", unit="steps", palette=LIGHT).to_dict()
    assert not any(node == "zero" for _, node in walk(spec))
