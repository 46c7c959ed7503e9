"""Overrides of roles, kept as tags of the MLflow experiment: one tag a metric.

Key ``grokscope.alias.<first 16 hex digits of the name's SHA-256>`` (a metric's name may hold what a tag's key
may not), value ``{"name": "val_probe", "canonical": "test/accuracy"}``.
"""

import hashlib
import json
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, cast

from grokscope.schemas import metric
from grokscope.schemas.secrets import redacted
from grokscope.schemas.tags import ALIAS_PREFIX
from grokscope.store.deadline import Deadline
from grokscope.store.errors import (
    ExperimentNotFoundError,
    RunNotFoundError,
    StoreError,
    UnknownStoreError,
    UnreachableError,
    experiment_not_found,
)
from grokscope.store.mlflow_client.client import open_client
from grokscope.store.mlflow_client.errors import explained
from grokscope.store.mlflow_client.source import CALL_S
from grokscope.store.postgres.calls import PostgresCalls
from grokscope.store.rest.answers import pairs_in
from grokscope.store.rest.calls import RestCalls
from grokscope.store.sqlite.file import reading
from grokscope.store.uris import Transport, sqlite_path, transport_of
from grokscope.store.verdict_tags import limited

IGNORED = "-"
"""In place of a key: the metric has no role, and the engine does not get to see it."""

_NO_ALIAS = "{}"

_QUERY = """
SELECT e.name, t.key, t.value FROM experiments AS e
LEFT JOIN experiment_tags AS t
     ON t.experiment_id = e.experiment_id AND substr(t.key, 1, :length) = :prefix
WHERE e.lifecycle_stage = 'active' AND e.name = :experiment
"""
_POSTGRES_QUERY = """
SELECT t.key, t.value FROM experiments AS e
LEFT JOIN experiment_tags AS t ON t.experiment_id = e.experiment_id AND starts_with(t.key, $2)
WHERE e.lifecycle_stage = 'active' AND e.name = $1
"""


def aliases_of(uri: str, experiment: str) -> dict[str, str]:
    """Return the overrides of an experiment: name as logged -> our key, or ``IGNORED``.

    Cost: one query of a SQLite file, one request to a server. Damaged tags are passed over.

    Raises:
        ExperimentNotFoundError: If no active experiment has the name.
        StoreError: If the store cannot be read.
    """
    readers = {
        Transport.SQLITE: _from_sqlite,
        Transport.HTTP: _from_rest,
        Transport.PARQUET: _from_folder,
        Transport.DATABASE: _from_database,
    }
    tags = readers[transport_of(uri)](uri, experiment)
    return dict(sorted(found for key, text in tags if key.startswith(ALIAS_PREFIX) for found in _alias(text)))


def set_alias(uri: str, experiment: str, *, name: str, canonical: str) -> None:
    """Make ``canonical`` the role of the metric ``name`` in every run of an experiment.

    Args:
        uri: The store's address.
        experiment: Name of an active experiment.
        name: The metric as it was logged.
        canonical: One of our keys, or ``IGNORED`` to leave the metric out of detection.

    Raises:
        UnknownMetricError: If ``canonical`` is neither.
        ExperimentNotFoundError: If no active experiment has the name.
        StoreError: If the store cannot be written.
    """
    check_canonical(canonical)
    if transport_of(uri) is Transport.PARQUET:
        raise StoreError(
            f"{redacted(uri)} is a folder of points and cannot keep the role of {name!r}. "
            "Import it into an MLflow store, or give --alias at each call."
        )
    aliases_of(uri, experiment)  # there has to be a store: MLflow's client would make a missing file
    value = json.dumps({"name": name, "canonical": canonical}, ensure_ascii=False)
    with explained(uri), limited():
        client, number, _ = _experiment(uri, experiment)
        client.set_experiment_tag(number, tag_key(name), value)


