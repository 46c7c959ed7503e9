"""A chart as the page Compare draws it on a dark screen, and what is made of it once for all tests."""

import polars as pl
import pytest

from grokscope.dashboard.charts import DARK, StepAxis
from grokscope.dashboard.charts.compared import Compared, Look, compared_chart, no_averages
from grokscope.dashboard.charts.elements.marks import MARKS_SCHEMA
from grokscope.dashboard.charts.elements.palette import Colouring
from grokscope.dashboard.charts.linked import whole_spec
from grokscope.dashboard.exporting.bundle import to_bundle
from grokscope.dashboard.exporting.sizes import SIZES

HOSTILE = "<script>alert(1)</script> ]]> \x00 \u202egnp.exe & " + "x" * 10_000


def chart(names):
    """Two steps a run, with a memorized and a completed event each, as a page draws it."""
    points = pl.DataFrame(
        {
            "run_id": [name for name in names for _ in range(2)],
            "run": [name for name in names for _ in range(2)],
            "group": "g",
            "metric": "test/accuracy",
            "step": [0, 9] * len(names),
            "value": [0.0, 1.0] * len(names),
        }
    )
    events = [
        (name, event, at, at, at, 0.5) for name in names for event, at in (("memorized", 2), ("onset", 5))
    ]
    marks = pl.DataFrame(events, schema=MARKS_SCHEMA, orient="row").with_columns(
        run="run_id", group=pl.lit("g")
    )
    colouring = Colouring(field="run", colours=DARK.of(names), palette=DARK)
    compared = Compared(
        metric="test/accuracy",
        title="test accuracy",
        points=points,
        raw=points.clear(),
        averages=no_averages(),
        marks=marks,
    )
    return whole_spec(compared_chart(compared, Look(axis=StepAxis(last=9), colouring=colouring)))


@pytest.fixture(scope="session")
def spec():
    return chart(["a", "b"])


@pytest.fixture(scope="session")
def hostile():
    """A chart of a run with a name that is markup, controls, turns and is 10,000 letters long."""
    return chart([HOSTILE])


@pytest.fixture(scope="session")
def bundle(spec):
    """A figure bundle of the chart, one column wide."""
    frames = {"curves": pl.DataFrame({"run": ["a"], "step": [1]})}
    return to_bundle([spec], frames, asked={"experiment": "e"}, size=SIZES["single"], title="Two <runs>")
