import time
from itertools import pairwise

import polars as pl
import pytest
from mlflow.entities import Metric

from grokscope.cli.runs.watched import WatchedRuns
from grokscope.dashboard.state.live_runs import LiveRuns, standing
from grokscope.dashboard.state.session import StoreSession
from grokscope.dashboard.state.shared_reading import LONGEST_FRESH_S
from grokscope.dashboard.views.live.alerts import FEW
from grokscope.schemas import Pattern, Verdict
from grokscope.store import open_store
from grokscope.transitions import State
from grokscope.transitions.live.feed import ALPHA


class Clock:
    """Real time that a test can put forward, so that a session reads anew."""

    ahead_s = 0.0

    def __call__(self):
        return time.time() + self.ahead_s


@pytest.fixture
def live(training, curves):
    """A store whose runs are in training, and a session on it."""
    experiment = training.experiment("live")

    def start(name, **options):
        return training.run(experiment, name, curves(**options), status="RUNNING", age_s=-3600)

    return start, StoreSession(training.uri), training


def log(training, run, points, *, time_ms):
    metrics = [Metric(key, value, time_ms, step) for key, value, step in points]
    training.client.log_batch(run, metrics=metrics)


def test_a_run_that_generalizes_goes_from_not_yet_to_confirmed_and_its_events_are_listed(live):
    start, session, _ = live
    waiting, done = start("waiting", groks=False), start("done", groks=True)
    status = session.live(session.snapshot("live"))
    assert status.states == {waiting: State.NOT_YET, done: State.CONFIRMED}
    confirmed = status.changes.filter(run="done", status="confirmed")["kind"].to_list()
    assert set(confirmed) == {"memorization", "generalization"}
    # In the order in which they were shown: a confirmation may date the event before its first suspicion.
    shown = status.changes.filter(run="done").select("kind", "status").rows()
    assert shown[0] == ("generalization", "confirmed")
    assert shown[-1] == ("memorization", "confirmed")


def test_what_a_person_decided_is_no_doubt_of_the_detector_any_more(live):
    start, session, training = live
    denied, moved = start("denied", groks=True), start("moved", groks=True)
    training.client.set_tag(denied, "grokscope.review.generalized_step", "none")
    training.client.set_tag(moved, "grokscope.review.midpoint_step", "777")
    status = session.live(session.snapshot("live"))
    assert status.states == {denied: State.NOT_YET, moved: State.CONFIRMED}
    assert status.discovered == (moved,)
    rises = status.changes.filter(kind="generalization").select("run", "status", "step").rows()
    assert rises == [("moved", "confirmed", 777)]


def test_the_app_and_the_terminal_say_the_same_of_runs_that_grow_and_of_a_past_that_changes(
    live, training, curves
):
    start, _, _ = live
    clock = Clock()
    session = StoreSession(training.uri, clock=clock)
    runs, feed = LiveRuns(), WatchedRuns(open_store(training.uri), "live", alpha=ALPHA)
    run, said = start("grows", groks=True, until=-1), []
    points = curves(groks=True)
    cuts = [0, 301, 607, 608, len(points)]  # evaluations are cut in two
    parts = [(points[i:j], 1) for i, j in pairwise(cuts)]
    now = int(time.time() * 1000) + 3_600_000
    for part, late in [*parts, ([], 0), (curves(groks=False), 10_000)]:
        log(training, run, part, time_ms=now + late)
        clock.ahead_s += 2 * LONGEST_FRESH_S
        runs.look(session.snapshot("live"))
        said += [news for news in feed.news(is_last=False) if news.event is not None]
    assert runs.said == {run: said}
    assert [(n.change, n.event.kind) for n in said][-1] == ("withdrawn", "generalization")


def test_one_snapshot_is_fed_once_and_an_older_one_never(live):
    start, session, training = live
    run = start("r", groks=True, until=500)
    runs, old = LiveRuns(), session.snapshot("live")
    before = runs.look(old)
    log(training, run, [("test/accuracy", 0.0, 600)], time_ms=int(time.time() * 1000) + 10**7)
    new = StoreSession(training.uri).snapshot("live")
    after = runs.look(new)
    assert (
        [runs.look(snapshot).states for snapshot in (old, new)] == [after.states] * 2 == [before.states] * 2
    )
    assert runs._feed._runs[run]._position.fed_to == 500


def test_a_long_log_is_read_over_several_looks_and_the_run_has_no_state_until_then(live):
    start, session, _ = live
    run = start("r", groks=True)
    runs = LiveRuns(most=30)
    snapshot = session.snapshot("live")
    assert runs.look(snapshot).states == {}
    looks = next(i for i in range(100) if run in runs.look(snapshot).states)
    assert 0 < looks < 20
    assert runs.look(snapshot).states == {run: State.CONFIRMED}


def test_a_role_that_is_changed_begins_the_runs_of_its_experiment_anew_and_of_no_other(live, training):
    start, session, _ = live
    run = start("r", groks=True)
    other = training.run(training.experiment("other"), "o", [("train/loss", 1.0, 0)], status="RUNNING")
    for name in ("live", "other"):
        session.live(session.snapshot(name))
    kept = session._feeds.of("other")._live._feed._runs[other]._detector
    assert session.set_role("live", "test/loss", "-") is None
    assert session.set_role("live", "test/accuracy", "-") is None
    gone = session.live(session.snapshot("live"))
    said = gone.changes.filter(pl.col("status") == "rejected").select("kind", "metric", "why").rows()
    assert ("generalization", "test/accuracy", "its past has changed") in said
    session.live(session.snapshot("other"))
    assert session._feeds.of("other")._live._feed._runs[other]._detector is kept
    assert session.set_role("live", "test/accuracy", None) is None
    again = session.live(session.snapshot("live")).changes.select("run_id", "kind", "status").rows()
    assert (run, "generalization", "confirmed") in again


def test_what_the_verdict_does_not_confirm_is_suspected_at_most():
    assert standing(None, State.CONFIRMED) is State.SUSPECTED
    assert standing(Verdict(run="r", pattern=Pattern.MEMORIZATION), State.CONFIRMED) is State.SUSPECTED
    assert standing(Verdict(run="r", pattern=Pattern.COLLAPSE), State.NOT_YET) is State.REGRESSED


def test_a_run_that_stays_at_chance_is_never_suspected(live):
    start, session, _ = live
    start("flat", groks=False)
    status = session.live(session.snapshot("live"))
    assert set(status.states.values()) == {State.NOT_YET}
    assert set(status.changes["kind"]) == {"memorization"}


def test_many_runs_together_are_judged_with_a_bound_on_false_discoveries(live):
    start, session, _ = live
    groks = {start(f"g{i}", groks=True) for i in range(2)}
    for i in range(FEW - 2):
        start(f"n{i}", groks=False)
    status = session.live(session.snapshot("live"))
    assert (set(status.discovered), status.followed) == (groks, FEW)


def test_a_finished_run_that_nobody_watched_has_its_events_too(sweep):
    session = StoreSession(sweep.uri)
    changes = session.live(session.snapshot("sweep")).changes
    assert changes.filter(pl.col("run") == "decay 0")["kind"].to_list() == ["generalization", "memorization"]
