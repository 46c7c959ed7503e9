"""One training is one run, whatever folders and files its tool spreads it over."""

import pytest


def test_kerass_train_and_validation_are_one_run_with_a_curve_a_split(events, runs_in, tmp_path):
    for count in range(2):
        events(tmp_path / f"logs/a{count}/train", {"epoch_loss": {0: 2.0, 1: 1.0}}, time=1 + count)
        events(tmp_path / f"logs/a{count}/validation", {"epoch_loss": {0: 3.0, 1: 2.5}}, time=2 + count)
    runs, skipped = runs_in(tmp_path / "logs")
    assert {name: curves for name, (curves, _) in runs.items()} == {
        name: {"train/epoch_loss": {0: 2.0, 1: 1.0}, "validation/epoch_loss": {0: 3.0, 1: 2.5}}
        for name in ("a0", "a1")
    }
    assert skipped == {}


def test_a_table_that_counts_seconds_beside_the_same_values_is_the_same_run(events, runs_in, tmp_path):
    losses = {step: 2.0 - step / 7 for step in range(1, 6)}
    others = {name: {step: loss / k for step, loss in losses.items()} for name, k in (("a", 3), ("b", 7))}
    events(tmp_path / "logs", {"loss": losses, **others})
    rows = "".join(f"loss,{step},{loss},{step * 0.37}\n" for step, loss in losses.items())
    (tmp_path / "logs" / "metrics.csv").write_text("metric,step,value,seconds\n" + rows)
    runs, skipped = runs_in(tmp_path / "logs")
    assert (len(runs), [one.is_twice for one in skipped.values()]) == (1, [True])


def test_an_evaluation_below_its_training_is_its_run_and_a_run_called_test_is_one(events, runs_in, tmp_path):
    events(tmp_path / "estimator", {"loss": {0: 2.0}})
    events(tmp_path / "estimator/eval", {"loss": {0: 3.0}})
    events(tmp_path / "test", {"loss": {0: 4.0}})
    runs, _ = runs_in(tmp_path)
    assert {name: curves for name, (curves, _) in runs.items()} == {
        "estimator": {"loss": {0: 2.0}, "eval/loss": {0: 3.0}},
        "test": {"loss": {0: 4.0}},
    }


def test_curves_of_add_scalars_belong_to_their_run_and_a_run_below_another_is_its_own(
    events, runs_in, tmp_path
):
    events(tmp_path / "run", {"lr": {0: 0.5}})
    events(tmp_path / "run/all_loss_train", {"all/loss": {0: 2.0}})
    events(tmp_path / "run/all_loss_val", {"all/loss": {0: 3.0}})
    events(tmp_path / "run/second", {"all/loss": {0: 4.0}})
    runs, _ = runs_in(tmp_path)
    assert {name: curves for name, (curves, _) in runs.items()} == {
        "run": {"lr": {0: 0.5}, "all/loss/train": {0: 2.0}, "all/loss/val": {0: 3.0}},
        "run/second": {"all/loss": {0: 4.0}},
    }


def test_a_resumed_run_goes_on_where_its_later_file_begins(events, runs_in, tmp_path):
    events(tmp_path, {"loss": {0: 4.0, 10: 3.0, 20: 2.0, 30: 9.0}, "lr": {0: 1.0, 30: 0.5}}, time=1)
    events(tmp_path, {"loss": {15: 2.5, 25: 1.5}}, time=2)
    ((curves, run),) = runs_in(tmp_path)[0].values()
    assert curves == {"loss": {0: 4.0, 10: 3.0, 15: 2.5, 25: 1.5}, "lr": {0: 1.0, 30: 0.5}}
    assert run.notes == ("2 points are left out, since a later file begins again before them",)


def test_a_resumed_run_that_says_where_it_goes_on_leaves_nothing_behind_that(events, runs_in, tmp_path):
    events(tmp_path, {"loss": {0: 4.0, 10: 3.0}, "lr": {0: 1.0, 30: 0.5}}, time=1)
    events(tmp_path, {"loss": {12: 2.5}}, time=2, restart=5)
    ((curves, _),) = runs_in(tmp_path)[0].values()
    assert curves == {"loss": {0: 4.0, 12: 2.5}, "lr": {0: 1.0}}


