"""Pages beside a reading that lasts: they get what is there, and nothing else waits for it."""

import threading

import pytest

from grokscope.dashboard.state import shared_reading
from grokscope.dashboard.state.connection import REOPEN_S
from grokscope.dashboard.state.data import Snapshot
from grokscope.dashboard.state.session import StoreSession
from grokscope.dashboard.state.shared_reading import FRESH_S, LONGEST_FRESH_S, RETRY_S, SharedReading
from grokscope.store import StoreError, open_store

PATIENCE_S = 60.0
BRIEF_S = 0.05


class Clock:
    now = 1_700_000_000.0

    def __call__(self):
        return self.now


class Gate:
    """A real store, whose readings of one experiment stand still while the gate is closed."""

    def __init__(self, uri, held):
        self._store = open_store(uri)
        self._held = held
        self.open = threading.Event()
        self.open.set()
        self.readings = 0
        self.notice = None

    def runs(self, experiment=None):
        if experiment == self._held:
            self.readings += 1
            assert self.open.wait(PATIENCE_S)
        return self._store.runs(experiment)

    def __getattr__(self, name):
        return getattr(self._store, name)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def two(training):
    """A store with the experiments ``slow`` and ``fast``, with a run each."""
    runs = {
        name: training.run(training.experiment(name), name, [("test/accuracy", 0.5, 0)])
        for name in ("slow", "fast")
    }
    return training, runs


@pytest.fixture
def gate(two):
    gate = Gate(two[0].uri, "slow")
    yield gate
    gate.open.set()


def until(look, condition):
    """Look again and again until the snapshot is as it should be; a test that fails here takes a minute."""
    waiting = threading.Event()
    for _ in range(int(PATIENCE_S / 0.02)):
        if condition(found := look()):
            return found
        waiting.wait(0.02)
    raise AssertionError(look())


def test_a_page_beside_a_reading_that_lasts_gets_the_last_good_snapshot_and_is_told_its_age(two, gate, clock):
    session = StoreSession(two[0].uri, clock=clock, opener=lambda _: gate, patience_s=BRIEF_S)
    good = until(lambda: session.snapshot("slow"), lambda found: found.problem is None)
    gate.open.clear()
    clock.now += 12
    gate.readings = 0
    for _ in range(3):
        kept = session.snapshot("slow")
        assert "it has been read for" in kept.problem
        assert (kept.runs["run_id"].to_list(), kept.taken_ms) == ([two[1]["slow"]], good.taken_ms)
    assert gate.readings == 1
    gate.open.set()
    clock.now += FRESH_S
    assert (
        until(lambda: session.snapshot("slow"), lambda found: found.problem is None).taken_ms > good.taken_ms
    )


def test_an_experiment_that_is_read_for_long_holds_nothing_else_up(two, gate, clock):
    training, runs = two
    session = StoreSession(training.uri, clock=clock, opener=lambda _: gate)
    gate.open.clear()
    waiting = threading.Thread(target=session.snapshot, args=("slow",))
    waiting.start()
    snapshot = session.snapshot("fast")
    assert (snapshot.problem, snapshot.runs["run_id"].to_list()) == (None, [runs["fast"]])
    assert list(session.metrics([runs["fast"]])) == ["test/accuracy"]
    assert session.points([runs["fast"]]).height == 1
    assert session.params(runs["fast"]) == {}
    assert session.live(snapshot).states == {}
    assert len(session.roles(snapshot)) == 1
    assert waiting.is_alive()
    gate.open.set()
    waiting.join(PATIENCE_S)


def test_the_newest_experiment_is_read_once_whether_it_is_asked_for_by_name_or_not(two, gate, clock):
    training, runs = two
    training.client.log_metric(runs["slow"], "test/accuracy", 0.6, step=1)
    session = StoreSession(training.uri, clock=clock, opener=lambda _: gate)
    assert session.snapshot(None) is session.snapshot("slow")
    assert gate.readings == 1


