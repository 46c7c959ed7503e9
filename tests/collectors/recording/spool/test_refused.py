"""A spool that nobody can send as it is: the sentence about it holds what mends it."""

import json
import re

import pytest

from grokscope.collectors.recording.spool import (
    Meta,
    SpoolWriter,
    prepare_spool,
    publish_spool,
    read_meta,
    why_refused,
)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("r.3-7-5000", Meta(run_id="r", name="r", attempt=3, start_ms=5000, store="S", experiment="E")),
        ("renamed", Meta(run_id="renamed", name="renamed", store="S", experiment="E")),
    ],
)
def test_what_is_told_to_be_written_for_a_lost_meta_is_one_and_as_much_as_the_name_tells(
    tmp_path, name, expected
):
    made = publish_spool(prepare_spool(tmp_path, Meta(run_id="r", store="s", experiment="e", name="n")))
    folder = made.rename(made.with_name(name))
    writer = SpoolWriter(folder)
    writer.points(0, 1000, {"m": 1.0, "n": 2.0})
    writer.close()
    (folder / "meta.json").unlink()
    told = why_refused(folder)
    assert "its 2 points (in 1 segments)" in told
    meta = json.loads(re.search(r"write one with (\{.*\}), put", told)[1])
    (folder / "meta.json").write_text(json.dumps(meta | {"store": "S", "experiment": "E"}))
    (folder / "meta.json").chmod(0o600)
    read = read_meta(folder)
    assert read is not None
    keys = ("run_id", "name", "attempt", "start_ms", "store", "experiment")
    assert [getattr(read, key) for key in keys] == [getattr(expected, key) for key in keys]
    assert meta["version"] == 2
