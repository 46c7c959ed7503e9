"""Arrays from a spool into a run's artifacts: each once, in few files, and no point waits for them."""

import pytest

from grokscope.collectors.recording.ship.delivery import array_files, shipped_spool, spool_batches
from grokscope.collectors.recording.ship.mlflow.run_store import MlflowRunStore
from grokscope.collectors.recording.ship.run_store import Unavailable
from grokscope.collectors.recording.spool import read_array_cursor, read_cursor, segments

END = {"event": "end", "status": "FINISHED", "time_ms": 9000}


def test_arrays_and_points_of_a_run_arrive_and_the_arrays_are_one_file(
    new_spool, client, stored, norms, new_ship, expected
):
    folder, meta, writer = new_spool()
    for step in range(50):
        writer.points(step, 1000, {"m": float(step)})
        writer.array(norms(step))
    writer.close(END)
    ship = new_ship(folder, meta)
    ship.work()
    assert list(stored().values()) == [expected(range(50))]
    (run,) = client.search_runs([client.get_experiment_by_name("e").experiment_id])
    assert len(client.get_metric_history(run.info.run_id, "m")) == 50
    assert (run.info.status, run.info.end_time) == ("FINISHED", 9000)
    assert not folder.exists()


def test_the_file_of_a_run_in_training_grows_and_is_sent_only_so_often(
    new_spool, stored, monkeypatch, norms, new_ship, expected
):
    folder, meta, writer = new_spool(is_alive=True)
    ship = new_ship(folder, meta)
    for step in range(3):
        writer.array(norms(step))
        ship.work()
    assert list(stored().values()) == [expected([0])]
    monkeypatch.setattr(ship.delivery._arrays, "_sendings", array_files.Interval(0.0))
    ship.work()
    assert list(stored().values()) == [expected(range(3))]
    assert len(set(ship.store.sent)) == 1
    assert len(ship.store.sent) == 2
    writer.close(END)
    ship.work()
    assert len(ship.store.sent) == 2


@pytest.mark.parametrize("is_sent", [True, False])
def test_a_shipper_that_takes_over_makes_the_same_file_and_no_array_stands_in_two(
    new_spool, stored, is_sent, norms, new_ship, expected
):
    folder, meta, writer = new_spool(is_alive=True)
    ship = new_ship(folder, meta)
    for step in range(6):
        writer.points(step, 1000, {"m": float(step)})
        writer.array(norms(step))
        ship.store.is_killed = is_sent and step == 0
        try:
            ship.work()
        except KeyboardInterrupt:
            assert step == 0
        ship.delivery._spool.move_cursor()
        ship.take_over()
    writer.close(END)
    ship.work()
    assert list(stored().values()) == [expected(range(6))]
    assert len(set(ship.store.sent)) == 1


def test_full_files_are_sent_once_and_only_then_is_their_spool_let_go(
    new_spool, stored, monkeypatch, norms, new_ship, expected
):
    monkeypatch.setattr(array_files, "FILE_BYTES", 4000)
    folder, meta, writer = new_spool(is_alive=True, segment_bytes=30_000)
    ship = new_ship(folder, meta)
    for step in range(40):
        writer.array(norms(step, size=500))
        ship.work()
    writer.close(END)
    ship.work()
    files = stored()
    assert sorted(row for rows in files.values() for row in rows) == expected(range(40))
    assert max(len(rows) for rows in files.values()) == 2
    assert len(ship.store.sent) <= 2 * len(files)


def test_a_file_holds_no_more_arrays_than_a_reader_takes(new_spool, stored, monkeypatch, norms, new_ship):
    monkeypatch.setattr(array_files, "MOST_FILE_ARRAYS", 30)
    folder, meta, writer = new_spool()
    for step in range(100):
        writer.array(norms(step))
    writer.close(END)
    new_ship(folder, meta).work()
    assert [len(rows) for rows in stored().values()] == [30, 30, 30, 10]


def test_while_more_arrays_wait_the_next_are_sent_at_once(
    new_spool, stored, monkeypatch, norms, new_ship, expected
):
    monkeypatch.setattr(spool_batches, "_MOST_BYTES", 4000)
    folder, meta, writer = new_spool()
    for step in range(8):
        writer.array(norms(step, size=500))
    writer.close(END)
    ship = new_ship(folder, meta)
    behind = []
    while not ship.delivery.is_done:
        ship.delivery.advance()
        behind.append(ship.delivery.is_behind)
    assert behind == [True] * 4 + [False]
    assert list(stored().values()) == [expected(range(8))]


def test_a_segment_is_kept_while_the_arrays_in_it_are_in_no_finished_file(new_spool, norms, new_ship):
    folder, meta, writer = new_spool(is_alive=True, segment_bytes=2000)
    ship = new_ship(folder, meta)
    ship.store.trouble = Unavailable("no such bucket")
    writer.array(norms(0))
    for step in range(300):
        writer.points(step, 1000, {"m": float(step)})
    ship.work()
    numbers = [number for number, _ in segments(folder)]
    assert numbers[0] == 0
    assert len(numbers) > 3
    assert read_cursor(folder).segment == numbers[-1]
    assert read_array_cursor(folder).segment == 0
    ship.store.trouble = None
    ship.delivery._arrays._next_try = array_files.Interval(0.0)
    ship.work()
    assert [number for number, _ in segments(folder)] == numbers[-1:]
    assert read_array_cursor(folder) is None


def test_of_the_files_that_wait_for_their_place_sixteen_go_on_waiting_and_those_before_are_kept_on_disk(
    new_spool, norms, new_ship, tmp_path
):
    folder, meta, writer = new_spool(is_alive=True, segment_bytes=1)  # each array begins a file
    ship = new_ship(folder, meta)
    ship.store.trouble = Unavailable("no such bucket")
    for step in range(20):
        writer.array(norms(step))
    ship.work()
    kept = sorted(path.name.rpartition(".parquet")[0] for path in (tmp_path / "dead").glob("*.parquet"))
    assert [int(name[-15:-9]) for name in kept] == [0, 1, 2, 3]
    writer.close()


class Killed(BaseException):
    """What nothing of ours catches: as near to a kill as a process comes that goes on."""


@pytest.mark.parametrize(
    ("place", "name"),
    [(MlflowRunStore, "put_file"), (shipped_spool, "write_cursor"), (shipped_spool, "remove_spool")],
)
def test_a_shipper_that_stops_at_any_boundary_loses_and_doubles_no_array(
    new_spool, stored, place, name, monkeypatch, norms, new_ship, expected
):
    folder, meta, writer = new_spool(segment_bytes=30_000)
    for step in range(1100):
        writer.points(step, 1000, {"m": float(step)})
        writer.array(norms(step))
    writer.close(END)
    ship = new_ship(folder, meta)
    real = getattr(place, name)

    def stop_after(*given, **named):
        real(*given, **named)
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(place, name, stop_after)
        with pytest.raises(Killed):
            ship.work()
    if folder.exists():
        ship.take_over()
        ship.work()
    assert [row for rows in stored().values() for row in rows] == expected(range(1100))
    assert list(folder.parent.glob("[!.]*")) == []