def clear_alias(uri: str, experiment: str, *, name: str) -> None:
    """Let the metric ``name`` have the role that the rules give it again; without an override, do nothing.

    Raises:
        ExperimentNotFoundError: If no active experiment has the name.
        StoreError: If the store cannot be written.
    """
    if name not in aliases_of(uri, experiment):
        return
    with explained(uri), limited():
        client, number, tags = _experiment(uri, experiment)
        if tag_key(name) in tags:
            try:
                client.delete_experiment_tag(number, tag_key(name))
            except Exception:  # noqa: BLE001 - a server before MLflow 3 knows no such request
                client.set_experiment_tag(number, tag_key(name), _NO_ALIAS)


def check_canonical(canonical: str) -> None:
    """Check that a role may be ``canonical``.

    Raises:
        UnknownMetricError: If it is neither one of our keys nor ``IGNORED``.

    >>> check_canonical("test/accuracy"), check_canonical("-")
    (None, None)
    """
    if canonical != IGNORED:
        metric(canonical)


def tag_key(name: str) -> str:
    """Return the key of the tag for a metric.

    >>> tag_key("val_probe")
    'grokscope.alias.2e4b6ee0b0f87e5d'
    """
    return ALIAS_PREFIX + hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _alias(text: str | None) -> list[tuple[str, str]]:
    try:
        value: Any = json.loads(text or "")
    except (ValueError, RecursionError):
        return []
    if not isinstance(value, dict):
        return []
    pair = cast("dict[str, Any]", value)
    name, canonical = pair.get("name"), pair.get("canonical")
    return [(name, canonical)] if isinstance(name, str) and isinstance(canonical, str) else []


def _from_sqlite(uri: str, experiment: str) -> Iterable[tuple[str, str]]:
    values = {"experiment": experiment, "prefix": ALIAS_PREFIX, "length": len(ALIAS_PREFIX)}
    with reading(sqlite_path(uri)) as connection:
        rows = connection.execute(_QUERY, values).fetchall()
        if not rows:
            names = connection.execute("SELECT name FROM experiments WHERE lifecycle_stage = 'active'")
            raise experiment_not_found(experiment, [str(name) for (name,) in names])
    return [(key, value) for _, key, value in rows if key is not None]


def _from_folder(_uri: str, _experiment: str) -> Iterable[tuple[str, str]]:
    return ()  # a folder of points has nowhere to keep any


def _from_rest(uri: str, experiment: str) -> Iterable[tuple[str, str]]:
    try:
        found = RestCalls(uri).get(
            "experiments/get-by-name",
            {"experiment_name": experiment},
            lambda answer: pairs_in(answer.part("experiment"), "tags"),
        )
    except RunNotFoundError as error:
        raise _not_found(experiment) from error
    return found.items()


def _from_database(uri: str, experiment: str) -> Iterable[tuple[str, str]]:
    if uri.lower().startswith("postgres"):
        try:
            return _from_postgres(PostgresCalls(uri), experiment)
        except (ImportError, UnknownStoreError, UnreachableError):
            pass  # as in opening a store: SQLAlchemy knows ways to connect that PostgreSQL's library does not

    def asked(_sign: object) -> Iterable[tuple[str, str]]:
        with explained(uri):
            return _experiment(uri, experiment)[2].items()

    return _deadline(redacted(uri)).ask(asked, silence_s=CALL_S, whole_s=CALL_S)


@lru_cache(maxsize=32)
def _deadline(shown: str) -> Deadline:
    return Deadline(shown)  # one for all calls, since it knows which have not ended


def _from_postgres(calls: PostgresCalls, experiment: str) -> Iterable[tuple[str, str]]:
    rows = calls.ask(_POSTGRES_QUERY, [experiment, ALIAS_PREFIX]).rows()
    calls.close()
    if not rows:
        raise _not_found(experiment)
    return [(key, value) for key, value in rows if key is not None]


def _experiment(uri: str, name: str) -> tuple[Any, str, dict[str, str]]:
    _, client = open_client(uri)
    found = client.get_experiment_by_name(name)
    if found is None or found.lifecycle_stage != "active":
        raise _not_found(name)
    return client, str(found.experiment_id), dict(found.tags)


def _not_found(name: str) -> ExperimentNotFoundError:
    return ExperimentNotFoundError(f"experiment {name!r} does not exist; choose an existing one.")
