"""Text logs of known programs and of people's own loops, without a pattern; imitations of their lines."""

# ruff: noqa: E501, ISC004 -- lines of logs are as long as programs write them, and a case is one row

import math
import time

import pytest

from grokscope.importing import SourceKind
from grokscope.importing.formats import LogSource
from grokscope.importing.limits import Limits, Tally
from grokscope.importing.readers.text import FORMAT, read
from grokscope.importing.readers.text.boxes import Boxes
from grokscope.importing.readers.text.pairs import paired
from grokscope.importing.readers.text.styles import STYLES
from grokscope.importing.records import NotALogError
from grokscope.schemas import readings, resolve

NANOGPT = """number of parameters: 10.65M
step 0: train loss 4.2874, val loss 4.2823
iter 0: loss 4.2639, time 2585.56ms, mfu -100.00%
iter 10: loss 3.1459, time 22.50ms, mfu 1.69%
saving checkpoint to out
step 250: train loss 1.9000, val loss nan
"""
MODDED = """val_loss_every = 125
        print0(f"step:{step}/{args.num_iterations} val_loss:{val_loss:.4f}")
step:0/1750 val_loss:10.8258 train_time:0ms step_avg:nanms
step:1/1750 train_loss:10.8000 train_time:250ms step_avg:250.1ms
step:125/1750 val_loss:4.6000 train_time:31000ms step_avg:90.2ms
"""
LLMC = """| learning rate LR      | 6.000000e-04                                       |
val loss 11.009674
step    1/1000 | loss 11.009000 (+nanz)| norm 15.2 (+nanz)| lr 8.57e-07 | 2000.1 ms | 55.0% bf16 MFU | 262000 tok/s
step  250/1000 | loss 6.500000 (-0.50z)| norm 1.1 (+0.1z)| lr 2.14e-04 | 1000.0 ms | 55.0% bf16 MFU | 524288 tok/s
val loss 6.400000
HellaSwag: 2500/10000 = 0.250000
"""
MAIN = "s:0 tel:11.0100\ns:250 trl:6.5000 lr:0.000214 norm:1.10\ns:250 tel:6.4000\ns:250 eval:0.2500\n"
FAIRSEQ = """2021-01-01 10:00:00 | INFO | fairseq.trainer | begin training epoch 1
2021-01-01 10:00:01 | INFO | train_inner | epoch 001:     50 / 100 loss=9.5, ppl=724.08, num_updates=50, lr=1e-05, wall=12
2021-01-01 10:00:02 | INFO | valid | epoch 001 | valid on 'valid' subset | loss 8.1 | ppl 274.4 | num_updates 100
2021-01-01 10:00:03 | INFO | train | epoch 001 | loss 9.1 | ppl 548.7 | num_updates 100 | lr 2e-05
"""
FAIRSEQ_JSON = """2021-01-01 10:00:01 | INFO | train_inner | {"epoch": 1, "update": 0.5, "loss": "9.5", "num_updates": "50"}
2021-01-01 10:00:02 | INFO | valid | {"epoch": 1, "valid_loss": "8.1", "valid_num_updates": "100"}
2021-01-01 10:00:03 | INFO | train | {"epoch": 1, "train_loss": "9.1", "train_num_updates": "100"}
"""
TRAINER = """  5%|5         | 10/200 [00:05<01:30,  2.1it/s]{'loss': 2.5, 'grad_norm': 1.5, 'learning_rate': 5e-05, 'epoch': 0.5}
{'eval_loss': 2.25, 'eval_accuracy': 0.5, 'eval_runtime': 1.5, 'epoch': 0.5}
{'loss': '1.5', 'learning_rate': '0.0', 'epoch': '1.0'}
{'train_runtime': 100.0, 'train_samples_per_second': 10.0, 'train_loss': 2.0, 'epoch': 1.0}
"""
KERAS = (
    "Epoch 1/2\n\r  1/100 [..............................] - ETA: 5s - loss: 2.3 - accuracy: 0.1"
    "\r100/100 [==============================] - 5s 48ms/step - loss: 0.30 - accuracy: 0.9 - val_loss: 0.4 - val_accuracy: 0.85\n"
    "Epoch 2/2\n  1/100 - loss: 0.2"
    + "\b" * 17
    + "100/100 - 4s - loss: 0.25 - accuracy: 0.92 - val_loss: 0.35 - val_accuracy: 0.88\n"
)
LIGHTNING = (
    "Epoch 0:  50%|#####     | 50/100 [00:01<00:01, 40.1it/s, v_num=3, train_loss=2.30]"
    "\rEpoch 0: 100%|##########| 100/100 [00:02<00:00, 40.1it/s, v_num=3, train_loss=2.10, val_loss=2.00]\n"
    "Epoch 1: 100%|##########| 100/100 [00:02<00:00, 40.1it/s, v_num=3, train_loss=1.50, val_loss=1.70]\n"
)
MNIST = """Train Epoch: 1 [0/200 (0%)]\tLoss: 2.300000
Train Epoch: 1 [100/200 (50%)]\tLoss: 1.300000
Test set: Average loss: 0.5000, Accuracy: 160/200 (80%)
Train Epoch: 2 [0/200 (0%)]\tLoss: 0.900000
"""
IMAGENET = """Epoch: [0][ 10/100]\tTime  0.50 ( 0.60)\tLoss 6.9e+00 (7.0e+00)\tAcc@1   1.50 (  0.50)
Epoch: [1][ 10/100]\tTime  0.40 ( 0.50)\tLoss 5.9e+00 (6.0e+00)\tAcc@1   9.50 (  8.50)
"""
TRANSFER = """Epoch 0/1
----------
train Loss: 0.60 Acc: 0.70
val Loss: 0.20 Acc: 0.90

Epoch 1/1
----------
train Loss: 0.40 Acc: 0.80
val Loss: 0.15 Acc: 0.95
Best val Acc: 0.95
"""
DEIT = """{"train_lr": 0.001, "train_loss": 6.9, "test_acc1": 1.5, "epoch": 0, "n_parameters": 100}
{"train_lr": 0.002, "train_loss": 5.9, "test_acc1": 9.5, "epoch": 1, "n_parameters": 100}
"""
BOOSTING = "[0]\ttrain-rmse:0.50\tvalid-rmse:0.60\n[1]\ttrain-rmse:0.40\tvalid-rmse:0.55\n"

