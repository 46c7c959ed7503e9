"""Logs that the tools themselves wrote arrive whole, and arrive once; cut ones as far as they are whole.

All tests of such logs are here, since writing them takes longer than reading them.
"""

import math
import shutil
import struct

import polars as pl
import pytest

from grokscope.importing import ImportingError, find_source, parse_source
from grokscope.importing.readers.wandb_files import records
from grokscope.schemas.names import stored_name
from grokscope.store import open_store

LOSSES = {i * 10: 1 / (i + 1) for i in range(5)}


def test_tensorboard_is_a_run_a_folder_with_its_hparams(bring, held, tensorboard_logs):
    assert bring(tensorboard_logs) == (2, 0, 2 * 13)
    curves, params, tags, row = held("seed 1")
    assert curves["Loss/train"] == pytest.approx({i: 1 / (i + 1) + 1 for i in range(5)}, rel=1e-6)
    assert curves["Acc/test"] == {i: i / 4 for i in range(5)}
    assert math.isnan(curves[stored_name("odd[0]")][1])
    assert curves[stored_name("odd[0]")][2] == -math.inf
    assert curves["hp/last"] == {0: 1.0}
    assert params == {"lr": "0.1", "opt": "adam"}
    assert (tags["grokscope.import.kind"], tags["grokscope.import.source"]) == ("tensorboard", "seed 1")
    assert (row["experiment"], row["status"]) == ("imported", "FINISHED")
    assert row["start_ms"] <= row["end_ms"]


def test_wandb_offline_runs_keep_config_project_group_and_clock(bring, held, wandb_logs):
    assert bring(wandb_logs) == (1, 0, 20)
    curves, params, tags, row = held("my run ü")
    assert curves["train/loss"] == LOSSES
    assert curves["eval.x"] == {i * 10: float(i) for i in range(5)}
    assert math.isnan(curves["val_acc"].pop(20))
    assert curves["val_acc"] == {0: 0.0, 10: 0.25, 30: 0.75, 40: 1.0}
    assert set(curves["up"].values()) == {math.inf}
    assert params == {"lr": "0.1", "model.n_layer": "2", "api_key": "[withheld]", "group": "g"}
    assert row["experiment"] == "grok"
    assert len(tags["wandb.run_id"]) == 8


def test_trackio_projects_are_read_where_they_lie(bring, held, trackio_logs):
    before = {path.name: path.stat().st_mtime_ns for path in trackio_logs.iterdir()}
    assert bring(trackio_logs) == (1, 0, 10)
    curves, params, _, row = held("r1")
    assert curves["n.a"] == {i * 10: float(i) for i in range(5)}
    assert math.isnan(curves["val_acc"][10])
    assert curves["val_acc"][20] == math.inf
    assert (params, row["experiment"]) == ({"lr": "0.1", "m.d": "2", "group": "g"}, "proj")
    assert {path.name: path.stat().st_mtime_ns for path in trackio_logs.iterdir()} == before


def test_checkpoints_of_one_trainer_are_one_run_whose_bare_loss_is_the_training_loss(
    bring, held, trainer_logs
):
    assert {run.kind for run in parse_source(find_source(str(trainer_logs))).runs} == {"transformers"}
    made, found, points = bring(trainer_logs)
    curves, params, _, _ = held("my-model")
    assert (made, found, points) == (1, 0, sum(map(len, curves.values())))
    assert list(curves["loss"]) == [1, 2, 3, 4]
    assert list(curves["eval_loss"]) == [2, 4]
    assert params["max_steps"] == "4"


@pytest.mark.parametrize("logs", ["tensorboard_logs", "wandb_logs", "trackio_logs", "trainer_logs"])
def test_importing_twice_from_another_place_adds_nothing(bring, uri, request, tmp_path, logs):
    source = request.getfixturevalue(logs)
    made, _, _ = bring(source)
    before = open_store(uri).points(open_store(uri).runs()["run_id"].to_list())
    moved = shutil.copytree(source, tmp_path / "moved" / source.name)
    assert bring(moved) == (0, made, 0)
    after = open_store(uri).points(open_store(uri).runs()["run_id"].to_list())
    assert after.equals(before)


def test_a_source_that_has_grown_adds_only_what_is_new(bring, trainer_logs, tmp_path):
    (first,) = trainer_logs.glob("*/checkpoint-2")
    (second,) = trainer_logs.glob("*/checkpoint-4")
    _, _, early = bring(first)
    assert bring(second)[:2] == (0, 1)
    assert bring(first) == (0, 1, 0)
    assert early > 0


