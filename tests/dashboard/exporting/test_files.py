import io
import subprocess
import sys

import polars as pl
import pytest

from grokscope.dashboard.charts import AVERAGE_SCHEMA, LIGHT, StepAxis, comparison_chart
from grokscope.dashboard.charts.elements.marks import MARKS_SCHEMA
from grokscope.dashboard.charts.elements.palette import Colouring
from grokscope.dashboard.exporting import files as export
from grokscope.dashboard.exporting.figure import FigureError, drawn

FRAME = pl.DataFrame(
    {"run": ["=cmd|' /C calc'!A0", "+1", "-1", "@x", "\tx", "plain"], "step": range(6), "value": [-1.5] * 6}
)


def test_no_cell_of_a_csv_is_a_formula_and_numbers_stay_numbers():
    back = pl.read_csv(io.BytesIO(export.to_csv(FRAME)))
    assert back["run"].to_list() == [f"'{name}" for name in FRAME["run"][:5]] + ["plain"]
    assert back.drop("run").equals(FRAME.drop("run"))


def test_parquet_holds_every_value_as_it_is():
    assert pl.read_parquet(io.BytesIO(export.to_parquet(FRAME))).equals(FRAME)


@pytest.fixture
def spec():
    points = pl.DataFrame(
        {
            "run_id": "a",
            "run": "a",
            "group": "g",
            "metric": "test/accuracy",
            "step": [0, 9],
            "value": [0.0, 1.0],
        }
    )
    marks = MARKS_SCHEMA.to_frame().with_columns(run=pl.lit("a"), group=pl.lit("g"))
    chart = comparison_chart(
        points,
        marks,
        AVERAGE_SCHEMA.to_frame(),
        axis=StepAxis(last=9),
        colouring=Colouring(field="run", colours={"a": "#2a6bb3"}, palette=LIGHT),
    )
    return chart.to_dict()


def test_charts_under_each_other_become_one_figure(spec):
    svg, png = export.to_svg([spec, spec]), export.to_png([spec])
    assert svg.startswith(b"<svg")
    assert svg.count(b"100%") == 2
    assert png.startswith(b"\x89PNG")


def test_a_chart_that_cannot_be_drawn_is_refused_with_a_sentence():
    with pytest.raises(FigureError, match="the figure could not be drawn: TypeError: "):
        drawn({"mark": "no such mark"}, "svg")


def test_the_server_never_loads_the_converter_which_keeps_pythons_lock_while_it_draws():
    code = "import sys, grokscope.dashboard.views; from grokscope.dashboard.exporting import files; "
    code += "files.to_svg([{'data': {'values': []}, 'mark': 'bar'}]); print('vl_convert' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_names_are_whole_on_a_figure_and_cut_on_a_page():
    text = {"mark": {"type": "text", "limit": 124, "dx": 8}}
    spec = {"layer": [{"mark": {"type": "line"}}, text]}
    (drawn,) = export.figure_of([spec])["vconcat"]
    assert drawn["layer"] == [spec["layer"][0], {"mark": {"type": "text", "dx": 8}}]
    assert text["mark"]["limit"] == 124
