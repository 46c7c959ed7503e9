"""Arrays from a spool into a run's artifacts: each once, in few files, and no point waits for them."""

import json
from array import array
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import polars as pl
import pytest

from grokscope.collectors.recording.ship.delivery import array_files, shipped_spool, spool_batches
from grokscope.collectors.recording.ship.delivery.delivery import Delivery
from grokscope.collectors.recording.ship.delivery.run_upload import RefusedForNow
from grokscope.collectors.recording.ship.mlflow.run_store import MlflowRunStore
from grokscope.collectors.recording.ship.run_store import NoPlace, Unavailable
from grokscope.collectors.recording.spool import read_array_cursor, read_cursor, segments
from grokscope.schemas.arrays import Axis, LoggedArray, arrays_in

END = {"event": "end", "status": "FINISHED", "time_ms": 9000}


def norms(step: int, *, size: int = 3) -> LoggedArray:
    return LoggedArray(
        name="norms",
        step=step,
        time_ms=1000 + step,
        precision="float32",
        shape=(size,),
        axes=(Axis(name="layer"),),
        data=array("f", [float(step)] * size).tobytes(),
    )


class CountingStore(MlflowRunStore):
    """A real store that notes which files it is sent, and fails as it is told."""

    def __init__(self, uri: str) -> None:
        super().__init__(uri)
        self.sent: list[str] = []
        self.trouble: Exception | None = None
        self.is_killed = False

    def put_file(self, run, path, content):
        if self.trouble is not None:
            raise self.trouble
        self.sent.append(path.rpartition("/")[2])
        super().put_file(run, path, content)
        if self.is_killed:
            raise KeyboardInterrupt


class Ship:
    """Deliveries of one spool, each of which is a shipper that has taken over."""

    def __init__(self, folder, meta, tmp_path) -> None:
        self.store = CountingStore(meta.store)
        self.now = 0.0
        self._begin = lambda: Delivery(
            folder,
            meta,
            run_store=self.store,
            dead_letters=tmp_path / "dead" / "run.jsonl",
            clock=lambda: self.now,
        )
        self.take_over()

    def take_over(self) -> None:
        self.delivery = self._begin()

    def work(self) -> None:
        while self.delivery.advance() and not self.delivery.is_done:
            pass


@pytest.fixture
def stored(client):
    """Read the arrays of the only run, file by file."""

    def read() -> dict[str, list[tuple[int, float]]]:
        experiment = client.get_experiment_by_name("e")
        (run,) = client.search_runs([experiment.experiment_id])
        folder = Path(urlsplit(run.info.artifact_uri).path) / "grokscope/arrays"
        frames = {path.name: arrays_in(path.read_bytes(), run_id="r") for path in sorted(folder.glob("*"))}
        return {
            name: frame.select("step", pl.col("values").list.first()).rows() for name, frame in frames.items()
        }

    return read


def expected(steps) -> list[tuple[int, float]]:
    return [(step, float(step)) for step in steps]


def test_arrays_and_points_of_a_run_arrive_and_the_arrays_are_one_file(new_spool, client, tmp_path, stored):
    folder, meta, writer = new_spool()
    for step in range(50):
        writer.points(step, 1000, {"m": float(step)})
        writer.array(norms(step))
    writer.close(END)
    ship = Ship(folder, meta, tmp_path)
    ship.work()
    assert list(stored().values()) == [expected(range(50))]
    (run,) = client.search_runs([client.get_experiment_by_name("e").experiment_id])
    assert len(client.get_metric_history(run.info.run_id, "m")) == 50
    assert (run.info.status, run.info.end_time) == ("FINISHED", 9000)
    assert not folder.exists()


def test_the_file_of_a_run_in_training_grows_and_is_sent_only_so_often(
    new_spool, tmp_path, stored, monkeypatch
):
    folder, meta, writer = new_spool(is_alive=True)
    ship = Ship(folder, meta, tmp_path)
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
    new_spool, tmp_path, stored, is_sent
):
    folder, meta, writer = new_spool(is_alive=True)
    ship = Ship(folder, meta, tmp_path)
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
    new_spool, tmp_path, stored, monkeypatch
):
    monkeypatch.setattr(array_files, "FILE_BYTES", 4000)
    folder, meta, writer = new_spool(is_alive=True, segment_bytes=30_000)
    ship = Ship(folder, meta, tmp_path)
    for step in range(40):
        writer.array(norms(step, size=500))
        ship.work()
    writer.close(END)
    ship.work()
    files = stored()
    assert sorted(row for rows in files.values() for row in rows) == expected(range(40))
    assert max(len(rows) for rows in files.values()) == 2
    assert len(ship.store.sent) <= 2 * len(files)


def test_a_file_holds_no_more_arrays_than_a_reader_takes(new_spool, tmp_path, stored, monkeypatch):
    monkeypatch.setattr(array_files, "MOST_FILE_ARRAYS", 30)
    folder, meta, writer = new_spool()
    for step in range(100):
        writer.array(norms(step))
    writer.close(END)
    Ship(folder, meta, tmp_path).work()
    assert [len(rows) for rows in stored().values()] == [30, 30, 30, 10]


