"""Folders of DVCLive, Sacred, MLflow and lm-evaluation-harness: one run a run, with what lies beside it."""

import json
import math

import pytest

from grokscope.importing import find_source
from grokscope.importing.formats import LogSource
from grokscope.importing.limits import Limits, Tally
from grokscope.importing.readers import (
    FORMATS,
    allennlp_metrics,
    dvclive_files,
    lm_eval,
    mlflow_files,
    sacred_runs,
)
from grokscope.importing.recognition import HEAD
from grokscope.importing.records import ImportingError, NotALogError
from grokscope.importing.worker import Asked, read_source
from grokscope.schemas import readings, resolve


def write(root, files):
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content))


def logs_of(root, one):
    """Return the runs of a folder, all files of which are taken for one kind."""
    files = sorted(path for path in root.rglob("*") if path.is_file())
    for path in files:
        head = path.read_bytes()[:HEAD]
        assert next(f.kind for f in FORMATS if f.recognises(path, head)) is one.kind, path
    logs = []
    for group in one.grouped(files):
        source = LogSource(kind=one.kind, files=tuple(group), root=root)
        logs.extend(one.read(source, Tally(Limits())))
    return {log.run.name: log for log in logs}


def rows(log):
    return sorted(log.points.rows())


def roles(log):
    return resolve(readings(log.points["metric"].unique()))


def test_dvclives_tables_are_one_run_with_their_names_and_params(tmp_path):
    write(
        tmp_path,
        {
            "exp/dvclive/plots/metrics/train/loss.tsv": "step\tloss\n0\t2.5\n1\t1.5\n",
            "exp/dvclive/plots/metrics/val/acc.tsv": "step\tacc\n0\t0.25\n1\tnan\n",
            "exp/dvclive/metrics.json": {"train": {"loss": 1.5}, "step": 1},
            "exp/dvclive/params.yaml": "lr: 0.1\nmodel:\n  width: 8\n",
            "old/dvclive/scalars/loss.tsv": "timestamp\tstep\tloss\n1700000000000\t0\t3.0\n",
        },
    )
    logs = logs_of(tmp_path, dvclive_files.FORMAT)
    assert sorted(logs) == ["exp", "old"]
    assert repr(rows(logs["exp"])) == repr(
        [
            ("train/loss", 0, None, 2.5),
            ("train/loss", 1, None, 1.5),
            ("val/acc", 0, None, 0.25),
            ("val/acc", 1, None, math.nan),
        ]
    )
    assert logs["exp"].run.params == {"lr": "0.1", "model.width": "8"}
    assert roles(logs["exp"]) == {"train/loss": "train/loss", "val/acc": "val/accuracy"}
    assert rows(logs["old"]) == [("loss", 0, 1700000000000, 3.0)]


def test_sacreds_run_has_its_series_settings_and_end(tmp_path):
    series = {
        "steps": [0, 10],
        "timestamps": ["2024-01-01T00:00:00", "2024-01-01T00:00:01.5"],
        "values": [2.5, 1.5],
    }
    write(
        tmp_path,
        {
            "runs/7/metrics.json": {
                "training.loss": series,
                "val.acc": {**series, "values": [{"dtype": "float64", "value": 0.25}, 0.5]},
            },
            "runs/7/config.json": {"lr": 0.1, "net": {"width": 8}, "__annotations__": {}},
            "runs/7/run.json": {
                "status": "INTERRUPTED",
                "start_time": "2024",
                "experiment": {"name": "mine"},
            },
            "runs/7/cout.txt": "epoch 1 loss 0.5\n",
        },
    )
    (log,) = logs_of(tmp_path / "runs", sacred_runs.FORMAT).values()
    assert rows(log) == [
        ("training.loss", 0, 1704067200000, 2.5),
        ("training.loss", 10, 1704067201500, 1.5),
        ("val.acc", 0, 1704067200000, 0.25),
        ("val.acc", 10, 1704067201500, 0.5),
    ]
    run = log.run
    assert (run.name, run.experiment, run.status) == ("7", "mine", "KILLED")
    assert run.params == {"lr": "0.1", "net.width": "8"}
    assert roles(log) == {"training.loss": "train/loss", "val.acc": "val/accuracy"}
    write(tmp_path, {"runs/7/metrics.json": {"loss": {"steps": [1, 2], "values": [1]}}})
    with pytest.raises(
        ImportingError, match=r"'loss' in 7/metrics.json has 2 steps and 1 values; is the file whole"
    ):
        logs_of(tmp_path / "runs", sacred_runs.FORMAT)


def test_epochs_of_allennlp_are_one_run_with_the_test_scores_at_the_best_one(tmp_path):
    for epoch, loss in enumerate((2.5, 1.5, 1.75)):
        write(
            tmp_path,
            {
                f"out/metrics_epoch_{epoch}.json": {
                    "best_epoch": min(epoch, 1),
                    "training_duration": "0:01:00",
                    "training_start_epoch": 0,
                    "training_epochs": epoch,
                    "epoch": epoch,
                    "training_loss": loss,
                    "validation_accuracy": epoch / 4,
                    "best_validation_accuracy": 0.25,
                }
            },
        )
    write(
        tmp_path,
        {"out/metrics.json": {"best_epoch": 1, "training_loss": 1.75, "test_accuracy": 0.5, "test_loss": 2}},
    )
    (log,) = logs_of(tmp_path, allennlp_metrics.FORMAT).values()
    assert rows(log) == [
        ("test_accuracy", 1, None, 0.5),
        ("test_loss", 1, None, 2.0),
        ("training_loss", 0, None, 2.5),
        ("training_loss", 1, None, 1.5),
        ("training_loss", 2, None, 1.75),
        ("validation_accuracy", 0, None, 0.0),
        ("validation_accuracy", 1, None, 0.25),
        ("validation_accuracy", 2, None, 0.5),
    ]
    assert (log.run.name, roles(log)["training_loss"]) == ("out", "train/loss")
    assert log.run.notes == (
        "its steps are epochs",
        "the scores of its test set are those of the best epoch",
    )


