"""Tables of every shape, and text logs by a pattern."""

import json
import math

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grokscope.importing import Parsed, SourceKind, plan_import, totals, write_plan
from grokscope.importing.formats import LogSource
from grokscope.importing.limits import Limits, Tally
from grokscope.importing.readers.tables import read
from grokscope.importing.readers.text import read as read_text
from grokscope.importing.worker import logs_frame
from grokscope.store import open_store
from grokscope.store.exporting import export_parts, write_points


def rows_of(path, reader=read, patterns=()):
    source = LogSource(kind=SourceKind.TABLE, files=(path,), root=path.parent, patterns=tuple(patterns))
    logs = list(reader(source, Tally(Limits())))
    return {log.run.name: log.points.select("metric", "step", "value").rows() for log in logs}


TIDY = [("a", 0, 1.0), ("a", 1, 0.5), ("b", 1, 2.0)]


@pytest.mark.parametrize("ending", ["csv", "tsv", "parquet", "jsonl", "json"])
def test_a_tidy_table_of_any_format_gives_its_rows(tmp_path, ending):
    frame = pl.DataFrame(TIDY, schema=["metric", "step", "value"], orient="row").with_columns(run=pl.lit("r"))
    path = tmp_path / f"table.{ending}"
    {
        "csv": frame.write_csv,
        "tsv": lambda p: frame.write_csv(p, separator="\t"),
        "parquet": frame.write_parquet,
        "jsonl": frame.write_ndjson,
        "json": frame.write_json,
    }[ending](path)
    assert rows_of(path) == {"r": TIDY}


def test_a_wide_table_is_one_run_named_like_its_file_with_a_curve_a_column(tmp_path):
    path = tmp_path / "metrics.csv"
    path.write_text(
        "epoch,step,train_loss,note,val_acc\n0,0,1.5,x,\n0,10,NaN,y,0.25\n1,20,1e400,z,Infinity\n"
    )
    ((name, rows),) = rows_of(path).items()
    assert name == "metrics"
    assert [r for r in rows if r[0] == "epoch"] == [("epoch", 0, 0.0), ("epoch", 10, 0.0), ("epoch", 20, 1.0)]
    assert [r for r in rows if r[0] == "val_acc"] == [("val_acc", 10, 0.25), ("val_acc", 20, math.inf)]
    first, second, third = (value for metric, _, value in rows if metric == "train_loss")
    assert (first, math.isnan(second), third) == (1.5, True, math.inf)


def test_a_chart_exported_from_wandb_gives_its_runs_without_their_bounds(tmp_path):
    path = tmp_path / "wandb_export.csv"
    path.write_text(
        '"Step","one - val/acc","one - val/acc__MIN","one - val/acc__MAX","two - val/acc"\n'
        "0,0.1,0,1,0.2\n10,0.3,0,1,\n"
    )
    assert rows_of(path) == {"one": [("val/acc", 0, 0.1), ("val/acc", 10, 0.3)], "two": [("val/acc", 0, 0.2)]}


def test_a_history_exported_from_wandb_as_json_by_column_or_by_row_is_the_same(tmp_path):
    rows = [{"_step": 0, "_timestamp": 1.5, "loss": 1.0}, {"_step": 5, "loss": None, "x": "NaN"}]
    (tmp_path / "rows.json").write_text(json.dumps(rows))
    columns = {key: {str(i): row.get(key) for i, row in enumerate(rows)} for key in ("_step", "loss", "x")}
    (tmp_path / "columns.json").write_text(json.dumps(columns))
    (by_row,), (by_column,) = (rows_of(tmp_path / f"{name}.json").values() for name in ("rows", "columns"))
    assert repr(by_row) == repr(by_column) == "[('loss', 0, 1.0), ('x', 5, nan)]"


