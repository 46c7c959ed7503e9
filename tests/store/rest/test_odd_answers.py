"""Whatever a server answers, reading ends in a frame or a sentence: real answers, changed at every node."""

import copy
import json
import sqlite3
from contextlib import closing

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mlflow import MlflowClient

from grokscope.dashboard.state.session import StoreSession
from grokscope.schemas import POINT_SCHEMA
from grokscope.store import NotMLflowError, StoreError, open_store
from grokscope.store.mlflow_client.transport import ClientTransport
from grokscope.store.remote.store import RemoteStore
from grokscope.store.rest.calls import RestCalls
from grokscope.store.rest.transport import RestTransport

KEY = "train/accuracy"
DEEP = json.loads("[" * 400 + "]" * 400)
VALUES = [
    None, True, "", "text", "\ud800", "NaN", 0, -1, 1.5, 2**63, -(2**63) - 1, 10**400, float("nan"),
    float("inf"), [], {}, [None], [[]], {"key": None}, DEEP,
]  # fmt: skip
RAW = [b"", b"null", b"[]", b"1", b'"x"', b"{", b"[" * 10**6, b'{"a":' * 10**5, b"\xff\xfe\x00", b"9" * 10**5]


@pytest.fixture(scope="module")
def answers(server, client, new_run, log):
    """Real answers by endpoint, recorded from the server; and the experiment and the run that they are of."""
    run = new_run()
    log(run, *[(KEY, step, 10 + step, step / 7) for step in range(3)], (KEY, 9, 9, float("nan")))
    client.log_param(run, "seed", "1")
    client.set_tag(run, "note", "é")
    experiment = client.get_experiment(client.get_run(run).info.experiment_id)
    alias = json.dumps({"name": "b", "canonical": "-"})
    client.set_experiment_tag(experiment.experiment_id, "grokscope.alias.x", alias)
    recorded = {}
    with pytest.MonkeyPatch.context() as patch:
        exchanged = RestCalls._exchanged

        def recording(self, sign, method, endpoint, content):
            status, body = exchanged(self, sign, method, endpoint, content)
            recorded[endpoint] = body
            return status, body

        patch.setattr(RestCalls, "_exchanged", recording)
        source = RestTransport(server)
        listed = source.experiments()
        source.search([experiment.experiment_id])
        source.since(KEY, {run: None})
        source._history(KEY, run)
        source.experiment_tags(experiment.name)
    # The shared file holds what other tests have left: enough of it is kept to stay quick.
    name = next(endpoint for endpoint in recorded if endpoint.endswith("experiments/search"))
    body = json.loads(recorded[name])
    body["experiments"] = [e for e in body["experiments"] if e["experiment_id"] == experiment.experiment_id]
    assert (experiment.experiment_id, experiment.name) in listed
    recorded[name] = json.dumps(body).encode()
    return {key: json.loads(body) for key, body in recorded.items()}, experiment, run


class Replay:
    """Answers with what was recorded, but for one endpoint."""

    def __init__(self, monkeypatch, answers):
        self._answers = {endpoint: json.dumps(answer).encode() for endpoint, answer in answers.items()}
        self.changed = {}
        monkeypatch.setattr(RestCalls, "_exchanged", self._answer)

    def _answer(self, _sign, _method, endpoint, _content):
        return 200, self.changed.get(endpoint, self._answers[endpoint])


def nodes(node, path=()):
    """Yield the path of every node below ``node``; of a list, the first and the last."""
    keys = ()
    if isinstance(node, dict):
        keys = node
    elif isinstance(node, list) and node:
        keys = sorted({0, len(node) - 1})
    for key in keys:
        yield (*path, key)
        yield from nodes(node[key], (*path, key))


def changed(answer, path, value):
    """Return ``answer`` with another value at ``path``; ``...`` takes the node out."""
    answer = copy.deepcopy(answer)
    holder = answer
    for key in path[:-1]:
        holder = holder[key]
    if value is ...:
        del holder[path[-1]]
    else:
        holder[path[-1]] = value
    return json.dumps(answer).encode()


