"""Of which MLflow a database says that it is."""

import sqlite3
from contextlib import closing

from grokscope.schemas import release_of, revision_of
from grokscope.store.versions import database_version, installed


def test_a_database_says_of_which_mlflow_it_is_and_one_without_experiments_is_none_of_its_yet(file):
    uri = f"sqlite:///{file}"
    assert database_version(uri).says == f"{release_of(revision_of(uri))} there, {installed()}"
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("DELETE FROM experiments")
    assert database_version(uri).says == f"no version noted there, {installed()}"