def test_a_text_log_gives_what_the_patterns_find(tmp_path):
    path = tmp_path / "train.log"
    path.write_text(
        "starting\nstep 0: train loss 10.9, val loss 10.8\niter 0: loss 10.95, time 51ms\n"
        "step 250: train loss nan, val loss 5,000.5\nstep x: train loss 1, val loss 1\n"
    )
    patterns = [
        r"step (?P<step>\S+): train loss (?P<train_loss>\S+), val loss (?P<val_loss>\S+)",
        r"iter (?P<step>\d+): loss (?P<batch>\S+)",
    ]
    rows = rows_of(path, read_text, patterns=patterns)["train"]
    assert repr(rows) == repr(
        [
            ("train_loss", 0, 10.9),
            ("val_loss", 0, 10.8),
            ("batch", 0, 10.95),
            ("train_loss", 250, math.nan),
            ("val_loss", 250, 5000.5),
        ]
    )


values = st.floats(allow_nan=True, allow_infinity=True)
points_of = st.dictionaries(
    st.tuples(
        st.sampled_from(["r1", "=r2"]),
        st.sampled_from(["loss", "=cmd()", "val/acc", "é x", "-a"]),
        st.integers(-5, 2**40),
    ),
    st.tuples(st.integers(1, 2**41), values),
    min_size=1,
    max_size=12,
)


def parsed_table(path):
    source = LogSource(kind=SourceKind.TABLE, files=(path,), root=path.parent)
    logs = list(read(source, Tally(Limits())))
    return Parsed(runs=tuple(log.run for log in logs), points=logs_frame(logs)), source


def add(path, uri):
    parsed, source = parsed_table(path)
    plan = plan_import(parsed, source, uri=uri, experiment="e")
    written = sum(write_plan(plan, uri=uri))
    assert written == totals(plan)[2]
    return totals(plan)


def content(uri):
    store = open_store(uri)
    runs = store.runs("e")
    names = dict(runs.select("run_id", "name").iter_rows())
    return (
        store.points(list(names))
        .with_columns(pl.col("run_id").replace(names))
        .sort("run_id", "metric", "step")
    )


@settings(max_examples=12, deadline=None)
@given(points_of, st.sampled_from(["csv", "parquet"]))
def test_import_twice_is_import_once_and_an_export_imports_as_the_same_points(
    empty_store, tmp_path_factory, points, ending
):
    folder = tmp_path_factory.mktemp("law")
    uris = []
    for name in ("one.db", "two.db"):
        (folder / name).write_bytes(empty_store.read_bytes())
        uris.append(f"sqlite:///{folder / name}")
    rows = [(*place, time, value) for place, (time, value) in points.items()]
    frame = pl.DataFrame(rows, schema=["run", "metric", "step", "time_ms", "value"], orient="row")
    frame.write_parquet(folder / "first.parquet")
    assert add(folder / "first.parquet", uris[0]) == (frame["run"].n_unique(), 0, len(rows))
    once = content(uris[0])
    assert add(folder / "first.parquet", uris[0]) == (0, frame["run"].n_unique(), 0)
    assert content(uris[0]).equals(once)
    store = open_store(uris[0])
    exported = folder / f"export.{ending}"
    assert write_points(export_parts(store, store.runs("e")), exported) == len(rows)
    add(exported, uris[1])
    assert content(uris[1]).equals(once)


def test_two_runs_that_begin_alike_and_then_differ_stay_two(uri, tmp_path):
    (tmp_path / "a.csv").write_text("step,acc\n0,0\n1,0.1\n2,0.2\n")
    (tmp_path / "b.csv").write_text("step,acc\n0,0\n1,0.9\n")
    assert add(tmp_path / "a.csv", uri) == (1, 0, 3)
    assert add(tmp_path / "b.csv", uri) == (1, 0, 2)
    for name in ("a", "b"):
        assert add(tmp_path / f"{name}.csv", uri)[::2] == (0, 0)
    (tmp_path / "b.csv").write_text("step,acc\n0,0\n1,0.9\n2,1\n")
    assert add(tmp_path / "b.csv", uri)[::2] == (0, 1)
    assert sorted(open_store(uri).runs("e")["name"]) == ["a", "b"]
