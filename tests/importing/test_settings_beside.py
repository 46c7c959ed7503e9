"""Settings that lie beside a log, in whatever a program writes them, read as plain data."""

# ruff: noqa: E501, ISC004 -- lines of logs are as long as programs write them, and a case is one row

import json

import pytest

TABLE = "step,loss\n1,0.5\n2,0.25\n"
BOMB = "a0: &a0 [1, 1]\n" + "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 9))
MERGES = "a0: &a0 {k: 1}\n" + "".join(
    f"a{i}: &a{i} {{<<: [{', '.join([f'*a{i - 1}'] * 9)}], k{i}: 1}}\n" for i in range(1, 9)
)

FILES = {
    "args.json": (json.dumps({"lr": 0.1, "net": {"width": 8}, "api_key": "abc"}),
                  {"lr": "0.1", "net.width": "8", "api_key": "[withheld]"}),
    "config.yaml": ("base: &base {lr: 0.1, width: 8}\nmodel:\n  <<: *base\n  width: 16\nlist: &l [1, 2]\nagain: *l\n",
                    {"base.lr": "0.1", "base.width": "8", "model.lr": "0.1", "model.width": "16", "list": "[1, 2]",
                     "again": "[1, 2]"}),
    "opt.yaml": ("!!python/object:argparse.Namespace\nlr: 0.1\npath: !!python/object/apply:pathlib.PosixPath [a]\n",
                 {"lr": "0.1", "path": "<object/apply:pathlib.PosixPath>"}),
    "config.toml": ("lr = 0.1\n[net]\nwidth = 8\n", {"lr": "0.1", "net.width": "8"}),
    "args.txt": ("Namespace(lr=0.1, name='a b', gpus=[0, 1], device=device(type='cuda'))\n",
                 {"lr": "0.1", "name": "a b", "gpus": "[0, 1]", "device": "device(type='cuda')"}),
    "train_opt.txt": ("----------------- Options ---------------\n             batch_size: 16    \t[default: 8]\n"
                      "                   name: x\n----------------- End -------------------\n",
                      {"batch_size": "16", "name": "x"}),
    "config.json": (json.dumps({"n_layer": 2, "id2label": {str(i): f"label {i}" for i in range(200)}}), {"n_layer": "2"}),
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_settings_of_any_make_are_the_params_of_the_log_beside_them(runs_in, tmp_path, name):
    text, params = FILES[name]
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "metrics.csv").write_text(TABLE)
    (tmp_path / "run" / name).write_text(text)
    runs, skipped = runs_in(tmp_path)
    ((curves, run),) = runs.values()
    assert (curves, run.params) == ({"loss": {1: 0.5, 2: 0.25}}, params)
    assert run.notes == (f"its settings are those in {name} beside it",)
    assert not any(one.is_error for one in skipped.values())


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (BOMB, "it stands for more than 100,000 values"),
        (MERGES, "it stands for more than 100,000 values"),
        ("a: &a [*a]\n", "one of its aliases stands for what it is a part of"),
        ("a: [\n", "while parsing a flow node"),
        ("a: 1\n" * 300_000, "more than 1,048,576 bytes"),
    ],
)
def test_settings_that_are_broken_or_malicious_cost_only_themselves_and_are_said(
    runs_in, tmp_path, made, said
):
    (tmp_path / "metrics.csv").write_text(TABLE)
    (tmp_path / "config.yaml").write_text(made)
    (tmp_path / "args.json").write_text('{"lr": 0.1}')
    ((curves, run),) = runs_in(tmp_path)[0].values()
    assert (curves["loss"], run.params) == ({1: 0.5, 2: 0.25}, {"lr": "0.1"})
    assert any(f"its config.yaml cannot be read: {said}" in note for note in run.notes)


