import json
import re

import polars as pl
import pytest

from grokscope.dashboard.charts import (
    LIGHT,
    StepAxis,
    averaged,
    group_chart,
    marks_of,
    of_most,
    panel_chart,
    quantity_of,
    thinned_averages,
    timeline_chart,
)
from grokscope.dashboard.charts.elements.palette import Colouring
from grokscope.schemas import CurveOutcome, Date, Kind, Pattern, Transition, Verdict

EVIL = "' || alert(1) || 'datum.x {{expr}} <img src=x>"
AXIS = StepAxis(last=2000)
BY_GROUP = Colouring(field="group", colours={EVIL: "#2a6bb4", "none": "#d9730d"}, palette=LIGHT)
KINDS = ("group", "panel", "timeline")


def date(step, margin=25):
    return Date(step=step, low=step - margin, high=step + margin)


GROKKED = Verdict(
    run="a" * 32, pattern=Pattern.GROKKING, memorized=date(60, 10), onset=date(550), generalized=date(900)
)


@pytest.fixture
def points():
    steps = [0, 10, 60, 550, 900, 2000]
    frames = [
        pl.DataFrame(
            {
                "run_id": run,
                "run": name,
                "group": name,
                "metric": metric,
                "role": metric.partition("/")[0],
                "step": steps,
                "value": values,
            }
        )
        for run, name in (("a" * 32, EVIL), ("b" * 32, "none"))
        for metric, values in (
            ("train/accuracy", [0.0, 0.2, 0.99, 1.0, 1.0, 1.0]),
            ("test/accuracy", [0.0, 0.0, None, 0.1, 0.9, 1.0]),
        )
    ]
    return pl.concat(frames)


@pytest.fixture
def marks(points):
    found = marks_of({GROKKED.run: GROKKED}, points, now=["a" * 32])
    return found.with_columns(run=pl.lit(EVIL), group=pl.lit(EVIL))


@pytest.fixture
def charts(points, marks):
    test = points.filter(pl.col("metric") == "test/accuracy")
    series = test.filter(run_id="a" * 32).with_columns(series=pl.lit(EVIL))
    by_series = Colouring(field="series", colours=BY_GROUP.colours, palette=LIGHT)
    rows = points.group_by("run", "group", maintain_order=True).agg(pl.col("step").max())
    quantity = quantity_of("test/accuracy", test["value"])
    return {
        "group": group_chart(points, marks, axis=AXIS, quantity=quantity, colouring=BY_GROUP),
        "panel": panel_chart(series, marks, axis=AXIS, colouring=by_series),
        "timeline": timeline_chart(rows, marks, axis=AXIS, colouring=BY_GROUP),
    }


def walk(node, path=()):
    yield path, node
    for key, child in (
        node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    ):
        yield from walk(child, (*path, key))


@pytest.mark.parametrize("kind", KINDS)
def test_a_chart_is_valid_vega_lite_and_its_json_holds_no_nan(charts, kind):
    spec = charts[kind].to_dict(validate=True)
    assert json.loads(json.dumps(spec, allow_nan=False)) == spec


@pytest.mark.parametrize("kind", KINDS)
def test_other_peoples_text_is_data_and_never_part_of_an_expression(charts, kind):
    spec = charts[kind].to_dict()
    where = {path for path, node in walk(spec) if isinstance(node, str) and "alert(1)" in node}
    assert where
    for path in where:
        in_rows = path[0] == "datasets"
        in_domain = path[-2:-1] == ("domain",) or path[-2:-1] == ("sort",)
        assert in_rows or in_domain, path
    addressed = {path[-1] for path, node in walk(spec) if isinstance(node, str)}
    assert not addressed & {"href", "url", "signal"}


@pytest.mark.parametrize("kind", KINDS)
def test_the_step_axis_is_symmetric_log_and_begins_at_step_0(charts, kind):
    scales = [
        node["scale"]
        for path, node in walk(charts[kind].to_dict())
        if path and path[-1] == "x" and "scale" in node
    ]
    assert scales
    assert all(
        scale == {"constant": 10, "domain": [0, 2000], "nice": False, "type": "symlog"} for scale in scales
    )
    labels = [
        node["axis"]["values"]
        for path, node in walk(charts[kind].to_dict())
        if path and path[-1] == "x" and "axis" in node
    ]
    assert all(values[0] == 0 for values in labels)


def test_a_linear_axis_keeps_step_0_too():
    scale = StepAxis(last=2000, log=False).encoding().to_dict()["scale"]
    assert scale == {"domain": [0, 2000], "nice": False}


