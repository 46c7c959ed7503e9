"""A spool of the first version, kept byte by byte, is read by this one; a later version's is refused."""

import json
import math
import shutil
from pathlib import Path

import pytest

from grokscope.collectors.recording.ship import backlogs
from grokscope.collectors.recording.spool import (
    Cursor,
    Event,
    SpoolWriter,
    prepare_spool,
    publish_spool,
    read_cursor,
    read_meta,
    read_spool,
)

GOLDEN = Path(__file__).with_name("golden")


@pytest.fixture
def golden(tmp_path) -> Path:
    """Give a copy that is this user's alone, as a spool has to be; a checkout may be anybody's."""
    folder = tmp_path / "golden"
    folder.mkdir(mode=0o700)
    for path in GOLDEN.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
        (folder / path.name).chmod(0o600)
    return folder


def test_a_spool_of_the_first_version_is_read_whole(golden):
    assert read_cursor(golden) == Cursor(segment=0, offset=8)
    *points, end = (read.record for read in read_spool(golden, read_cursor(golden)))
    assert [(p.step, p.time_ms, p.keys) for p in points] == [
        (0, 1000, ("train/loss",)),
        (1, 1001, ("train/loss", "test/loss")),
        (-2, 1002, ("train/loss",)),
        (2**63 - 1, 1003, ("test/accuracy",)),
    ]
    first, second, third, fourth = (p.values for p in points)
    assert (first, fourth) == ((2.5,), (5e-324,))
    assert math.isnan(second[0])
    assert (second[1], math.copysign(1.0, third[0]), third) == (-math.inf, -1.0, (0.0,))
    assert end == Event(content={"event": "end", "status": "FINISHED", "time_ms": 1004})


def test_what_the_first_version_said_of_a_run_is_understood(golden):
    meta = read_meta(golden)
    assert (meta.run_id, meta.params, meta.start_ms, meta.attempt) == ("golden", {"lr": "0.1"}, 999, 1)
    assert (meta.host, meta.kernel) == ("h", "")


def test_this_version_still_writes_those_very_bytes(tmp_path):
    writer = SpoolWriter(tmp_path)
    writer.points(0, 1000, {"train/loss": 2.5})
    writer.points(1, 1001, {"train/loss": math.nan, "test/loss": -math.inf})
    writer.points(-2, 1002, {"train/loss": -0.0})
    writer.close()
    assert (tmp_path / "000000.seg").read_bytes() == (GOLDEN / "000000.seg").read_bytes()


def test_a_spool_of_a_later_version_is_refused_with_a_sentence_and_left_as_it_is(tmp_path, golden):
    folder = publish_spool(prepare_spool(tmp_path, read_meta(golden)))
    shutil.copy(golden / "000000.seg", folder)
    later = json.loads((GOLDEN / "meta.json").read_text()) | {"version": 3}
    (folder / "meta.json").write_text(json.dumps(later))
    (refused,) = backlogs(tmp_path)
    assert "of a later version of grokscope" in refused.stuck[0]
    assert (folder / "000000.seg").read_bytes() == (GOLDEN / "000000.seg").read_bytes()
