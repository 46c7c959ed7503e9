"""What a file costs is bounded by its size, whoever made it: counted, or compared with a larger one."""

import json
import sqlite3
import struct
import time
import tracemalloc
import zlib
from contextlib import closing
from dataclasses import replace

import polars as pl
import pytest

from grokscope.importing import (
    ImportingError,
    Limits,
    Parsed,
    find_source,
    parse_source,
    plan_import,
    planning,
    totals,
    write_plan,
)
from grokscope.importing.formats import LogSource, SourceKind
from grokscope.importing.limits import Tally
from grokscope.importing.readers.tables.files import read_table
from grokscope.importing.readers.tables.shapes import charts_apart
from grokscope.importing.readers.trackio_store import read
from grokscope.importing.readers.wandb_files import records
from grokscope.importing.worker import Asked, logs_frame, read_source

SCHEMA = (
    "CREATE TABLE configs (run_id TEXT, config TEXT)",
    "CREATE TABLE metrics (id INTEGER PRIMARY KEY, run_id, timestamp, run_name, step, metrics)",
)
ENDLESS = (
    "CREATE VIEW metrics AS WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n) "
    "SELECT id, 'r' AS run_id, '' AS timestamp, 'r' AS run_name, id AS step, '{}' AS metrics FROM n"
)


def test_the_kind_of_a_large_json_file_is_told_by_its_beginning(kinds_in, tmp_path):
    path = tmp_path / "large.json"
    path.write_text("[" + "{}," * 3_000_000 + "{}]")
    tracemalloc.start()
    try:
        assert kinds_in(tmp_path) == [SourceKind.TABLE]
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("content", "is_state"),
    [
        ('{"log_history": []}', True),
        ('\ufeff { "a": {"b": [1, "}"]}, "log_history" \n : [], "z": 1}', True),
        ('{"epoch": 1.0, "log_history": [' + '{"step": 1},' * 100_000, True),  # cut: as much as is looked at
        ('{"a\\"": "log_history", "b": {"log_history": 1}}', False),
        ('[{"log_history": 1}]', False),
        ('{"log_history', False),
        ('{"' + '\\"' * 40_000, False),
        ('"{' * 20_000 + "\\", False),
        ("", False),
    ],
)
def test_a_trainers_state_under_another_name_is_known_by_its_key(kinds_in, tmp_path, content, is_state):
    (tmp_path / "x.json").write_text(content or " ", "utf-8")
    assert kinds_in(tmp_path) == [SourceKind.TRANSFORMERS if is_state else SourceKind.TABLE]


def test_a_history_behind_more_than_is_looked_at_is_read_once_it_is_asked_for(tmp_path):
    path = tmp_path / "state.json"
    path.write_text(json.dumps({"long": "x" * 100_000, "log_history": [{"step": 1, "loss": 2.0}]}))
    with pytest.raises(ImportingError, match="has a log_history; import it with --kind transformers"):
        parse_source(find_source(str(path)))
    assert parse_source(find_source(str(path), kind=SourceKind.TRANSFORMERS)).points.height == 1


def fragments(path, count):
    """Write a record of one first fragment and ``count`` empty ones that go on with it."""
    first, middle = ((zlib.crc32(bytes([kind])), 0, kind) for kind in (2, 3))
    pack = struct.Struct("<IHB").pack
    content = bytearray(b":W&B\xe1\xbe\x00" + pack(*first))
    for _ in range(count):
        left = 32_768 - len(content) % 32_768
        content += bytes(left if left < 7 else 0) + pack(*middle)
    path.write_bytes(content)


def test_a_record_in_twice_as_many_pieces_takes_twice_as_long(tmp_path):
    def seconds(count):
        fragments(tmp_path / "many", count)
        with (tmp_path / "many").open("rb") as file:
            start = time.process_time()
            assert list(records(file, limit=1 << 26)) == []
            return time.process_time() - start

    assert min(seconds(40_000) for _ in range(3)) < 10 * min(seconds(10_000) for _ in range(3))
    with (
        pytest.raises(ImportingError, match="a record of more than 1,000 bytes"),
        (tmp_path / "many").open("rb") as f,
    ):
        list(records(f, limit=1000))


def seeds(folder, count, *, alike):
    """Give ``count`` runs without names that are the same for so many steps, and then never again."""
    folder.mkdir()
    head = "step,acc\n" + "".join(f"{step},0\n" for step in range(alike))
    for i in range(count):
        (folder / f"{i}.csv").write_text(f"{head}{alike},{i}\n")
    source = find_source(str(folder))
    return parsed_tables(source), source


def parsed_tables(source):
    logs, _ = read_source(source, Asked())
    return Parsed(runs=tuple(log.run for log in logs), points=logs_frame(logs))


def test_four_times_as_many_seeds_that_begin_alike_are_told_apart_in_four_times_the_time(tmp_path):
    def seconds(parsed, source):
        start = time.process_time()
        plan = plan_import(parsed, source, uri=f"sqlite:///{tmp_path}/none.db", experiment=None)
        assert len(plan) == len(parsed.runs)
        return time.process_time() - start

    few, many = (seeds(tmp_path / str(count), count, alike=1) for count in (40, 160))
    assert min(seconds(*many) for _ in range(2)) < 10 * min(seconds(*few) for _ in range(3))


