import polars as pl
import pytest

from grokscope.dashboard.state.data import RUNS_SCHEMA, Snapshot
from grokscope.dashboard.tables.runs.details import (
    as_tree,
    details,
    first_params,
    levels_table,
    param_labels,
    params_table,
)
from grokscope.store import PAIR_SCHEMA


def pairs(**of_runs):
    rows = [(run, key, value) for run, own in of_runs.items() for key, value in own.items()]
    return pl.DataFrame(rows, schema=PAIR_SCHEMA, orient="row")


def snapshot(runs, *, params=None, tags=None):
    rows = [
        {"run_id": run, "label": f"run {run}", "group": "g", "start_ms": 0, "end_ms": 5000} for run in runs
    ]
    frame = pl.DataFrame(rows, schema=RUNS_SCHEMA)
    return Snapshot(runs=frame, params=pairs(**(params or {})), tags=pairs(**(tags or {})))


def test_a_row_tells_what_people_and_mlflow_wrote_and_no_secret():
    tags = {
        "mlflow.parentRunId": "a",
        "mlflow.source.git.commit": "0123456789abcdef",
        "mlflow.note.content": "warm\nup",
        "grokscope.pattern": "grokking",
        "keep": "",
        "api_key": "hf_abcdefghijklmnop",
    }
    rows = details(snapshot("ab", tags={"b": tags})).rows()
    assert rows == [
        ("a", None, 5.0, None, None, None, None),
        ("b", "run a", 5.0, "01234567", ["api_key: [withheld]", "keep"], "warm up", None),
    ]


def test_params_are_numbers_where_all_of_their_values_are_and_named_apart_from_other_columns():
    shown = snapshot("ab", params={"a": {"lr": "1e-3", "status": "on"}, "b": {"lr": "0.1"}})
    table = params_table(shown, ["lr", "status"])
    assert table.rows(named=True) == [
        {"run_id": "a", "params.lr": 0.001, "params.status": "on"},
        {"run_id": "b", "params.lr": 0.1, "params.status": None},
    ]


def test_first_params_are_those_that_vary_without_seed_group_and_secrets():
    a = {"m.lr": "1", "seed": "0", "group": "x", "same": "1", "m.api_key": "abcdefghijklmnop"}
    b = {"m.lr": "2", "seed": "1", "group": "y", "same": "1", "m.api_key": "qrstuvwxyzabcdef"}
    assert first_params(snapshot("ab", params={"a": a, "b": b})) == ["m.lr"]
    assert param_labels(["m.lr", "n.lr"]) == {"m.lr": "m.lr", "n.lr": "n.lr"}


@pytest.mark.parametrize(
    ("metric", "best"), [("test/accuracy", 0.9), ("test/loss", 0.1), ("weights/norm", None)]
)
def test_the_best_of_a_metric_is_its_highest_or_lowest_and_none_where_no_side_is_better(metric, best):
    values = [0.5, 0.9, float("nan"), 0.1, 0.4]
    points = pl.DataFrame({"run_id": "a", "metric": metric, "step": [0, 1, 2, 3, 4], "value": values})
    row = levels_table(points, ["last", "best", "lowest", "highest"]).row(0, named=True)
    wanted = {"run_id": "a", f"{metric} · last": 0.4, f"{metric} · lowest": 0.1, f"{metric} · highest": 0.9}
    assert row == wanted | ({} if best is None else {f"{metric} · best": best})


def test_nested_runs_stand_behind_their_parent_and_a_circle_hides_none():
    parent = "mlflow.parentRunId"
    tags = {
        "a": {parent: "c"},
        "b": {parent: "a"},
        "d": {parent: "e"},
        "e": {parent: "d"},
        "f": {parent: "x"},
    }
    runs = pl.DataFrame({"run_id": list("abcdef"), "run": list("abcdef")})
    tree = as_tree(runs, snapshot("abcdef", tags=tags))
    assert tree["run"].to_list() == ["c", "└ a", "\u2003└ b", "f", "d", "└ e"]