def test_each_job_of_a_multirun_of_hydras_has_its_own_settings(runs_in, tmp_path):
    for job, lr in enumerate((0.1, 0.01)):
        folder = tmp_path / "multirun" / "2024-01-01" / str(job)
        (folder / ".hydra").mkdir(parents=True)
        (folder / ".hydra" / "config.yaml").write_text(f"optimizer:\n  lr: {lr}\nseed: 1\n")
        (folder / ".hydra" / "hydra.yaml").write_text("hydra: {}\n")
        (folder / "csv" / "version_0").mkdir(parents=True)
        (folder / "csv" / "version_0" / "metrics.csv").write_text(f"step,loss\n1,{lr}\n2,{lr / 2}\n")
        (folder / "csv" / "version_0" / "hparams.yaml").write_text("seed: 2\n")
    runs, skipped = runs_in(tmp_path)
    assert {name: run.params for name, (_, run) in runs.items()} == {
        f"multirun/2024-01-01/{job}/csv/version_0": {"optimizer.lr": lr, "seed": "2"}
        for job, lr in enumerate(("0.1", "0.01"))
    }
    assert not any(one.is_error for one in skipped.values())


def test_settings_are_not_read_through_links_nor_from_outside_the_source(runs_in, tmp_path):
    (tmp_path / "secret.json").write_text('{"lr": 0.1}')
    (tmp_path / ".hydra").mkdir()
    (tmp_path / ".hydra" / "config.yaml").write_text("lr: 0.1\n")
    (tmp_path / "log").mkdir()
    (tmp_path / "log" / "metrics.csv").write_text(TABLE)
    (tmp_path / "log" / "args.json").symlink_to(tmp_path / "secret.json")
    ((_, run),) = runs_in(tmp_path / "log")[0].values()
    assert (dict(run.params), run.notes) == ({}, ())


def test_settings_beside_a_table_of_several_runs_are_of_none_of_them(runs_in, tmp_path):
    (tmp_path / "config.yaml").write_text("lr: 0.1\n")
    (tmp_path / "all.csv").write_text("run,step,loss\na,1,0.5\na,2,0.25\nb,1,1.5\nb,2,1.25\n")
    runs, _ = runs_in(tmp_path)
    assert {name: (dict(run.params), run.notes) for name, (_, run) in runs.items()} == {
        "a": ({}, ()),
        "b": ({}, ()),
    }


def test_settings_that_changed_are_read_again(runs_in, tmp_path):
    (tmp_path / "metrics.csv").write_text(TABLE)
    found = []
    for lr in ("0.1", "0.25"):
        (tmp_path / "config.yaml").write_text(f"lr: {lr}\n")
        ((_, run),) = runs_in(tmp_path)[0].values()
        found.append(run.params)
    assert found == [{"lr": "0.1"}, {"lr": "0.25"}]


def test_secrets_that_folders_and_settings_are_called_by_do_not_reach_the_store(bring, held, tmp_path):
    # Hydra calls the folder of a run by what was set for it.
    folder = tmp_path / "logs" / "api_key=abcdef1234567890,lr=0.5"
    folder.mkdir(parents=True)
    (folder / "log.csv").write_text("step,loss\n1,0.5\n2,0.25\n")
    (folder / "config.yaml").write_text("lr: 0.5\npassword: hunter2\n? https://ann:hunter2@host/x\n: 1\n")
    assert bring(tmp_path / "logs") == (1, 0, 2)
    curves, params, tags, _ = held("api_key=[withheld],lr=0.5")
    assert curves == {"loss": {1: 0.5, 2: 0.25}}
    assert params == {"lr": "0.5", "password": "[withheld]", "https:/host/x-36701dd4": "1"}
    assert tags["grokscope.import.source"] == "api_key=[withheld],lr=0.5/log.csv"
    stored = (tmp_path / "mlflow.db").read_bytes()
    assert b"hunter2" not in stored
    assert b"abcdef1234567890" not in stored
    assert bring(tmp_path / "logs") == (0, 1, 0)
