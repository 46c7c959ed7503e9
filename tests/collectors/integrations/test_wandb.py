"""Code that calls ``wandb`` finds in the drop-in what W&B itself would have kept."""

import argparse
import json
import struct
import subprocess
import sys
import weakref
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import torch
from wandb.proto.wandb_internal_pb2 import Record

from grokscope.collectors.integrations import wandb
from grokscope.collectors.testing import MemorySink

# Each way of counting steps that people use, as one script for both.
CALLS = """
run.log({"loss": 0.5, "lr": 0.1})
run.log({"loss": 0.25}, commit=False)
run.log({"acc": 0.75, "nested": {"a": 1, "b": {"c": 2}}})
run.log({"loss": 0.125}, commit=False)
run.log({"loss": 0.0625, "acc": 1})
run.log({"loss": 3.5}, step=10)
run.log({"acc": 0.25}, step=10)
run.log({"loss": 4.5}, step=11)
run.log({"acc": 0.5}, step=11, commit=True)
run.log({"loss": 5.5})
run.log({"flag": True, "loss": float("nan")})
run.log({"at": 6.5}, step=20, commit=False)
run.log({"last": 7.5}, commit=False)
"""
REAL = f"""
import wandb
run = wandb.init(project="p", mode="offline", settings=wandb.Settings(console="off", silent=True))
{CALLS}
print(run.settings.sync_file)
run.finish()
"""


@pytest.fixture
def sink():
    """Give a sink, and leave no run open."""
    yield MemorySink()
    wandb.finish()


def history(path: Path) -> list[tuple[int, str, str]]:
    """Return what W&B keeps of a short run: whole records of LevelDB's log, the values in them as JSON."""
    data, begin, rows = path.read_bytes(), 7, []
    while begin < len(data):
        _, length, kind = struct.unpack_from("<IHB", data, begin)
        assert kind == 1
        record = Record.FromString(data[begin + 7 : begin + 7 + length])
        begin += 7 + length
        values = {".".join(item.nested_key) or item.key: item.value_json for item in record.history.item}
        rows += [(int(values["_step"]), *one) for one in values.items() if not one[0].startswith("_")]
    return rows


def as_kept(rows: list[tuple[int, str, str]]) -> list[tuple[int, str, str]]:
    found = []
    for step, key, text in rows:
        value = json.loads(text)
        nested = value.items() if isinstance(value, dict) else None
        found += as_kept([(step, f"{key}.{k}", json.dumps(v)) for k, v in nested]) if nested else []
        found += [] if nested else [(step, key, repr(float(value)))]
    return sorted(found)


