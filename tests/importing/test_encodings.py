"""Texts in the encodings, and with the ends of lines, that systems write; and tables that were begun anew."""

import json

import pytest

from grokscope.importing import find_source, parse_source
from grokscope.importing.steps import FALL_BACK

LINES = "".join(f"epoch {i} train_loss {2 / i} val_loss {3 / i}\r\n" for i in (1, 2, 4))
TABLE = "epoch,train_loss,val_loss\n1,2.0,3.0\n2,1.0,1.5\n4,0.5,0.75\n"
RECORDS = "".join(
    json.dumps({"epoch": i, "train_loss": 2 / i, "val_loss": 3 / i}) + "\r\n" for i in (1, 2, 4)
)
CURVES = {"train_loss": {1: 2.0, 2: 1.0, 4: 0.5}, "val_loss": {1: 3.0, 2: 1.5, 4: 0.75}}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le"])
@pytest.mark.parametrize(
    ("name", "text"), [("out.txt", LINES), ("out.csv", TABLE), ("out.jsonl", RECORDS), ("out.log", TABLE)]
)
def test_a_log_is_read_in_any_encoding_that_windows_writes(runs_in, tmp_path, encoding, name, text):
    mark = "\ufeff" if encoding == "utf-16-le" else ""
    (tmp_path / name).write_bytes((mark + text).encode(encoding))
    (tmp_path / "config.json").write_bytes(json.dumps({"lr": 0.5}).encode(encoding))
    ((curves, run),) = runs_in(tmp_path)[0].values()
    assert curves == CURVES
    assert run.params == {"lr": "0.5"}


def test_lines_that_end_as_on_old_macs_are_rows(runs_in, tmp_path):
    (tmp_path / "out.csv").write_bytes(TABLE.replace("\n", "\r").encode())
    ((curves, _),) = runs_in(tmp_path)[0].values()
    assert curves == CURVES


def test_a_table_without_rows_is_said_to_have_none(tmp_path):
    (tmp_path / "new.csv").write_text("epoch,train_loss\n")
    (tmp_path / "out.csv").write_text(TABLE)
    (left,) = parse_source(find_source(str(tmp_path))).skipped
    assert left.reason == "'new.csv': it has a header and no rows; nothing was written below it yet"


def test_a_table_that_was_begun_anew_says_so_and_one_that_goes_on_does_not(runs_in, tmp_path):
    header = TABLE.partition("\n")[0]
    (tmp_path / "anew.csv").write_text(TABLE + header + "\n" + "1,1.75,2.5\n")
    (tmp_path / "on.csv").write_text(TABLE + header + "\n" + "8,0.25,0.5\n")
    (tmp_path / "twice.csv").write_text("step,a,b\n1,0.5,\n1,0.5,0.25\n2,0.75,\n")
    found = runs_in(tmp_path)[0]
    assert {name: run.notes for name, (_, run) in found.items()} == {
        "anew": (FALL_BACK,),
        "on": (),
        "twice": (),
    }
    assert found["anew"][0]["train_loss"] == {1: 1.75, 2: 1.0, 4: 0.5}
