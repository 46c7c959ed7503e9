"""Consoles of frameworks whose lines tell their place in ways of their own; imitations of their lines."""

# ruff: noqa: E501, ISC004 -- lines of logs are as long as programs write them, and a case is one row

import pytest

from grokscope.schemas import readings, resolve

INPUTS = {
    "mmengine": (
        "2024/01/01 10:00:00 - mmengine - INFO - Epoch(train)  [1][ 50/100]  lr: 2.0e-03  eta: 4:27:58  loss: 0.75  acc: 98.5\n"
        "2024/01/01 10:00:01 - mmengine - INFO - Epoch(train)  [1][100/100]  lr: 4.0e-03  eta: 4:25:17  loss: 0.5  acc: 96.25\n"
        "2024/01/01 10:00:02 - mmengine - INFO - Epoch(val) [1][8/8]    accuracy/top1: 50.0  data_time: 0.01\n"
        "2024/01/01 10:00:03 - mmengine - INFO - Epoch(train)  [2][ 50/100]  lr: 2.0e-03  eta: 4:27:58  loss: 0.25  acc: 99.5\n",
        {"lr": {50: 0.002, 100: 0.004, 150: 0.002}, "train_loss": {50: 0.75, 100: 0.5, 150: 0.25},
         "train_acc": {50: 98.5, 100: 96.25, 150: 99.5}, "val_accuracy/top1": {100: 50.0}, "data_time": {}},
        {"train_loss": "train/loss", "val_accuracy/top1": "val/accuracy"},
    ),
    "mmseg": (
        "mmseg - INFO - Iter [50/200]\tlr: 9.9e-03, loss: 2.5\nmmseg - INFO - Iter(val) [64]\taAcc: 0.75, mIoU: 0.5\n"
        "mmseg - INFO - Iter [100/200]\tlr: 9.8e-03, loss: 1.5\n",
        {"lr": {50: 0.0099, 100: 0.0098}, "loss": {50: 2.5, 100: 1.5}, "val_miou": {50: 0.5}, "aAcc": {50: 0.75}},
        {"val_miou": "val/iou"},
    ),
    "timm": (
        "Train: 0 [   0/100 (  0%)]  Loss: 6.95 (6.95)  LR: 1.0e-06  Data: 0.01 (0.04)\n"
        "Train: 0 [  99/100 (100%)]  Loss: 6.5 (6.75)  LR: 1.0e-06  Data: 0.01 (0.04)\n"
        "Train: 1 [   0/100 (  0%)]  Loss: 5.5 (5.5)  LR: 2.0e-06  Data: 0.01 (0.04)\n",
        {"train_loss": {0: 6.95, 99: 6.5, 100: 5.5}, "LR": {0: 1e-06, 99: 1e-06, 100: 2e-06}, "Data": {}},
        {"train_loss": "train/loss"},
    ),
    "olmo": (
        "[2024-04-17 09:42:26] INFO     [olmo.train:816, rank=0] [step=1/739328]\n    train/CrossEntropyLoss=11.25\n"
        "    train/Perplexity=76,631\n    throughput/total_tokens=4,194,304\n"
        "[2024-04-17 09:42:38] INFO     [olmo.train:816, rank=0] [step=2/739328]\n    train/CrossEntropyLoss=10.75\n",
        {"train/CrossEntropyLoss": {1: 11.25, 2: 10.75}, "train/Perplexity": {1: 76631.0}},
        {"train/CrossEntropyLoss": "train/loss", "train/Perplexity": "train/perplexity"},
    ),
    "losses of their own names": (
        "".join(
            f"[11/23 20:48:49] ppgan.engine.trainer INFO: Iter: {step}/1000 lr: 1e-05 loss_pixel: {loss} batch_cost: 0.8 sec ips: 19.5 images/s\n"
            for step, loss in ((100, 4.5), (200, 3.5))
        ),
        {"lr": {100: 1e-05, 200: 1e-05}, "loss_pixel": {100: 4.5, 200: 3.5}, "batch_cost": {100: 0.8, 200: 0.8},
         "ips": {100: 19.5, 200: 19.5}},
        {},
    ),
    "pix2pix": (
        "================ Training Loss (Tue Jan  2 10:00:00 2024) ================\n"
        + "".join(
            f"(epoch: {epoch}, iters: {i}, time: 0.5, data: 0.1) G_GAN: {epoch / 2} D_real: {i / 100} \n"
            for epoch in (1, 2) for i in (100, 200)
        ),
        {"G_GAN": {100: 0.5, 200: 0.5, 300: 1.0, 400: 1.0}, "D_real": {100: 1.0, 200: 2.0, 300: 1.0, 400: 2.0}},
        {},
    ),
    "epochs above their steps": (
        "step 0 val loss 3.5\n"
        + "".join(
            f"Epoch {epoch}/2\n----------\n  step 100 loss {2 / epoch}\n  step 200 loss {1 / epoch}\n  val loss {3 / epoch}\n"
            for epoch in (1, 2)
        ),
        {"val_loss": {0: 3.5, 200: 3.0, 400: 1.5}, "loss": {100: 2.0, 200: 1.0, 300: 1.0, 400: 0.5}},
        {"val_loss": "val/loss", "loss": "train/loss"},
    ),
    "epochs below their steps": (
        "".join(f"step 1 loss {2 / epoch}\nstep 2 loss {1 / epoch}\nepoch {epoch} val_loss {3 / epoch}\n" for epoch in (1, 2))
        + "step 1 loss 0.25\n",
        {"val_loss": {2: 3.0, 4: 1.5}, "loss": {1: 2.0, 2: 1.0, 3: 1.0, 4: 0.5, 5: 0.25}},
        {"val_loss": "val/loss", "loss": "train/loss"},
    ),
    "epochs above steps that go on": (
        "Epoch 1\nstep 10 loss 2.0\nstep 20 loss 1.0\nEpoch 2\nstep 30 loss 0.5\nval_loss 3.0\n",
        {"loss": {10: 2.0, 20: 1.0, 30: 0.5}, "val_loss": {30: 3.0}},
        {},
    ),
    "examples seen at the end of a line": (
        "".join(
            f"Epoch {epoch}\n-------------------------------\nloss: {2 / epoch}  [   64/60000]\nloss: {1 / epoch}  [ 6464/60000]\n"
            f"Test Error: \n Accuracy: {40.5 * epoch}%, Avg loss: {1.5 / epoch} \n\n"
            for epoch in (1, 2)
        ),
        {"loss": {64: 2.0, 6464: 1.0, 60064: 1.0, 66464: 0.5}, "test_accuracy": {6464: 40.5, 66464: 81.0},
         "test_loss": {6464: 1.5, 66464: 0.75}},
        {"loss": "train/loss", "test_loss": "test/loss", "test_accuracy": "test/accuracy"},
    ),
    "one step an epoch": (
        "".join(f"(epoch: {epoch}, iters: 3648, time: 0.5) D_A: {epoch / 2}\n" for epoch in (1, 2, 3)),
        {"D_A": {3648: 0.5, 7296: 1.0, 10944: 1.5}},
        {},
    ),
    "results below a heading, and the mean of an epoch": (
        "Epoch 0 | Step 10/20 | Loss: 2.5\nEpoch 0 | Step 20/20 | Loss: 1.5\nEvaluation Results:\n   Loss: 1.75\n   Perplexity: 5.5\n"
        "Epoch 0 completed in 9.5s | Avg Loss: 2.0\nEpoch 1 | Step 10/20 | Loss: 1.25\n",
        {"Loss": {10: 2.5, 20: 1.5, 30: 1.25}, "eval_loss": {20: 1.75}, "eval_perplexity": {20: 5.5}},
        {"Loss": "train/loss", "eval_loss": "val/loss"},
    ),
    "evaluations called so in a word": (
        "".join(
            f"INFO:root:Epoch {epoch} - Average Loss: {4.0 - epoch}, Average Accuracy: 0.25\n"
            f"INFO:root:Evaluation Epoch {epoch} - Average Loss: {4.5 - epoch}, Average Accuracy: 0.125\n"
            for epoch in (0, 1)
        ),
        {"Loss": {0: 4.0, 1: 3.0}, "eval_loss": {0: 4.5, 1: 3.5}, "eval_accuracy": {0: 0.125, 1: 0.125}},
        {"Loss": "train/loss", "eval_loss": "val/loss", "eval_accuracy": "val/accuracy"},
    ),
    "batches of epochs": (
        "".join(
            f"INFO - [batch {batch}/100, epoch {epoch}/2]: loss_rmse:{epoch + batch / 1000} loss_inv:0.5\n"
            for epoch in (1, 2) for batch in (50, 100)
        ),
        {"loss_rmse": {50: 1.05, 100: 1.1, 150: 2.05, 200: 2.1}, "loss_inv": {50: 0.5, 100: 0.5, 150: 0.5, 200: 0.5}},
        {},
    ),
    "yolox": (
        "".join(
            f"2021-09-03 20:18:37.591 | INFO     | yolox.core.trainer:after_iter:246 - epoch: {epoch}/300, iter: {i}/40, total_loss: {epoch + i / 100}\n"
            for epoch in (1, 2) for i in (20, 40)
        ),
        {"total_loss": {20: 1.2, 40: 1.4, 60: 2.2, 80: 2.4}},
        {"total_loss": "train/loss"},
    ),
    "bars of epochs by their numbers": (
        "".join(f"[fold_0] 00{epoch}/200:  50%|#####     | 2/4 [00:02<00:01,  1.00it/s, loss={loss}]\n" for epoch, loss in ((1, 2.5), (2, 1.5)))
        + "Epoch 2: Dice 0.5\n",
        {"loss": {1: 2.5, 2: 1.5}},
        {"loss": "train/loss"},
    ),
    "a sentence": (
        "".join(
            f"Epoch {epoch}, Step {step}, total used time 9.5 (s), avg loss so far is {1 / (epoch + step)}\n"
            + "val loss is: 0.75\n" * (step == 50)
            for epoch in (0, 1) for step in (25, 50)
        ),
        {"loss": {25: 1 / 25, 50: 1 / 50, 75: 1 / 26, 100: 1 / 51}, "val_loss": {50: 0.75, 100: 0.75}},
        {"val_loss": "val/loss"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", INPUTS)
def test_a_console_of_a_framework_needs_no_pattern(runs_in, tmp_path, name):
    text, wanted, roles = INPUTS[name]
    (tmp_path / "run.log").write_text(text)
    ((curves, run),) = runs_in(tmp_path)[0].values()
    assert "after_iter" not in curves  # where in the program, not how the training is
    assert {metric: curves[metric] for metric, points in wanted.items() if points} == {
        metric: points for metric, points in wanted.items() if points
    }
    keys = resolve(readings(curves))
    assert {metric: keys[metric] for metric in roles} == roles
    assert run.notes[0].startswith("its lines were read as ")


def test_values_without_a_step_are_left_out_where_the_step_before_has_its_own_and_that_is_said(
    runs_in, tmp_path
):
    (tmp_path / "run.log").write_text("step 1 loss: 2.5\nstep 2 loss: 1.5\nmean loss: 2.0\n")
    ((curves, run),) = runs_in(tmp_path)[0].values()
    assert curves == {"loss": {1: 2.5, 2: 1.5}}
    assert run.notes[1:] == ("values that tell no step are left out where the step before has its own: 1",)


def test_several_trainings_in_one_text_are_said(runs_in, tmp_path):
    (tmp_path / "run.log").write_text(
        "".join(f"{net} Epoch {i}: Loss = {i / 4}\n" for net in ("small", "large") for i in (1, 2))
    )
    ((curves, run),) = runs_in(tmp_path)[0].values()
    assert list(curves["Loss"]) == [1, 2]
    assert run.notes[-1].startswith("its steps fall back, as where a file holds several trainings; of two")
