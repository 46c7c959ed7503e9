"""``grokscope watch`` on real stores: what it says, once and while they grow, and how it ends."""

import json
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import replace

import polars as pl
import pytest
from mlflow.entities import Metric
from mlflow.tracking import MlflowClient

from grokscope.cli.runs.watched import WatchedRuns
from grokscope.schemas import Status
from grokscope.store import open_store
from grokscope.transitions.evaluation.synthetic import CurveRecipe, synthetic_run
from grokscope.transitions.live.news import Change

GROKKING = CurveRecipe(evaluations=150)
MEMORIZING = CurveRecipe(evaluations=150, midpoint=None)


@pytest.fixture
def uri(blank_store, tmp_path) -> str:
    return f"sqlite:///{shutil.copy(blank_store, tmp_path / 'mlflow.db')}"


@pytest.fixture
def client(uri) -> MlflowClient:
    return MlflowClient(uri)


def log(client: MlflowClient, run_id: str, points: pl.DataFrame, *, time_ms: int = 1000) -> None:
    rows = points.sort("step").select("metric", "value", "step").iter_rows()
    metrics = [Metric(metric, value, time_ms + step, step) for metric, value, step in rows]
    for i in range(0, len(metrics), 1000):
        client.log_batch(run_id, metrics[i : i + 1000])


def test_once_it_says_what_there_is_to_say_and_ends(grokscope, uri, client):
    experiment = client.create_experiment("e")
    for name, recipe in (("groks", GROKKING), ("memorizes", MEMORIZING)):
        made = client.create_run(experiment, run_name=name)
        log(client, made.info.run_id, synthetic_run(recipe))
    status, out, err = grokscope("watch", uri, "--experiment", "e", "--once")
    lines = out.splitlines()
    assert (status, err) == (0, "")
    assert any(line.startswith("groks: generalization suspected at step ") for line in lines)
    assert any(line.startswith("groks: generalization confirmed at step ") for line in lines)
    assert any(line.startswith("memorizes: memorization confirmed at step ") for line in lines)
    assert lines[-1] == "1 of 2 runs generalize (false discovery rate at most 0.01): groks"


def test_an_imported_run_that_was_logged_by_fractions_of_epochs_says_that_its_steps_are_thousandths(
    grokscope, uri, tmp_path
):
    points = synthetic_run(GROKKING).pivot("metric", index="step", values="value")
    points.with_columns(epoch=pl.col("step") / 1000).drop("step").write_csv(tmp_path / "by_epoch.csv")
    assert grokscope("import", "by_epoch.csv", "--store", uri, "--experiment", "e")[0] == 0
    status, out, _ = grokscope("watch", uri, "--experiment", "e", "--once")
    assert status == 0
    told = [line for line in out.splitlines() if line.startswith("by_epoch: ") and " at step " in line]
    assert len(told) > 1
    assert {line.rpartition("steps in thousandths of the log's")[1:] for line in told} == {
        ("steps in thousandths of the log's", ")")
    }
    events = grokscope("watch", uri, "--experiment", "e", "--once", "--format", "json")[1].splitlines()[:-1]
    assert {json.loads(event)["in_thousandths"] for event in events} == {True}
    said = "by_epoch: Its steps are fractions; they and all dates are counted in thousandths.\n"
    assert grokscope("detect", uri, "--experiment", "e")[2] == said


def test_events_are_said_as_a_person_left_them_and_none_that_was_rejected(grokscope, uri, client):
    made = client.create_run(client.create_experiment("e"), run_name="mine").info.run_id
    log(client, made, synthetic_run(GROKKING))

    def said(**steps):
        for subject, step in steps.items():
            client.set_tag(made, f"grokscope.review.{subject}_step", step)
        return grokscope("watch", uri, "--experiment", "e", "--once")[1].splitlines()

    moved = said(memorized="77", midpoint="1234")
    assert [line for line in moved if "memorization" in line] == [
        "mine: memorization confirmed at step 77 [77, 77] on train/accuracy (fit, memorized moved to step 77)"
    ]
    (rise,) = [line for line in moved if "generalization" in line]
    assert rise.startswith("mine: generalization confirmed at step 1,234 [1,234, 1,234] on test/accuracy")
    assert moved[-1].startswith("1 of 1 runs generalize")
    rejected = said(generalized="none")
    assert not [line for line in rejected if "generalization" in line or "runs generalize" in line]
    assert [line for line in rejected if "memorization" in line] == [moved[0]]


