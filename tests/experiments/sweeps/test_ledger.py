"""What is trained again: what failed, was broken off or deleted, and nothing else."""

import json
import time

import pytest

from grokscope.collectors import Tracker
from grokscope.collectors.recording.ship import withdrawal
from grokscope.collectors.recording.spool import find_spools, read_meta, remove_spool
from grokscope.experiments import Cell, Ledger
from grokscope.schemas.tags import ELSEWHERE, WITHDRAWN

CELL = Cell(experiment="e", group="g", seed=0, settings={"lr": 0.1}, train="own.py:train")


@pytest.fixture(autouse=True)
def _no_shipper(monkeypatch):
    monkeypatch.setattr(withdrawal, "ensure_shipper", lambda *_: None)


@pytest.fixture
def ledger(home, store):
    """Give a ledger that has been opened anew, as by a sweep that is started again."""
    return lambda stored=None: Ledger(home, store, stored=lambda: stored)


def trained(ledger, code=0):
    claim = ledger.claim(CELL)
    run_id = claim.begin()
    claim.end(code)
    claim.release()
    return run_id


def asked(ledger):
    claim = ledger.claim(CELL)
    claim.release()
    return claim.finished, claim.attempt


def withdrawn(home):
    metas = map(read_meta, find_spools(home))
    return [meta.run_id for meta in metas if WITHDRAWN in meta.tags]


def test_what_is_finished_is_not_trained_again(ledger):
    assert asked(ledger()) == (None, 1)
    run_id = trained(ledger())
    assert run_id == CELL.run_id(1)
    assert asked(ledger()) == (run_id, 2)


@pytest.mark.parametrize("is_broken_off", [True, False])
def test_what_failed_or_was_broken_off_is_the_next_attempt_and_its_run_withdrawn(
    ledger, home, store, is_broken_off
):
    claim = ledger().claim(CELL)
    with Tracker(experiment="e", store=store, run_id=claim.begin()):
        pass
    if not is_broken_off:
        assert claim.end(1) == "failed"
    claim.release()
    again = ledger().claim(CELL)
    assert (again.finished, again.attempt, withdrawn(home)) == (None, 2, [])
    assert again.begin() == CELL.run_id(2)
    assert withdrawn(home) == [CELL.run_id(1)]


def test_a_cell_is_trained_by_one_sweep_at_a_time(ledger):
    first = ledger().claim(CELL)
    assert ledger().claim(CELL) is None
    first.release()
    assert ledger().claim(CELL) is not None


def test_a_finished_run_in_the_store_is_believed_without_a_record(ledger):
    assert asked(ledger({CELL.run_id(2): "FINISHED"})) == (CELL.run_id(2), 3)
    assert asked(ledger({CELL.run_id(2): "KILLED"})) == (None, 3)
    assert asked(ledger({CELL.run_id(40): "FINISHED"})) == (CELL.run_id(40), 41)


def test_a_run_that_may_go_on_on_another_machine_is_not_deleted_and_one_that_has_ended_there_is(ledger, home):
    claim = ledger({CELL.run_id(1): "KILLED", CELL.run_id(2): "RUNNING"}).claim(CELL)
    assert claim.begin() == CELL.run_id(3)
    assert withdrawn(home) == [CELL.run_id(1)]


def test_a_run_that_was_sent_to_another_machine_ended_with_its_sweep_whatever_it_still_says(ledger, home):
    first = ledger().claim(CELL)
    run_id = first.begin(is_elsewhere=True)
    first.release()
    again = ledger({run_id: "RUNNING"}).claim(CELL)
    assert (again.finished, again.attempt, again.begin()) == (None, 2, CELL.run_id(2))
    (meta,) = map(read_meta, find_spools(home))
    assert (meta.run_id, meta.tags.keys()) == (run_id, {WITHDRAWN, ELSEWHERE})


def test_a_run_whose_points_wait_on_another_machine_is_not_taken_for_deleted(ledger):
    for is_tracked in (False, True):
        claim = ledger().claim(CELL)
        run_id = claim.begin(is_elsewhere=True)
        assert claim.end(0, is_tracked=is_tracked) == "finished"
        claim.release()
        time.sleep(0.002)  # a store that was asked in the millisecond of the end knows nothing of it
        assert (asked(ledger({}))[0] == run_id) is not is_tracked


