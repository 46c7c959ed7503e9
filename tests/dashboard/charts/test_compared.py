"""One metric over many runs, as one of the linked charts."""

import json

import polars as pl
import pytest

from grokscope.dashboard.charts import LIGHT, StepAxis, averaged
from grokscope.dashboard.charts.bars import bars_chart
from grokscope.dashboard.charts.compared import Compared, Look, compared_chart, cut_runs, no_averages
from grokscope.dashboard.charts.elements.marks import MARKS_SCHEMA
from grokscope.dashboard.charts.elements.outliers import outlying
from grokscope.dashboard.charts.elements.palette import Colouring
from grokscope.dashboard.charts.linked import whole_spec
from grokscope.dashboard.exporting.figure import drawn

EVIL = "'); alert(1); ('"
AXIS = StepAxis(last=20, title="steps")
LOOK = Look(axis=AXIS, colouring=Colouring(field="group", colours=LIGHT.of([EVIL, "b"]), palette=LIGHT))


def points(*, single=False):
    steps = [20] if single else [0, 10, 20]
    return pl.concat(
        pl.DataFrame(
            {
                "run_id": run,
                "run": f"run {run}",
                "group": group,
                "step": steps,
                "value": [low + s for s in steps],
            }
        )
        for run, group, low in (("1", EVIL, 0.0), ("2", EVIL, 2.0), ("3", "b", 5.0))
    )


def compared(metric="my/own", **given):
    marks = pl.DataFrame([("1", "onset", 10, 5, 15, 10.0)], schema=MARKS_SCHEMA, orient="row").with_columns(
        run=pl.lit(EVIL), group=pl.lit(EVIL)
    )
    parts = {"points": points(), "raw": points().clear(), "averages": no_averages(), "marks": marks}
    return Compared(metric=metric, title=metric, **(parts | given))


def test_runs_are_faint_and_unread_behind_their_groups():
    chart = compared_chart(compared(averages=averaged(points())), LOOK)
    assert [(line.name, line.is_read, line.count) for line in chart.lines] == [
        ("run 1", False, None),
        ("run 2", False, None),
        ("run 3", False, None),
        (EVIL, True, [2, 2, 2]),
        ("b", True, [1, 1, 1]),
    ]
    assert (chart.lines[3].y, chart.lines[3].low, chart.lines[3].high) == (
        [1, 11, 21], [0, 10, 20], [2, 12, 22]
    )  # fmt: skip


def test_a_logarithmic_axis_leaves_gaps_where_it_can_show_nothing():
    by_run = Look(axis=AXIS, colouring=LOOK.colouring, y="log")
    chart = compared_chart(compared(), by_run)
    assert chart.lines[0].y == [None, 10, 20]


def test_every_axis_has_its_title():
    text = json.dumps(compared_chart(compared("test/loss"), LOOK).spec)
    assert '"title": "steps"' in text
    assert '"title": "loss' in text


@pytest.mark.parametrize("make", [compared_chart, bars_chart])
def test_a_chart_is_drawn_by_vega_and_other_peoples_text_is_data(make):
    given = compared(points=points(single=make is bars_chart), averages=no_averages())
    chart = make(given, LOOK)
    assert drawn(whole_spec(chart), "svg").startswith(b"<svg")
    rest = {name: part for name, part in chart.spec.items() if name != "datasets"}
    expressions = [part for part in json.dumps(rest).split('"') if "datum" in part]
    assert not any("alert" in expression for expression in expressions)


def test_one_value_a_run_is_a_bar_and_not_part_of_the_shared_axis():
    chart = bars_chart(compared(points=points(single=True)), LOOK)
    assert (chart.axis, chart.lines) == (None, ())


def losses(**highest):
    """Losses that fall from the highest to a tenth; one run a name."""
    return pl.concat(
        pl.DataFrame(
            {"run_id": run, "run": run, "group": run, "step": [0, 10, 20], "value": [top, top / 3, top / 10]}
        )
        for run, top in highest.items()
    )


def y_domain(chart):
    return chart.spec["layer"][0]["encoding"]["y"]["scale"]["domain"]


@pytest.mark.parametrize("y", ["auto", "linear", "log"])
def test_one_diverged_run_leaves_the_others_the_axis_and_its_marks_the_edge_of_it(y):
    others = {"a": 2.0, "b": 3.0, "c": 2.5}
    marks = pl.DataFrame(
        [("d", "divergence", 0, 0, 0, 1e35)], schema=MARKS_SCHEMA, orient="row"
    ).with_columns(run=pl.lit("d"), group=pl.lit("d"))
    parts = {"metric": "train/loss", "marks": marks}
    beyond = compared(**parts, points=losses(**others, d=1e35))
    look = Look(axis=AXIS, colouring=LOOK.colouring, y=y)
    chart = compared_chart(beyond, look)
    assert y_domain(chart) == y_domain(compared_chart(compared(**parts, points=losses(**others)), look))
    assert cut_runs(beyond, look) == ["d"]
    [mark] = next(rows for rows in chart.spec["datasets"].values() if rows and "event" in rows[0])
    assert mark["value"] == pytest.approx(y_domain(chart)[1])
    whole = Look(axis=AXIS, colouring=LOOK.colouring, y=y, has_outliers=True)
    assert y_domain(compared_chart(beyond, whole))[1] >= 1e35


@pytest.mark.parametrize("log", [True, False])
@pytest.mark.parametrize(
    ("highest", "cut"),
    [
        ({"a": 1.0, "b": 1e30}, []),  # which of two is the one to be seen?
        ({"a": 1.0, "b": 2.0, "c": 3.0, "d": 60.0}, []),  # still to be read together
        ({"a": 1.0, "b": 2.0, "c": 1e30, "d": 1e30}, []),  # half of them
        ({"a": 1.0, "b": 2.0, "c": 3.0, "d": float("inf")}, []),  # no axis holds it anyway
        ({**dict.fromkeys("abcdef", 1.0), "g": 1e30, "h": 1e9}, ["g", "h"]),
    ],
)
def test_only_a_few_runs_far_beyond_all_others_are_outliers(highest, cut, log):
    assert outlying(losses(**highest), log=log) == cut


def test_a_loss_that_falls_by_decades_below_the_others_is_no_outlier():
    values = [1.0, 2.0, 3.0, 1e-12]
    runs = pl.DataFrame({"run_id": list("abcd"), "value": values})
    assert outlying(runs, log=True) == []
    assert outlying(runs.with_columns(pl.col("value").replace(1e-12, -1e9)), log=False) == ["d"]
