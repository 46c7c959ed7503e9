"""Runs out of a real store: params as columns, curves by their roles, units beside them."""

import shutil

import pytest
from mlflow.entities import Metric
from mlflow.tracking import MlflowClient

from grokscope.answers.runs.stored import runs_in_store
from grokscope.interventions.outcomes.observed import ObservedRunsError
from grokscope.store import open_store


@pytest.fixture(scope="module")
def uri(blank_store, tmp_path_factory):
    uri = f"sqlite:///{shutil.copy(blank_store, tmp_path_factory.mktemp('stored') / 'mlflow.db')}"
    client = MlflowClient(uri)
    for name, decay in (("one", "0.1"), ("two", "1")):
        run = client.create_run(client.create_experiment(f"e {name}"), run_name=name).info.run_id
        client.log_param(run, "weight_decay", decay)
        client.log_param(run, "status", "kept apart")
        for step in (0, 10):
            for key, value in (
                ("val_loss", 3.0 - step / 10),
                ("progress/tokens", 64.0 * step),
                ("other", 1.0),
            ):
                client.log_batch(run, [Metric(key, value, 0, step)])
    return uri


def test_an_experiment_gives_its_runs_with_params_and_units(uri):
    store = open_store(uri)
    observed = runs_in_store(store, "e two", metrics=["val/loss"])
    assert observed.runs.select("name", "status", "param.status", "weight_decay").rows() == [
        ("two", "RUNNING", "kept apart", 1)
    ]
    curve = observed.curves.sort("step").drop("run_id")
    assert curve.rows() == [("val/loss", 0, 3.0, 0.0), ("val/loss", 10, 2.0, 640.0)]


def test_a_curve_may_be_asked_for_by_the_name_that_it_was_logged_under(uri):
    observed = runs_in_store(open_store(uri), "e two", metrics=["val_loss"])
    assert set(observed.curves["metric"]) == {"val/loss", "val_loss"}
    assert observed.curves.filter(metric="val_loss")["tokens"].to_list() == [0.0, 640.0]


def test_of_several_experiments_one_is_to_be_named(uri):
    with pytest.raises(
        ObservedRunsError, match=r"which experiment\? Name one with --experiment; those with runs: 'e "
    ):
        runs_in_store(open_store(uri), None)
