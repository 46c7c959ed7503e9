"""``grokscope up --write``: the verdict of a run is in MLflow soon after its end, once, and not before."""

import json
import math
import shutil
import threading
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

import polars as pl
import pytest
from mlflow.entities import Metric
from mlflow.tracking import MlflowClient

from grokscope.cli import automatic_verdicts as module
from grokscope.cli.automatic_verdicts import VerdictWriter, automatic_verdicts
from grokscope.cli.commands import up
from grokscope.cli.runs.finished import FinishedRuns
from grokscope.dashboard.state.session import StoreSession
from grokscope.schemas import CLIENT_RUN_ID, verdict_from_json
from grokscope.store import IGNORED, StoreError, open_store
from grokscope.store.verdict_tags import ARTIFACT
from grokscope.transitions.evaluation.synthetic import CurveRecipe, synthetic_run


@pytest.fixture
def uri(blank_store, tmp_path, monkeypatch) -> str:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GROKSCOPE_HOME", str(tmp_path / "home"))
    return f"sqlite:///{shutil.copy(blank_store, tmp_path / 'mlflow.db')}"


@pytest.fixture
def client(uri) -> MlflowClient:
    return MlflowClient(uri)


@pytest.fixture
def start(client):
    """Start a run that groks; ``rename`` says what its test accuracy is called."""
    experiment = client.create_experiment("e")

    def started(*, rename="test/accuracy") -> str:
        run = client.create_run(experiment).info.run_id
        points = synthetic_run(CurveRecipe(evaluations=60))
        rows = points.with_columns(pl.col("metric").replace({"test/accuracy": rename}))
        metrics = [Metric(m, v, 1000, s) for m, s, v in rows.select("metric", "step", "value").iter_rows()]
        client.log_batch(run, metrics=metrics)
        return run

    return started


@pytest.fixture
def pattern(client):
    return lambda run: client.get_run(run).data.tags.get("grokscope.pattern")


def test_a_run_that_has_ended_gets_its_tags_and_artifact_once_and_one_that_goes_on_none(
    uri, client, start, pattern
):
    done, goes_on = start(), start()
    client.set_terminated(done)
    writer = VerdictWriter(uri)
    assert writer.write_ended() == 1
    assert (pattern(done), pattern(goes_on)) == ("grokking", None)
    artifact = Path(client.download_artifacts(done, ARTIFACT))
    assert json.loads(artifact.read_text("utf-8"))["pattern"] == "grokking"
    assert writer.write_ended() == 0
    assert VerdictWriter(uri).write_ended() == 0  # nor after the command was started again
    client.set_terminated(goes_on, "KILLED")
    assert writer.write_ended() == 1


def test_points_that_come_after_the_end_are_judged_and_written_only_if_they_change_the_verdict(
    uri, client, start, pattern
):
    run = start()
    client.set_terminated(run)
    writer = VerdictWriter(uri)
    assert writer.write_ended() == 1
    client.log_metric(run, "lr", 0.1, step=30_000, timestamp=2000)
    assert writer.write_ended() == 0
    for step in range(40_000, 60_000, 1000):
        client.log_metric(run, "test/accuracy", 0.0, step=step, timestamp=step)
    assert writer.write_ended() == 1
    assert pattern(run) == "collapse"


def test_the_demo_writes_its_runs_the_same_way(uri, client, start, pattern):
    run = start()
    client.set_tag(run, CLIENT_RUN_ID, "mine")
    finished = FinishedRuns(uri, "e")
    finished.add("mine")
    assert [(verdict.run, verdict.pattern) for verdict in finished.verdicts()] == [(run, "grokking")]
    assert (pattern(run), dict(finished.waiting)) == ("grokking", {})


def test_metrics_are_read_by_the_names_that_people_gave_them(uri, client, start, pattern):
    run = start(rename="probe")
    client.set_terminated(run)
    open_store(uri).set_alias("e", name="probe", canonical="test/accuracy")
    VerdictWriter(uri).write_ended()
    assert pattern(run) == "grokking"


def test_the_verdict_that_is_written_is_the_one_that_is_shown_exported_and_printed(
    grokscope, uri, client, start, tmp_path
):
    run = start(rename="eval/far/acc")  # a guessed set: verdicts call it as it was logged
    client.set_terminated(run)
    open_store(uri).set_alias("e", name="aux", canonical=IGNORED)
    assert VerdictWriter(uri).write_ended() == 1
    written = Path(client.download_artifacts(run, ARTIFACT)).read_text("utf-8")
    shown = StoreSession(uri).snapshot("e").verdicts[run]
    assert [one.metric for one in shown.outcomes] == ["eval/far/acc"]
    grokscope("export", "--to", "verdicts.json", "--store", uri)
    printed = grokscope("detect", uri, "--experiment", "e", "--format", "json")[1]
    (exported,) = json.loads((tmp_path / "verdicts.json").read_text())
    for said in (json.loads(written), exported, json.loads(printed)):
        assert verdict_from_json(json.dumps(said)) == shown


