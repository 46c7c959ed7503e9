"""What may not be opened is told by one check, and what cannot be asked is left to who opens it."""

import sqlite3
from contextlib import closing

import pytest

from grokscope.schemas import OtherVersionError, check_version, other_version, revision_of
from grokscope.schemas.mlflow_versions import installed_revisions


def database(path, revision, *, experiments=1):
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE experiments (experiment_id INTEGER)")
        connection.execute("CREATE TABLE alembic_version (version_num TEXT)")
        connection.executemany("INSERT INTO experiments VALUES (?)", [(n,) for n in range(experiments)])
        connection.execute("INSERT INTO alembic_version VALUES (?)", (revision,))
        connection.commit()
    return f"sqlite:///{path}"


@pytest.mark.parametrize("name", ["m.db", "50% of #1.db"])
def test_an_older_store_is_told_as_an_error_or_as_an_answer(tmp_path, name):
    uri = database(tmp_path / name, installed_revisions()[0])
    found = other_version(uri, shown="it")
    assert found is not None
    assert found.is_older
    with pytest.raises(OtherVersionError, match=r"^it is a store of .* Nothing is written to it"):
        check_version(uri, shown="it")
    assert revision_of(uri.replace("sqlite:", "sqlite+pysqlite:")) == installed_revisions()[0]


def test_a_newer_store_is_one_that_the_mlflow_here_does_not_know(tmp_path):
    found = other_version(database(tmp_path / "m.db", "0123456789ab"), shown="it")
    assert found is not None
    assert not found.is_older


@pytest.mark.parametrize(
    "made", ["of this version", "without experiments", "not there", "a server", "a folder"]
)
def test_what_mlflow_may_open_is_neither_older_nor_newer(tmp_path, made):
    uri = {
        "of this version": lambda: database(tmp_path / "m.db", installed_revisions()[-1]),
        "without experiments": lambda: database(tmp_path / "m.db", "0123456789ab", experiments=0),
        "not there": lambda: f"sqlite:///{tmp_path}/none.db",
        "a server": lambda: "http://127.0.0.1:9",
        "a folder": lambda: f"parquet:///{tmp_path}",
    }[made]()
    check_version(uri, shown="it")
    assert other_version(uri, shown="it") is None


@pytest.mark.parametrize("address", ["sqlite:///{}/broken.db", "postgresql://127.0.0.1:9/m"])
def test_a_store_that_cannot_be_asked_fails_the_check_and_gives_no_answer(tmp_path, address):
    (tmp_path / "broken.db").write_text("no database at all, " * 100)
    uri = address.format(tmp_path)
    assert other_version(uri, shown="it") is None
    with pytest.raises(Exception, match=r"database|connect|psycopg"):
        check_version(uri, shown="it")
