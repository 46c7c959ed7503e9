"""Tables as people and tools write them: what counts the steps, which numbers, or why it is no curve."""

# ruff: noqa: E501, ISC004 -- lines of logs are as long as programs write them, and a case is one row

import json
import math

import polars as pl
import pytest

from grokscope.importing import ImportingError, SourceKind
from grokscope.importing.formats import LogSource
from grokscope.importing.limits import Limits, Tally
from grokscope.importing.readers.tables import FORMAT, read
from grokscope.schemas import readings, resolve

NAN, INF = math.nan, math.inf
LOSS_ACC = {"train_loss": {0: 2.5, 10: 1.5}, "val_acc": {0: 0.25, 10: 0.5}}
COUNTED = "it has no column of steps: rows are counted, from 0"

# name -> (file, content, {run: {metric: {step: value}}}, words of its notes, roles)
INPUTS = {
    "padded headers (YOLO)": (
        "results.csv",
        "      epoch,   train/box_loss,   metrics/mAP50(B),  val/cls_loss\n"
        "          1,           1.5000,             0.2000,        2.5000\n"
        "          2,           1.2500,             0.4000,        2.0000\n",
        {"results": {"train/box_loss": {1: 1.5, 2: 1.25}, "metrics/mAP50(B)": {1: 0.2, 2: 0.4},
                     "val/cls_loss": {1: 2.5, 2: 2.0}}},
        (),
        {"metrics/mAP50(B)": "val/map50"},
    ),
    "semicolons and decimal commas": (
        "a.csv", "step;train_loss;val_acc\n0;2,5;0,25\n10;1,5;0,5\n", {"a": LOSS_ACC}, (), {"val_acc": "val/accuracy"},
    ),
    "Excel's first line, groups of thousands": (
        "a.csv", 'sep=;\nstep;loss;val_loss\n1000;"1.234,5";0,5\n2000;"1.000,25";0,25\n',
        {"a": {"loss": {1000: 1234.5, 2000: 1000.25}, "val_loss": {1000: 0.5, 2000: 0.25}}}, (), {"loss": "train/loss"},
    ),
    "commas between thousands, quoted": (
        "a.csv", 'step,tokens,val_loss\n"1,000","1,048,576",3.5\n"2,000","2,097,152",3.25\n',
        {"a": {"tokens": {1000: 1048576.0, 2000: 2097152.0}, "val_loss": {1000: 3.5, 2000: 3.25}}},
        ("steps are its column 'step', not 'tokens'",), {},
    ),
    "tabs": ("a.tsv", "step\ttrain_loss\tval_acc\n0\t2.5\t0.25\n10\t1.5\t0.5\n", {"a": LOSS_ACC}, (), {}),
    "tabs in a .csv": ("a.csv", "step\ttrain_loss\tval_acc\n0\t2.5\t0.25\n10\t1.5\t0.5\n", {"a": LOSS_ACC}, (), {}),
    "percent signs": (
        "a.csv", "epoch,Accuracy (%),val acc\n1,50.5%,40 %\n2,90.1%,80%\n",
        {"a": {"Accuracy (%)": {1: 50.5, 2: 90.1}, "val acc": {1: 40.0, 2: 80.0}}},
        (), {"Accuracy (%)": "train/accuracy", "val acc": "val/accuracy"},
    ),
    "no steps": (
        "a.csv", "train_loss,val_acc\n2.5,0.25\n1.5,0.5\n",
        {"a": {"train_loss": {0: 2.5, 1: 1.5}, "val_acc": {0: 0.25, 1: 0.5}}}, (COUNTED,), {},
    ),
    "a data frame's index beside its steps": (
        "a.csv", ",step,train_loss,val_acc\n0,0,2.5,0.25\n1,10,1.5,0.5\n", {"a": LOSS_ACC}, (), {},
    ),
    "padded and quoted headers": (
        "a.csv", '"step" , "train_loss" , "val_acc"\n0 , 2.5 , 0.25\n10 , 1.5 , 0.5\n', {"a": LOSS_ACC}, (), {},
    ),
    "calls of W&B's log beside the steps": (
        "a.csv", "_step,train_loss,val_acc,train/global_step\n0,2.5,,0\n1,,0.25,0\n2,1.5,,10\n3,,0.5,10\n",
        {"a": LOSS_ACC}, ("steps are its column 'train/global_step', not '_step'",), {},
    ),
    "a row a split": (
        "a.csv", "epoch,phase,loss,lr\n1,train,2.5,0.1\n1,val,3.0,0.1\n2,train,1.5,0.2\n2,val,2.0,0.2\n",
        {"a": {"lr": {1: 0.1, 2: 0.2}, "train/loss": {1: 2.5, 2: 1.5}, "val/loss": {1: 3.0, 2: 2.0}}}, (), {},
    ),
    "a record a line in a .json (MMEngine), with fewer steps than epochs": (
        "a.json", "".join(
            f'{{"mode": "{mode}", "epoch": {epoch}, "iter": {step}, "loss": {epoch + step}}}\n'
            for epoch in (1, 2, 3) for mode, step in (("train", 50), ("train", 100), ("val", 100))
        ),
        {"a": {"epoch": {50: 1, 100: 1, 150: 2, 200: 2, 250: 3, 300: 3},
               "train/loss": {50: 51, 100: 101, 150: 52, 200: 102, 250: 53, 300: 103},
               "val/loss": {100: 101, 200: 102, 300: 103}}},
        ("its iter starts again in each epoch",), {},
    ),
    "a data frame's index": (
        "a.csv", ",train_loss,val_acc\n0,2.5,0.25\n10,1.5,0.5\n",
        {"a": LOSS_ACC}, ("steps are its first column, which has no name",), {},
    ),
    "epoch and step (Lightning), rows of each": (
        "a.csv", "epoch,step,train_loss,val_loss\n0,49,2.5,\n0,99,,2.0\n1,149,1.5,\n1,199,,1.25\n",
        {"a": {"epoch": {49: 0, 99: 0, 149: 1, 199: 1}, "train_loss": {49: 2.5, 149: 1.5}, "val_loss": {99: 2.0, 199: 1.25}}},
        ("steps are its column 'step', not 'epoch'",), {"train_loss": "train/loss", "val_loss": "val/loss"},
    ),
    "a step that starts again": (
        "a.csv", "epoch,batch,loss\n0,0,3.0\n0,1,2.0\n1,0,1.5\n1,1,1.0\n",
        {"a": {"epoch": {0: 0, 1: 0, 2: 1, 3: 1}, "loss": {0: 3.0, 1: 2.0, 2: 1.5, 3: 1.0}}},
        ("its batch starts again in each epoch, so that they are counted together, 2 an epoch",), {},
    ),
    "a step that starts again, every 50th of 100 logged": (
        "a.csv", "epoch,batch,loss\n1,50,3.0\n1,100,2.0\n2,50,1.5\n2,100,1.0\n",
        {"a": {"epoch": {50: 1, 100: 1, 150: 2, 200: 2}, "loss": {50: 3.0, 100: 2.0, 150: 1.5, 200: 1.0}}},
        ("its batch starts again in each epoch, so that they are counted together, 100 an epoch",), {},
    ),
    "Keras's CSVLogger": (
        "a.csv", "epoch,accuracy,loss,val_accuracy,val_loss\n0,0.5,1.5,0.25,2.0\n1,0.75,1.0,0.5,1.5\n",
        {"a": {"accuracy": {0: 0.5, 1: 0.75}, "loss": {0: 1.5, 1: 1.0}, "val_accuracy": {0: 0.25, 1: 0.5},
               "val_loss": {0: 2.0, 1: 1.5}}},
        (), {"accuracy": "train/accuracy", "loss": "train/loss", "val_accuracy": "val/accuracy"},
    ),
    "long": (
        "a.csv", "run,tag,step,value\nx,val_acc,0,0.5\nx,val_acc,5,NaN\ny,val_acc,0,inf\n",
        {"x": {"val_acc": {0: 0.5, 5: NAN}}, "y": {"val_acc": {0: INF}}}, (), {},
    ),
    "melted": (
        "a.csv", "epoch,variable,value\n1,val_loss,0.5\n2,val_loss,0.25\n", {"a": {"val_loss": {1: 0.5, 2: 0.25}}}, (), {},
    ),
    "wide with runs": (
        "a.csv", "Run,Step,val_loss\nx,0,1.0\nx,1,0.5\ny,0,2.0\n", {"x": {"val_loss": {0: 1.0, 1: 0.5}}, "y": {"val_loss": {0: 2.0}}},
        (), {},
    ),
    "seeds": (
        "a.csv", "seed,step,val_loss\n0,0,1.0\n0,1,0.5\n1,0,2.0\n1,1,1.5\n",
        {"seed 0": {"val_loss": {0: 1.0, 1: 0.5}}, "seed 1": {"val_loss": {0: 2.0, 1: 1.5}}}, ("its runs are told apart by 'seed'",), {},
    ),
    "several agents": (
        "a.csv",
        "agent,env_step,val_loss\nx,0,1.0\nx,10,0.5\nx,20,0.5\ny,0,2.0\ny,10,1.5\ny,20,1.0\n",
        {"x": {"val_loss": {0: 1.0, 10: 0.5, 20: 0.5}}, "y": {"val_loss": {0: 2.0, 10: 1.5, 20: 1.0}}},
        ("its runs are told apart by 'agent'",), {},
    ),
    "epochs in fractions": (
        "a.csv", "epoch,val_loss\n0.5,2.0\n1.0,1.5\n1.333,1.25\n", {"a": {"val_loss": {500: 2.0, 1000: 1.5, 1333: 1.25}}},
        ("its steps are fractions; they are counted in thousandths",), {},
    ),
    "a mark of UTF-8, carriage returns": (
        "a.csv", "\ufeffstep,train_loss,val_acc\r\n0,2.5,0.25\r\n10,1.5,0.5\r\n", {"a": LOSS_ACC}, (), {},
    ),
    "UTF-16": (
        "a.csv", "step\ttrain_loss\tval_acc\n0\t2.5\t0.25\n10\t1.5\t0.5\n".encode("utf-16"), {"a": LOSS_ACC}, (), {},
    ),
    "cells that are empty or no numbers": (
        "a.csv", 'step,train_loss,val_acc,note\n0,"2.5",-,x\n10,nan,0.5,\n20,-inf,N/A,y\n',
        {"a": {"train_loss": {0: 2.5, 10: NAN, 20: -INF}, "val_acc": {10: 0.5}}}, (), {},
    ),
    "rows without a step": (
        "a.csv", "step,val_loss\n0,2.0\n10,1.0\nmean,1.5\n", {"a": {"val_loss": {0: 2.0, 10: 1.0}}},
        ("1 of its 3 points have no step and are left out",), {},
    ),
    "a header in the midst": (
        "a.csv", "step,val_loss\n0,2.0\nstep,val_loss\n10,1.0\n", {"a": {"val_loss": {0: 2.0, 10: 1.0}}}, (), {},
    ),
    "more cells than the header": (
        "a.csv", "step,val_loss\n0,2.0\n10,1.0,7\n", {"a": {"val_loss": {0: 2.0, 10: 1.0}}},
        ("some of its lines have more cells than its header; what is beyond it is left out",), {},
    ),
    "reinforcement learning's monitor": (
        "monitor.csv", '#{"t_start": 1.5, "env_id": "x"}\nstep,reward/train\n1,0.5\n2,1.5\n',
        {"monitor": {"reward/train": {1: 0.5, 2: 1.5}}}, (), {},
    ),
    "JSON lines, nested, one cut": (
        "a.jsonl", '{"step": 0, "train": {"loss": 2.5}}\n{"step": 10, "train": {"loss": 1.5}}\n{"step": 20, "tr',
        {"a": {"train.loss": {0: 2.5, 10: 1.5}}}, ("1 of its lines are no JSON and left out, line 3",), {"train.loss": "train/loss"},
    ),
    "a list of records": ("a.json", json.dumps([{"epoch": 1, "val_loss": 2.0}, {"epoch": 2, "val_loss": "NaN"}]),
        {"a": {"val_loss": {1: 2.0, 2: NAN}}}, (), {}),
    "lists a metric (Keras's history)": (
        "history.json", json.dumps({"history": {"loss": [2.0, 1.0], "val_loss": [2.5, 1.5]}}),
        {"history": {"loss": {0: 2.0, 1: 1.0}, "val_loss": {0: 2.5, 1: 1.5}}}, (COUNTED,), {"loss": "train/loss"},
    ),
    "lists of splits with steps": (
        "a.json", json.dumps({"steps": [0, 10], "train": {"loss": [2.5, 1.5]}, "test": {"acc": [0.25, 0.5]}}),
        {"a": {"train/loss": {0: 2.5, 10: 1.5}, "test/acc": {0: 0.25, 10: 0.5}}}, (), {"test/acc": "test/accuracy"},
    ),
    "lists of two lengths with steps each": (
        "a.json", json.dumps({"iters": [0, 5, 10], "loss": [3, 2, 1], "eval_iters": [0, 10], "val_loss": [3.5, 1.5]}),
        {"a": {"loss": {0: 3.0, 5: 2.0, 10: 1.0}, "val_loss": {0: 3.5, 10: 1.5}}}, (), {},
    ),
    "pairs of step and value": (
        "a.json", json.dumps({"val_loss": [[0, 2.0], [10, 1.0]]}), {"a": {"val_loss": {0: 2.0, 10: 1.0}}}, (), {},
    ),
    "a record an epoch, by its name": (
        "a.json", json.dumps({"epoch_1": {"val_loss": 2.0}, "epoch_2": {"val_loss": 1.0}}), {"a": {"val_loss": {1: 2.0, 2: 1.0}}},
        (), {},
    ),
    "records among settings": (
        "a.json", json.dumps({"args": {"lr": 0.1}, "log": [{"iter": 0, "val_loss": 2.0}, {"iter": 5, "val_loss": 1.0}]}),
        {"a": {"val_loss": {0: 2.0, 5: 1.0}}}, (), {},
    ),
    "a series of TensorBoard's, named by its file": (
        "run-seed_1-tag-Loss_train.csv", "Wall time,Step,Value\n1700000000.5,0,2.5\n1700000001.5,10,1.5\n",
        {"seed_1": {"Loss_train": {0: 2.5, 10: 1.5}}}, (), {"Loss_train": "train/loss"},
    ),
    "a series of Neptune's, named by its file": (
        "val_acc.csv", "step,value,timestamp\n0.0,0.25,2024-01-01 00:00:00.5\n1.0,0.5,2024-01-01 00:00:01\n",
        {"val_acc": {"val_acc": {0: 0.25, 1: 0.5}}}, (), {"val_acc": "val/accuracy"},
    ),
}  # fmt: skip

