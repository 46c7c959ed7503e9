"""What is said of experiments and runs that are not there."""

import pytest

from grokscope.store.database_check import unanswered
from grokscope.store.errors import (
    AccessError,
    MissingStoreError,
    UnknownStoreError,
    UnreachableError,
    experiment_not_found,
    runs_not_found,
)


@pytest.mark.parametrize(
    ("known", "listed"),
    [
        (["a1", "a2"], "existing: 'a1', 'a2'"),
        ([f"a{number}" for number in range(7)], "existing: 'a0', 'a1', 'a2', 'a3', 'a4' and 2 more"),
        (["modular", *(f"a{number}" for number in range(7))], "closest: 'modular'"),
    ],
)
def test_the_closest_experiments_are_named_or_some_and_how_many_more_there_are(known, listed):
    error = experiment_not_found("modula", known)
    assert str(error) == f"experiment 'modula' does not exist; {listed}. Choose an existing one."


def test_of_several_deleted_runs_the_first_is_named_with_the_way_to_restore_it():
    assert str(runs_not_found([], ["a1", "b2"])) == (
        "run 'a1' is deleted, and 1 more with it. "
        "Restore it (`mlflow runs restore --run-id a1`) or leave it out."
    )


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("Can't load plugin: sqlalchemy.dialects:x", UnknownStoreError),
        ("Could not parse SQLAlchemy URL from given URL string", UnknownStoreError),
        ("password authentication failed for user 'ann'", AccessError),
        ("database 'm' does not exist", MissingStoreError),
        ("Unknown database 'm'", MissingStoreError),
        ("Connection refused", UnreachableError),
    ],
)
def test_what_a_driver_says_of_a_database_tells_what_is_to_be_done(said, kind):
    error = unanswered("postgresql://h/m", said)
    assert type(error) is kind
    assert str(error).startswith("postgresql://h/m ")
    assert said in str(error)
