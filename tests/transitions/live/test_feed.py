"""Many runs under live detectors: what is said of them, however their points arrive."""

import pickle
from collections.abc import Iterable

import polars as pl
import pytest

from grokscope.schemas import Kind, Status
from grokscope.transitions import LiveDetector, State
from grokscope.transitions.evaluation.synthetic import CurveRecipe, synthetic_run
from grokscope.transitions.live import feed as feed_module
from grokscope.transitions.live.feed import LiveFeed
from grokscope.transitions.live.news import Change, News

GROKKING = CurveRecipe(evaluations=150)
MEMORIZING = CurveRecipe(evaluations=150, midpoint=None)
CONFIRMED_GENERALIZATION = (Change.NEW, Kind.GENERALIZATION, Status.CONFIRMED)


def run(recipe: CurveRecipe, run_id: str = "r") -> pl.DataFrame:
    return synthetic_run(recipe, run_id=run_id).sort("step", "metric")


def events(news: Iterable[News]) -> list[tuple[Change, Kind, Status]]:
    return [(one.change, one.event.kind, one.event.status) for one in news if one.event is not None]


@pytest.mark.parametrize("piece", [7, 38, 1000])
def test_bit_by_bit_it_says_what_it_says_of_the_whole(piece: int):
    points, said, bits = run(GROKKING), list[News](), LiveFeed()
    for end in range(piece, points.height + piece, piece):
        said += bits.update(points[:end], runs={"r": True})
    said += bits.update(points, runs={"r": False})
    whole = LiveFeed()
    assert said == whole.update(points, runs={"r": False})
    assert events(said)[-1] == CONFIRMED_GENERALIZATION
    assert bits.reports == whole.reports


def test_a_detector_is_fed_each_evaluation_once(monkeypatch: pytest.MonkeyPatch):
    fed, real = list[int](), LiveDetector.update
    monkeypatch.setattr(LiveDetector, "update", lambda self, step, v: fed.append(step) or real(self, step, v))
    points, feed = run(GROKKING), LiveFeed()
    for end in (100, 100, 200, points.height):
        feed.update(points[:end], runs={"r": True})
    feed.update(points, runs={"r": False})
    assert fed == points["step"].unique().sort().to_list()


def test_the_newest_step_of_a_run_that_goes_on_waits_until_a_second_reading_finds_nothing_new():
    points = pl.DataFrame({"metric": "train/loss", "step": range(1, 17), "value": 1.0}).with_columns(
        value=pl.when(pl.col("step") > 14).then(float("nan")).otherwise(pl.col("value"))
    )
    feed = LiveFeed()
    assert feed.update(points, runs={"run": True}) == []
    assert events(feed.update(points, runs={"run": True})) == [
        (Change.NEW, Kind.DIVERGENCE, Status.CONFIRMED)
    ]


def test_a_past_that_was_logged_again_is_read_anew_and_what_fell_with_it_is_withdrawn():
    feed = LiveFeed()
    first = feed.update(run(GROKKING), runs={"r": False})
    again = feed.update(run(MEMORIZING), runs={"r": False})
    assert events(first)[-1] == CONFIRMED_GENERALIZATION
    assert events(again) == [(Change.WITHDRAWN, Kind.GENERALIZATION, Status.REJECTED)]
    assert again[0].finding == "its past has changed"
    assert feed.states == {"r": State.NOT_YET}


def test_points_that_come_late_are_read_and_only_what_they_change_is_said():
    points, feed = run(GROKKING), LiveFeed()
    is_late = (pl.col("metric") == "train/accuracy") & pl.col("step").is_between(300, 5000)
    seen = feed.update(points.filter(~is_late), runs={"r": True})
    late = feed.update(points, runs={"r": True})
    assert events(seen)[-1] == CONFIRMED_GENERALIZATION
    assert Change.WITHDRAWN not in [news.change for news in late]
    alone = LiveFeed()
    alone.update(points, runs={"r": True})
    assert feed.reports == alone.reports


