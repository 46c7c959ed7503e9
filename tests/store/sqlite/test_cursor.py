"""Where reading of a SQLite file goes on, and when what was read counts no more."""

import json
import sqlite3
from contextlib import closing
from dataclasses import asdict, replace
from types import SimpleNamespace

import pytest

from grokscope.schemas import empty_points
from grokscope.store.cache.point_cache import PointCache
from grokscope.store.sqlite.cursor import RowCursor, cursor_from, move

TABLE = "CREATE TABLE metrics (run_uuid, key, step, timestamp, value, is_nan)"
ROWS = [("r", "m", step, 1000 + step, step / 2, 0) for step in range(5)]


@pytest.fixture
def reader(tmp_path):
    """Give a reader of a table of five rows."""
    with closing(sqlite3.connect(tmp_path / "m.db")) as connection:
        connection.execute(TABLE)
        connection.executemany("INSERT INTO metrics VALUES (?, ?, ?, ?, ?, ?)", ROWS)
        yield SimpleNamespace(connection=connection, rows=lambda *_: empty_points())


@pytest.fixture
def moved(reader, tmp_path):
    """Give a function that says whether what was read before still counts."""

    def stays(cursor) -> bool:
        cache = PointCache()
        cache.add("r", empty_points(), keys=None)
        move(reader, tmp_path / "m.db", cursor=cursor, cache=cache)
        return cache.runs() == ["r"]

    return stays


@pytest.fixture
def here(reader, tmp_path):
    return move(reader, tmp_path / "m.db", cursor=None, cache=PointCache())


def test_reading_goes_on_from_the_last_row_of_the_same_file(here, moved):
    assert (here.number, here.content) == (5, ROWS[-1])
    assert moved(here)
    assert moved(replace(here, number=4, content=ROWS[-2]))
    assert not moved(None)


@pytest.mark.parametrize("apart", [-1, 1])
def test_another_file_another_row_or_fewer_rows_mean_that_all_is_read_again(here, moved, apart):
    device, inode = here.file
    assert not moved(replace(here, file=(device, inode + apart)))
    assert not moved(replace(here, content=(*ROWS[-1][:4], ROWS[-1][4] + apart, 0)))
    assert not moved(replace(here, number=6))


def test_the_cursor_of_an_empty_table_stands_before_the_first_row(reader, tmp_path):
    reader.connection.execute("DELETE FROM metrics")
    assert move(reader, tmp_path / "m.db", cursor=None, cache=PointCache()).number == 0


@pytest.mark.parametrize("number", [0, 2**63 - 1])
def test_a_cursor_comes_back_from_json_as_it_was(number):
    cursor = RowCursor(number=number, content=("r", "m", 1, 2, 0.5, 0), file=(3, 4))
    assert cursor_from(json.loads(json.dumps(asdict(cursor)))) == cursor


@pytest.mark.parametrize("number", [-1, 2**63])
def test_a_number_that_no_row_has_makes_no_cursor(number):
    assert cursor_from({"number": number, "content": None, "file": [3, 4]}) is None
