"""Each format of logs is in the list once, and the first that recognises a file reads it."""

import pytest

from grokscope.importing.formats import SourceKind
from grokscope.importing.readers import FORMATS, format_of
from grokscope.importing.recognition import KNOWN

FILES = {
    "events.out.tfevents.1": (b"\x00", SourceKind.TENSORBOARD),
    "run-1.wandb": (b":W&B\x00", SourceKind.WANDB),
    "trainer_state.json": (b"{}", SourceKind.TRANSFORMERS),
    "other.json": (b'{"epoch": 1, "log_history": [', SourceKind.TRANSFORMERS),
    "columns.json": (b'{"loss": [1.0]}', SourceKind.TABLE),
    "project.db": (b"SQLite format 3\0", SourceKind.TRACKIO),
    "curves.csv": (b"step,loss\n", SourceKind.TABLE),
    "train.log": (b"step 1: loss 2\n", None),
}


def test_every_kind_has_one_format_and_all_are_named_where_nothing_is_recognised():
    assert sorted(one.kind for one in FORMATS) == sorted(SourceKind)
    assert all(format_of(kind).shown in KNOWN for kind in SourceKind)


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_of_the_first_format_that_recognises_it(kinds_in, tmp_path, name):
    content, kind = FILES[name]
    (tmp_path / name).write_bytes(content)
    assert kinds_in(tmp_path) == ([] if kind is None else [kind])