def test_while_more_arrays_wait_the_next_are_sent_at_once(new_spool, tmp_path, stored, monkeypatch):
    monkeypatch.setattr(spool_batches, "_MOST_BYTES", 4000)
    folder, meta, writer = new_spool()
    for step in range(8):
        writer.array(norms(step, size=500))
    writer.close(END)
    ship = Ship(folder, meta, tmp_path)
    behind = []
    while not ship.delivery.is_done:
        ship.delivery.advance()
        behind.append(ship.delivery.is_behind)
    assert behind == [True] * 4 + [False]
    assert list(stored().values()) == [expected(range(8))]


def test_a_segment_is_kept_while_the_arrays_in_it_are_in_no_finished_file(new_spool, tmp_path):
    folder, meta, writer = new_spool(is_alive=True, segment_bytes=2000)
    ship = Ship(folder, meta, tmp_path)
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


def test_where_no_artifact_is_taken_points_arrive_and_the_arrays_are_kept_on_disk_and_told(
    new_spool, client, tmp_path
):
    folder, meta, writer = new_spool()
    writer.points(0, 1000, {"m": 1.0})
    writer.array(norms(7))
    writer.close(END)
    ship = Ship(folder, meta, tmp_path)
    ship.store.trouble = Unavailable("no such bucket")
    for _ in range(3):
        with pytest.raises(RefusedForNow, match="no such bucket"):
            ship.work()
        ship.now += 100
    (run,) = client.search_runs([client.get_experiment_by_name("e").experiment_id])
    assert run.data.metrics == {"m": 1.0}
    ship.work()
    assert ship.delivery.is_done
    (run,) = client.search_runs([run.info.experiment_id])
    assert run.info.status == "FINISHED"
    assert "no such bucket" in run.data.tags["grokscope.refused"]
    (letter,) = map(json.loads, (tmp_path / "dead/run.jsonl").read_text().splitlines())
    kept = (tmp_path / "dead" / letter["arrays"]).read_bytes()
    assert arrays_in(kept, run_id="r")["step"].to_list() == [7]


def test_a_store_that_is_away_altogether_costs_no_array(new_spool, tmp_path, stored):
    folder, meta, writer = new_spool()
    writer.array(norms(7))
    writer.close(END)
    ship = Ship(folder, meta, tmp_path)
    ship.store.trouble = Unavailable("connection refused")

    def away(*_):
        raise Unavailable("connection refused")

    taken, ship.store.describe = ship.store.describe, away
    for _ in range(9):
        with pytest.raises(Unavailable) as raised:
            ship.work()
        assert not isinstance(raised.value, RefusedForNow)
        ship.now += 1000
    ship.store.describe, ship.store.trouble = taken, None
    ship.work()
    assert list(stored().values()) == [expected([7])]


def test_a_place_that_is_none_is_not_tried_for_minutes(new_spool, tmp_path):
    folder, meta, writer = new_spool()
    writer.array(norms(7))
    writer.close(END)
    ship = Ship(folder, meta, tmp_path)
    ship.store.trouble = NoPlace("it is a folder of the server")
    ship.work()
    assert ship.delivery.is_done
    assert "it is a folder of the server" in (tmp_path / "dead/run.jsonl").read_text()


def test_an_upload_that_comes_late_costs_no_array(new_spool, client, tmp_path, stored, monkeypatch):
    folder, meta, writer = new_spool(is_alive=True)
    ship = Ship(folder, meta, tmp_path)
    writer.array(norms(0))
    ship.work()
    (name,) = ship.store.sent
    (run,) = client.search_runs([client.get_experiment_by_name("e").experiment_id])
    place = Path(urlsplit(run.info.artifact_uri).path) / "grokscope/arrays" / name
    earlier = place.read_bytes()
    for step in range(1, 4):
        writer.array(norms(step))
    writer.close(END)
    real = CountingStore.put_file

    def late(store, *given):
        real(store, *given)
        place.write_bytes(earlier)

    with monkeypatch.context() as patched:
        patched.setattr(CountingStore, "put_file", late)
        with pytest.raises(RefusedForNow, match="has come late"):
            ship.work()
    ship.work()
    assert stored() == {name: expected(range(4))}
    assert ship.delivery.is_done


@pytest.mark.parametrize("told", [7, Unavailable("may not be listed")])
def test_a_place_that_never_tells_the_right_size_holds_no_run_open(
    new_spool, tmp_path, stored, monkeypatch, told
):
    def size(*_):
        if isinstance(told, Exception):
            raise told
        return told

    monkeypatch.setattr(MlflowRunStore, "file_size", size)
    folder, meta, writer = new_spool()
    writer.array(norms(7))
    writer.close(END)
    ship = Ship(folder, meta, tmp_path)
    for _ in range(9):
        with suppress(RefusedForNow):
            ship.work()
    assert ship.delivery.is_done
    assert len(ship.store.sent) == (4 if told == 7 else 1)
    assert list(stored().values()) == [expected([7])]


class Killed(BaseException):
    """What nothing of ours catches: as near to a kill as a process comes that goes on."""


@pytest.mark.parametrize(
    ("place", "name"),
    [(MlflowRunStore, "put_file"), (shipped_spool, "write_cursor"), (shipped_spool, "remove_spool")],
)
def test_a_shipper_that_stops_at_any_boundary_loses_and_doubles_no_array(
    new_spool, tmp_path, stored, place, name, monkeypatch
):
    folder, meta, writer = new_spool(segment_bytes=30_000)
    for step in range(1100):
        writer.points(step, 1000, {"m": float(step)})
        writer.array(norms(step))
    writer.close(END)
    ship = Ship(folder, meta, tmp_path)
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
