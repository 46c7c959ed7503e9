"""A PostgreSQL database that MLflow 2.22 has made: read directly, refused to writers, migrated when asked."""

import subprocess

import psycopg
import pytest

from grokscope.collectors.recording.ship import upgrade_store
from grokscope.schemas import release_of, revision_of
from grokscope.schemas.mlflow_versions import installed_revisions
from grokscope.store import SchemaError, open_store


@pytest.fixture
def database(postgres, log):
    """Give ``(uri, run)``."""
    subprocess.run([postgres.bin / "createdb", "older"], check=True, env=postgres.environment)
    uri = postgres.uri.rpartition("/")[0] + "/older"
    yield uri, log("2.22.5", uri.replace("+psycopg", ""))  # it knows the older driver only
    subprocess.run([postgres.bin / "dropdb", "--force", "older"], check=True, env=postgres.environment)


def execute(uri, statement):
    with psycopg.connect(uri.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(statement)


def test_a_database_of_2_22_is_read_directly_refused_to_writers_and_migrated_when_asked(database, postgres):
    uri, run = database
    found, said = revision_of(uri), []
    assert release_of(found) == "MLflow 2.18 to 2.22 (schema 0584bdc529eb)"
    execute(uri, "UPDATE runs SET name = ''")  # as MLflow 1 left them
    execute(
        uri,
        """INSERT INTO experiment_tags VALUES ('grokscope.alias.a', '{"name": "a", "canonical": "-"}', 1)""",
    )

    store = open_store(uri)
    assert store.notice is None
    assert store.runs().select("run_id", "name").rows() == [(run, "first")]
    assert store.points([run], ["loss"]).height == 2600
    assert open_store(uri).aliases("modular") == {"a": "-"}
    with pytest.raises(SchemaError, match=r"is a store of MLflow 2\.18 to 2\.22") as caught:
        open_store(uri).set_alias("modular", name="loss", canonical="train/loss")
    assert postgres.password not in str(caught.value)
    execute(uri, "ALTER TABLE params RENAME COLUMN value TO worth")
    with pytest.raises(SchemaError, match=r"cannot be read: its table params lacks value\. To upgrade it"):
        open_store(uri)
    execute(uri, "ALTER TABLE params RENAME COLUMN worth TO value")
    assert revision_of(uri) == found

    assert upgrade_store(uri, say=said.append)
    assert "its backup is yours to have made" in said[0]
    assert postgres.password not in said[0]
    assert revision_of(uri) == installed_revisions()[-1]
    assert not upgrade_store(uri, say=said.append)
    assert len(said) == 2
    open_store(uri).set_alias("modular", name="loss", canonical="train/loss")
    assert open_store(uri).aliases("modular") == {"a": "-", "loss": "train/loss"}
