"""From a spool into a real MLflow store: everything, once, and nothing that is not there."""

import json
import math

import pytest
from mlflow.entities import ViewType

from grokscope.collectors.recording.ship.delivery.delivery import Delivery
from grokscope.collectors.recording.ship.mlflow.run_store import MlflowRunStore
from grokscope.collectors.recording.ship.run_store import TooSlow, Unavailable
from grokscope.collectors.recording.spool import Cursor, SpoolWriter, read_cursor, write_cursor


def deliver(folder, meta, tmp_path, run_store=None) -> Delivery:
    delivery = Delivery(
        folder, meta, run_store=run_store or MlflowRunStore(meta.store), dead_letters=tmp_path / "dead.jsonl"
    )
    for _ in range(100):
        delivered = delivery.advance()
        if delivery.is_done or (not delivered and delivery.is_live):
            return delivery
    raise AssertionError("the delivery does not come to an end")


def only_run(client):
    experiment = client.get_experiment_by_name("e")
    (run,) = client.search_runs([experiment.experiment_id], run_view_type=ViewType.ALL)
    return run


def rows(client, key) -> list[tuple[int, int, float]]:
    history = client.get_metric_history(only_run(client).info.run_id, key)
    return sorted((m.step, m.timestamp, m.value) for m in history)


def end(writer: SpoolWriter, status="FINISHED") -> None:
    writer.close({"event": "end", "status": status, "time_ms": 9000})


def test_points_params_status_and_times_arrive(new_spool, client, tmp_path):
    folder, meta, writer = new_spool(params={"lr": "0.1", "group": "g"}, name="my run")
    for step in range(2500):
        writer.points(step, 1000 + step, {"train/loss": step / 7, "test/loss": -step})
    end(writer)
    deliver(folder, meta, tmp_path)
    assert rows(client, "train/loss") == [(s, 1000 + s, s / 7) for s in range(2500)]
    assert rows(client, "test/loss") == [(s, 1000 + s, -s) for s in range(2500)]
    run = only_run(client)
    assert run.data.params == {"lr": "0.1", "group": "g"}
    assert (run.info.run_name, run.info.status) == ("my run", "FINISHED")
    assert (run.info.start_time, run.info.end_time) == (1000, 9000)
    assert not folder.exists()


def test_values_that_are_not_finite_arrive_as_mlflow_keeps_them(new_spool, client, tmp_path):
    folder, meta, writer = new_spool()
    writer.points(0, 1, {"nan": math.nan, "inf": math.inf, "minus": -math.inf, "tiny": 5e-324})
    end(writer)
    deliver(folder, meta, tmp_path)
    assert math.isnan(rows(client, "nan")[0][2])
    # MLflow's SQL store has no infinity; the reading side turns these back.
    assert rows(client, "inf") == [(0, 1, 1.7976931348623157e308)]
    assert rows(client, "minus") == [(0, 1, -1.7976931348623157e308)]
    assert rows(client, "tiny") == [(0, 1, 5e-324)]


def test_sending_everything_again_adds_nothing(new_spool, client, tmp_path):
    folder, meta, writer = new_spool(is_alive=True)
    for step in range(1500):
        writer.points(step, 1000 + step, {"m": step / 3, "n": math.nan})
    deliver(folder, meta, tmp_path)
    before = rows(client, "m")
    assert len(before) == 1500
    write_cursor(folder, Cursor())  # what a crash between sending and acknowledging leaves behind
    deliver(folder, meta, tmp_path)
    assert rows(client, "m") == before
    assert len(rows(client, "n")) == 1500
    writer.close()


def test_a_spool_that_still_grows_is_followed_and_its_sent_segments_removed(new_spool, client, tmp_path):
    folder, meta, writer = new_spool(is_alive=True, segment_bytes=300)
    delivery = Delivery(
        folder, meta, run_store=MlflowRunStore(meta.store), dead_letters=tmp_path / "dead.jsonl"
    )
    for step in range(60):
        writer.points(step, 1000, {"m": float(step)})
        if step % 20 == 19:
            assert delivery.advance() == 20
            assert delivery.advance() == 0
    assert [s for s, _, _ in rows(client, "m")] == list(range(60))
    assert len(list(folder.glob("*.seg"))) == 1
    assert read_cursor(folder).segment > 0
    end(writer)
    delivery.advance()
    assert delivery.is_done
    assert not folder.exists()