NO_CURVES = {
    "a.csv": ("a,b\n1,2\n", "has no column of steps; it has 'a', 'b'. Name one with --step NAME"),
    "b.csv": ("train_loss,val_acc\n0.5,0.9\n", "holds one row and no steps, which is a result and no curve"),
    "c.csv": ("step,loss\n1e300,1\n", "its column 'step' holds no step in any row, such as '1e300'"),
    "d.csv": ("step,note\n1,x\n", "no column of numbers beside the steps"),
    "e.csv": ("", "cannot be read as csv"),
    "f.csv": ("0,2.5\n1,1.5\n", "begins with numbers; write a line with the names of its columns above them"),
    "all_results.json": (
        '{"epoch": 3.0, "eval_loss": 0.5}',
        "holds no curve: one value a metric is a result",
    ),
    "lengths.json": ('{"loss": [1, 2, 3], "val_loss": [1]}', "different lengths (loss 3, val_loss 1)"),
    "scalar.json": ("[1, 2]", "the JSON holds no rows"),
}


def logs_of(path, *, step=None):
    source = LogSource(kind=SourceKind.TABLE, files=(path,), root=path.parent, step=step)
    return list(read(source, Tally(Limits())))


def curves_of(log):
    curves = {}
    for metric, step, value in log.points.select("metric", "step", "value").iter_rows():
        curves.setdefault(metric, {})[step] = float(value)
    return curves


