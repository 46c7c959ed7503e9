"""Tables that nobody writes by hand: odd types, odd files, and more than memory holds."""

import os
from datetime import date, timedelta

import polars as pl
import pytest

from grokscope.answers.runs.tables import observed_in, runs_in_table
from grokscope.interventions.outcomes.observed import ObservedRunsError

TABLE = pl.DataFrame(
    {"run": ["a", "a", "b"], "step": [1, 2, 1], "metric": "loss", "value": [3.0, 2.0, 3.0], "lr": 0.1}
)


@pytest.mark.parametrize(
    "odd",
    [
        pl.struct("lr"),
        pl.concat_list("lr"),
        pl.concat_list("lr").list.to_array(1),
        pl.lit(timedelta(1)),
        pl.lit(b"\xff"),
    ],
)
def test_a_column_that_holds_no_number_or_text_is_no_param(tmp_path, odd):
    TABLE.with_columns(odd=odd).write_parquet(tmp_path / "runs.parquet")
    assert runs_in_table(tmp_path / "runs.parquet").params == ["lr"]
    assert observed_in(TABLE.with_columns(odd=odd), source="t").params == ["lr"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"step": pl.concat_list("step")}, "'t' lacks step"),
        ({"value": pl.struct("value")}, "'t' lacks value; a table of runs"),
        ({"step": pl.col("step") + 0.5}, "'t' has a step that is no whole number"),
        ({"step": pl.lit(date(2024, 1, 1))}, "'t' has a step that is no whole number"),
        ({"metric": pl.lit(None, pl.String)}, "'t' has no rows"),
        ({f"p{i}": pl.lit(1) for i in range(10_000)}, "'t' has 10,005 columns, and at most 10,000 are read"),
    ],
)
def test_what_cannot_be_read_as_runs_is_refused_in_one_sentence(change, said):
    with pytest.raises(ObservedRunsError) as refused:
        observed_in(TABLE.with_columns(**change), source="t")
    assert str(refused.value).startswith(said)
    assert "\n" not in str(refused.value)


def test_a_name_that_stands_for_many_columns_is_cut():
    odd = {f"p{i}": pl.col("step") for i in range(9)}
    [note] = observed_in(TABLE.with_columns(**odd), source="t").notes
    assert note == "p0, p1, p2, p3, p4 and 4 more differ within a run and are not read as params."


@pytest.mark.parametrize("ending", ["csv", "parquet", "jsonl"])
def test_a_pipe_is_not_waited_for(tmp_path, ending):
    os.mkfifo(tmp_path / f"runs.{ending}")
    with pytest.raises(ObservedRunsError, match="it is no regular file"):
        runs_in_table(tmp_path / f"runs.{ending}")


def test_a_file_of_zeros_is_refused_before_it_is_read(tmp_path):
    with (tmp_path / "runs.csv").open("wb") as file:
        file.truncate(2 << 30)
    with pytest.raises(ObservedRunsError, match="it is no text in UTF-8"):
        runs_in_table(tmp_path / "runs.csv")


def test_a_small_file_that_unfolds_to_more_rows_than_are_read_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("grokscope.answers.runs.tables._MOST_ROWS", 2)
    TABLE.write_parquet(tmp_path / "runs.parquet")
    with pytest.raises(ObservedRunsError, match=r"it has 3 rows, and at most 2 are read"):
        runs_in_table(tmp_path / "runs.parquet")
