"""No cell of a CSV file is a formula to whatever spreadsheet opens it, and what was written is read back."""

import io
import unicodedata

import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from grokscope.dashboard.exporting.files import to_csv
from grokscope.importing.formats import LogSource, SourceKind
from grokscope.importing.limits import Limits, Tally
from grokscope.importing.readers.tables import read
from grokscope.store.exporting import EXPORT_SCHEMA, write_points
from grokscope.store.formulas import guarded, unguarded

SIGNS = "=+-@−"  # LibreOffice takes the minus sign for one
FILLERS = "\u034f\u115f\u1160\u17b4\u17b5\u180b\u2800\u3164\ufe0f\uffa0"
EVIL = (
    "=1+1", " =1+1", "\u00a0@x", "\u3000+1", "\ufeff=1", "\u200b\u2060-1", "\u202e=1", "\n=1", "\r\n=1",
    "\t=1", "\t", "\r", "\n", "\0=1", "\u0085=1", "＝1+1", "＋1", "－1", "＠x", "﹦1", "⁼1",  # noqa: RUF001
    "\u3164=1", "\u2800=1", "'=1", "''", "'", "\u0301=1", "\U000e0020=1",
)  # fmt: skip


def is_formula(cell):
    """Say whether a spreadsheet may compute a cell: what it skips is skipped, what it folds is folded."""
    rest = cell
    while rest and (unicodedata.category(rest[0])[0] in "ZCM" or rest[0] in FILLERS):
        rest = rest[1:]
    return unicodedata.normalize("NFKC", rest)[:1] in tuple(SIGNS) or cell[:1] in tuple("\t\r\n")


# Of characters that this Python's table does not know yet, polars' may say something else.
assigned = st.text(st.characters(exclude_categories=["Cs", "Cn"]), max_size=3)
texts = st.builds("".join, st.lists(st.sampled_from(EVIL) | assigned, max_size=3))


@pytest.mark.parametrize("text", EVIL)
def test_no_text_that_is_known_to_start_a_formula_gets_through(text):
    (cell,) = guarded(pl.DataFrame({"x": [text]}))["x"]
    assert (is_formula(cell), cell) == (False, f"'{text}")


@given(st.lists(texts, min_size=2, max_size=4, unique=True), st.floats(), st.integers(-9, 9))
def test_no_cell_or_name_of_a_column_is_a_formula_and_all_come_back_as_they_were(found, value, step):
    name, *cells = found
    frame = pl.DataFrame({"n": [value] * len(cells), "s": [step] * len(cells), name: cells})
    safe = guarded(frame)
    assert not any(map(is_formula, [*safe.columns, *safe.to_series(2)]))
    assert_frame_equal(unguarded(safe), frame)
    assert_frame_equal(safe.select("n", "s"), frame.select("n", "s"))


@example("a")
@given(texts.filter(bool))
def test_a_file_that_was_exported_is_read_under_the_same_names(tmp_path_factory, text):
    named = dict.fromkeys(("run", "name", "experiment", "metric"), text)
    row = {**named, "step": 1, "time_ms": 1, "value": -1.5}
    frame = pl.DataFrame([row], EXPORT_SCHEMA)
    for ending in ("csv", "parquet"):
        path = tmp_path_factory.mktemp("export") / f"points.{ending}"
        write_points([frame], path)
        (log,) = read(LogSource(kind=SourceKind.TABLE, files=(path,), root=path.parent), Tally(Limits()))
        assert (log.run.key, log.run.name, log.run.experiment) == (f"{path.name}#{text}", text, text)
        assert log.points.select("metric", "value").rows() == [(text, -1.5)]


def test_a_table_taken_from_a_page_holds_no_formula_in_a_category_or_a_title():
    frame = pl.DataFrame({"＝1": [" =1"], "of": pl.Series(["=1"], dtype=pl.Categorical), "step": [-1]})  # noqa: RUF001
    back = pl.read_csv(io.BytesIO(to_csv(frame)), glob=False)
    assert back.to_dict(as_series=False) == {"'＝1": ["' =1"], "of": ["'=1"], "step": [-1]}  # noqa: RUF001
