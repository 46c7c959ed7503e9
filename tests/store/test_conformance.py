"""All transports are one protocol: whatever a store is reached through, it gives the same answers."""

import math
from uuid import uuid4

import polars as pl
import pytest
from mlflow import MlflowClient
from mlflow.entities import Metric

from grokscope.schemas import Pattern, UnknownMetricError, Verdict
from grokscope.store import (
    IGNORED,
    ExperimentNotFoundError,
    RunNotFoundError,
    Store,
    StoreError,
    open_store,
)
from grokscope.store.findings import Health
from grokscope.store.mlflow_client.transport import ClientTransport
from grokscope.store.protocol import Store as Protocol
from grokscope.store.remote.store import RemoteStore

ROWS = [("loss", 0, 1000, 0.5), ("loss", 1, 1001, math.inf), ("test/accuracy", 1, 1002, 0.25)]
LATER = ("loss", 0, 2000, 0.4)
TRANSPORTS = ("sqlite", "rest", "postgres", "client", "parquet")
# A folder of points has no names, params and tags, and cannot be written to.
WRITTEN = tuple(name for name in TRANSPORTS if name != "parquet")
METHODS = sorted(name for name in vars(Protocol) if not name.startswith("_"))


class Logged:
    """A run of three points in an experiment of its own, and the store that it is read from."""

    def __init__(self, request, transport, tmp_path):
        self.experiment = f"conformance {uuid4().hex[:8]}"
        getattr(self, f"_{transport}", self._by_mlflow)(request, transport, tmp_path)

    def _by_mlflow(self, request, transport, tmp_path):
        names = {"sqlite": "client", "client": "client", "rest": "client", "postgres": "writer"}
        self._client: MlflowClient = request.getfixturevalue(names[transport])
        number = self._client.create_experiment(self.experiment, artifact_location=str(tmp_path))
        self.run = self._client.create_run(number, run_name="seed 0").info.run_id
        self._client.log_param(self.run, "lr", "0.1")
        self._client.set_tag(self.run, "note", "mine")
        self.log(*ROWS)
        uri = request.getfixturevalue("server") if transport == "rest" else self._client.tracking_uri
        self.store: Store = (
            RemoteStore(uri, transport=ClientTransport(uri)) if transport == "client" else open_store(uri)
        )

    def _parquet(self, _request, _transport, tmp_path):
        self._folder = tmp_path / self.experiment
        self._folder.mkdir()
        self.run = "a"
        self.log(*ROWS)
        self.store = open_store(f"parquet:///{self._folder}")

    def log(self, *rows):
        if self.run != "a":
            metrics = [Metric(key, value, time_ms, step) for key, step, time_ms, value in rows]
            self._client.log_batch(self.run, metrics)
            return
        schema = ["metric", "step", "time_ms", "value"]
        frame = pl.DataFrame(rows, schema=schema, orient="row").with_columns(run_id=pl.lit("a"))
        frame.write_parquet(self._folder / f"{len(list(self._folder.iterdir()))}.parquet")


@pytest.fixture
def logged(request, tmp_path):
    return Logged(request, request.param, tmp_path)


def through(*names):
    return pytest.mark.parametrize("logged", names, indirect=True)


@through(*TRANSPORTS)
def test_every_transport_has_every_part_of_the_protocol(logged):
    assert [name for name in METHODS if not hasattr(logged.store, name)] == []


@through(*TRANSPORTS)
def test_runs_and_points_are_the_same_through_every_transport(logged):
    store, experiment = logged.store, logged.experiment
    assert experiment in store.experiments()["name"]
    assert store.runs(experiment).select("run_id", "experiment").rows() == [(logged.run, experiment)]
    assert logged.run in store.runs()["run_id"]
    assert sorted(store.metrics([logged.run])["metric"]) == ["loss", "test/accuracy"]
    points = store.points([logged.run])
    assert points.select("metric", "step", "time_ms", "value").rows() == ROWS
    assert store.points([logged.run], ["test/accuracy"]).height == 1
    assert store.points([logged.run], ["no such metric"]).is_empty()


@through(*TRANSPORTS)
def test_what_is_new_is_read_again_and_what_was_forgotten_is_read_anew(logged):
    store = logged.store
    store.points([logged.run])
    logged.log(("loss", 2, 3000, 0.3))
    assert store.points([logged.run], ["loss"])["step"].to_list() == [0, 1, 2]
    logged.log(LATER)
    store.close()
    assert store.points([logged.run], ["loss"])["value"].to_list() == [0.4, math.inf, 0.3]


@through(*TRANSPORTS)
def test_what_is_not_there_is_told_in_the_same_words(logged):
    store = logged.store
    for ask in (store.runs, store.aliases):
        with pytest.raises(ExperimentNotFoundError, match="experiment 'nowhere' does not exist"):
            ask("nowhere")
    for ask in (store.params, store.tags, store.metrics, store.points, store.arrays):
        with pytest.raises(RunNotFoundError, match="run 'none' does not exist"):
            ask(["none"])