def test_what_a_person_confirmed_is_not_withdrawn(uri, client):
    made = client.create_run(client.create_experiment("e"), run_name="mine").info.run_id
    log(client, made, synthetic_run(GROKKING))
    runs = WatchedRuns(open_store(uri), "e", alpha=0.01)
    rise = next(
        n for n in runs.news(is_last=False) if n.event is not None and n.event.kind == "generalization"
    )
    gone = replace(rise, change=Change.WITHDRAWN, event=replace(rise.event, status=Status.REJECTED))
    assert list(runs.as_reviewed([gone])) == [gone]
    client.set_tag(made, "grokscope.review.generalized_step", str(rise.event.high))
    assert list(runs.as_reviewed([gone])) == []


def test_json_is_one_object_a_line_with_the_fields_of_a_transition(grokscope, uri, client):
    made = client.create_run(client.create_experiment("e"), run_name="mine")
    log(client, made.info.run_id, synthetic_run(GROKKING))
    status, out, _ = grokscope("watch", uri, "--experiment", "e", "--once", "--format", "json")
    *events, found = map(json.loads, out.splitlines())
    assert status == 0
    assert {event["run"] for event in events} == {made.info.run_id}
    assert {event["name"] for event in events} == {"mine"}
    assert {"change", "kind", "status", "step", "low", "high", "metric", "evidence"} <= events[0].keys()
    assert found == {"generalize": [made.info.run_id], "alpha": 0.01, "runs": 1}


def test_what_happens_while_it_watches_is_said_as_it_happens_and_ctrl_c_ends_it(uri, client, tmp_path):
    made = client.create_run(client.create_experiment("e"), run_name="mine")
    points = synthetic_run(GROKKING)
    early, late = points.filter(pl.col("step") <= 1500), points.filter(pl.col("step") > 1500)
    log(client, made.info.run_id, early)
    command = ["watch", uri, "--experiment", "e", "--interval", "0.2", "--format", "json"]
    process = subprocess.Popen(
        [sys.executable, "-m", "grokscope.cli.main", *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "GROKSCOPE_HOME": str(tmp_path / "home")},
    )
    assert process.stdout is not None
    first = json.loads(process.stdout.readline())
    assert (first["kind"], first["status"]) == ("memorization", "confirmed")
    log(client, made.info.run_id, late)
    seen = [json.loads(process.stdout.readline())]
    while (seen[-1].get("kind"), seen[-1].get("status")) != ("generalization", "confirmed"):
        seen.append(json.loads(process.stdout.readline()))
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (130, "")
    assert ("generalization", "suspected") in [(e.get("kind"), e.get("status")) for e in seen]


def test_read_bit_by_bit_it_says_what_it_says_of_the_whole(uri, client):
    made = client.create_run(client.create_experiment("e"))
    watched = WatchedRuns(open_store(uri), "e", alpha=0.01)
    points, said = synthetic_run(GROKKING).sort("step", "metric"), []
    for begin in range(0, points.height, 37):  # odd: evaluations are cut in two
        log(client, made.info.run_id, points[begin : begin + 37])
        said += [news.event for news in watched.news(is_last=False)]
    said += [news.event for news in watched.news(is_last=True)]
    whole = [n.event for n in WatchedRuns(open_store(uri), "e", alpha=0.01).news(is_last=True)]
    assert said == whole
    assert [(e.kind, e.status) for e in said if e][-1] == ("generalization", "confirmed")


def test_what_falls_with_a_past_that_is_logged_again_is_withdrawn_and_said_so(uri, client):
    made = client.create_run(client.create_experiment("e"), run_name="mine")
    watched = WatchedRuns(open_store(uri), "e", alpha=0.01)
    log(client, made.info.run_id, synthetic_run(GROKKING))
    first = list(watched.news(is_last=True))
    assert list(watched.news(is_last=True)) == []
    log(client, made.info.run_id, synthetic_run(MEMORIZING), time_ms=10**9)
    (gone,) = watched.news(is_last=True)
    assert (gone.change, gone.event.kind, gone.event.step) == (
        "withdrawn",
        "generalization",
        first[-1].event.step,
    )