def test_a_record_that_mlflow_refuses_costs_only_itself(new_spool, client, tmp_path):
    folder, meta, writer = new_spool()
    for step in range(100):
        writer.points(step, 1000, {"good": float(step)} | ({"../bad": 1.0} if step == 37 else {}))
    end(writer)
    deliver(folder, meta, tmp_path)
    assert [s for s, _, _ in rows(client, "good")] == list(range(100))
    (dead,) = [json.loads(line) for line in (tmp_path / "dead.jsonl").read_text().splitlines()]
    assert (dead["key"], dead["step"], dead["value"], dead["run"]) == ("../bad", 37, 1.0, "run-a")
    assert (tmp_path / "dead.jsonl").stat().st_mode & 0o777 == 0o600


def test_points_of_a_deleted_run_stay_on_disk_with_the_reason(new_spool, client, tmp_path):
    folder, meta, writer = new_spool(is_alive=True)
    writer.points(0, 1000, {"m": 1.0})
    delivery = deliver(folder, meta, tmp_path)
    client.delete_run(only_run(client).info.run_id)
    writer.points(1, 1000, {"m": 2.0})
    assert delivery.advance() == 0
    assert delivery.is_done
    why = json.loads((folder / "state.json").read_text())["why"]
    assert "no place for the run" in why
    assert (folder / "000000.seg").exists()
    writer.close()


def test_the_run_of_a_trainer_that_died_silently_is_closed_as_killed(new_spool, client, tmp_path):
    folder, meta, writer = new_spool()
    writer.points(3, 4000, {"m": 1.0})
    writer.close()
    deliver(folder, meta, tmp_path)
    run = only_run(client)
    assert (run.info.status, run.info.end_time) == ("KILLED", 4000)


def test_a_later_attempt_goes_on_in_the_same_run(new_spool, client, tmp_path):
    for attempt in (1, 2):
        folder, meta, writer = new_spool(attempt=attempt, params={"lr": "0.1"}, start_ms=attempt)
        writer.points(5, 1000 * attempt, {"m": float(attempt)})
        end(writer, "FAILED" if attempt == 1 else "FINISHED")
        deliver(folder, meta, tmp_path)
    run = only_run(client)
    assert run.info.status == "FINISHED"
    assert run.data.tags["grokscope.attempt"] == "2"
    assert rows(client, "m") == [(5, 1000, 1.0), (5, 2000, 2.0)]


def test_what_an_earlier_attempt_has_left_arrives_late_and_leaves_the_run_s_end_alone(
    new_spool, client, tmp_path
):
    first, second = (new_spool(attempt=attempt, start_ms=attempt) for attempt in (1, 2))
    for (_, _, writer), value in ((first, 1.0), (second, 2.0)):
        writer.points(5, int(1000 * value), {"m": value})
    end(second[2])
    first[2].close()
    deliver(*second[:2], tmp_path)
    deliver(*first[:2], tmp_path)
    run = only_run(client)
    assert (run.info.status, run.data.tags["grokscope.attempt"]) == ("FINISHED", "2")
    assert rows(client, "m") == [(5, 1000, 1.0), (5, 2000, 2.0)]


class FailingStore(MlflowRunStore):
    """A real run_store whose answers get lost: the batch is stored, and the caller is told it was not."""

    def __init__(self, uri: str, errors: list[Exception]) -> None:
        super().__init__(uri)
        self.errors = errors
        self.sizes: list[int] = []

    def send(self, run, scalars) -> None:
        self.sizes.append(len(scalars))
        super().send(run, scalars)
        if self.errors:
            raise self.errors.pop()


def test_a_lost_answer_neither_loses_nor_doubles_points(new_spool, client, tmp_path):
    folder, meta, writer = new_spool()
    for step in range(300):
        writer.points(step, 1000, {"m": float(step)})
    end(writer)
    run_store = FailingStore(meta.store, [Unavailable("reset by peer")] * 3)
    delivery = Delivery(folder, meta, run_store=run_store, dead_letters=tmp_path / "dead.jsonl")
    for _ in range(3):
        with pytest.raises(Unavailable):
            delivery.advance()
        assert read_cursor(folder) == Cursor()
    assert delivery.advance() == 300
    assert [s for s, _, _ in rows(client, "m")] == list(range(300))


def test_batches_shrink_when_the_store_is_too_slow_for_them(new_spool, tmp_path):
    folder, meta, writer = new_spool()
    for step in range(1000):
        writer.points(step, 1000, {"m": float(step)})
    end(writer)
    run_store = FailingStore(meta.store, [TooSlow("timed out")] * 5)
    delivery = Delivery(folder, meta, run_store=run_store, dead_letters=tmp_path / "dead.jsonl")
    for _ in range(5):
        with pytest.raises(TooSlow):
            delivery.advance()
    while not delivery.is_done:
        delivery.advance()
    assert run_store.sizes == [1000, 500, 250, 125, 62, *[50] * 20]
