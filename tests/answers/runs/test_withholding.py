"""Secrets among params: runs are compared and answered about without them."""

import polars as pl
import pytest
from mlflow.entities import Metric, Param
from mlflow.tracking import MlflowClient

from grokscope.answers.runs.stored import runs_in_store
from grokscope.answers.runs.tables import observed_in
from grokscope.store import open_store

SECRETS = {"api_key": "hunter2", "password": "1234", "db": "mysql://ann:pw99@h/d", "note": "--token pw99"}


def test_a_table_is_read_without_the_secrets_in_its_params():
    odd = {name: pl.lit(value) for name, value in SECRETS.items()}
    table = pl.DataFrame({"run": ["a"], "step": [1], "metric": "loss", "value": [1.0], "lr": [0.1]})
    table = table.with_columns(**odd, pin=pl.lit("adam"), access_key=pl.lit(1234))
    runs = observed_in(table.with_columns(pl.col("api_key").cast(pl.Categorical)), source="t").runs
    assert runs.drop("run_id", "name", "status").to_dicts() == [
        {
            "lr": 0.1,
            "api_key": "[withheld]",
            "password": "[withheld]",
            "db": "mysql://h/d",
            "note": "--token [withheld]",
            "pin": "adam",
            "access_key": "[withheld]",
        }
    ]


@pytest.fixture
def store(file):
    """Runs with params that are secrets, or called like columns of ours."""
    client = MlflowClient(f"sqlite:///{file}")
    experiment = client.create_experiment("odd")
    own = {
        **SECRETS,
        "run_id": "7",
        "run": "8",
        "name": "9",
        "status": "x",
        "param.status": "y",
        "group": "g",
    }
    for seed in range(2):
        run = client.create_run(experiment).info.run_id
        params = [Param(name, value) for name, value in {**own, "seed": str(seed)}.items()]
        client.log_batch(run, [Metric("loss", 1.0, 1, 1)], params)
    opened = open_store(f"sqlite:///{file}")
    yield opened
    opened.close()


def test_a_store_is_read_without_secrets_whatever_params_are_called(store):
    runs = runs_in_store(store, "odd").runs
    assert runs["param.run_id"].to_list() == [7, 7]
    assert runs["param.status"].to_list() == ["x", "x"]
    told = str(runs.to_dicts())
    assert not any(secret in told for secret in ("hunter2", "1234", "pw99"))
