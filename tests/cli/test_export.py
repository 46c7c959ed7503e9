"""``grokscope export``: tidy tables and verdicts of a selection, safe for spreadsheets."""

import json

import polars as pl
import pytest
from mlflow import MlflowClient
from mlflow.entities import Metric, Param

from grokscope.schemas import verdict_from_json
from grokscope.store import open_store
from grokscope.store.exporting import EXPORT_SCHEMA


@pytest.fixture(scope="module")
def uri(tmp_path_factory):
    uri = f"sqlite:///{tmp_path_factory.mktemp('export')}/mlflow.db"
    client = MlflowClient(uri)
    for experiment, name in (("a", "=cmd|' /C calc'!A0"), ("a", "plain"), ("b", "other")):
        found = client.get_experiment_by_name(experiment)
        number = found.experiment_id if found else client.create_experiment(experiment)
        made = client.create_run(number, run_name=name).info.run_id
        metrics = [Metric("train/accuracy", s / 10, 1000 + s, s) for s in range(10)]
        client.log_batch(made, [*metrics, Metric("-x", float("nan"), 1, 0), Metric("-x", float("inf"), 1, 1)])
    return uri


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_points_are_one_row_a_value_of_all_runs_or_of_those_chosen(grokscope, uri, tmp_path, ending):
    read = {"csv": pl.read_csv, "parquet": pl.read_parquet}[ending]
    status, out, _ = grokscope("export", "--store", uri, "--to", f"all.{ending}")
    assert (status, out) == (0, f"36 points of 3 runs in all.{ending}\n")
    frame = read(tmp_path / f"all.{ending}")
    assert frame.columns == EXPORT_SCHEMA.names()
    assert sorted(set(frame["experiment"])) == ["a", "b"]
    assert frame["value"].is_nan().sum() == 3
    assert frame["value"].is_infinite().sum() == 3
    grokscope("export", "--store", uri, "--experiment", "a", "--run", "plain", "--to", f"one.{ending}")
    assert set(read(tmp_path / f"one.{ending}")["name"]) == {"plain"}


def test_no_cell_of_a_csv_begins_like_a_formula(grokscope, uri, tmp_path):
    grokscope("export", "--store", uri, "--to", "points.csv")
    frame = pl.read_csv(tmp_path / "points.csv", infer_schema=False)
    texts = frame.select("run", "name", "experiment", "metric")
    assert {cell[0] for column in texts for cell in column if cell} & set("=+-@\t\r") == set()
    assert "'=cmd|' /C calc'!A0" in frame["name"]


def test_verdicts_are_a_list_in_the_form_that_they_have_everywhere(grokscope, uri, tmp_path):
    status, out, _ = grokscope("export", "--store", uri, "--to", "v.json", "--experiment", "a")
    assert (status, out) == (0, "2 verdicts of 2 runs in v.json\n")
    for verdict in json.loads((tmp_path / "v.json").read_text()):
        assert verdict_from_json(json.dumps(verdict)).pattern == "other"


def test_what_another_run_logs_changes_no_verdict(grokscope, tmp_path):
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    client = MlflowClient(uri)
    number = client.create_experiment("e")
    for name, others in (("a", ["val_acc"]), ("b", ["train_loss", "valid_loss"])):
        made = client.create_run(number, run_name=name).info.run_id
        rows = [Metric(metric, s / 9, 1, s) for metric in [*others, "reward"] for s in range(10)]
        client.log_batch(made, rows)
    open_store(uri).set_alias("e", name="aux", canonical="-")
    assert grokscope("export", "--store", uri, "--to", "both.json")[0] == 0
    assert grokscope("export", "--store", uri, "--to", "a.json", "--run", "a")[0] == 0
    (alone,) = json.loads((tmp_path / "a.json").read_text())
    assert alone in json.loads((tmp_path / "both.json").read_text())


def test_a_folder_of_parquet_is_exported_and_judged_like_any_store(grokscope, uri, tmp_path):
    (tmp_path / "folder").mkdir()
    assert grokscope("export", "--store", uri, "--to", "folder/points.parquet")[0] == 0
    folder = f"parquet:///{tmp_path}/folder"
    assert (
        grokscope("export", "--store", folder, "--to", "again.csv")[1] == "36 points of 3 runs in again.csv\n"
    )
    assert grokscope("export", "--store", folder, "--to", "v.json")[1] == "3 verdicts of 3 runs in v.json\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--to", "there.csv"), "'there.csv' is there already; give another name, or --force to replace it"),
        (("--to", "x.xlsx"), "'x.xlsx' ends in .xlsx; points go to .parquet or .csv"),
        (("--to", "x.csv", "--what", "verdicts"), "'x.csv' ends in .csv; verdicts go to .json"),
        (("--to", "no/folder/x.csv"), "'no/folder/x.csv' cannot be written"),
        (("--to", "x.csv", "--run", "nobody"), "there is no run 'nobody'; the newest there:"),
        (("--to", "x.csv", "--experiment", "c"), "experiment 'c' does not exist"),
    ],
)
def test_what_cannot_be_exported_is_told_and_leaves_nothing_behind(grokscope, uri, tmp_path, arguments, said):
    (tmp_path / "there.csv").write_text("mine")
    status, out, err = grokscope("export", "--store", uri, *arguments)
    assert (status, out) == (2, "")
    assert said in err
    assert {path.name for path in tmp_path.iterdir()} - {"home"} == {"there.csv"}
    assert (tmp_path / "there.csv").read_text() == "mine"


def test_force_replaces_the_file(grokscope, uri, tmp_path):
    (tmp_path / "there.csv").write_text("mine")
    assert grokscope("export", "--store", uri, "--to", "there.csv", "--force")[0] == 0
    assert (tmp_path / "there.csv").read_text().startswith("run,name,experiment,metric,step,time_ms,value\n")


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_params_are_columns_with_their_type_and_metrics_can_be_chosen(grokscope, tmp_path, ending):
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    client = MlflowClient(uri)
    number = client.create_experiment("e")
    told = ({"lr": "0.1", "depth": "2", "step": "x", "-op": "a"}, {"lr": "1", "depth": "3", "who": "me"})
    for name, params in zip("ab", told, strict=True):
        made = client.create_run(number, run_name=name).info.run_id
        client.log_batch(made, [Metric("loss", 1.0, 1, 0), Metric("other", 2.0, 1, 0)])
        client.log_batch(made, params=[Param(*one) for one in params.items()])
    status, out, _ = grokscope(
        "export", "--store", uri, "--to", f"e.{ending}", "--params", "--metric", "loss"
    )
    assert (status, out) == (0, f"2 points of 2 runs in e.{ending}\n")
    frame = {"csv": pl.read_csv, "parquet": pl.read_parquet}[ending](tmp_path / f"e.{ending}").sort("name")
    assert frame.columns[len(EXPORT_SCHEMA) :] == [
        "'-op" if ending == "csv" else "-op",
        "depth",
        "lr",
        "param.step",
        "who",
    ]
    assert frame.select("lr", "depth", "param.step", "who").rows() == [
        (0.1, 2, "x", None),
        (1.0, 3, None, "me"),
    ]


def test_params_and_metrics_are_refused_for_verdicts(grokscope, uri):
    status, _, err = grokscope("export", "--store", uri, "--to", "v.json", "--params")
    assert status == 2
    assert "--metric and --params are of points" in err
