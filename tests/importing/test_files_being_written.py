"""Logs that change while they are read: whole lines have their values, the next import adds what is new."""

import json

import pytest

from grokscope.importing import find_source, parse_source
from grokscope.importing.growing import HALF
from grokscope.importing.limits import Limits, Tally
from grokscope.importing.readers.text.lines import lines_of

BLOCK = 4096


def row(step):
    return f"{step},{1 / (step + 1):.9f},{2 / (step + 1):.9f}\n"


@pytest.mark.parametrize(
    ("name", "head", "line"),
    [
        ("log.csv", "step,train_loss,val_loss\n", row),
        ("train.log", "", lambda step: f"step {step}: train_loss {1 / (step + 1):.9f}\n"),
        ("log.jsonl", "", lambda step: json.dumps({"step": step, "loss": 1 / (step + 1)}) + "\n"),
    ],
)
def test_of_a_file_that_is_written_in_blocks_whole_lines_alone_are_read(name, head, line, runs_in, tmp_path):
    half = (head + "".join(map(line, range(500)))).encode()[:BLOCK]
    assert not half.endswith(b"\n")
    path = tmp_path / name
    path.write_bytes(half)
    ((curves, run),) = runs_in(path)[0].values()
    values = curves["train_loss" if "train_loss" in curves else "loss"]
    assert list(values) == list(range(half.count(b"\n") - bool(head)))
    assert [value * (step + 1) for step, value in values.items()] == pytest.approx(
        [1.0] * len(values), abs=1e-6
    )
    assert any(word in " ".join(run.notes) for word in (HALF, "are no JSON and left out"))


def test_a_line_that_was_half_on_the_disk_comes_whole_with_the_next_import(bring, held, tmp_path):
    content = "step,train_loss,val_loss\n" + "".join(map(row, range(200)))
    path = tmp_path / "log.csv"
    path.write_text(content[:BLOCK])
    whole = content[:BLOCK].count("\n") - 1
    assert bring(path) == (1, 0, 2 * whole)
    path.write_text(content)
    assert bring(path) == (0, 1, 2 * (200 - whole))
    curves, _, _, _ = held("log")
    assert curves["train_loss"] == {step: float(row(step).split(",")[1]) for step in range(200)}


def test_a_last_line_without_an_end_is_whole_where_nobody_writes(runs_in, tmp_path):
    (tmp_path / "log.csv").write_text("step,loss\n1,0.5\n2,0.25")
    runs, _ = runs_in(tmp_path / "log.csv")
    assert runs["log"][0] == {"loss": {1: 0.5, 2: 0.25}}
    assert runs["log"][1].notes == ()


def test_a_line_that_is_written_while_the_file_is_read_is_left_out_and_said(tmp_path):
    path, tally = tmp_path / "train.log", Tally(Limits())
    path.write_text("step 1: loss 0.5\nstep 2: loss 0.")
    lines = lines_of(path, tally)
    assert next(lines) == "step 1: loss 0.5\n"
    with path.open("a") as log:
        log.write("2")
    assert (list(lines), tally.half) == ([], {path})
    (tmp_path / "log.csv").write_text("step,loss\n" + "1,0.250000\n" * 371 + "2,0.3")
    assert (tmp_path / "log.csv").stat().st_size == BLOCK
    (run,) = parse_source(find_source(str(tmp_path / "log.csv"))).runs
    assert HALF in run.notes


def test_a_file_that_goes_between_listing_and_reading_costs_no_other(tmp_path):
    for name in ("a", "b", "c"):
        (tmp_path / f"{name}.csv").write_text("step,loss\n1,0.5\n2,0.25\n")
    source = find_source(str(tmp_path))
    (tmp_path / "b.csv").unlink()
    (tmp_path / "c.csv").write_text("")  # rotated
    parsed = parse_source(source)
    assert [run.name for run in parsed.runs] == ["a"]
    assert [(one.path, one.reason.partition(";")[0]) for one in parsed.skipped] == [
        ("b.csv", "cannot be opened: No such file or directory"),
        ("c.csv", "'c.csv' is empty"),
    ]
