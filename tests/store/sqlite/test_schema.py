"""What is taken for a store that MLflow makes, by its tables alone."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from grokscope.store import BusyStoreError, SchemaError
from grokscope.store.sqlite.schema import obstacle


@pytest.mark.parametrize(
    ("tables", "kind"),
    [
        (("alembic_version", "experiments", "runs"), BusyStoreError),  # MLflow makes the others next
        (("alembic_version", "experiments", "runs", "orders"), BusyStoreError),
        (("alembic_version", "experiments"), SchemaError),
    ],
)
def test_the_first_tables_of_mlflow_are_a_store_in_the_making_and_less_is_none(tables, kind):
    with closing(sqlite3.connect(":memory:")) as connection:
        for table in tables:
            connection.execute(f"CREATE TABLE {table} (version_num TEXT)")
        with pytest.raises(kind):
            obstacle(connection, Path("mlflow.db"))


def test_of_the_tables_of_another_database_five_are_named():
    with closing(sqlite3.connect(":memory:")) as connection:
        for table in "fedcba":
            connection.execute(f"CREATE TABLE {table} (number INT)")
        with pytest.raises(SchemaError, match=r"found a, b, c, d, e\. Point"):
            obstacle(connection, Path("mlflow.db"))
