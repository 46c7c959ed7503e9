"""Evaluations that count something else than training: they stand where training was."""

# ruff: noqa: E501 -- lines are as long as programs write them

import json

from grokscope.schemas import readings, resolve


def write(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))


def test_evaluations_of_mmcv_that_tell_the_size_of_their_set_stand_at_the_training_step_before(
    runs_in, tmp_path
):
    rows = [{}, {"env_info": "x"}]
    for epoch in (1, 2, 3):
        rows += [
            {"mode": "train", "epoch": epoch, "iter": i, "loss": epoch + i / 1000} for i in (50, 100, 150)
        ]
        rows += [{"mode": "val", "epoch": epoch, "iter": 5000, "lr": 0.1, "bbox_mAP": epoch / 10}]
    write(tmp_path / "20240101_120000.log.json", rows)
    ((curves, run),) = runs_in(tmp_path)[0].values()
    assert curves["val/bbox_mAP"] == {150: 0.1, 300: 0.2, 450: 0.3}
    assert list(curves["train/loss"]) == [50, 100, 150, 200, 250, 300, 350, 400, 450]
    assert run.notes == (
        "the 'iter' of its evaluations counts something else, so that they stand at the training step before them",
        "its iter starts again in each epoch, so that they are counted together, 150 an epoch",
    )


def test_evaluations_of_mmengine_that_tell_the_epoch_stand_at_the_training_step_before(runs_in, tmp_path):
    rows = []
    for epoch in (1, 2):
        step = 69 * epoch
        rows += [{"loss": 2.0 / epoch, "time": 0.5, "epoch": epoch, "iter": step, "step": step}]
        rows += [{"accuracy/top1": 40.0 * epoch, "time": 0.25, "step": epoch}]
    write(tmp_path / "vis_data" / "scalars.json", rows)
    write(tmp_path / "vis_data" / "20240101_120000.json", rows)
    ((curves, run),) = runs_in(tmp_path)[0].values()
    assert curves == {
        "loss": {69: 2.0, 138: 1.0},
        "time": {69: 0.5, 138: 0.5},
        "epoch": {69: 1.0, 138: 2.0},
        "val/accuracy/top1": {69: 40.0, 138: 80.0},
        "val/time": {69: 0.25, 138: 0.25},
    }
    assert resolve(readings(curves))["val/accuracy/top1"] == "val/accuracy"
    assert run.source == "vis_data/scalars.json"


def test_evaluations_that_tell_the_training_step_stay_there(runs_in, tmp_path):
    rows = [
        {"loss": 2.0, "iter": 50, "step": 50},
        {"mIoU": 0.5, "step": 60},
        {"loss": 1.0, "iter": 100, "step": 100},
    ]
    write(tmp_path / "scalars.json", rows)
    ((curves, run),) = runs_in(tmp_path)[0].values()
    assert (curves, run.notes) == ({"loss": {50: 2.0, 100: 1.0}, "val/mIoU": {60: 0.5}}, ())


def test_a_step_of_a_log_of_llama_factorys_is_its_current_one(runs_in, tmp_path):
    rows = [{"current_steps": 5 * i, "total_steps": 10, "loss": 2.0 / i, "epoch": 0.25 * i} for i in (1, 2)]
    write(tmp_path / "trainer_log.jsonl", rows)
    ((curves, _),) = runs_in(tmp_path)[0].values()
    assert curves["loss"] == {5: 2.0, 10: 1.0}


def test_only_evaluations_are_moved_and_rows_of_no_split_stay_where_they_are(runs_in, tmp_path):
    rows = []
    for step in (10, 20):
        rows += [{"mode": "train", "iter": step, "loss": 20.0 / step}, {"iter": step + 5, "lr": 0.1}]
        rows += [{"mode": "val", "iter": 7, "acc": step / 40}]
    write(tmp_path / "log.jsonl", rows)
    ((curves, _),) = runs_in(tmp_path)[0].values()
    assert curves == {
        "train/loss": {10: 2.0, 20: 1.0},
        "lr": {15: 0.1, 25: 0.1},
        "val/acc": {10: 0.25, 20: 0.5},
    }


def test_a_score_that_names_its_split_keeps_its_name(runs_in, tmp_path):
    rows = [
        row
        for i in (10, 20)
        for row in ({"iter": i, "step": i, "loss": 1 / i}, {"step": i, "val_loss": 2 / i})
    ]
    write(tmp_path / "log.jsonl", rows)
    ((curves, run),) = runs_in(tmp_path)[0].values()
    assert (curves, run.notes) == ({"loss": {10: 0.1, 20: 0.05}, "val_loss": {10: 0.2, 20: 0.1}}, ())


def test_steps_that_training_and_evaluations_tell_by_different_names_are_not_mistaken_for_mmengines(
    runs_in, tmp_path
):
    rows = [row for i in (10, 20) for row in ({"iter": i, "loss": 1 / i}, {"step": i, "acc": i / 40})]
    write(tmp_path / "log.jsonl", rows)
    ((curves, _),) = runs_in(tmp_path)[0].values()
    assert not any(name.startswith("val/") for name in curves)
