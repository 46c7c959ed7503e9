"""A folder as people have it: several kinds, files that are no logs, and broken ones, each told apart."""

import gzip
import json
import os
from pathlib import Path

import pytest

from grokscope.importing import ImportingError, Limits, Skipped, find_source, parse_source
from grokscope.importing.recognition import groups_in
from grokscope.store import open_store

POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a21\nsize 12345\n"


def test_every_kind_in_a_folder_is_read_and_what_is_no_log_is_passed_over(events, runs_in, tmp_path):
    events(tmp_path / "tb", {"loss": {0: 2.0}})
    (tmp_path / "curves.csv").write_text("step,loss\n1,0.5\n")
    (tmp_path / "config.json").write_text('{"n_layer": 2, "betas": [0.9, 0.98]}')
    (tmp_path / "list.json").write_text("[1, 2]")
    (tmp_path / "model.bin").write_bytes(bytes(100))
    history = [{"step": 1, "loss": 2.5}]
    (tmp_path / "trainer_state.json").write_text(json.dumps({"log_history": history}))
    runs, skipped = runs_in(tmp_path)
    assert sorted((run.kind, curves["loss"]) for curves, run in runs.values()) == [
        ("table", {1: 0.5}),
        ("tensorboard", {0: 2.0}),
        ("transformers", {1: 2.5}),
    ]
    assert sorted(skipped) == ["config.json", "list.json", "model.bin"]
    assert not any(one.is_error for one in skipped.values())
    assert list(runs_in(tmp_path, kind="table")[0]) == ["curves"]


def test_each_broken_file_is_named_and_the_others_are_read(events, runs_in, tmp_path):
    events(tmp_path / "good", {"loss": {0: 2.0}})
    events(tmp_path / "graph", {})
    (tmp_path / "packed.csv").write_bytes(gzip.compress(b"step,a\n1,2\n"))
    (tmp_path / "cut.jsonl").write_text('{"step": 1, "a": 2\n{"st')
    for name in ("pointer.csv", "events.out.tfevents.9.host.1", "run.wandb", "trackio.db", "weights.bin"):
        (tmp_path / name).write_text(POINTER)
    (tmp_path / "empty.csv").write_text("")
    (tmp_path / "fine.csv").write_text("step,a\n1,2\n")
    runs, skipped = runs_in(tmp_path)
    assert sorted(runs) == ["fine", "good"]
    errors = {path.partition("/")[0]: one.reason for path, one in skipped.items() if one.is_error}
    assert {path: reason.partition(";")[0].split("'")[-1] for path, reason in errors.items()} == {
        "graph": " has event files without a readable scalar (damaged, or only graphs and settings)",
        "packed.csv": " is packed with gzip",
        "cut.jsonl": errors["cut.jsonl"].partition(";")[0].split("'")[-1],
        **dict.fromkeys(
            ("pointer.csv", "events.out.tfevents.9.host.1", "run.wandb", "trackio.db"),
            " is a pointer of Git LFS and not the file itself",
        ),
        "empty.csv": " is empty",
    }
    assert "cannot be read as jsonl" in errors["cut.jsonl"]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.csv", POINTER, "run: git lfs pull"),
        ("a.csv", "", "'a.csv' is empty"),
        ("a.csv", "x,y\n1,2\n", "no column of steps"),
    ],
)
def test_a_file_that_is_asked_for_and_is_no_log_is_refused(tmp_path, name, content, said):
    (tmp_path / name).write_text(content)
    with pytest.raises(ImportingError, match=said):
        parse_source(find_source(str(tmp_path / name)))


def test_a_file_that_its_reader_dies_of_costs_no_other(tmp_path):
    (tmp_path / "a.csv").write_text("step,loss\n1,0.5\n")
    (tmp_path / "b.log").write_text("x")
    rows = [{"_step": 1, "text": "x" * 1000}] * 40_000
    (tmp_path / "fat.json").write_text(json.dumps(rows))
    parsed = parse_source(find_source(str(tmp_path)), limits=Limits(memory_bytes=400 << 20))
    assert [run.name for run in parsed.runs] == ["a"]
    assert [(one.path, one.is_error) for one in parsed.skipped] == [("fat.json", True), ("b.log", False)]
    assert "MiB" in parsed.skipped[0].reason


