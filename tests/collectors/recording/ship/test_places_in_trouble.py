"""A place of artifacts that takes nothing, or not what it was sent, costs no array and no point."""

import json
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from grokscope.collectors.recording.ship.delivery.run_upload import RefusedForNow
from grokscope.collectors.recording.ship.mlflow.run_store import MlflowRunStore
from grokscope.collectors.recording.ship.run_store import NoPlace, Unavailable
from grokscope.schemas.arrays import arrays_in

END = {"event": "end", "status": "FINISHED", "time_ms": 9000}


def test_where_no_artifact_is_taken_points_arrive_and_the_arrays_are_kept_on_disk_and_told(
    new_spool, client, tmp_path, norms, new_ship
):
    folder, meta, writer = new_spool()
    writer.points(0, 1000, {"m": 1.0})
    writer.array(norms(7))
    writer.close(END)
    ship = new_ship(folder, meta)
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


def test_a_store_that_is_away_altogether_costs_no_array(new_spool, stored, norms, new_ship, expected):
    folder, meta, writer = new_spool()
    writer.array(norms(7))
    writer.close(END)
    ship = new_ship(folder, meta)
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


def test_a_place_that_is_none_is_not_tried_for_minutes(new_spool, tmp_path, norms, new_ship):
    folder, meta, writer = new_spool()
    writer.array(norms(7))
    writer.close(END)
    ship = new_ship(folder, meta)
    ship.store.trouble = NoPlace("it is a folder of the server")
    ship.work()
    assert ship.delivery.is_done
    assert "it is a folder of the server" in (tmp_path / "dead/run.jsonl").read_text()


def test_an_upload_that_comes_late_costs_no_array(
    new_spool, client, stored, monkeypatch, norms, new_ship, expected
):
    folder, meta, writer = new_spool(is_alive=True)
    ship = new_ship(folder, meta)
    writer.array(norms(0))
    ship.work()
    (name,) = ship.store.sent
    (run,) = client.search_runs([client.get_experiment_by_name("e").experiment_id])
    place = Path(urlsplit(run.info.artifact_uri).path) / "grokscope/arrays" / name
    earlier = place.read_bytes()
    for step in range(1, 4):
        writer.array(norms(step))
    writer.close(END)
    real = type(ship.store).put_file

    def late(store, *given):
        real(store, *given)
        place.write_bytes(earlier)

    with monkeypatch.context() as patched:
        patched.setattr(type(ship.store), "put_file", late)
        with pytest.raises(RefusedForNow, match="has come late"):
            ship.work()
    ship.work()
    assert stored() == {name: expected(range(4))}
    assert ship.delivery.is_done


@pytest.mark.parametrize("told", [7, Unavailable("may not be listed")])
def test_a_place_that_never_tells_the_right_size_holds_no_run_open(
    new_spool, stored, monkeypatch, told, norms, new_ship, expected
):
    def size(*_):
        if isinstance(told, Exception):
            raise told
        return told

    monkeypatch.setattr(MlflowRunStore, "file_size", size)
    folder, meta, writer = new_spool()
    writer.array(norms(7))
    writer.close(END)
    ship = new_ship(folder, meta)
    for _ in range(9):
        with suppress(RefusedForNow):
            ship.work()
    assert ship.delivery.is_done
    assert len(ship.store.sent) == (4 if told == 7 else 1)
    assert list(stored().values()) == [expected([7])]