def test_a_run_of_which_points_wait_on_another_machine_is_done_once_they_have_arrived(ledger):
    claim = ledger().claim(CELL)
    run_id = claim.begin(is_elsewhere=True)
    assert claim.end(0, is_tracked=True, is_on_its_way=True) == "finished"
    claim.release()
    time.sleep(0.002)  # a store that was asked in the millisecond of the end knows nothing of it
    said = {status: asked(ledger({run_id: status}))[0] for status in ("RUNNING", "FINISHED")}
    assert said == {"RUNNING": None, "FINISHED": run_id}
    assert asked(ledger({}))[0] is None
    assert asked(ledger(None))[0] == run_id, "a store that cannot be asked says nothing"


def test_a_run_that_was_lost_with_its_machine_is_taken_back_where_it_may_still_come_from(ledger, home):
    claim = ledger().claim(CELL)
    run_id = claim.begin(is_elsewhere=True)
    claim.withdraw()
    (meta,) = map(read_meta, find_spools(home))
    assert (meta.run_id, meta.tags.keys()) == (run_id, {WITHDRAWN, ELSEWHERE})


def test_what_a_training_has_left_behind_keeps_nobody_from_seeing_that_it_is_finished(ledger):
    claim = ledger().claim(CELL)
    run_id = claim.begin()
    assert ledger().claim(CELL) is None
    claim.end(0)
    assert asked(ledger()) == (run_id, 2), "something still holds the lock"


def test_a_job_that_failed_after_its_tracker_was_closed_has_failed(ledger):
    run_id = trained(ledger(), code=1)
    assert asked(ledger({run_id: "FINISHED"})) == (None, 2)


def test_a_run_that_somebody_deleted_is_trained_again(ledger, home, store):
    claim = ledger().claim(CELL)
    run_id = claim.begin()
    with Tracker(experiment="e", store=store, run_id=run_id) as tracker:
        tracker.log(0, {"train/loss": 1.0})
        claim.end(0)
        claim.release()
        assert asked(ledger({})) == (run_id, 2), "it is on its way"
    for folder in find_spools(home):
        remove_spool(folder)
    assert asked(ledger({run_id: "FINISHED"})) == (run_id, 2)
    assert asked(ledger(None)) == (run_id, 2), "a store that cannot be asked deletes nothing"
    assert asked(ledger({})) == (None, 2)


def test_a_training_that_no_tracker_follows_is_believed_by_its_record(ledger):
    run_id = trained(ledger())
    assert asked(ledger({})) == (run_id, 2)


def test_another_store_is_another_ledger(ledger, home, tmp_path):
    trained(ledger())
    assert asked(Ledger(home, f"sqlite:///{tmp_path}/other.db")) == (None, 1)


def test_a_line_that_is_cut_or_none_costs_only_itself(ledger, home):
    run_id = trained(ledger())
    (path,) = home.glob("sweeps/*/*.jsonl")
    lines = path.read_text()
    path.write_text(
        '{"attempt": 1, "en' + lines + "\0\0[1]\n" + json.dumps({"attempt": "x"}) + "\n" + "[" * 100_000
    )
    path.chmod(0o600)
    assert asked(ledger()) == (run_id, 2)


def test_what_a_cell_is_called_and_how_long_it_takes_do_not_tell_it_from_another():
    changed = [{"group": "h"}, {"steps": 9}]
    assert {Cell(**{**CELL.to_json(), **change}).identity for change in changed} == {CELL.identity}
    others = [{"seed": 1}, {"settings": {"lr": 0.2}}, {"experiment": "f"}, {"train": "own.py:other"}]
    assert CELL.identity not in {Cell(**{**CELL.to_json(), **change}).identity for change in others}


def test_a_time_that_is_none_is_no_time(ledger, home):
    run_id = trained(ledger())
    (path,) = home.glob("sweeps/*/*.jsonl")
    line = {"attempt": 1, "end": "finished", "time_ms": "late", "is_tracked": True}
    path.write_text(json.dumps(line))
    assert asked(ledger({})) == (None, 2)
    assert asked(ledger({run_id: "FINISHED"})) == (run_id, 2)