def test_a_metric_that_a_person_named_is_read_under_that_name(grokscope, uri, client):
    made = client.create_run(client.create_experiment("e"), run_name="mine")
    odd = synthetic_run(GROKKING).with_columns(pl.col("metric").replace({"test/accuracy": "probe"}))
    log(client, made.info.run_id, odd)
    open_store(uri).set_alias("e", name="probe", canonical="test/accuracy")
    _, out, _ = grokscope("watch", uri, "--experiment", "e", "--once")
    assert "mine: generalization confirmed at step " in out


def test_an_alias_names_a_metric_for_this_watching_only(grokscope, uri, client):
    made = client.create_run(client.create_experiment("e"), run_name="mine")
    odd = synthetic_run(GROKKING).with_columns(pl.col("metric").replace({"test/accuracy": "probe"}))
    log(client, made.info.run_id, odd)
    asked = ("watch", uri, "--experiment", "e", "--once")
    assert "generalization" not in grokscope(*asked)[1]
    assert "mine: generalization confirmed at step " in grokscope(*asked, "--alias", "probe=test/accuracy")[1]
    assert open_store(uri).aliases("e") == {}
    status, _, err = grokscope(*asked, "--alias", "probe")
    assert (status, "--alias takes NAME=KEY, got 'probe'" in err) == (2, True)


def test_signals_are_said_once_and_names_cannot_write_on_the_terminal(grokscope, uri, client):
    made = client.create_run(client.create_experiment("e"), run_name="a\x1b[2Jb")
    accuracies = synthetic_run(GROKKING)
    loss = accuracies.filter(pl.col("metric") == "test/accuracy").with_columns(
        metric=pl.lit("test/loss"), value=5 - 4 * pl.col("value")
    )
    log(client, made.info.run_id, pl.concat([accuracies, loss]))
    _, out, _ = grokscope("watch", uri, "--experiment", "e", "--once")
    watches = [
        line
        for line in out.splitlines()
        if ": watch, test/loss fell 5 % below its highest since the fit by step " in line
    ]
    assert len(watches) == 1
    assert "\x1b" not in out
    assert watches[0].startswith("a\\x1b[2Jb: ")


def test_a_store_that_fails_for_a_while_is_said_once_and_watched_again(uri, client, wait_until):
    made = client.create_run(client.create_experiment("e"))
    log(client, made.info.run_id, synthetic_run(MEMORIZING))
    watched = WatchedRuns(open_store(uri), "e", alpha=0.01)
    client.delete_run(made.info.run_id)
    assert list(watched.news(is_last=True)) == []
    client.restore_run(made.info.run_id)
    said = wait_until(lambda: list(watched.news(is_last=True)))
    assert said[0].event.kind == "memorization"


BAD_INPUT = [
    (("nowhere.txt", "--experiment", "e"), "'nowhere.txt' is not the address of a store"),
    (("sqlite:///nowhere.db", "--experiment", "e"), "nowhere.db"),
    (("ftp://host", "--experiment", "e"), "unknown scheme 'ftp'"),
]


@pytest.mark.parametrize(("arguments", "expected"), BAD_INPUT)
def test_bad_input_gets_one_sentence_and_a_status(grokscope, arguments, expected):
    status, out, err = grokscope("watch", *arguments)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert expected in err


def test_a_missing_experiment_a_wrong_one_and_a_wrong_alpha_are_named(grokscope, uri, client):
    client.create_experiment("e")
    for arguments, expected in (
        ((), "a store needs --experiment NAME; there: "),
        (("--experiment", "f"), "'f'"),
        (("--experiment", "e", "--alpha", "1"), "--alpha is a rate between 0 and 1, got 1.0"),
    ):
        status, out, err = grokscope("watch", uri, "--once", *arguments)
        assert (status, out, err.count("\n")) == (2, "", 1)
        assert expected in err
    assert grokscope("watch", uri, "--once", "--experiment", "e") == (0, "", "no runs\n")