INPUTS = {
    "nanogpt": (
        NANOGPT,
        {"train_loss": {0: 4.2874, 250: 1.9}, "val_loss": {0: 4.2823, 250: math.nan}, "loss": {0: 4.2639, 10: 3.1459},
         "mfu": {0: -100.0, 10: 1.69}},
        {"train_loss": "train/loss", "val_loss": "val/loss"},
    ),
    "modded-nanogpt": (
        MODDED,
        {"val_loss": {0: 10.8258, 125: 4.6}, "train_loss": {1: 10.8}, "train_time": {}, "step_avg": {}},
        {"val_loss": "val/loss", "train_loss": "train/loss"},
    ),
    "llm.c": (
        LLMC,
        {"val_loss": {0: 11.009674, 250: 6.4}, "loss": {1: 11.009, 250: 6.5}, "norm": {1: 15.2, 250: 1.1},
         "lr": {1: 8.57e-07, 250: 2.14e-04}, "hellaswag/acc": {250: 0.25}},
        {"val_loss": "val/loss", "loss": "train/loss", "hellaswag/acc": "shift:hellaswag/accuracy"},
    ),
    "llm.c main": (
        MAIN,
        {"val_loss": {0: 11.01, 250: 6.4}, "train_loss": {250: 6.5}, "lr": {250: 0.000214}, "norm": {250: 1.1},
         "hellaswag/acc": {250: 0.25}},
        {"val_loss": "val/loss", "train_loss": "train/loss"},
    ),
    "fairseq": (
        FAIRSEQ,
        {"loss": {50: 9.5}, "ppl": {50: 724.08}, "lr": {50: 1e-05}, "wall": {50: 12.0}, "valid_loss": {100: 8.1},
         "valid_ppl": {100: 274.4}, "train_loss": {100: 9.1}, "train_ppl": {100: 548.7}, "train_lr": {100: 2e-05}},
        {"valid_loss": "val/loss", "train_loss": "train/loss"},
    ),
    "fairseq json": (
        FAIRSEQ_JSON,
        {"loss": {50: 9.5}, "valid_loss": {100: 8.1}, "train_loss": {100: 9.1}},
        {"valid_loss": "val/loss", "train_loss": "train/loss"},
    ),
    "trainer": (
        TRAINER,
        {"loss": {500: 2.5, 1000: 1.5}, "grad_norm": {500: 1.5}, "learning_rate": {500: 5e-05, 1000: 0.0},
         "eval_loss": {500: 2.25}, "eval_accuracy": {500: 0.5}, "eval_runtime": {500: 1.5}},
        {"loss": "train/loss", "eval_loss": "val/loss", "eval_accuracy": "val/accuracy"},
    ),
    "keras": (
        KERAS,
        {"loss": {1: 0.3, 2: 0.25}, "accuracy": {1: 0.9, 2: 0.92}, "val_loss": {1: 0.4, 2: 0.35},
         "val_accuracy": {1: 0.85, 2: 0.88}},
        {"loss": "train/loss", "accuracy": "train/accuracy", "val_loss": "val/loss", "val_accuracy": "val/accuracy"},
    ),
    "lightning": (
        LIGHTNING,
        {"train_loss": {0: 2.1, 1: 1.5}, "val_loss": {0: 2.0, 1: 1.7}},
        {"train_loss": "train/loss", "val_loss": "val/loss"},
    ),
    "mnist": (
        MNIST,
        {"train_loss": {0: 2.3, 100: 1.3, 200: 0.9}, "test_loss": {100: 0.5}, "test_accuracy": {100: 0.8}},
        {"train_loss": "train/loss", "test_loss": "test/loss", "test_accuracy": "test/accuracy"},
    ),
    "imagenet": (
        IMAGENET,
        {"Time": {}, "Loss": {10: 6.9, 110: 5.9}, "Acc@1": {10: 1.5, 110: 9.5}},
        {},
    ),
    "transfer": (
        TRANSFER,
        {"train_loss": {0: 0.6, 1: 0.4}, "train_acc": {0: 0.7, 1: 0.8}, "val_loss": {0: 0.2, 1: 0.15},
         "val_acc": {0: 0.9, 1: 0.95}},
        {"train_acc": "train/accuracy", "val_acc": "val/accuracy"},
    ),
    "deit": (
        DEIT,
        {"train_lr": {0: 0.001, 1: 0.002}, "train_loss": {0: 6.9, 1: 5.9}, "test_acc1": {0: 1.5, 1: 9.5},
         "n_parameters": {0: 100.0, 1: 100.0}},
        {"train_loss": "train/loss", "test_acc1": "test/accuracy"},
    ),
    "boosting": (
        BOOSTING,
        {"train-rmse": {0: 0.5, 1: 0.4}, "valid-rmse": {0: 0.6, 1: 0.55}},
        {"train-rmse": "train/rmse", "valid-rmse": "val/rmse"},
    ),
    "epochs with their last step": (
        "Epoch [1/2], Step [100/100], Loss: 2.5, Acc: 10.5%\nEpoch [2/2], Step [100/100], Loss: 1.5, Acc: 20%\n",
        {"Loss": {100: 2.5, 200: 1.5}, "Acc": {100: 10.5, 200: 20.0}},
        {"Loss": "train/loss"},
    ),
    "megatron": (
        "".join(
            f" [2024-01-01 00:00:00] iteration {step:8d}/ 600 | lm loss: {loss} | number of skipped iterations: 0 |\n"
            for step, loss in ((100, 2.5), (200, 1.5))
        ) + " validation loss at iteration 200 | lm loss value: 1.75E+00 | lm loss PPL: 5.5E+00 | \n",
        {"lm_loss": {100: 2.5, 200: 1.5}, "validation_lm_loss": {200: 1.75}, "validation_lm_loss_ppl": {200: 5.5}},
        {"lm_loss": "train/loss", "validation_lm_loss": "val/loss"},
    ),
    "key=value": (
        "INFO epoch=3 train_loss=0.1 val_acc=0.9\nINFO epoch=4 train_loss=5e-2 val_acc=1\n",
        {"train_loss": {3: 0.1, 4: 0.05}, "val_acc": {3: 0.9, 4: 1.0}},
        {"train_loss": "train/loss", "val_acc": "val/accuracy"},
    ),
    "words": (
        "Epoch 3 | train loss 0.1 | val acc 90.1%\nEpoch 4 | train loss inf | val acc 91%\n",
        {"train_loss": {3: 0.1, 4: math.inf}, "val_acc": {3: 90.1, 4: 91.0}},
        {"train_loss": "train/loss", "val_acc": "val/accuracy"},
    ),
    "steps in epochs": (
        "epoch 0 step 0 loss: 3.0\nepoch 0 step 5 loss: 2.0\nepoch 0 val_loss: 2.5\n"
        "epoch 1 step 0 loss: 1.5\nepoch 1 step 5 loss: 1.0\nepoch 1 val_loss: 1.25\n",
        {"loss": {0: 3.0, 5: 2.0, 10: 1.5, 15: 1.0}, "val_loss": {5: 2.5, 15: 1.25}},
        {"loss": "train/loss", "val_loss": "val/loss"},
    ),
}  # fmt: skip