@pytest.mark.parametrize("name", INPUTS)
def test_a_table_gives_exactly_its_points_and_says_how_it_was_read(tmp_path, name):
    file, content, runs, notes, roles = INPUTS[name]
    data = content if isinstance(content, bytes) else content.encode()
    (tmp_path / file).write_bytes(data)
    assert FORMAT.recognises(tmp_path / file, data)
    logs = logs_of(tmp_path / file)
    wanted = {
        run: {m: {s: float(v) for s, v in points.items()} for m, points in curves.items()}
        for run, curves in runs.items()
    }
    assert repr({log.run.name: curves_of(log) for log in logs}) == repr(wanted)
    assert [note[: len(start)] for note, start in zip(logs[0].run.notes, notes, strict=True)] == list(notes)
    keys = resolve(readings(next(iter(runs.values()))))
    assert {metric: keys[metric] for metric in roles} == roles


@pytest.mark.parametrize("name", NO_CURVES)
def test_what_is_no_curve_is_told_why(tmp_path, name):
    text, said = NO_CURVES[name]
    (tmp_path / name).write_text(text)
    with pytest.raises(ImportingError) as error:
        logs_of(tmp_path / name)
    assert said in str(error.value)
    assert name in str(error.value)


def test_a_column_that_is_asked_for_counts_the_steps(tmp_path):
    (tmp_path / "a.csv").write_text("epoch,step,tokens seen,val_loss\n0,0,100,2.0\n0,5,200,1.0\n")
    (log,) = logs_of(tmp_path / "a.csv", step="tokens seen")
    assert curves_of(log)["val_loss"] == {100: 2.0, 200: 1.0}
    with pytest.raises(
        ImportingError, match="has no column 'token' to take steps from; it has 'epoch', 'step'"
    ):
        logs_of(tmp_path / "a.csv", step="token")


