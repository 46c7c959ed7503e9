"""Connections that are kept between questions."""

import pytest

from grokscope.store import StoreError, UnreachableError
from grokscope.store.postgres.calls import PostgresCalls


class Connection:
    is_open = True

    def close(self):
        self.is_open = False


def test_four_connections_are_kept_for_the_next_questions_and_a_fifth_is_ended():
    calls = PostgresCalls("postgresql://127.0.0.1:9/mlflow")
    connections = [Connection() for _ in range(5)]
    for connection in connections:
        calls._keep(connection)
    assert [connection.is_open for connection in connections] == [True, True, True, True, False]
    calls.close()
    assert not any(connection.is_open for connection in connections)


@pytest.mark.parametrize(
    ("said", "is_let_in", "kind"),
    [
        ("column x is odd", True, StoreError),
        ("column x is odd", False, UnreachableError),
        ("Connection reset", True, UnreachableError),
    ],
)
def test_a_failure_is_one_of_reading_only_on_a_connection_that_stood(said, is_let_in, kind):
    calls = PostgresCalls("postgresql://127.0.0.1:9/mlflow")
    assert type(calls._explained(Exception(said), is_let_in=is_let_in)) is kind


def test_of_what_the_server_says_200_characters_are_shown():
    calls = PostgresCalls("postgresql://127.0.0.1:9/mlflow")
    said = "57014 " + "x" * 300
    error = calls._explained(Exception(said), is_let_in=True)
    assert str(error).startswith(f"postgresql://127.0.0.1:9/mlflow: {said[:200]}. It is tried again")