def test_events_are_marked_at_their_steps_at_the_height_of_the_curve(marks):
    assert marks.select("event", "step", "low", "high", "value").rows() == [
        ("memorized", 60, 50, 70, 0.99),
        ("onset", 550, 525, 575, pytest.approx(0.1)),
        ("completion", 900, 875, 925, 0.9),
        ("now", 2000, 2000, 2000, 1.0),
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_every_chart_holds_the_events_and_the_interval_of_the_onset(charts, kind):
    rows = [
        row
        for name, row in walk(charts[kind].to_dict()["datasets"])
        if isinstance(row, dict) and "event" in row
    ]
    assert {(row["event"], row["step"], row["low"], row["high"]) for row in rows} >= {
        ("memorized", 60, 50, 70),
        ("onset", 550, 525, 575),
        ("completion", 900, 875, 925),
    }


@pytest.mark.parametrize("kind", KINDS)
def test_new_points_change_the_data_of_a_chart_and_nothing_else(charts, kind, points, marks):
    """So that a live chart is filled anew and not drawn anew."""
    fewer = points.filter(pl.col("step") < 2000)
    again = {
        "group": lambda: group_chart(
            fewer,
            marks.head(2),
            axis=AXIS,
            quantity=quantity_of("test/accuracy", fewer["value"]),
            colouring=BY_GROUP,
        ),
        "timeline": lambda: timeline_chart(
            points.group_by("run", "group", maintain_order=True).agg(pl.col("step").min()),
            marks.head(2),
            axis=AXIS,
            colouring=BY_GROUP,
        ),
    }
    if kind in again:
        assert without_data(again[kind]().to_dict()) == without_data(charts[kind].to_dict())


def without_data(spec):
    names = {name: f"data {place}" for place, name in enumerate(spec.pop("datasets"))}
    text = json.dumps(spec)
    return re.sub("|".join(names), lambda found: names[found.group()], text)


def test_rows_of_the_timeline_are_named_by_what_tells_runs_apart(marks):
    names = [f"weight_decay={value}, train_fraction=0.5, seed 0" for value in (0.1, 0.3)]
    rows = pl.DataFrame({"run": names, "group": names, "step": [9, 9]})
    dated = marks.with_columns(run=pl.lit(names[1]), group=pl.lit(names[1]))
    spec = timeline_chart(rows, dated, axis=AXIS, colouring=BY_GROUP, room=180).to_dict()
    shown = ["weig…=0.1, trai…=0.5, seed 0", "weig…=0.3, trai…=0.5, seed 0"]
    assert spec["layer"][0]["encoding"]["y"]["sort"] == shown
    events = [row for data in spec["datasets"].values() for row in data if "event" in row]
    assert {(row["row"], row["run"]) for row in events} == {(shown[1], names[1])}


def test_a_run_without_the_curve_has_its_events_without_a_height(points):
    marks = marks_of({GROKKED.run: GROKKED}, points.filter(run_id="b" * 32))
    assert marks["value"].to_list() == [None, None, None]


def test_what_was_lost_is_marked_on_the_curve_that_lost_it(points):
    def event(kind, metric, step):
        return Transition(run_id="a" * 32, metric=metric, kind=kind, step=step, low=step, high=step)

    lost = [
        event(Kind.OVERFITTING, "test/accuracy", 900),
        event(Kind.OVERFITTING, "test/loss", 60),
        event(Kind.DIVERGENCE, "train/accuracy", 2000),
        event(Kind.DIVERGENCE, "val/loss", 550),
    ]
    judged = CurveOutcome(metric="test/accuracy", split="test", pattern=Pattern.OTHER)
    verdict = Verdict(run="a" * 32, pattern=Pattern.OTHER, transitions=lost, outcomes=[judged])
    marks = marks_of({verdict.run: verdict}, points)
    rows = marks.select("event", "step", "value").rows()
    assert rows == [("best level", 900, 0.9), ("divergence", 2000, 1.0), ("divergence", 550, None)]


def test_seeds_evaluated_at_different_steps_are_averaged_where_each_has_been():
    seeds = pl.DataFrame(
        {
            "run_id": ["a", "a", "a", "b", "b"],
            "group": "g",
            "step": [0, 10, 20, 5, 15],
            "value": [0.0, 1.0, 2.0, 2.5, 3.5],
        }
    )
    assert averaged(seeds).rows() == [
        ("g", 0, 0.0, 0.0, 0.0, 1),
        ("g", 5, 1.5, 0.5, 2.5, 2),
        ("g", 10, 2.0, 1.0, 3.0, 2),
        ("g", 15, 2.5, 1.5, 3.5, 2),
        ("g", 20, 2.0, 2.0, 2.0, 1),
    ]


@pytest.mark.parametrize(
    ("metric", "values", "log", "share"),
    [
        ("test/accuracy", [0.0, 1.0], False, True),
        ("test/loss", [1e-4, 4.0], True, False),
        ("test/loss", [0.0, 4.0], False, False),
        ("weights/norm", [20.0, 60.0], False, False),
        ("weights/norm", [1.0, 60.0], True, False),
        ("weights/norm", [3.0, 3.0], False, False),
        ("my/own", [], False, False),
    ],
)
def test_a_quantity_is_drawn_on_the_axis_that_suits_its_values(metric, values, log, share):
    quantity = quantity_of(metric, pl.Series(values, dtype=pl.Float64))
    assert (quantity.log, quantity.share) == (log, share)
    assert quantity.low < quantity.high
    assert all(quantity.low < value < quantity.high for value in values)
    assert quantity.value_at(quantity.place(2.0)) == pytest.approx(2.0)


def test_thinned_averages_are_some_of_the_averages_with_their_ranges():
    steps = range(4000)
    seeds = pl.concat(
        pl.DataFrame({"run_id": run, "group": "g", "step": steps, "value": [at * by for at in steps]})
        for run, by in (("a", 1.0), ("b", 3.0))
    )
    whole = averaged(seeds)
    some = thinned_averages(whole, AXIS, limit=100)
    assert 20 <= some.height <= 100
    assert some.rows()[0] == ("g", 0, 0.0, 0.0, 0.0, 2)
    assert some.rows()[-1] == ("g", 3999, 7998.0, 3999.0, 11997.0, 2)
    assert whole.join(some, on=whole.columns, how="semi").equals(some)


def test_a_mean_ends_where_most_of_its_runs_have_ended():
    run = {"group": "g", "metric": "test/accuracy", "value": 0.5}
    rows = [{**run, "run_id": str(i), "step": step} for i in range(3) for step in (0, 10, (20, 30, 40)[i])]
    averages = of_most(averaged(pl.DataFrame(rows)))
    assert averages.select("step", "runs").rows()[-1] == (30, 2)
