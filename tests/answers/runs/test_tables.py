"""Tidy tables as runs: which columns are params, which are units, and what is refused."""

import polars as pl
import pytest

from grokscope.answers.runs.tables import is_table, observed_in, runs_in_table
from grokscope.interventions.outcomes.observed import ObservedRunsError
from grokscope.schemas.runs.query import Query

TABLE = pl.DataFrame(
    {
        "run": ["a", "a", "b", "b"],
        "step": [1, 2, 1, 2],
        "metric": "loss",
        "value": [3.0, 2.0, 3.0, 2.5],
        "seconds": [1.5, 3.0, 1.0, 2.0],
        "planned": [2, 2, 4, 4],
        "lr": [0.1, 0.1, None, None],
        "status": ["success", "success", None, None],
        "note": ["x", "y", "z", "z"],
    }
)


def test_columns_with_one_value_a_run_are_params_and_seconds_count():
    observed = observed_in(TABLE, source="t")
    assert observed.runs.rows() == [("a", "a", "success", 2, 0.1), ("b", "b", None, 4, None)]
    assert observed.params == ["planned", "lr"]
    assert observed.curves.columns == ["run_id", "metric", "step", "value", "seconds"]
    assert observed.notes == ("note differ within a run and are not read as params.",)


@pytest.mark.parametrize("ending", ["parquet", "csv", "jsonl"])
def test_a_file_of_each_kind_is_the_same_table(tmp_path, ending):
    path = tmp_path / f"runs.{ending}"
    {"parquet": TABLE.write_parquet, "csv": TABLE.write_csv, "jsonl": TABLE.write_ndjson}[ending](path)
    assert is_table(str(path))
    assert runs_in_table(path).runs.rows() == observed_in(TABLE, source="t").runs.rows()
    assert runs_in_table(path).curves.rows() == observed_in(TABLE, source="t").curves.rows()


def test_numbers_as_names_of_runs_are_names():
    table = TABLE.with_columns(run=pl.col("run").replace_strict({"a": 1, "b": 2}))
    assert observed_in(table, source="t").runs["run_id"].to_list() == ["1", "2"]


def test_a_table_without_a_column_for_the_run_is_one_run():
    observed = observed_in(TABLE.filter(pl.col("run") == "a").drop("run", "note"), source="t")
    assert observed.runs.rows() == [("run", "run", "success", 2, 0.1)]


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (TABLE.drop("step", "value"), "'t' lacks step, value; a table of runs has the columns"),
        (TABLE.clear(), "'t' has no rows"),
        (TABLE.with_columns(value=pl.lit("much")), "'t' has a step or a value that is no number"),
    ],
)
def test_what_is_no_table_of_runs_is_refused_in_one_sentence(table, said):
    with pytest.raises(ObservedRunsError) as refused:
        observed_in(table, source="t")
    assert str(refused.value).startswith(said)
    assert "\n" not in str(refused.value)


def test_a_damaged_file_is_refused_in_one_sentence(tmp_path):
    path = tmp_path / "runs.parquet"
    path.write_bytes(b"PAR1 no more")
    with pytest.raises(ObservedRunsError, match="cannot be read"):
        runs_in_table(path)


def test_conditions_choose_runs_and_their_curves():
    chosen = observed_in(TABLE, source="t").where(Query.parse("planned > 2"))
    assert chosen.runs["run_id"].to_list() == ["b"]
    assert chosen.curves["run_id"].unique().to_list() == ["b"]
    with pytest.raises(ObservedRunsError, match="none of the 2 runs is so"):
        observed_in(TABLE, source="t").where(Query.parse("planned > 9"))