def test_event_files_that_go_on_add_their_tail(bring, held, tensorboard_logs, tmp_path):
    (whole,) = (path for path in (tensorboard_logs / "seed 0").iterdir() if path.is_file())
    cut = tmp_path / "log" / whole.name
    cut.parent.mkdir()
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    _, _, early = bring(cut.parent)
    cut.write_bytes(whole.read_bytes())
    assert bring(cut.parent) == (0, 1, 12 - early)
    assert held("log")[0]["Acc/test"] == {i: i / 4 for i in range(5)}


def test_a_later_attempt_at_a_step_wins_as_in_the_tool(bring, held, tmp_path):
    from torch.utils.tensorboard import SummaryWriter  # noqa: PLC0415 - seconds, and only here

    with SummaryWriter(tmp_path / "resumed") as writer:
        for time, step, value in ((1e9, 1, 0.1), (1e9 + 1, 2, 0.2), (1e9 + 5, 2, 0.3)):
            writer.add_scalar("loss", value, step, walltime=time)
    assert bring(tmp_path / "resumed") == (1, 0, 2)
    assert held("resumed")[0]["loss"] == pytest.approx({1: 0.1, 2: 0.3})
    times = open_store(f"sqlite:///{tmp_path}/mlflow.db")
    assert times.points([held("resumed")[3]["run_id"]])["time_ms"].to_list() == [10**12, 10**12 + 5000]


def test_an_interrupted_import_goes_on_where_it_stopped(uri, wandb_logs, held, bring, monkeypatch):
    from grokscope.importing import plan_import, write_plan, writing  # noqa: PLC0415

    source = find_source(str(wandb_logs))
    plan = plan_import(parse_source(source), source, uri=uri, experiment=None)
    monkeypatch.setattr(writing, "METRICS_A_CALL", 7)
    next(write_plan(plan, uri=uri))
    assert held("my run ü")[3]["status"] == "RUNNING"
    assert bring(wandb_logs) == (0, 1, 13)
    assert held("my run ü")[3]["status"] == "FINISHED"
    assert isinstance(plan[0].known, pl.DataFrame)


def test_a_trainers_checkpoints_its_tensorboard_and_its_wandb_are_one_run(trainer_logs, runs_in):
    runs, skipped = runs_in(trainer_logs)
    ((curves, run),) = runs.values()
    assert (run.kind, run.source) == ("transformers", "my-model/checkpoint-4/trainer_state.json")
    assert run.notes == ("it is the newest of 2 states of one training; the others are parts of it",)
    assert (list(curves["loss"]), list(curves["eval_loss"])) == ([1, 2, 3, 4], [2, 4])
    (tensorboard,) = (one for one in skipped.values() if "runs/" in one.path)
    assert not tensorboard.is_error
    assert tensorboard.reason.startswith("is the same run as my-model/checkpoint-4/trainer_state.json")
    runs, skipped = runs_in(trainer_logs.parent)
    assert [(run.kind, run.name) for _, run in runs.values()] == [("wandb", "hf")]
    assert sum("is the same run as wandb/" in one.reason for one in skipped.values()) == 2


def test_an_event_file_that_was_cut_gives_what_comes_before_and_a_length_bomb_is_refused(
    tmp_path, tensorboard_logs
):
    from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import masked_crc32c  # noqa: PLC0415 - seconds

    (whole,) = (path for path in (tensorboard_logs / "seed 0").iterdir() if path.is_file())
    path = tmp_path / whole.name
    path.write_bytes(whole.read_bytes() + whole.read_bytes()[24:60])
    points = parse_source(find_source(str(path))).points
    assert points.filter(pl.col("metric") == "Acc/test").height == 5
    head = struct.pack("<Q", 2**40)
    path.write_bytes(whole.read_bytes() + head + struct.pack("<I", masked_crc32c(head)) + b"x")
    with pytest.raises(ImportingError, match="reading it takes more than 6,144 MiB"):
        parse_source(find_source(str(path)))


def test_a_run_file_that_is_cut_anywhere_keeps_its_whole_records(wandb_logs, tmp_path):
    (path,) = wandb_logs.glob("offline-run*/*.wandb")
    content = path.read_bytes()
    assert len(content) > 32 * 1024  # some records are split over blocks

    def read(data):
        (tmp_path / "cut").write_bytes(data)
        with (tmp_path / "cut").open("rb") as file:
            return list(records(file, limit=1 << 20))

    whole = read(content)
    for end in range(0, len(content), 997):
        kept = read(content[:end])
        assert kept == whole[: len(kept)]
    for place in range(7, len(content), 4999):
        flipped = bytes([content[place] ^ 1])
        kept = read(content[:place] + flipped + content[place + 1 :])
        assert kept == whole[: len(kept)]
    with pytest.raises(ImportingError, match="a record of more than 100 bytes"), path.open("rb") as file:
        list(records(file, limit=100))
