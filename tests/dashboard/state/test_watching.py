import itertools
import time

import polars as pl
import pytest

from grokscope.dashboard.state.loading import Reader
from grokscope.dashboard.state.watching import FEW, Watcher, standing
from grokscope.schemas import Pattern, Verdict
from grokscope.transitions import LiveDetector, State


@pytest.fixture
def live(training, curves):
    """A store whose runs are in training, and a reader of it."""
    experiment = training.experiment("live")

    def start(name, **options):
        return training.run(experiment, name, curves(**options), status="RUNNING", age_s=-3600)

    return start, Reader(training.uri), training


def test_a_run_that_generalizes_goes_from_not_yet_to_confirmed_and_its_events_are_listed(live):
    start, reader, _ = live
    waiting, done = start("waiting", groks=False), start("done", groks=True)
    snapshot = reader.snapshot("live")
    # A look is bounded in time, and a busy machine may need several.
    watch = next(w for w in (reader.watch(snapshot) for _ in range(100)) if len(w.states) == 2)
    assert watch.states == {waiting: State.NOT_YET, done: State.CONFIRMED}
    told = watch.changes.filter(run="done", status="confirmed")["kind"].to_list()
    assert set(told) == {"memorization", "generalization"}
    # In the order in which they were shown: a confirmation may date the event before its first suspicion.
    shown = watch.changes.filter(run="done").select("kind", "status").rows()
    assert shown[0] == ("generalization", "confirmed")
    assert shown[-1] == ("memorization", "confirmed")


def test_only_evaluations_that_are_new_are_fed(live):
    start, reader, training = live
    run = start("r", groks=True, until=500)
    watcher = Watcher()
    snapshot = reader.snapshot("live")
    watcher.look(snapshot)
    fed = watcher._watched[run].detector._seen
    watcher.look(snapshot)
    assert watcher._watched[run].detector._seen == fed
    for step in (600, 700):
        for key in ("train/accuracy", "test/accuracy"):
            training.client.log_metric(run, key, 0.9, step=step, timestamp=int(time.time() * 1000) + 10**7)
    watcher.look(Reader(training.uri).snapshot("live"))
    # The newest evaluation may be half delivered: it waits for the next.
    assert watcher._watched[run].fed_to == 600
    assert watcher._watched[run].detector._seen == fed + 2


def test_a_long_log_is_read_over_several_looks_and_the_run_has_no_state_until_then(live):
    start, reader, _ = live
    run = start("r", groks=True)
    ticks = itertools.count(step=0.02)
    watcher = Watcher(clock=lambda: next(ticks))
    snapshot = reader.snapshot("live")
    assert watcher.look(snapshot).states == {}
    looks = next(i for i in range(100) if run in watcher.look(snapshot).states)
    assert 0 < looks < 20
    assert watcher.look(snapshot).states == {run: State.CONFIRMED}


def test_what_the_verdict_does_not_confirm_is_suspected_at_most():
    detector = LiveDetector()
    for step in range(0, 4000, 100):
        detector.update(step, {"train/accuracy": float(step > 200), "test/accuracy": float(step > 2000)})
    assert detector.state is State.CONFIRMED
    assert standing(None, detector) is State.SUSPECTED
    assert standing(Verdict(run="r", pattern=Pattern.MEMORIZATION), detector) is State.SUSPECTED
    assert standing(Verdict(run="r", pattern=Pattern.COLLAPSE), LiveDetector()) is State.REGRESSED


def test_a_run_that_stays_at_chance_never_flashes(live):
    start, reader, _ = live
    start("flat", groks=False)
    watch = reader.watch(reader.snapshot("live"))
    assert set(watch.states.values()) == {State.NOT_YET}
    assert set(watch.changes["kind"]) == {"memorization"}


def test_many_runs_together_are_judged_with_a_bound_on_false_discoveries(live):
    start, reader, _ = live
    groks = {start(f"g{i}", groks=True) for i in range(2)}
    for i in range(FEW - 2):
        start(f"n{i}", groks=False)
    assert set(reader.watch(reader.snapshot("live")).discovered) == groks


def test_a_finished_run_that_nobody_watched_has_its_events_too(sweep):
    reader = Reader(sweep.uri)
    changes = reader.watch(reader.snapshot("sweep")).changes
    assert changes.filter(pl.col("run") == "decay 0")["kind"].to_list() == ["generalization", "memorization"]