@through(*TRANSPORTS)
def test_a_store_describes_its_version_and_its_size(logged):
    found = {finding.subject: finding for finding in logged.store.describe()}
    assert list(found) == ["version", "size"]
    assert all(finding.health is Health.OK for finding in found.values())
    assert " here" in found["version"].says
    assert "experiments, " in found["size"].says
    assert logged.store.uri.partition("://")[0] in ("sqlite", "http", "postgresql+psycopg", "parquet")
    assert logged.store.notice is None


@through(*WRITTEN)
def test_params_tags_aliases_and_verdicts_are_the_same_through_every_transport(logged):
    store, run, experiment = logged.store, logged.run, logged.experiment
    assert store.params([run]).select("key", "value").rows() == [("lr", "0.1")]
    assert ("note", "mine") in store.tags([run]).select("key", "value").rows()
    assert store.runs(experiment)["name"].to_list() == ["seed 0"]
    assert store.aliases(experiment) == {}
    store.set_alias(experiment, name="loss", canonical="train/loss")
    store.set_alias(experiment, name="aux", canonical=IGNORED)
    assert store.aliases(experiment) == {"aux": IGNORED, "loss": "train/loss"}
    store.clear_alias(experiment, name="loss")
    store.clear_alias(experiment, name="never set")
    assert store.aliases(experiment) == {"aux": IGNORED}
    with pytest.raises(UnknownMetricError):
        store.set_alias(experiment, name="loss", canonical="no/such")
    store.write_verdict(Verdict(run=run, pattern=Pattern.OTHER))
    assert ("grokscope.pattern", "other") in store.tags([run]).select("key", "value").rows()


@through(*WRITTEN)
def test_a_persons_tags_are_set_and_removed_through_every_transport(logged):
    store, run = logged.store, logged.run
    store.set_tags(run, {"grokscope.review.onset_step": "480", "other": "é 😀", "never": None})
    store.set_tags(run, {"grokscope.review.onset_step": None, "other": "new"})
    found = dict(store.tags([run]).select("key", "value").iter_rows())
    assert (found["other"], found["note"]) == ("new", "mine")
    assert not found.keys() & {"grokscope.review.onset_step", "never"}
    with pytest.raises(RunNotFoundError, match="run 'none' does not exist"):
        store.set_tags("none", {"a": "b"})
    with pytest.raises(StoreError, match="may have 8,000 characters, got 9,000"):
        store.set_tags(run, {"a": "b" * 9000})


@through(*WRITTEN)
def test_tags_of_an_experiment_are_set_and_removed_through_every_transport(logged):
    store, experiment = logged.store, logged.experiment
    store.set_experiment_tags(experiment, {"grokscope.view.a": "é 😀", "other": "x", "never": None})
    store.set_experiment_tags(experiment, {"grokscope.view.a": None, "other": "new"})
    found = store.experiment_tags(experiment)
    assert found["other"] == "new"
    assert not found.keys() & {"grokscope.view.a", "never"}
    with pytest.raises(StoreError, match="may have 5,000 characters, got 5,001"):
        store.set_experiment_tags(experiment, {"a": "b" * 5001})
    for ask in (store.experiment_tags, lambda name: store.set_experiment_tags(name, {"a": "b"})):
        with pytest.raises(ExperimentNotFoundError):
            ask("no such")


@through(*WRITTEN)
def test_runs_are_archived_and_restored_through_every_transport(logged):
    store, run, experiment = logged.store, logged.run, logged.experiment
    store.archive([run])
    assert store.runs(experiment).is_empty()
    with pytest.raises(RunNotFoundError):
        store.archive([run])
    for _ in range(2):
        store.restore([run])
    assert store.runs(experiment)["run_id"].to_list() == [run]
    assert store.points([run]).height == len(ROWS)
    with pytest.raises(RunNotFoundError):
        store.restore(["0" * 32])


@through("parquet")
def test_a_folder_of_points_has_no_more_than_points_and_says_so(logged):
    store, run, experiment = logged.store, logged.run, logged.experiment
    assert store.params([run]).is_empty()
    assert store.tags([run]).is_empty()
    assert store.arrays([run]).frame.is_empty()
    assert store.aliases(experiment) == {}
    store.clear_alias(experiment, name="loss")
    with pytest.raises(UnknownMetricError):
        store.set_alias(experiment, name="loss", canonical="no/such")
    for write in (
        lambda: store.set_alias(experiment, name="loss", canonical="train/loss"),
        lambda: store.write_verdict(Verdict(run=run, pattern=Pattern.OTHER)),
        lambda: store.set_tags(run, {"a": "b"}),
        lambda: store.set_experiment_tags(experiment, {"a": "b"}),
        lambda: store.archive([run]),
        lambda: store.restore([run]),
    ):
        with pytest.raises(StoreError, match="is a folder of points"):
            write()
