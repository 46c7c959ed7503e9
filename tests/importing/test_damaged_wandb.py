"""A W&B file some records of which make no sense: each costs itself only, and is counted."""

import struct
import zlib

import pytest

from grokscope.importing import SourceKind
from grokscope.importing.formats import LogSource
from grokscope.importing.limits import Limits, Tally
from grokscope.importing.readers.wandb_files import read


def framed(content):
    head = struct.pack("<IHB", zlib.crc32(content, zlib.crc32(b"\x01")), len(content), 1)
    return head + content


@pytest.fixture(scope="module")
def protocol():
    from wandb.proto import wandb_internal_pb2  # noqa: PLC0415 - seconds

    return wandb_internal_pb2


def history(protocol, **values):
    record = protocol.Record()
    for name, text in values.items():
        item = record.history.item.add()
        item.key, item.value_json = name, text
    return record.SerializeToString()


def test_a_record_that_makes_no_sense_costs_itself_only_and_is_counted(protocol, tmp_path):
    run, end = protocol.Record(), protocol.Record()
    run.run.run_id = run.run.display_name = "r1"
    end.exit.exit_code = 0
    rows = [
        history(protocol, loss="3.0", _step="0", _timestamp="1700000000.5"),
        history(protocol, loss="2.5", _step="1", _timestamp="Infinity"),
        history(protocol, loss="2.0", _step="2", _timestamp="NaN"),
        history(protocol, loss="1.5", _step="3", _timestamp="1e300"),
        history(protocol, loss="9.0", _step="1e300", _timestamp="1700000001"),
        history(protocol, loss="9.0", _step="NaN", _timestamp="1700000001"),
        b"\xff\xff\xff no record",
        history(protocol, loss="1.0", _step="4", _timestamp="1700000002"),
    ]
    records = [run.SerializeToString(), *rows, end.SerializeToString()]
    path = tmp_path / "run-r1.wandb"
    path.write_bytes(b":W&B\xe1\xbe\x00" + b"".join(map(framed, records)))
    source = LogSource(kind=SourceKind.WANDB, files=(path,), root=tmp_path)
    (log,) = read(source, Tally(Limits()))
    assert log.points.rows() == [
        ("loss", 0, 1700000000500, 3.0),
        ("loss", 1, None, 2.5),
        ("loss", 2, None, 2.0),
        ("loss", 3, None, 1.5),
        ("loss", 4, 1700000002000, 1.0),
    ]
    assert log.run.notes == (
        "3 of its records make no sense and are left out",
        "3 of its calls of log have a time that is none, and get the file's",
    )
