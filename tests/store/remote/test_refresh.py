"""However reading and writing alternate, a store object ends with what a fresh full reading gives."""

import math
import shutil
import sqlite3
import subprocess
import sys

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mlflow import MlflowClient
from polars.testing import assert_frame_equal

from grokscope.store import open_store
from grokscope.store.cache.curves import Curve, split
from grokscope.store.frames import points_from_rows
from grokscope.store.remote.refresh_policy import RefreshPolicy
from grokscope.store.remote.store import RemoteStore
from grokscope.store.rest.transport import SAMPLED_FROM, RestTransport
from grokscope.store.sqlite import cursor as sqlite_cursor
from grokscope.store.sqlite import histories as sqlite_histories
from grokscope.store.sqlite import queries as sqlite_queries

VALUES = st.sampled_from([0.0, 1.0, -1.5, math.nan, math.inf, -math.inf])
ROWS = st.tuples(st.sampled_from("ab"), st.integers(0, 4), st.integers(1, 4), VALUES)
LOGS = st.tuples(st.just("log"), st.integers(0, 1), st.lists(ROWS, min_size=1, max_size=4))
READS = st.tuples(st.just("read"), st.sampled_from([[0], [1], [0, 1]]), st.sampled_from([None, ["a"], ["b"]]))
TOGGLES = st.tuples(st.just("delete and restore"), st.integers(0, 1), st.none())


@settings(max_examples=15, deadline=None)
@given(actions=st.lists(LOGS | READS | TOGGLES, max_size=8))
def test_any_order_of_logging_and_refreshing_ends_in_the_full_reading(
    actions, client, new_run, log, reference
):
    runs = [new_run("0"), new_run("0")]
    store = open_store(client.tracking_uri)
    for kind, where, what in actions:
        if kind == "log":
            log(runs[where], *what)
        elif kind == "read":
            chosen = [runs[i] for i in where]
            assert_frame_equal(store.points(chosen, what), reference(chosen, what))
        else:
            client.delete_run(runs[where])
            client.restore_run(runs[where])
    assert_frame_equal(store.points(runs), reference(runs))


def test_a_refresh_of_sqlite_reads_only_the_rows_that_are_new(shared_file, new_run, log, monkeypatch):
    run, other = new_run(), new_run()
    log(run, *[("m", step, step, 1.0) for step in range(50)])
    store = open_store(f"sqlite:///{shared_file}")
    store.points([run])
    read = []
    arrived = sqlite_cursor.arrived
    monkeypatch.setattr(sqlite_cursor, "arrived", lambda *a, **k: read.extend(arrived(*a, **k)) or iter(read))
    log(other, ("m", 1, 1, 1.0))
    log(run, ("m", 7, 99, 2.0), ("new", 3, 99, 4.0))
    assert store.points([run]).height == 51
    assert [[row[1:5] for row in part.rows()] for part in read] == [[("m", 7, 99, 2.0), ("new", 3, 99, 4.0)]]


def test_a_log_of_many_metrics_step_by_step_is_a_piece_a_curve_and_stays_few_however_often_it_grows():
    rows = [("r", key, step, step, float(step), 0) for step in range(100) for key in "abc"]
    pieces = [(run, key, part["step"].to_list()) for run, key, part in split(points_from_rows(rows))]
    assert pieces == [("r", key, list(range(100))) for key in "abc"]
    curve = Curve()
    for start in range(0, 3000, 10):
        curve.add(points_from_rows([("r", "a", s, s, 1.0, 0) for s in range(start, start + 10)]))
    assert len(curve.parts) <= 8
    assert (curve.height, pl.concat(curve.parts)["step"].to_list()) == (3000, list(range(3000)))


def test_one_pass_over_the_table_and_looking_up_curves_give_the_same(file, monkeypatch):
    client = MlflowClient(tracking_uri=f"sqlite:///{file}")
    runs = [client.create_run("0").info.run_id for _ in range(4)]
    for step, run in enumerate(runs * 3):
        client.log_metric(run, "m", float(step), step=step % 5, timestamp=step)
        client.log_metric(run, "n", float(step), step=step, timestamp=step)
    frames = {}
    for name, share in (("pass", 0.0), ("index", 2.0)):
        monkeypatch.setattr(sqlite_histories, "SCAN_FROM", share)
        monkeypatch.setattr(sqlite_queries, "_WINDOW", 5)
        store = open_store(f"sqlite:///{file}")
        frames[name] = [store.points(runs[:3], ["m"]), store.points(runs[1:]), store.points(runs)]
    assert [frame.height for frame in frames["pass"]] == [9, 18, 24]
    for one, other in zip(*frames.values(), strict=True):
        assert_frame_equal(one, other)