def test_sacreds_settings_are_not_read_through_a_link(tmp_path):
    write(
        tmp_path,
        {"runs/7/metrics.json": {"loss": {"steps": [1], "values": [1]}}, "own.json": {"address": "mine"}},
    )
    (tmp_path / "runs" / "7" / "config.json").symlink_to(tmp_path / "own.json")
    (log,) = logs_of(tmp_path / "runs", sacred_runs.FORMAT).values()
    assert dict(log.run.params) == {}


def test_mlflows_file_store_gives_its_runs_with_their_own_ids(tmp_path):
    run, meta = (
        "mlruns/1/abc",
        "artifact_uri: file:///x\nrun_id: abc\nrun_name: mine\nstatus: 4\nlifecycle_stage: active\n",
    )
    write(
        tmp_path,
        {
            "mlruns/1/meta.yaml": "artifact_location: file:///x\nexperiment_id: '1'\nname: grok\n",
            f"{run}/meta.yaml": meta,
            f"{run}/metrics/val/acc": "1700000000000 0.25 0\n1700000001000 NaN 10\n",
            f"{run}/metrics/loss": "1700000000000 2.5 0\n",
            f"{run}/params/lr": "0.1",
            f"{run}/tags/mlflow.user": "me",
            f"{run}/tags/note": "x",
            f"{run}/artifacts/table.csv": "step,loss\n1,2\n",
            "mlruns/1/gone/meta.yaml": meta.replace("abc", "gone").replace("active", "deleted"),
        },
    )
    files = sorted(path for path in tmp_path.rglob("*") if path.is_file())
    groups = mlflow_files.FORMAT.grouped(files)
    assert len(groups) == 3
    logs, told = [], []
    for group in groups:
        source = LogSource(kind=mlflow_files.FORMAT.kind, files=tuple(group), root=tmp_path)
        try:
            logs.extend(mlflow_files.read(source, Tally(Limits())))
        except NotALogError as error:
            told.append(str(error))
    (log,) = logs
    assert repr(rows(log)) == repr(
        [
            ("loss", 0, 1700000000000, 2.5),
            ("val/acc", 0, 1700000000000, 0.25),
            ("val/acc", 10, 1700000001000, math.nan),
        ]
    )
    run = log.run
    assert (run.identity, run.is_certain, run.name, run.experiment, run.status) == (
        "abc",
        True,
        "mine",
        "grok",
        "FAILED",
    )
    assert (run.params, run.tags) == ({"lr": "0.1"}, {"note": "x"})
    assert sorted(told) == [
        "it describes an experiment or a model of MLflow's, no run",
        "the run gone is deleted",
    ]
    assert all(mlflow_files.FORMAT.recognises(path, path.read_bytes()) for path in files)


RESULT = {
    "results": {"lambada_openai": {"acc,none": 0.5, "acc_stderr,none": 0.01, "alias": "lambada_openai"}},
    "versions": {},
}
OLD = {"results": {"lambada_openai": {"acc": 0.25}}, "versions": {"lambada_openai": 0}}


@pytest.mark.parametrize(
    ("names", "run"),
    [
        (("m/step1000/results_2024-01-01.json", "m/step2000/results_2024-01-02.json"), "m"),
        (("m/checkpoint-1000/results.json", "m/checkpoint-2000/results.json"), "m"),
        (("m/zero-shot/70m_step1000.json", "m/zero-shot/70m_step2000.json"), "m/zero-shot/70m"),
        (("m__step1k/results.json", "m__step2k/results.json"), "m"),
        (("m/step1000-tokens4B/results.json", "m/step2000-tokens8B/results.json"), "m"),
    ],
)
def test_results_of_checkpoints_are_one_run_over_the_steps_in_their_names(tmp_path, names, run):
    write(tmp_path, dict(zip(names, (OLD, RESULT), strict=True)))
    (log,) = logs_of(tmp_path, lm_eval.FORMAT).values()
    assert rows(log) == [
        ("lambada_openai/acc", 1000, None, 0.25),
        ("lambada_openai/acc", 2000, None, 0.5),
        ("lambada_openai/acc_stderr", 2000, None, 0.01),
    ]
    assert log.run.name == run
    assert roles(log)["lambada_openai/acc"] == "shift:lambada_openai/accuracy"


def test_results_without_a_step_in_their_way_say_what_to_call_them(tmp_path):
    write(tmp_path, {"m/results.json": RESULT})
    with pytest.raises(
        NotALogError, match="no name on the way to it tells the step; call its folder or the file step1000"
    ):
        logs_of(tmp_path, lm_eval.FORMAT)


def test_text_beside_the_logs_of_a_tool_is_no_second_run(tmp_path):
    write(
        tmp_path,
        {
            "a/metrics.csv": "step,val_loss\n0,2.12345\n5,1.5\n",
            "a/logs/train.log": "step 0: val loss 2.12\nstep 5: val loss 1.50\n",
            "b/train.log": "step 0: val loss 2.12\nstep 5: val loss 1.50\n",
        },
    )
    logs, skipped = read_source(find_source(str(tmp_path)), Asked())
    assert sorted((log.run.name, log.run.kind) for log in logs) == [("a", "table"), ("b", "text")]
    assert [(one.path, one.is_twice) for one in skipped] == [("a/logs/train.log", True)]
    assert "say --kind text" in skipped[0].reason
