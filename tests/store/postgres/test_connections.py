"""Connections that are kept between questions."""

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
