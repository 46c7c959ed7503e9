"""Files that are broken, huge or malicious: one clear sentence, and nothing else happens."""

import gzip
import json
import os
from dataclasses import replace

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grokscope.importing import ImportingError, Limits, SourceKind, find_source, parse_source, recognition
from grokscope.importing.formats import LogSource
from grokscope.importing.limits import Tally


def refusal(path, *, kind=None, patterns=(), **limits):
    with pytest.raises(ImportingError) as error:
        parse_source(find_source(str(path), kind=kind), patterns=patterns, limits=replace(Limits(), **limits))
    said = str(error.value)
    assert "\n" not in said
    return said


def test_what_is_no_log_is_told_with_what_can_be_imported(tmp_path):
    (tmp_path / "noise.bin").write_bytes(bytes(range(256)))
    assert "holds nothing that is recognised; importable: CatBoost's catboost_info, TensorBoard" in refusal(
        tmp_path
    )
    assert "there is no file or folder" in refusal(tmp_path / "gone")


def test_packed_files_are_not_unpacked(tmp_path):
    (tmp_path / "bomb.csv").write_bytes(gzip.compress(b"step,a\n" + b"1,2\n" * 10**6))
    assert "'bomb.csv' is packed with gzip; unpack it first" in refusal(tmp_path / "bomb.csv")


def test_an_mlflow_store_is_not_imported_but_opened(empty_store):
    assert "is an MLflow store and needs no importing; give it with --store" in refusal(empty_store)


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "log.csv")
    with pytest.raises(ImportingError, match=r"log.csv' is a pipe or a device, which cannot be read twice"):
        find_source(str(tmp_path / "log.csv"))
    with pytest.raises(ImportingError, match="'/dev/null' is a pipe or a device"):
        find_source("/dev/null")


def test_a_link_out_of_the_folder_is_not_followed_and_named(tmp_path):
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "secret.csv").write_text("step,x\n1,2\n")
    log = tmp_path / "log"
    log.mkdir()
    (log / "link.csv").symlink_to(tmp_path / "other" / "secret.csv")
    assert "link.csv is a link that leads out of the folder; to read it, give what it" in refusal(log)
    (log / "fine.csv").write_text("step,x\n1,2\n")
    (log / "folder").symlink_to(tmp_path / "other")
    (log / "latest").symlink_to(".")  # a loop
    (log / "broken").symlink_to("gone")
    os.mkfifo(log / "pipe.csv")
    parsed = parse_source(find_source(str(log)))
    assert [run.name for run in parsed.runs] == ["fine"]
    assert sorted((one.path, one.is_error) for one in parsed.skipped) == [
        ("folder", False),
        ("link.csv", False),
    ]


def test_a_missing_reader_is_named_with_its_extra(monkeypatch):
    monkeypatch.setattr("grokscope.schemas.extras.find_spec", lambda _: None)
    with pytest.raises(ImportingError, match=r"not installed; run: pip install 'grokscope\[importers\]'"):
        recognition.check_reader(SourceKind.TENSORBOARD)


def test_caps_stop_what_is_too_large(tmp_path):
    (tmp_path / "long.csv").write_text("step,a,b\n" + "".join(f"{i},1,2\n" for i in range(60)))
    assert "more than 100 points; raise the cap with --max-points" in refusal(
        tmp_path / "long.csv", points=100
    )
    # Six million rows in a few kilobytes: told by the footer, nothing is unpacked.
    pl.select(step=pl.repeat(1, 6 * 10**6), a=pl.repeat(0.5, 6 * 10**6)).write_parquet(
        tmp_path / "bomb.parquet"
    )
    assert (tmp_path / "bomb.parquet").stat().st_size < 10**6
    assert "6,000,000 rows, more than 1,000,000" in refusal(tmp_path / "bomb.parquet", points=10**6)
    (tmp_path / "wide.csv").write_text("step" + ",x" * 20_000 + "\n")
    assert "20,001 metrics or columns, more than 10,000" in refusal(tmp_path / "wide.csv")
    (tmp_path / "name.csv").write_text("step,metric,value\n1," + "n" * 5000 + ",1\n")
    assert "a name of 5,000 characters" in refusal(tmp_path / "name.csv")


def test_a_parser_that_needs_too_much_memory_or_time_is_ended(tmp_path):
    (tmp_path / "deep.json").write_text('{"log_history": ' + "[" * 10**5 + "]" * 10**5 + "}")
    assert "\n" not in refusal(tmp_path / "deep.json")
    (tmp_path / "slow.log").write_text("step 1: " + "a" * 40 + "!\n")
    said = refusal(
        tmp_path / "slow.log", patterns=[r"step (?P<step>\d+): (?P<x>(a+)+)$"], kind=SourceKind.TEXT, wall_s=4
    )
    assert "takes longer than 4 s; split it, simplify --pattern, or copy it to a local disk" in said
    rows = [{"_step": 1, "text": "x" * 1000}] * 40_000
    (tmp_path / "fat.json").write_text(json.dumps(rows))
    assert "MiB" in refusal(tmp_path / "fat.json", memory_bytes=400 << 20)


@pytest.mark.parametrize("ending", ["csv", "parquet", "jsonl", "json", "wandb", "db"])
def test_binary_garbage_under_any_name_is_one_sentence(tmp_path, ending):
    path = tmp_path / f"garbage.{ending}"
    start = {"wandb": b":W&B\xe1\xbe\x00", "db": b"SQLite format 3\0", "parquet": b"PAR1"}.get(ending, b"")
    path.write_bytes(start + bytes(i * 7919 % 256 for i in range(5000)))
    assert "garbage" in refusal(path)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_as_a_table_are_rows_or_one_sentence(tmp_path_factory, content):
    from grokscope.importing.readers.tables import read  # noqa: PLC0415 - not through the process: too slow

    path = tmp_path_factory.mktemp("any") / "any.csv"
    path.write_bytes(b"step,loss\n" + content)
    try:
        logs = list(read(LogSource(kind=SourceKind.TABLE, files=(path,), root=path.parent), Tally(Limits())))
    except ImportingError as error:
        logs, said = [], str(error)
    else:
        said = ""
    assert "\n" not in said
    assert all(log.points.height for log in logs)