def test_every_row_stands_at_the_step_that_wandb_gives_it(sink, tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", REAL], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    with wandb.init(project="p", sink=sink) as run:
        exec(CALLS, {"run": run})
    theirs = as_kept(history(Path(done.stdout.splitlines()[-1])))
    assert sorted((step, key, repr(value)) for step, key, value in sink.rows()) == theirs


def test_module_and_run_are_one(sink):
    run = wandb.init(project="p", config={"lr": 0.1}, group="g", sink=sink)
    assert wandb.run is run
    assert wandb.init(project="other") is run
    wandb.config.seed = 3
    wandb.config.update(argparse.Namespace(depth=2), allow_val_change=True)
    wandb.config.setdefaults({"lr": 9.0, "width": 8})
    assert run.config.as_dict() == {"group": "g", "lr": 0.1, "seed": 3, "depth": 2, "width": 8}
    assert (wandb.config["lr"], wandb.config.depth, run.group) == (0.1, 2, "g")
    wandb.log({"loss": torch.tensor(0.5), "acc": np.float32(0.25)})
    assert (wandb.run.step, wandb.summary["loss"].item()) == (1, 0.5)
    wandb.summary["best"] = 0.75
    wandb.finish()
    assert sink.rows() == [(0, "loss", 0.5), (0, "acc", 0.25), (0, "summary/best", 0.75)]
    assert (wandb.run, sink.status) == (None, "FINISHED")


@pytest.mark.parametrize(
    ("error", "status"), [(None, "FINISHED"), (ValueError, "FAILED"), (KeyboardInterrupt, "KILLED")]
)
def test_a_run_ends_as_its_block_does(sink, error, status):
    with suppress(ValueError, KeyboardInterrupt), wandb.init(project="p", sink=sink):
        if error:
            raise error
    assert sink.status == status


@pytest.mark.parametrize(("code", "status"), [(0, "FINISHED"), (None, "FINISHED"), (1, "FAILED")])
def test_the_code_of_finish_tells_how_a_run_ended(sink, code, status):
    wandb.init(project="p", sink=sink).log({"loss": 1.0}, step=3)
    wandb.finish(exit_code=code)
    assert (sink.rows(), sink.status) == ([(3, "loss", 1.0)], status)


def test_metrics_are_counted_in_the_metric_that_they_are_defined_in(sink):
    with wandb.init(project="p", sink=sink) as run:
        run.define_metric("iter")
        run.define_metric("train/*", step_metric="iter")
        wandb.define_metric("val/loss", step_metric="epoch")
        run.log({"iter": 100, "train/loss": 0.5})
        run.log({"train/acc": 0.25, "lr": 0.1})  # W&B carries the last value on
        run.log({"epoch": 1, "val/loss": 2.0, "iter": 200, "train/loss": 0.125})
    assert sink.rows() == [
        (100, "iter", 100.0), (100, "train/loss", 0.5),
        (100, "train/acc", 0.25), (1, "lr", 0.1),
        (1, "epoch", 1.0), (1, "val/loss", 2.0), (200, "iter", 200.0), (200, "train/loss", 0.125),
    ]  # fmt: skip


def test_a_fraction_is_no_step(sink, capsys):
    with wandb.init(project="p", sink=sink) as run:
        run.define_metric("*", step_metric="epoch")
        for epoch in (0.0, 0.5, 1.0):
            run.log({"epoch": epoch, "loss": epoch + 2})
    assert [(step, value) for step, key, value in sink.rows() if key == "loss"] == [
        (0, 2.0),
        (1, 2.5),
        (2, 3.0),
    ]
    assert capsys.readouterr().err.count("'epoch'") == 1


def test_what_is_no_curve_is_left_out_with_a_sentence_each(sink, capsys):
    with wandb.init(project="p", sink=sink, entity="me", magic=True) as run:
        for _ in range(2):
            image, table = wandb.Image(np.zeros((2, 2)), caption="c"), wandb.Table(columns=["a"])
            table.add_data(1)
            run.log(
                {"image": image, "table": table, "text": "hi", "loss": 1.0, "grads": wandb.Histogram([1])}
            )
        wandb.save("model.pt")
        wandb.log_artifact(wandb.Artifact("m", type="model"))
    assert [row[:2] for row in sink.rows()] == [(0, "loss"), (1, "loss")]
    said = capsys.readouterr().err
    assert [said.count(f"'{name}'") for name in ("image", "table", "text", "grads")] == [1] * 4
    assert [said.count(word) for word in ("magic", "entity", "wandb.save", "wandb.log_artifact")] == [
        1,
        0,
        1,
        1,
    ]
    with pytest.raises(AttributeError, match=r"wandb\.sweep is not offered here"):
        wandb.sweep({})


def test_watch_measures_the_weights_at_rows_that_are_due(sink):
    model = torch.nn.Linear(2, 2)
    wandb.init(project="p", sink=sink)
    wandb.watch(model, log="all")
    wandb.log({"loss": 1.0}, step=1, commit=True)
    norm = torch.cat([p.flatten() for p in model.parameters()]).norm().item()
    found = {(step, key): value for step, key, value in sink.rows()}
    assert found[1, "weights/norm"] == pytest.approx(norm)


def test_several_watched_models_are_measured_as_one(sink, capsys):
    models = torch.nn.Linear(2, 2), torch.nn.Linear(3, 1)
    with wandb.init(project="p", sink=sink) as run:
        run.watch([])
        run.watch(models)
        run.log({"loss": 1.0})
        run.watch(models[0])  # too late, and so without effect
        run.log({"loss": 0.5})
    both = torch.cat([p.flatten() for model in models for p in model.parameters()]).norm().item()
    found = {step: value for step, key, value in sink.rows() if key == "weights/norm"}
    assert found == pytest.approx({0: both, 1: both})
    assert capsys.readouterr().err.count("call it before") == 1


@pytest.mark.parametrize("last", [2.0, 3.0])
def test_settings_that_are_arrays_are_compared_as_the_params_that_they_are(sink, capsys, last):
    with wandb.init(project="p", config={"weights": np.array([1.0, 2.0])}, sink=sink) as run:
        run.log({"loss": 1.0})
        run.config["weights"][1] = last
    assert sink.status == "FINISHED"
    assert ("changed after the first log" in capsys.readouterr().err) is (last == 3.0)


def test_a_log_without_a_run_begins_one_and_a_disabled_one_keeps_nothing(capsys, monkeypatch):
    monkeypatch.setenv("WANDB_MODE", "disabled")
    wandb.log({"loss": 1.0})
    assert "call wandb.init first" in capsys.readouterr().err
    assert wandb.run.project == "uncategorized"
    wandb.finish()


def test_what_scripts_ask_of_wandb_beside_curves_does_not_stop_them(sink, capsys):
    run = wandb.init(
        project="p", sink=sink, settings=wandb.Settings(console="off"), job_type="train", tags=["a"]
    )
    assert (run.url, run.entity, run.offline, run.sweep_id, run.resumed) == (None, "", True, None, False)
    assert (run.path, run.job_type, run.tags, run.notes) == (f"p/{run.id}", "train", ["a"], None)
    assert len({wandb.util.generate_id() for _ in range(9)}) == 9
    run.log({"loss": 1.0, "curve": wandb.plot.line(wandb.Table(columns=["x", "y"]), "x", "y")})
    run.log_artifact(wandb.Artifact("m", type="model"))
    run.alert(title="t", text="x", level=wandb.AlertLevel.WARN)
    assert sink.rows() == [(0, "loss", 1.0)]
    said = capsys.readouterr().err
    assert [said.count(word) for word in ("'curve'", "run.log_artifact", "run.alert", "settings")] == [
        1,
        1,
        1,
        0,
    ]
    with pytest.raises(AttributeError, match=r"run\.use_artifact is not offered here"):
        run.use_artifact("m:latest")
    wandb.finish()
    with pytest.raises(AttributeError, match=r"run\.resumed"):
        _ = wandb.init(project="p", id="earlier", sink=sink).resumed


def test_neither_a_row_that_waits_nor_the_summary_keeps_a_graph_alive(sink):
    run, weight = wandb.init(project="p", sink=sink), torch.ones(1, requires_grad=True)
    activation = weight * 2
    gone = weakref.ref(activation)
    run.log({"loss": (activation**2).sum()}, commit=False)
    del activation
    assert gone() is None
    run.log({"more": (weight * 3).sum()})
    assert not run.summary["more"].requires_grad
    assert sink.rows() == [(0, "loss", 4.0), (0, "more", 3.0)]
