"""A run that is withdrawn ends deleted, whatever of it has arrived and in whatever order the rest does."""

from types import SimpleNamespace

import pytest
from mlflow.entities import ViewType

from grokscope.collectors import Tracker
from grokscope.collectors.recording.ship import withdrawal
from grokscope.collectors.recording.ship.delivery.run_upload import RefusedForNow
from grokscope.collectors.recording.ship.delivery.withdrawal import Withdrawal
from grokscope.collectors.recording.ship.mlflow.run_store import MlflowRunStore
from grokscope.collectors.recording.ship.run_store import Refused, RunGone, Unavailable
from grokscope.collectors.recording.ship.service import Service
from grokscope.collectors.recording.spool import find_spools, read_json, read_meta, read_spool
from grokscope.schemas import CLIENT_RUN_ID
from grokscope.schemas.tags import WITHDRAWN


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    """Ship in this process, when a test says so."""
    monkeypatch.setenv("GROKSCOPE_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(withdrawal, "ensure_shipper", lambda *_: None)


@pytest.fixture
def service(tmp_path, store) -> Service:
    return Service(tmp_path / "home", store, run_store=MlflowRunStore(store), sleep=lambda _: None)


@pytest.fixture
def withdraw(store):
    return lambda run_id="run-a", **options: withdrawal.withdraw_run(
        run_id, store=store, experiment="e", why="begun anew", **options
    )


@pytest.fixture
def stages(client):
    def read():
        found = client.get_experiment_by_name("e")
        runs = client.search_runs([found.experiment_id], run_view_type=ViewType.ALL) if found else []
        return sorted((run.data.tags[CLIENT_RUN_ID], run.info.lifecycle_stage) for run in runs)

    return read


def logged(new_spool, run_id="run-a", *, has_ended=False, **options):
    folder, _, writer = new_spool(run_id, **options)
    writer.points(1, 1000, {"train/loss": 1.0})
    end = {"event": "end", "status": "FINISHED", "time_ms": 1000}
    writer.close(end if has_ended else None)
    return folder


def shipped(service, tmp_path):
    for _ in range(8):
        service.tick()
    return [folder.name for folder in find_spools(tmp_path / "home")] == []


def test_what_another_machine_sends_late_of_a_withdrawn_run_does_not_make_it_anew(
    new_spool, service, withdraw, stages, tmp_path
):
    withdraw(is_elsewhere=True)
    assert shipped(service, tmp_path)
    assert stages() == [("run-a", "deleted")]
    late = logged(new_spool, has_ended=True)
    assert not shipped(service, tmp_path)
    assert stages() == [("run-a", "deleted")]
    assert read_json(late / "state.json")["state"] == "orphaned"


def test_a_run_that_is_withdrawn_while_it_is_made_is_not_made(
    new_spool, service, withdraw, stages, client, store, tmp_path
):
    withdraw(is_elsewhere=True)
    assert shipped(service, tmp_path)
    meta = read_meta(logged(new_spool))
    experiment = client.get_experiment_by_name("e").experiment_id
    with pytest.raises(RunGone, match="withdrawn"):  # it looked before, and found none
        MlflowRunStore(store)._create(client, experiment, meta)
    assert stages() == [("run-a", "deleted"), ("run-a", "deleted")]


@pytest.mark.parametrize("has_ended", [True, False])
def test_a_run_that_has_arrived_is_deleted_and_says_why(
    new_spool, service, withdraw, stages, client, tmp_path, has_ended
):
    logged(new_spool, has_ended=has_ended)
    logged(new_spool, "run-b", has_ended=True)
    assert shipped(service, tmp_path)
    withdraw()
    assert shipped(service, tmp_path)
    assert stages() == [("run-a", "deleted"), ("run-b", "active")]
    (run,) = client.search_runs(
        [client.get_experiment_by_name("e").experiment_id], run_view_type=ViewType.DELETED_ONLY
    )
    assert run.data.tags[WITHDRAWN] == "begun anew"
    assert run.info.status == ("FINISHED" if has_ended else "KILLED")


def test_a_run_that_never_reached_the_store_is_not_made(new_spool, service, withdraw, stages, tmp_path):
    logged(new_spool)
    withdraw()
    assert service.tick() == 0  # of points
    assert shipped(service, tmp_path)
    assert stages() == []


def test_a_run_is_withdrawn_now_and_what_else_waits_on_the_disk_stays(
    new_spool, withdraw, monkeypatch, tmp_path
):
    others = {logged(new_spool, run_id) for run_id in ("run-1", "run-b")}
    at = 1_700_000_000_123
    monkeypatch.setattr(withdrawal, "time", SimpleNamespace(time_ns=lambda: at * 10**6 + 999_999))
    withdraw()
    (record,) = {*find_spools(tmp_path / "home")} - others
    (end,) = (read.record.content for read in read_spool(record))
    assert read_meta(record).start_ms == end["time_ms"] == at
    assert others < {*find_spools(tmp_path / "home")}


def test_a_run_that_is_half_on_its_way_is_deleted(new_spool, service, withdraw, stages, tmp_path):
    folder = logged(new_spool)
    service._find_new()
    service._deliveries[folder].advance()
    assert stages() == [("run-a", "active")]
    assert folder.exists()
    withdraw()
    assert shipped(service, tmp_path)
    assert stages() == [("run-a", "deleted")]


def test_a_shipper_that_holds_the_first_spool_already_does_not_make_the_run_anew(
    new_spool, service, withdraw, stages, tmp_path
):
    logged(new_spool)
    service._find_new()
    withdraw()
    assert shipped(service, tmp_path)
    assert stages() == []


def test_what_is_withdrawn_while_its_writer_lives_is_deleted_once_that_has_ended(
    service, withdraw, stages, store, tmp_path
):
    tracker = Tracker(experiment="e", store=store, run_id="run-a")
    tracker.log(1, {"train/loss": 1.0})
    withdraw()
    service.tick()
    tracker._run.leave("FINISHED")
    assert shipped(service, tmp_path)
    assert stages() == [("run-a", "deleted")]


def test_withdrawing_twice_is_as_once(new_spool, service, withdraw, stages, tmp_path):
    logged(new_spool, has_ended=True)
    service.tick()
    withdraw()
    withdraw()
    assert len(find_spools(tmp_path / "home")) == 1
    assert shipped(service, tmp_path)
    withdraw()
    assert shipped(service, tmp_path)
    assert stages() == [("run-a", "deleted")]


def test_a_run_of_another_store_is_left_alone(new_spool, service, stages, tmp_path):
    logged(new_spool, has_ended=True)
    withdrawal.withdraw_run("run-a", store=f"sqlite:///{tmp_path}/other.db", experiment="e")
    for _ in range(4):
        service.tick()
    assert stages() == [("run-a", "active")]


def test_a_store_that_is_away_is_asked_again(new_spool, withdraw, stages, store, tmp_path):
    class Away(MlflowRunStore):
        tries = 0

        def withdraw(self, meta):
            self.tries += 1
            if self.tries <= 2:
                raise Unavailable("no answer")
            super().withdraw(meta)

    logged(new_spool, has_ended=True)
    service = Service(tmp_path / "home", store, run_store=Away(store), sleep=lambda _: None)
    assert shipped(service, tmp_path)
    withdraw()
    assert shipped(service, tmp_path)
    assert stages() == [("run-a", "deleted")]


def test_a_store_that_refuses_for_good_is_told_in_the_spool(withdraw, store, tmp_path):
    class Refusing(MlflowRunStore):
        def withdraw(self, meta):
            raise Refused("not allowed")

    withdraw()
    (folder,) = find_spools(tmp_path / "home")
    clock = iter(range(0, 10**6, 1000))
    one = Withdrawal(
        folder,
        read_meta(folder),
        home=tmp_path / "home",
        run_store=Refusing(store),
        clock=lambda: next(clock),
    )
    for _ in range(3):
        with pytest.raises(RefusedForNow):
            one.advance()
    assert one.advance() == 0
    assert one.is_done
    assert "does not delete a run that was withdrawn (not allowed)" in read_json(folder / "state.json")["why"]