def test_a_run_that_cannot_be_written_keeps_no_other_from_it_and_is_tried_again(
    uri, client, start, pattern, monkeypatch
):
    monkeypatch.setattr(module, "MOST_RUNS", 1)
    runs = [start(), start()]
    for run in runs:
        client.set_terminated(run)
    refused, is_full = set[str](), threading.Event()

    def opener(address):
        store = open_store(address)
        write = store.write_verdict

        def refuse_one(verdict):
            if is_full.is_set() and refused in ({verdict.run}, set()):
                refused.add(verdict.run)
                raise StoreError("no room")
            write(verdict)

        monkeypatch.setattr(store, "write_verdict", refuse_one)
        return store

    is_full.set()
    writer = VerdictWriter(uri, opener=opener)
    with pytest.raises(StoreError, match="no room"):
        writer.write_ended()
    assert (writer.write_ended(), writer.is_behind) == (1, False)
    with pytest.raises(StoreError, match="no room"):
        writer.write_ended()
    is_full.clear()
    assert (writer.write_ended(), writer.is_behind) == (1, False)
    assert [pattern(run) for run in runs] == ["grokking"] * 2


def test_a_verdict_follows_what_a_person_says_of_a_metric(uri, client, start, pattern):
    run = start(rename="probe")
    client.set_terminated(run)
    writer = VerdictWriter(uri)
    assert (writer.write_ended(), pattern(run)) == (1, "other")
    open_store(uri).set_alias("e", name="probe", canonical="test/accuracy")
    assert (writer.write_ended(), pattern(run)) == (1, "grokking")


def test_an_artifact_that_is_no_longer_true_is_written_again_though_no_date_has_moved(uri, client, start):
    run = start()
    client.set_terminated(run)
    assert VerdictWriter(uri).write_ended() == 1
    client.log_metric(run, "test/accuracy", math.nan, step=50_000, timestamp=2000)
    assert VerdictWriter(uri).write_ended() == 1
    assert VerdictWriter(uri).write_ended() == 0
    said = json.loads(Path(client.download_artifacts(run, ARTIFACT)).read_text("utf-8"))
    assert any("not finite" in reason for reason in said["missing"])


def test_a_run_that_cannot_be_judged_is_said_once_and_keeps_no_other_from_its_verdict(
    uri, client, start, pattern, monkeypatch, capfd
):
    runs = [start(), start()]
    for run in runs:
        client.set_terminated(run)
    detect, odd = module.detect, runs[0]

    def refuse_one(points):
        if odd in points["run_id"]:
            raise ValueError("odd")
        return detect(points)

    monkeypatch.setattr(module, "detect", refuse_one)
    writer = VerdictWriter(uri)
    assert [writer.write_ended(), writer.write_ended()] == [1, 0]
    assert capfd.readouterr().err == f"grokscope: run {odd} gets no verdict: ValueError: odd\n"
    assert [pattern(run) for run in runs] == [None, "grokking"]


def test_a_folder_of_points_takes_no_verdicts_and_says_so(tmp_path):
    refused = pytest.raises(StoreError, match=r"^no verdicts can be written: parquet:.* is only read")
    with refused, automatic_verdicts(f"parquet:///{tmp_path}"):
        pass


def test_a_store_that_cannot_be_reached_is_said_once_and_written_when_it_is_back(
    uri, client, start, pattern, tmp_path, capfd, wait_until
):
    run = start()
    client.set_terminated(run)
    path, garbage = tmp_path / "mlflow.db", "not a database" * 100
    shutil.move(path, tmp_path / "away.db")
    path.write_text(garbage)
    with automatic_verdicts(uri, every_s=0.02):
        said = wait_until(lambda: capfd.readouterr().err)
        shutil.move(tmp_path / "away.db", path)
        assert wait_until(lambda: pattern(run)) == "grokking"
    assert said.count("\n") == 1
    assert said.startswith("grokscope: verdicts are not written: ")
    assert said.endswith("; trying again\n")
    assert "writes verdicts" not in [thread.name for thread in threading.enumerate()]


def test_up_writes_verdicts_only_if_it_is_asked_to(
    grokscope, uri, client, start, pattern, free_port, monkeypatch, wait_until
):
    run, written = start(), []
    client.set_terminated(run)
    page = SimpleNamespace(wait_for_end=lambda: wait_until(lambda: pattern(run)))
    monkeypatch.setattr(up, "dashboard", lambda *_, **__: nullcontext(page))
    monkeypatch.setattr(up, "choose_port", lambda *_: free_port())
    arguments = ("up", "--store", uri, "--no-browser")
    status, _, err = grokscope(*arguments, "--write")
    assert (status, pattern(run)) == (0, "grokking")
    assert "its runs get their verdicts as they end" in err
    monkeypatch.setattr(up, "automatic_verdicts", written.append)
    assert grokscope(*arguments)[0] == 0
    assert written == []