def run_of(path, patterns=()):
    source = LogSource(kind=SourceKind.TEXT, files=(path,), root=path.parent, patterns=tuple(patterns))
    (log,) = read(source, Tally(Limits()))
    return log


def curves_of(log):
    curves = {}
    for metric, step, value in log.points.select("metric", "step", "value").iter_rows():
        assert step not in curves.setdefault(metric, {})
        curves[metric][step] = value
    return curves


@pytest.mark.parametrize("name", INPUTS)
def test_a_log_of_a_known_program_needs_no_pattern(tmp_path, name):
    text, curves, roles = INPUTS[name]
    path = tmp_path / "run.log"
    path.write_bytes(text.encode())
    assert FORMAT.recognises(path, text.encode())
    found = curves_of(run_of(path))
    wanted = {metric: points for metric, points in curves.items() if points}
    ignored = {metric for metric, points in curves.items() if not points}
    assert repr({k: found[k] for k in sorted(found) if k not in ignored}) == repr(
        {k: wanted[k] for k in sorted(wanted)}
    )
    keys = resolve(readings(found))
    assert {metric: keys[metric] for metric in roles} == roles


def test_a_log_that_tells_nothing_is_told_what_a_pattern_looks_like(tmp_path):
    (tmp_path / "a.txt").write_text("torch==2.10\nbatch size 64\nlearning rate: 0.1\nval_loss = 0.0\n")
    assert not FORMAT.recognises(tmp_path / "a.txt", (tmp_path / "a.txt").read_bytes())
    with pytest.raises(
        NotALogError, match=r"no line of 'a.txt' has a step and a score as known programs"
    ) as error:
        run_of(tmp_path / "a.txt")
    assert "(?P<step>\\d+): train loss (?P<train_loss>\\S+)" in str(error.value)
    with pytest.raises(NotALogError, match=r"no line of 'a.txt' matches --pattern"):
        run_of(tmp_path / "a.txt", [r"step (?P<step>\d+): (?P<x>\S+)"])