def test_parquet_of_any_types_is_read(tmp_path):
    frame = pl.DataFrame(
        {"attribute_path": ["metrics/val_loss"] * 2, "step": pl.Series([0, 5], dtype=pl.Decimal(18, 6)),
         "float_value": pl.Series([1.5, 0.5], dtype=pl.Float32), "run_id": ["R-1", "R-1"],
         "timestamp": pl.Series([1700000000000, 1700000001000]).cast(pl.Datetime("ms"))}
    )  # fmt: skip
    frame.write_parquet(tmp_path / "a.parquet")
    (log,) = logs_of(tmp_path / "a.parquet")
    assert log.run.name == "R-1"
    assert log.points.rows() == [
        ("metrics/val_loss", 0, 1700000000000, 1.5),
        ("metrics/val_loss", 5, 1700000001000, 0.5),
    ]


def test_series_of_one_folder_are_one_run_and_so_are_tables_of_its_splits(tmp_path):
    series, splits = tmp_path / "exp1", tmp_path / "exp2"
    for folder, names in ((series, ("val_acc", "loss_train")), (splits, ("train", "val"))):
        folder.mkdir()
        for name in names:
            head = "Wall time,Step,Value\n1700000000," if folder == series else "epoch,loss\n"
            (folder / f"{name}.csv").write_text(f"{head}1,0.5\n")
    files = sorted(tmp_path.rglob("*.csv"))
    groups = FORMAT.grouped(files)
    assert [len(group) for group in groups] == [2, 2]
    found = {}
    for group in groups:
        (log,) = read(LogSource(kind=SourceKind.TABLE, files=tuple(group), root=tmp_path), Tally(Limits()))
        found[log.run.name] = curves_of(log)
    assert found == {
        "exp1": {"loss_train": {1: 0.5}, "val_acc": {1: 0.5}},
        "exp2": {"train/loss": {1: 0.5}, "val/loss": {1: 0.5}},
    }