def test_rows_that_were_purged_by_mlflow_gc_are_gone_also_when_their_numbers_are_used_again(file):
    uri = f"sqlite:///{file}"
    client = MlflowClient(tracking_uri=uri)
    kept, purged = (client.create_run("0").info.run_id for _ in range(2))
    client.log_metric(kept, "m", 1.0, step=1, timestamp=1)
    client.log_metric(purged, "m", 9.0, step=1, timestamp=1)
    store = open_store(uri)
    assert store.points([kept, purged])["value"].sort().to_list() == [1.0, 9.0]
    client.delete_run(purged)
    purge = [sys.executable, "-m", "mlflow", "gc", "--backend-store-uri", uri, "--tracking-uri", uri]
    subprocess.run(purge, check=True, capture_output=True)
    client.log_metric(kept, "m", 2.0, step=2, timestamp=2)
    assert store.points([kept]).select("step", "value").rows() == [(1, 1.0), (2, 2.0)]


def test_a_file_that_was_replaced_by_another_is_read_from_its_beginning(file, tmp_path):
    uri = f"sqlite:///{file}"
    client = MlflowClient(tracking_uri=uri)
    run = client.create_run("0").info.run_id
    client.log_metric(run, "m", 1.0, step=1, timestamp=1)
    store = open_store(uri)
    store.points([run])
    other = shutil.copy(file, tmp_path / "other.db")
    with sqlite3.connect(other) as connection:
        connection.execute("UPDATE metrics SET value = 5.0")
    connection.close()
    (tmp_path / "other.db").rename(file)
    assert store.points([run])["value"].to_list() == [5.0]


@pytest.fixture
def remote(server):
    """A store over HTTP whose full readings can be made due at will."""
    policy = RefreshPolicy()
    return RemoteStore(server, transport=RestTransport(server), policy=policy), policy


def test_a_refresh_over_http_shows_new_steps_new_metrics_and_asks_only_from_the_last_step(
    remote, new_run, log, reference, monkeypatch
):
    store, _ = remote
    runs = [new_run(), new_run()]
    log(runs[0], *[("m", step, step, 1.0) for step in range(9)])
    log(runs[1], ("m", 100, 100, math.nan))
    assert_frame_equal(store.points(runs), reference(runs))
    asked = []
    since = RestTransport.since
    monkeypatch.setattr(
        RestTransport, "since", lambda self, key, steps: asked.append((key, steps)) or since(self, key, steps)
    )
    assert_frame_equal(store.points(runs), reference(runs))
    assert asked == []
    log(runs[0], ("m", 9, 9, math.inf), ("n", 4, 9, 2.0))
    assert_frame_equal(store.points(runs), reference(runs))
    assert sorted(asked) == [("m", {runs[0]: 8}), ("n", {runs[0]: None})]


def test_a_late_old_step_over_http_shows_at_the_next_full_reading(remote, new_run, log, reference):
    store, policy = remote
    run = new_run()
    log(run, ("m", 10, 100, 1.0))
    store.points([run])
    log(run, ("m", 3, 101, 2.0))
    assert store.points([run])["step"].to_list() == [10]
    policy.forget([run])
    assert_frame_equal(store.points([run]), reference([run]))


def test_a_run_that_ended_is_read_again_over_http_when_it_is_resumed_or_its_spool_arrives(
    remote, client, new_run, log, reference
):
    store, _ = remote
    run = new_run()
    log(run, ("m", 10, 100, 1.0))
    client.set_terminated(run, "KILLED", end_time=1)
    store.points([run])
    log(run, ("m", 3, 101, 2.0))
    client.set_tag(run, "grokscope.last_seen", "12345")
    assert_frame_equal(store.points([run]), reference([run]))


def test_a_curve_too_long_for_one_answer_is_read_whole_and_never_sampled(remote, new_run, log, reference):
    store, _ = remote
    run, short = new_run(), new_run()
    rows = [("m", step, step, float(step % 97)) for step in range(SAMPLED_FROM + 200)]
    for start in range(0, len(rows), 1000):
        log(run, *rows[start : start + 1000])
    log(short, ("m", 1, 1, 1.0))
    assert_frame_equal(store.points([run, short]), reference([run, short]))
