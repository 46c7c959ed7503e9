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


def test_columns_that_are_the_same_all_through_a_run_are_its_params_as_they_stand_in_the_table(
    bring, held, tmp_path
):
    table = tmp_path / "sweep.csv"
    table.write_text(
        "run,lr,seed,planned,token,note,status,seconds,step,metric,value\n"
        "a,1e-3,0,020,hush,x,KILLED,1,0,loss,1.5\n"
        "a,1e-3,0,020,hush,y,KILLED,2,10,loss,0.5\n"
        "b,0.10,,020,hush,x,FINISHED,1,0,loss,1.25\n"
    )
    assert bring(table) == (2, 0, 6)
    (_, first, _, one), (_, second, _, other) = held("a"), held("b")
    assert first == {"lr": "1e-3", "seed": "0", "planned": "020", "token": "[withheld]"}
    assert second == {"lr": "0.10", "planned": "020", "token": "[withheld]"}
    assert (one["status"], other["status"]) == ("KILLED", "FINISHED")
    assert bring(table) == (0, 2, 0)


def test_columns_that_count_what_was_spent_are_curves_of_it_the_largest_at_a_step(runs_in, tmp_path):
    path = tmp_path / "spent.csv"
    path.write_text(
        "run,step,metric,value,seconds,tokens,epochs\n"
        "a,0,loss,3,1.5,0,\na,10,loss,2,4,640,\na,10,acc,.5,5.5,640,\nb,0,loss,3,,0,\n"
    )
    runs, _ = runs_in(path)
    assert all(run.params == {} for _, run in runs.values())
    assert runs["a"][0] == {
        "loss": {0: 3.0, 10: 2.0},
        "acc": {10: 0.5},
        "progress/seconds": {0: 1.5, 10: 5.5},
        "progress/tokens": {0: 0.0, 10: 640.0},
    }
    assert runs["b"][0] == {"loss": {0: 3.0}, "progress/tokens": {0: 0.0}}


def test_a_table_that_was_imported_without_what_was_spent_is_known_again_and_gets_it(uri, tmp_path):
    rows = [("a", "loss", 0, 3.0, 0), ("a", "loss", 10, 2.0, 640), ("b", "loss", 0, 3.5, 0)]
    frame = pl.DataFrame(rows, schema=["run", "metric", "step", "value", "tokens"], orient="row")
    frame.drop("tokens").write_csv(tmp_path / "t.csv")
    assert add(tmp_path / "t.csv", uri) == (2, 0, 3)
    frame.write_csv(tmp_path / "t.csv")
    assert add(tmp_path / "t.csv", uri) == (0, 2, 3)
    assert content(uri).filter(metric="progress/tokens")["value"].to_list() == [0.0, 640.0, 0.0]
    assert add(tmp_path / "t.csv", uri) == (0, 2, 0)


def test_what_was_spent_is_of_no_split_and_makes_no_run_of_rows_without_values(runs_in, tmp_path):
    rows = "metric,step,value,tokens\nloss,0,3,0\nloss,10,2,640\n"
    for name in ("train", "val"):
        (tmp_path / f"{name}.csv").write_text(rows)
    ((curves, _),) = runs_in(tmp_path)[0].values()
    assert sorted(curves) == ["progress/tokens", "train/loss", "val/loss"]
    empty = tmp_path / "empty" / "table.csv"
    empty.parent.mkdir()
    empty.write_text("run,metric,step,value,tokens\na,loss,0,3,0\nb,loss,0,,0\n")
    assert list(runs_in(empty)[0]) == ["a"]


@pytest.mark.parametrize("ending", ["parquet", "jsonl"])
def test_numbers_of_a_typed_table_are_params_as_python_writes_them(runs_in, tmp_path, ending):
    frame = pl.DataFrame({"run": ["a", "a"], "lr": 0.001, "width": 8, "opt": "adam", "step": [0, 1]})
    frame = frame.with_columns(metric=pl.lit("loss"), value=pl.col("step") / 3)
    path = tmp_path / f"table.{ending}"
    (frame.write_parquet if ending == "parquet" else frame.write_ndjson)(path)
    runs, _ = runs_in(path)
    assert runs["a"][1].params == {"lr": "0.001", "width": "8", "opt": "adam"}


def test_a_column_that_varies_within_a_run_is_no_param_and_is_named(runs_in, tmp_path):
    path = tmp_path / "table.csv"
    path.write_text(
        "run,lr,host,epoch,step,metric,value\na,1,x,0,0,loss,1\na,1,y,1,1,loss,2\nb,2,x,0,0,loss,1\n"
    )
    runs, _ = runs_in(path)
    assert {name: run.params for name, (_, run) in runs.items()} == {"a": {"lr": "1"}, "b": {"lr": "2"}}
    assert "host differ within a run and are not read as params" in runs["a"][1].notes


def test_what_tells_runs_apart_is_a_param_of_them(runs_in, tmp_path):
    path = tmp_path / "table.csv"
    path.write_text(
        "seed,step,metric,value\n" + "".join(f"{s},{i},loss,{s + i}\n" for s in (0, 1) for i in (0, 1))
    )
    runs, _ = runs_in(path)
    assert sorted(run.params["seed"] for _, run in runs.values()) == ["0", "1"]
