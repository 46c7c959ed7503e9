"""Rows of queries are asked for again only if the file may have changed."""

import os
import sqlite3
import time

import pytest

from grokscope.store.sqlite.listings import Listings


class File:
    def __init__(self, path):
        self.path, self.asked = path, 0
        self.change("CREATE TABLE t (v)")
        self.now = 0.0
        self.listings = Listings(path, clock=lambda: self.now)

    def change(self, *statements, age_s=3600):
        with sqlite3.connect(self.path) as connection:
            for statement in statements:
                connection.execute(statement)
        connection.close()
        at = time.time() - age_s
        os.utime(self.path, (at, at))

    def rows(self, query="SELECT v FROM t", **values):
        def read():
            self.asked += 1
            with sqlite3.connect(self.path) as connection:
                return connection.execute(query, values).fetchall()

        return self.listings.rows(query, values, read)


@pytest.fixture
def file(tmp_path):
    return File(tmp_path / "f.db")


def test_the_same_question_to_the_same_file_is_asked_once(file):
    assert [file.rows(), file.rows()] == [[], []]
    assert file.asked == 1


def test_another_question_or_other_values_are_asked(file):
    file.rows()
    file.rows("SELECT :v", v=1)
    assert file.rows("SELECT :v", v=2) == [(2,)]
    assert file.asked == 3


def test_a_file_that_has_changed_is_asked_again(file):
    file.rows()
    file.change("INSERT INTO t VALUES (7)", age_s=1800)
    assert file.rows() == [(7,)]


def test_a_file_that_changed_just_now_is_asked_again_each_time(file):
    file.change("INSERT INTO t VALUES (7)", age_s=0)
    file.rows()
    file.rows()
    assert file.asked == 2


def test_a_write_ahead_log_counts_as_the_file(file):
    file.rows()
    file.path.with_name("f.db-wal").write_bytes(b"")
    file.rows()
    assert file.asked == 2


def test_no_more_questions_are_remembered_than_a_page_asks(file):
    for v in range(40):
        file.rows("SELECT :v", v=v)
    file.rows("SELECT :v", v=39)
    assert file.asked == 40
    file.rows("SELECT :v", v=0)
    assert file.asked == 41


def test_after_a_minute_all_is_asked_again(file):
    file.rows()
    file.now = 61
    file.rows()
    assert file.asked == 2