def test_every_node_of_every_answer_may_be_anything(answers, server, monkeypatch):
    recorded, experiment, run = answers
    with monkeypatch.context() as patch:
        replay = Replay(patch, recorded)
        source = RestTransport(server)
        asked = {
            "experiments/search": source.experiments,
            "runs/search": lambda: source.search([experiment.experiment_id]),
            "metrics/get-history-bulk-interval": lambda: source.since(KEY, {run: None}),
            "metrics/get-history": lambda: source._history(KEY, run),
            "experiments/get-by-name": lambda: source.experiment_tags(experiment.name),
        }
        said = []
        for endpoint, answer in recorded.items():
            ask = asked[endpoint.removeprefix("/api/2.0/mlflow/")]
            bodies = [changed(answer, path, value) for path in nodes(answer) for value in (*VALUES, ...)]
            for body in (*bodies, *RAW):
                replay.changed = {endpoint: body}
                try:
                    ask()
                except NotMLflowError as error:
                    said.append(str(error))
        assert len(said) > 500
        assert all(sentence.startswith(server) and "heck the address" in sentence for sentence in said)


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_a_snapshot_is_a_reading_or_a_problem_that_is_said(data, answers, server):
    recorded, experiment, run = answers
    with pytest.MonkeyPatch.context() as patch:
        replay = Replay(patch, recorded)
        for _ in range(data.draw(st.integers(0, 2))):
            endpoint = data.draw(st.sampled_from(sorted(recorded)))
            path = data.draw(st.sampled_from(list(nodes(recorded[endpoint]))))
            value = data.draw(st.sampled_from([*VALUES, ...]))
            replay.changed[endpoint] = changed(recorded[endpoint], path, value)
        reader = StoreSession(server, opener=lambda uri: RemoteStore(uri, transport=RestTransport(uri)))
        snapshot = reader.snapshot(experiment.name)
        assert snapshot.curves.schema == POINT_SCHEMA
        assert replay.changed or (snapshot.problem is None and snapshot.runs["run_id"].to_list() == [run])
        assert reader.points([run]).schema == POINT_SCHEMA


@pytest.mark.parametrize("status", [204, 304, 400, 401, 404, 429, 500, 599])
def test_a_refusal_may_say_anything(status, server, monkeypatch):
    texts = [json.dumps({"error_code": value, "message": value}).encode() for value in VALUES]
    for body in (*texts, *RAW):
        monkeypatch.setattr(RestCalls, "_exchanged", lambda *_, body=body: (status, body))
        with pytest.raises(StoreError, match=f"answered {status} "):
            RestTransport(server).experiments()


def test_a_row_of_another_run_or_metric_is_not_taken_for_one_that_was_asked_for(answers, server, monkeypatch):
    recorded, _, run = answers
    with monkeypatch.context() as patch:
        replay = Replay(patch, recorded)
        endpoint = "/api/2.0/mlflow/metrics/get-history-bulk-interval"
        for name, told in (("run_id", "a run that was asked for"), ("key", f"'{KEY}'")):
            replay.changed[endpoint] = changed(recorded[endpoint], ("metrics", 0, name), "another")
            with pytest.raises(NotMLflowError) as caught:
                RestTransport(server).since(KEY, {run: None})
            assert f"metrics[0].{name} is 'another', and {told} belongs there" in str(caught.value)


def test_a_server_that_knows_no_bulk_of_histories_is_asked_for_it_once(answers, server, monkeypatch):
    recorded, _, run = answers
    asked = []

    def old(_self, _sign, _method, endpoint, _content):
        name = endpoint.rpartition("/")[2]
        asked.append(name)
        return (404, b"Not Found") if "bulk" in name else (200, json.dumps(recorded[endpoint]).encode())

    monkeypatch.setattr(RestCalls, "_exchanged", old)
    source = RestTransport(server)
    first, second = (source.since(KEY, {run: None}) for _ in range(2))
    assert first.height == 4
    assert first.equals(second)
    assert asked == ["get-history-bulk-interval", "get-history", "get-history"]


def test_a_run_that_comes_twice_in_a_listing_is_one_run(answers, server, monkeypatch):
    recorded, experiment, _ = answers
    endpoint = "/api/2.0/mlflow/runs/search"
    twice = {**recorded[endpoint], "runs": recorded[endpoint]["runs"] * 2}
    with monkeypatch.context() as patch:
        Replay(patch, {**recorded, endpoint: twice})
        assert len(RestTransport(server).search([experiment.experiment_id])) == 1


def test_what_is_null_in_the_tables_is_read_as_empty_by_each_way(file):
    uri = f"sqlite:///{file}"
    client = MlflowClient(tracking_uri=uri)
    experiment = client.create_experiment("e")
    run = client.create_run(experiment, tags={"note": "x"}).info.run_id
    client.log_metric(run, KEY, 0.5, step=1, timestamp=1)
    client.log_param(run, "seed", "1")
    client.set_experiment_tag(experiment, "grokscope.alias.x", "x")
    with closing(sqlite3.connect(file)) as database, database:
        for column in ("tags.value", "experiment_tags.value", "runs.name"):
            table, _, name = column.partition(".")
            database.execute(f"UPDATE {table} SET {name} = NULL")
    for opener in (open_store, lambda uri: RemoteStore(uri, transport=ClientTransport(uri))):
        snapshot = StoreSession(uri, opener=opener).snapshot("e")
        assert (snapshot.problem, snapshot.runs["run_id"].to_list()) == (None, [run])
        assert snapshot.curves["value"].to_list() == [0.5]
        assert opener(uri).tags([run]).filter(pl.col("key") == "note")["value"].fill_null("").to_list() == [
            ""
        ]
