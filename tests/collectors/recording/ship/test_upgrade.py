"""A migration that fails leaves the store as it was."""

import sqlite3
from contextlib import closing
from types import SimpleNamespace

import pytest
import sqlalchemy
from alembic import command
from alembic.script import ScriptDirectory
from mlflow.store.db.utils import _get_alembic_config
from mlflow.store.tracking.dbmodels.initial_models import Base

from grokscope.collectors.recording.ship import UpgradeError, upgrade_store
from grokscope.collectors.recording.ship.mlflow import store_version
from grokscope.schemas import revision_of


@pytest.fixture
def older(tmp_path):
    """A database of some releases ago, made by MLflow's own migrations, with an experiment in it."""
    path = tmp_path / "mlflow.db"
    engine = sqlalchemy.create_engine(f"sqlite:///{path}")
    Base.metadata.create_all(engine)
    config = _get_alembic_config(str(engine.url))
    revisions = [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()]
    engine.dispose()
    command.upgrade(config, revisions[20])
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(
            "INSERT INTO experiments (experiment_id, name, lifecycle_stage) VALUES (0, 'E', 'active')"
        )
    return path


def test_a_store_whose_migration_fails_is_as_it_was_and_can_be_migrated_later(older, tmp_path):
    uri = f"sqlite:///{older}"
    before = revision_of(uri)
    with closing(sqlite3.connect(older)) as connection:
        connection.execute("CREATE TABLE mcp_servers (in_the_way)")
        content = list(connection.iterdump())
    said: list[str] = []
    with pytest.raises(UpgradeError, match=r"mcp_servers already exists.*it is as it was before"):
        upgrade_store(uri, say=said.append)
    assert revision_of(uri) == before
    with closing(sqlite3.connect(older)) as connection:
        assert list(connection.iterdump()) == content
        connection.execute("DROP TABLE mcp_servers")
    assert [path.name for path in tmp_path.iterdir()] == ["mlflow.db"]
    assert upgrade_store(uri, say=said.append)
    assert len(list(tmp_path.glob("mlflow.db.before-upgrade-from-*"))) == 1


def test_a_migration_waits_for_another_one_of_the_same_file(store, monkeypatch):
    is_free, waits = iter([False, False, True]), list[float]()
    monkeypatch.setattr(store_version, "try_lock", lambda _: next(is_free))
    monkeypatch.setattr(store_version, "time", SimpleNamespace(monotonic=lambda: 0.0, sleep=waits.append))
    assert not upgrade_store(store, say=print)
    assert len(waits) == 2
    assert min(waits) > 0