def test_what_was_written_during_a_reading_is_in_the_next_snapshot(clock):
    readings, begun, go_on = [], threading.Event(), threading.Event()

    def read(now_ms, _):
        readings.append(now_ms)
        begun.set()
        assert go_on.wait(PATIENCE_S)
        return Snapshot(experiment=f"reading {len(readings)}")

    reading = SharedReading("e", read, clock=clock)
    found = []
    page = threading.Thread(target=lambda: found.append(reading.look().experiment))
    page.start()
    assert begun.wait(PATIENCE_S)
    reading.expire()
    go_on.set()
    page.join(PATIENCE_S)
    assert found == ["reading 2"]
    assert (reading.look().experiment, len(readings)) == ("reading 2", 2)


def test_where_there_is_nothing_to_show_yet_a_page_waits_longer_and_not_for_ever(
    two, gate, clock, monkeypatch
):
    monkeypatch.setattr(shared_reading, "FIRST_S", BRIEF_S)
    session = StoreSession(two[0].uri, clock=clock, opener=lambda _: gate, patience_s=BRIEF_S)
    gate.open.clear()
    kept = session.snapshot("slow")
    assert "it has been read for" in kept.problem
    assert not kept.missing
    gate.open.set()
    assert until(lambda: session.snapshot("slow"), lambda found: found.problem is None).runs.height == 1


def test_a_failure_in_one_experiment_says_nothing_of_another(two, clock):
    training, _ = two

    class Failing(Gate):
        def runs(self, experiment=None):
            if experiment == "slow":
                raise StoreError("this one fails")
            return super().runs(experiment)

    store = Failing(training.uri, None)
    session = StoreSession(training.uri, clock=clock, opener=lambda _: store)
    assert session.snapshot("slow").problem == "this one fails"
    assert session.snapshot("fast").problem is None


def test_what_is_no_error_of_the_store_is_raised_in_the_page_that_waits_and_read_again_after(clock):
    tried = []

    def read(now_ms, _):
        tried.append(now_ms)
        raise ZeroDivisionError

    looked = SharedReading("e", read, clock=clock)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            looked.look()
    assert len(tried) == 2


def test_a_failed_reading_is_not_repeated_at_once_by_however_many_pages(clock):
    tried = []

    def read(now_ms, _):
        tried.append(now_ms)
        raise StoreError("no")

    looked = SharedReading("e", read, clock=clock)
    assert [looked.look().problem for _ in range(3)] == ["no"] * 3
    assert len(tried) == 1
    clock.now += RETRY_S
    looked.look()
    assert len(tried) == 2


@pytest.mark.parametrize(("takes_s", "fresh_s"), [(0.0, FRESH_S), (3.0, 3.0), (60.0, LONGEST_FRESH_S)])
def test_what_took_long_to_read_is_given_for_as_long_but_not_for_ever(clock, takes_s, fresh_s):
    def read(now_ms, _):
        clock.now += takes_s
        return Snapshot(taken_ms=now_ms)

    looked = SharedReading("e", read, clock=clock)
    first = looked.look()
    clock.now += 0.99 * fresh_s
    assert looked.look() is first
    clock.now += 0.02 * fresh_s
    assert looked.look() is not first


def test_a_store_that_is_opened_anew_goes_on_being_read_meanwhile(two, clock):
    training, runs = two
    opened, held = [], threading.Event()

    def opener(uri):
        if opened:
            assert held.wait(PATIENCE_S)
        opened.append(uri)
        store = Gate(uri, None)
        store.notice = "It is read the slower way."
        return store

    session = StoreSession(training.uri, clock=clock, opener=opener)
    assert session.snapshot("fast").notice == "It is read the slower way."
    clock.now += REOPEN_S
    opening = threading.Thread(target=session.params, args=(runs["fast"],))
    opening.start()
    assert until(session._connection._opening.locked, bool)
    assert session.points([runs["fast"]]).height == 1
    assert session.snapshot("fast").problem is None
    held.set()
    opening.join(PATIENCE_S)
    assert len(opened) == 2