def test_lightnings_version_is_one_run_named_with_its_parent_with_its_hparams(events, runs_in, tmp_path):
    losses = {step: 1 / (step + 3) for step in range(6)}
    for count in range(2):
        folder = tmp_path / "logs" / "my" / f"version_{count}"
        events(folder, {"train_loss": losses, "epoch": dict.fromkeys(losses, 0.0)}, time=1 + count)
        (folder / "hparams.yaml").write_text("lr: 0.1\nmodel:\n  width: 3\n")
        rows = "".join(f"0,{step},{loss}\n" for step, loss in losses.items())
        (folder / "metrics.csv").write_text("epoch,step,train_loss\n" + rows)
    runs, skipped = runs_in(tmp_path / "logs")
    assert sorted(runs) == ["my/version_0", "my/version_1"]
    for curves, run in runs.values():
        assert curves["train_loss"] == pytest.approx(losses)
        assert (run.kind, run.params) == ("tensorboard", {"lr": "0.1", "model.width": "3"})
    assert {path: one.reason for path, one in skipped.items() if path.endswith(".csv")} == {
        f"{folder}/metrics.csv": f"is the same run as {folder} (tensorboard), which was taken"
        for folder in ("my/version_0", "my/version_1")
    }
    assert list(runs_in(tmp_path / "logs/my/version_1")[0]) == ["my/version_1"]
    tables, _ = runs_in(tmp_path / "logs", kind="table")
    assert {name: run.params["model.width"] for name, (_, run) in tables.items()} == {
        "my/version_0": "3",
        "my/version_1": "3",
    }


@pytest.mark.parametrize("made", ["a: &x [*x]\n", "a: [\n", "a: 1\n" * 300_000])
def test_settings_that_cannot_be_read_cost_the_run_nothing(runs_in, tmp_path, made):
    (tmp_path / "hparams.yaml").write_text(made)
    (tmp_path / "metrics.csv").write_text("step,loss\n1,0.5\n")
    ((curves, run),) = runs_in(tmp_path)[0].values()
    assert (curves, run.params) == ({"loss": {1: 0.5}}, {})
    assert run.notes[0].startswith("its hparams.yaml cannot be read: ")


def test_settings_without_names_are_none_and_that_is_said(runs_in, tmp_path):
    (tmp_path / "hparams.yaml").write_text("[1, 2]")
    (tmp_path / "metrics.csv").write_text("step,loss\n1,0.5\n")
    ((_, run),) = runs_in(tmp_path)[0].values()
    assert run.params == {}
    assert run.notes[0].endswith("it holds a list and no settings by name")


def test_objects_in_settings_are_not_made(runs_in, tmp_path):
    (tmp_path / "hparams.yaml").write_text(
        "lr: 0.1\nout: !!python/object/apply:os.system ['touch hacked']\n"
        "mode: !!python/name:os.system ''\nnone:\n"
    )
    (tmp_path / "metrics.csv").write_text("step,loss\n1,0.5\n")
    ((_, run),) = runs_in(tmp_path)[0].values()
    assert run.params == {
        "lr": "0.1",
        "out": "<object/apply:os.system>",
        "mode": "<name:os.system>",
        "none": "None",
    }


def test_another_training_into_the_same_folder_is_another_run(runs_in, tmp_path):
    for step, loss in ((2, 1.0), (4, 0.5), (3, 7.0)):
        history = [{"step": one, "loss": loss / one} for one in range(1, step + 1)]
        folder = tmp_path / "out" / f"checkpoint-{step}"
        folder.mkdir(parents=True)
        (folder / "trainer_state.json").write_text(f'{{"log_history": {history}}}'.replace("'", '"'))
    runs, _ = runs_in(tmp_path, kind="transformers")
    assert sorted(run.source for _, run in runs.values()) == [
        f"out/checkpoint-{step}/trainer_state.json" for step in (2, 3, 4)
    ]


@pytest.mark.parametrize(
    ("files", "runs"),
    [
        (
            {"train_loss": "loss", "val_loss": "loss", "train_acc": "acc", "val_acc": "acc"},
            {"exp": {"train/loss", "val/loss", "train/acc", "val/acc"}},
        ),
        ({"learn_error": "Logloss", "test_error": "Logloss"}, {"exp": {"train/Logloss", "test/Logloss"}}),
        (
            {"train_a": "acc", "test_a": "acc", "train_b": "acc", "test_b": "acc"},
            {"a": {"train/acc", "test/acc"}, "b": {"train/acc", "test/acc"}},
        ),
        (
            {"eval_a": "train_acc,val_acc", "test_a": "train_acc,val_acc"},  # runs, whatever they are called
            {"eval_a": {"train_acc", "val_acc"}, "test_a": {"train_acc", "val_acc"}},
        ),
        (
            {f"run-{run}-tag-epoch_loss": "Value" for run in ("train", "validation", "b_train")},
            {"exp": {"train/epoch_loss", "validation/epoch_loss"}, "b_train": {"epoch_loss"}},
        ),
    ],
)
def test_tables_of_a_split_each_are_the_run_that_their_names_tell(runs_in, tmp_path, files, runs):
    folder = tmp_path / "exp"
    folder.mkdir()
    for number, (name, columns) in enumerate(files.items()):
        cells = ",".join(f"0.{number}{i}" for i in range(columns.count(",") + 1))
        (folder / f"{name}.csv").write_text(f"Step,{columns}\n1,{cells}\n2,{cells}\n")
    found, _ = runs_in(folder)
    assert {name: set(curves) for name, (curves, _) in found.items()} == runs