def test_a_log_behind_its_programs_source_is_known_by_its_end(tmp_path):
    (tmp_path / "a.txt").write_text("x = 1\n" * 20_000 + MODDED)
    assert FORMAT.recognises(tmp_path / "a.txt", (tmp_path / "a.txt").read_bytes()[: 1 << 16])
    assert run_of(tmp_path / "a.txt").run.notes == ("its lines were read as modded-nanoGPT",)


@pytest.mark.parametrize(
    "piece",
    [
        "step 1 " + "a" * 40,
        "loss ",
        "a b c d ",
        "1/",
        "epoch [",
        "{'",
        "'a': ",
        "step:1/2 a:",
        "| train | epoch 1 ",
        " - ",
        "1,",
        "[1]\ta-b:1 ",
        "[1] x's y: 1 ",
        "0: learn: 1 ",
        "| a | 1 |",
    ],
)
def test_a_line_of_any_make_takes_time_in_proportion_to_its_length(piece):
    def steps(length):
        line = (piece * length)[:length]
        start = time.process_time()
        for reader in (Boxes().read, *STYLES.values(), paired):
            reader(line)
        return time.process_time() - start

    short, long = (min(steps(length) for _ in range(3)) for length in (4000, 64_000))
    # In proportion it is 16 times as much, by its square 256 times.
    assert long < 100 * max(short, 1e-3)
