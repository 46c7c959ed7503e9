"""A folder of tidy Parquet files is a store like any other, but for writing."""

import math
import os

import polars as pl
import pytest

from grokscope.schemas import Pattern, Verdict
from grokscope.store import (
    CorruptStoreError,
    MissingStoreError,
    SchemaError,
    StoreError,
    open_store,
)

POINTS = pl.DataFrame(
    {"run": ["a", "a", "b"], "metric": "m", "step": [2, 1, 1], "value": [1.0, math.nan, 3.0]}
)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "curves").mkdir()
    POINTS.write_parquet(tmp_path / "curves" / "first.parquet")
    return tmp_path / "curves"


def test_runs_metrics_and_points_are_those_in_the_files(folder):
    store = open_store(f"parquet:///{folder}")
    assert store.experiments().select("name", "runs").rows() == [("curves", 2)]
    assert store.runs("curves").select("run_id", "name", "status", "step").sort("run_id").rows() == [
        ("a", "a", "FINISHED", 2),
        ("b", "b", "FINISHED", 1),
    ]
    assert store.metrics(["a"]).rows() == [("a", "m")]
    rows = store.points(["a", "b"]).select("run_id", "step", "value").rows()
    assert [(run, step) for run, step, _ in rows] == [("a", 1), ("a", 2), ("b", 1)]
    assert math.isnan(rows[0][2])
    assert store.params(["a"]).is_empty()


def test_a_file_that_is_added_or_replaced_shows_at_the_next_reading(folder):
    store = open_store(f"parquet:///{folder}")
    assert store.points(["a"]).height == 2
    later = POINTS.drop("run").with_columns(step=pl.lit(9))
    later.head(1).write_parquet(folder / "named-by-its-file.parquet")
    POINTS.with_columns(step=pl.col("step") + 5).write_parquet(folder / "first.parquet")
    assert set(store.runs()["run_id"]) == {"a", "b", "named-by-its-file"}
    assert {6, 7} <= set(store.points(["a"])["step"])


def test_a_file_that_is_replaced_by_an_older_one_shows_too(folder):
    store = open_store(f"parquet:///{folder}")
    assert store.points(["b"])["value"].to_list() == [3.0]
    POINTS.with_columns(value=pl.lit(7.0)).write_parquet(folder / "first.parquet")
    os.utime(folder / "first.parquet", (1e9, 1e9))
    assert store.points(["b"])["value"].to_list() == [7.0]


def test_what_is_wrong_with_a_folder_is_told_apart(folder, tmp_path):
    with pytest.raises(MissingStoreError, match=r"there are no \.parquet files"):
        open_store(f"parquet:///{tmp_path / 'none'}")
    store = open_store(f"parquet:///{folder}")
    pl.DataFrame({"x": [1]}).write_parquet(folder / "other.parquet")
    with pytest.raises(SchemaError, match=r"other\.parquet: points need the columns"):
        store.runs()
    (folder / "other.parquet").write_bytes(b"nothing")
    with pytest.raises(CorruptStoreError, match=r"other\.parquet is not a readable Parquet file"):
        store.runs()


def test_it_has_no_roles_of_its_own_and_says_that_it_can_keep_none(folder):
    uri = f"parquet:///{folder}"
    assert open_store(uri).aliases("curves") == {}
    open_store(uri).clear_alias("curves", name="m")
    with pytest.raises(StoreError, match=r"cannot keep the role of 'm'\. Import it"):
        open_store(uri).set_alias("curves", name="m", canonical="test/accuracy")


def test_a_verdict_is_refused(folder):
    with pytest.raises(StoreError, match="cannot be written"):
        open_store(f"parquet:///{folder}").write_verdict(Verdict(run="a", pattern=Pattern.OTHER))


def test_the_history_of_a_metric_is_that_metrics_alone_and_of_the_runs_asked_for(folder):
    both = pl.concat([POINTS, POINTS.with_columns(metric=pl.lit("other"))])
    both.write_parquet(folder / "first.parquet")
    store = open_store(f"parquet:///{folder}")
    rows = store.points(["a"], ["other"]).select("run_id", "metric", "step").rows()
    assert rows == [("a", "other", 1), ("a", "other", 2)]