def test_an_event_with_another_date_than_was_reported_has_changed():
    points, feed = run(GROKKING), LiveFeed()
    feed.update(points, runs={"r": False})
    later = points.with_columns(step=pl.col("step") * 10)
    assert set(events(feed.update(later, runs={"r": False}))) == {
        (Change.CHANGED, Kind.MEMORIZATION, Status.CONFIRMED),
        (Change.CHANGED, Kind.GENERALIZATION, Status.CONFIRMED),
    }


def test_a_metric_that_a_person_names_otherwise_changes_what_is_said():
    points = run(GROKKING).with_columns(pl.col("metric").replace({"test/accuracy": "probe"}))
    feed, train = LiveFeed(), {"train/accuracy": "train/accuracy"}
    assert feed.update(points, runs={"r": False}, names=train) == []
    named = feed.update(points, runs={"r": False}, names={**train, "probe": "test/accuracy"})
    assert events(named)[-1] == CONFIRMED_GENERALIZATION
    gone = feed.update(points, runs={"r": False}, names=train)
    assert set(events(gone)) == {
        (Change.WITHDRAWN, Kind.MEMORIZATION, Status.REJECTED),
        (Change.WITHDRAWN, Kind.GENERALIZATION, Status.REJECTED),
    }


def test_a_long_log_is_read_over_several_calls_and_the_run_has_no_state_until_then():
    points, said, feed, calls = run(GROKKING), list[News](), LiveFeed(), 0
    while not feed.states:
        said += feed.update(points, runs={"r": False}, most=40)
        calls += 1
    assert calls == -(-points["step"].n_unique() // 40)
    assert said == LiveFeed().update(points, runs={"r": False})


def test_runs_that_have_ended_need_no_detector_and_others_only_so_many(monkeypatch: pytest.MonkeyPatch):
    points = pl.concat([run(GROKKING, f"r{i}") for i in range(5)])
    feed = LiveFeed()
    feed.update(points, runs=dict.fromkeys(points["run_id"].unique(), False))
    assert len(pickle.dumps(feed)) < 5 * 4000
    monkeypatch.setattr(feed_module, "MOST_DETECTORS", 2)
    feed = LiveFeed()
    feed.update(points, runs=dict.fromkeys(points["run_id"].unique(), True))
    assert sum(one.has_detector for one in feed._runs.values()) == 2
    last = points.filter(pl.col("step") == pl.col("step").max())
    more = pl.concat([points, last.with_columns(step=pl.col("step") + 1)])
    assert not feed.update(more, runs=dict.fromkeys(points["run_id"].unique(), True))
    assert set(feed.states.values()) == {State.CONFIRMED}


def test_the_runs_that_were_fed_last_keep_their_detectors(monkeypatch: pytest.MonkeyPatch):
    points, runs, feed = (
        pl.concat([run(GROKKING, "a"), run(GROKKING, "b")]),
        {"a": True, "b": True},
        LiveFeed(),
    )
    last = points.filter(pl.col("run_id") == "a", pl.col("step") == pl.col("step").max())
    more = pl.concat([points, last.with_columns(step=pl.col("step") + 1)])
    for logged in (points, points, more):  # the newest step is fed at the next reading
        feed.update(logged, runs=runs)
    monkeypatch.setattr(feed_module, "MOST_DETECTORS", 1)
    feed.update(more, runs=runs)
    assert {run_id: one.has_detector for run_id, one in feed._runs.items()} == {"a": True, "b": False}


def test_one_error_bound_holds_over_all_that_are_followed_and_nobody_else():
    points = pl.concat([run(GROKKING, "groks"), *(run(MEMORIZING, f"m{i}") for i in range(4))])
    feed = LiveFeed()
    feed.update(points, runs=dict.fromkeys(points["run_id"].unique(), False))
    assert feed.discovered == ("groks",)
    feed.update(points, runs={"m0": False})
    assert (feed.discovered, list(feed.states)) == ((), ["m0"])


def test_a_run_that_logs_nothing_that_is_read_is_not_there_yet():
    feed = LiveFeed()
    points = pl.DataFrame({"metric": "weights/norm", "step": [1, 2], "value": 1.0})
    assert feed.update(points, runs={"run": True, "empty": True}) == []
    assert feed.states == {"run": State.NOT_YET, "empty": State.NOT_YET}