def test_seeds_that_differ_much_later_are_compared_whole_so_often_and_not_more(tmp_path, uri, monkeypatch):
    parsed, source = seeds(tmp_path / "late", 4, alike=80)
    assert sum(write_plan(plan_import(parsed, source, uri=uri, experiment=None), uri=uri)) == 4 * 81
    for path in source.files:
        path.rename(path.with_name(f"moved {path.name}"))
    moved = replace(source, files=tuple(sorted((tmp_path / "late").iterdir(), reverse=True)))
    parsed = parsed_tables(moved)
    assert totals(plan_import(parsed, moved, uri=uri, experiment=None)) == (0, 4, 0)
    monkeypatch.setattr(planning, "_COMPARISONS", 2)
    with pytest.raises(ImportingError, match=r"too many runs begin alike and differ much later, among them"):
        plan_import(parsed, moved, uri=uri, experiment=None)


def trackio(path, *statements):
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA page_size = 512")
        for statement in statements:
            connection.execute(statement)
    return path


def refusal(path, **limits):
    with pytest.raises(ImportingError) as error:
        list(
            read(LogSource(kind=SourceKind.TRACKIO, files=(path,), root=path.parent), Tally(Limits(**limits)))
        )
    return str(error.value)


@pytest.mark.parametrize("made", [ENDLESS, f"{SCHEMA[1][:-1]} AS (hex(zeroblob(1000000))))"])
def test_neither_a_view_nor_what_is_computed_is_a_table_of_trackios(tmp_path, made):
    path = trackio(tmp_path / "odd.db", SCHEMA[0], made)
    assert "'odd.db' is a SQLite database, but not of Trackio: it lacks" in refusal(path)
    trackio(path, "PRAGMA writable_schema = ON", "UPDATE sqlite_master SET type = 'table', rootpage = 2")
    assert refusal(path).startswith("'odd.db' is ")


def test_rows_without_a_point_cost_no_more_than_points_would(tmp_path):
    many = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 100000) INSERT INTO metrics "
    path = trackio(tmp_path / "rows.db", *SCHEMA, many + "SELECT i, 'r', '', 'r', i, '{}' FROM n")
    said = refusal(path, points=10)
    assert said.startswith("'rows.db' takes more work than 10 points need; is it damaged?")
    (log,) = read(LogSource(kind=SourceKind.TRACKIO, files=(path,), root=tmp_path), Tally(Limits()))
    assert log.points.is_empty()


def test_pages_that_lead_to_each_other_are_no_table_without_an_end(tmp_path):
    """Twelve pages whose every entry leads to the next one: 10²² rows in ten kilobytes."""
    path = trackio(tmp_path / "pages.db", *SCHEMA, "INSERT INTO metrics VALUES (1, 'r', '', 'r', 1, '{}')")
    with closing(sqlite3.connect(path)) as connection:
        (root,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'metrics'").fetchone()
    pages = bytearray(path.read_bytes())
    leaf, chain, count = bytes(pages[512 * (root - 1) : 512 * root]), range(len(pages) // 512 + 1, 99), 70
    for number, following in zip((root, *chain[:11]), chain[:12], strict=True):
        head = struct.pack(">BHHHBI", 5, 0, count, 512 - 5 * count, 0, following)
        pointers = struct.pack(f">{count}H", *(512 - 5 * (i + 1) for i in range(count)))
        cells = struct.pack(">IB", following, 1) * count
        page = (head + pointers).ljust(512 - len(cells), b"\0") + cells
        pages[512 * (number - 1) : 512 * number] = page
    pages += leaf
    pages[28:32] = struct.pack(">I", len(pages) // 512)
    path.write_bytes(pages)
    assert refusal(path, points=10).startswith("'pages.db' takes more work than 10 points need")


def test_a_table_is_measured_with_its_empty_cells_before_it_is_made(tmp_path):
    rows = [{"step": i} for i in range(9)] + [{f"m{i}": 1 for i in range(21)}]
    (tmp_path / "few.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (tmp_path / "few.json").write_text(json.dumps({f"m{i}": {str(i): 1} for i in range(10)}))
    pl.DataFrame(rows).write_parquet(tmp_path / "few.parquet")
    for name, most in (("few.jsonl", 10), ("few.parquet", 10), ("few.json", 4)):
        with pytest.raises(ImportingError, match=r"rows"):
            read_table(tmp_path / name, Tally(Limits(points=most)))
    with pytest.raises(
        ImportingError, match="10 rows of 22 columns, more than 200 cells, empty ones included"
    ):
        read_table(tmp_path / "few.jsonl", Tally(Limits(points=10)))


def test_a_chart_of_many_metrics_has_a_row_a_value_and_no_column_a_metric():
    table = pl.DataFrame({"Step": ["0", "1"], **{f"run - metric {i}": ["1", "2"] for i in range(300)}})
    assert charts_apart(table).shape == (600, 4)


def test_what_a_source_says_about_its_runs_is_bounded_too(tmp_path):
    told = json.dumps({"text": "x" * 5000})
    path = trackio(
        tmp_path / "told.db",
        *SCHEMA,
        f"INSERT INTO configs VALUES ('r', '{told}')",
        "INSERT INTO metrics VALUES (1, 'r', '', 'r', 1, '{\"a\": 1}')",
    )
    with pytest.raises(ImportingError, match=r"its names, params and tags take 5,\d+ bytes, more than 4,096"):
        parse_source(find_source(str(path)), limits=Limits(told_bytes=4096))