def test_one_seed_in_two_folders_is_two_runs_and_each_is_found_again_grown(bring, uri, tmp_path):
    def write(name, steps):
        (tmp_path / "logs" / name).mkdir(parents=True, exist_ok=True)
        rows = "".join(f"{step},{1 / (step + 1)}\n" for step in range(steps))
        (tmp_path / "logs" / name / "metrics.csv").write_text("step,loss\n" + rows)

    for name in ("b", "a", "c"):
        write(name, 3)
    assert bring(tmp_path / "logs") == (3, 0, 9)
    write("b", 5)
    assert bring(tmp_path / "logs") == (0, 3, 2)
    store = open_store(uri)
    runs = dict(store.runs().select("name", "run_id").iter_rows())
    assert sorted(runs) == ["a", "b", "c"]
    assert {name: store.points([run]).height for name, run in runs.items()} == {
        "a": 3,
        "b": 5,
        "c": 3,
    }


@pytest.fixture
def as_nobody():
    """Lose root's right to read everything, where the tests run as root."""
    before = os.geteuid()
    if before == 0:
        os.seteuid(65534)
    yield
    os.seteuid(before)


def test_what_may_not_be_read_is_named_and_the_rest_is_read(tmp_path, monkeypatch, request):
    monkeypatch.chdir(tmp_path)
    tmp_path.chmod(0o755)
    for name in ("fine", "closed", "secret"):
        folder = Path("logs", name)
        folder.mkdir(parents=True)
        (folder / "log.csv").write_text("step,loss\n1,0.5\n")
    assert len(groups_in(find_source("logs"), Limits())[0]) == 3  # loads what nobody may not load
    Path("logs/closed").chmod(0)
    Path("logs/secret/log.csv").chmod(0)
    request.getfixturevalue("as_nobody")
    source = find_source("logs")
    groups, skipped = groups_in(source, Limits())
    assert [group.files for group in groups] == [(Path("logs/fine/log.csv"),)]
    reason = "cannot be opened: Permission denied; was it moved, or may you read it?"
    assert source.left_out == (Skipped(path="closed", reason=reason, is_error=True),)
    assert skipped == [Skipped(path="secret/log.csv", reason=reason, is_error=True)]
    with pytest.raises(ImportingError, match=r"^'logs/closed/log\.csv' cannot be opened: Permission denied"):
        find_source("logs/closed/log.csv")
    with pytest.raises(ImportingError, match="cannot be opened: File name too long"):
        find_source("x" * 300)


def test_names_that_may_be_listed_and_no_more_are_told_and_the_rest_is_read(tmp_path, monkeypatch, request):
    monkeypatch.chdir(tmp_path)
    tmp_path.chmod(0o755)
    for folder in map(Path, ("hidden", "logs/fine", "logs/listed", "logs/listed/within")):
        folder.mkdir(parents=True)
        (folder / "log.csv").write_text("step,loss\n1,0.5\n")
    Path("logs/link.csv").symlink_to(Path("../hidden/log.csv"))
    Path("logs/listed").chmod(0o744)
    Path("hidden").chmod(0o700)
    request.getfixturevalue("as_nobody")
    source = find_source("logs")
    assert source.files == (Path("logs/fine/log.csv"),)
    denied = (True, "cannot be opened: Permission denied")
    assert sorted((one.path, one.is_error, one.reason.partition(";")[0]) for one in source.left_out) == [
        ("link.csv", False, "is a link that leads out of the folder"),
        ("listed/log.csv", *denied),
        ("listed/within", *denied),
    ]


def test_a_search_that_was_begun_too_far_up_ends_and_names_where_most_files_are(tmp_path):
    for name, count in (("few", 1), ("many", 4)):
        (tmp_path / name).mkdir()
        for i in range(count):
            (tmp_path / name / f"{i}.csv").write_text("step,loss\n1,0.5\n")
    with pytest.raises(ImportingError, match=r"more than 3 files in .*/many' alone has \d of them"):
        find_source(str(tmp_path), limits=Limits(files=3))
