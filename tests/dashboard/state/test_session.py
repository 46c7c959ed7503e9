import shutil
import sqlite3
from contextlib import closing

import pytest

from grokscope.dashboard.state.connection import REOPEN_S
from grokscope.dashboard.state.session import StoreSession
from grokscope.dashboard.state.shared_reading import FRESH_S, LONGEST_FRESH_S, RETRY_S
from grokscope.schemas import Pattern
from grokscope.store import open_store

STEPS = range(0, 400, 20)


class Clock:
    """A clock that the test moves."""

    def __init__(self):
        self.now = 1_700_000_000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def learned(until):
    return [("train/accuracy", min(1.0, step / 40), step) for step in STEPS if step <= until] + [
        ("test/accuracy", 0.0, step) for step in STEPS if step <= until
    ]


def test_a_snapshot_holds_runs_curves_and_verdicts(sweep):
    snapshot = StoreSession(sweep.uri).snapshot("sweep")
    assert snapshot.experiment == "sweep"
    assert snapshot.runs.height == len(snapshot.verdicts) == 7
    assert snapshot.groups() == ["decay", "none"]
    assert set(snapshot.curves["metric"].unique()) == {
        "train/accuracy",
        "test/accuracy",
        "train/loss",
        "test/loss",
    }
    patterns = [v.pattern for v in snapshot.verdicts.values() if v.generalized]
    assert patterns == [Pattern.GROKKING] * 3


def test_without_a_name_the_experiment_with_the_newest_activity_is_read(sweep):
    assert StoreSession(sweep.uri).snapshot(None).experiment == "sweep"


def test_new_points_are_seen_and_their_run_is_judged_anew(training, clock):
    experiment = training.experiment("e")
    run = training.run(experiment, "r", learned(0), status="RUNNING")
    session = StoreSession(training.uri, clock=clock)
    first = session.snapshot("e")
    training.client.log_metric(run, "test/accuracy", 0.0, step=999)
    assert session.snapshot("e") is first
    clock.now += FRESH_S
    second = session.snapshot("e")
    assert second.runs["step"].to_list() == [999]
    assert second.verdicts[run] != first.verdicts[run]


def test_a_run_without_new_points_is_not_judged_again(training, clock):
    training.run(training.experiment("e"), "r", learned(400))
    session = StoreSession(training.uri, clock=clock)
    first = session.snapshot("e")
    clock.now += FRESH_S
    assert [
        a is b for a, b in zip(first.verdicts.values(), session.snapshot("e").verdicts.values(), strict=True)
    ] == [True]


def test_a_late_replay_of_an_old_step_is_judged(training, clock):
    run = training.run(training.experiment("e"), "r", learned(400))
    session = StoreSession(training.uri, clock=clock)
    before = session.snapshot("e").verdicts[run]
    training.client.log_metric(run, "train/accuracy", 0.0, step=390, timestamp=1)
    clock.now += FRESH_S
    assert session.snapshot("e").verdicts[run] is not before


def test_a_store_that_goes_away_leaves_the_last_good_state_with_the_problem_said(training, clock, tmp_path):
    run = training.run(training.experiment("e"), "r", learned(400))
    session = StoreSession(training.uri, clock=clock)
    good = session.snapshot("e")
    shutil.move(tmp_path / "mlflow.db", tmp_path / "away.db")
    clock.now += FRESH_S
    kept = session.snapshot("e")
    assert kept.problem is not None
    assert str(tmp_path) in kept.problem
    assert kept.runs.equals(good.runs)
    assert list(session.metrics([run])) == ["test/accuracy", "train/accuracy"]
    assert session.points([run], ["test/accuracy"]).height == len(STEPS)
    shutil.move(tmp_path / "away.db", tmp_path / "mlflow.db")
    clock.now += RETRY_S
    assert session.snapshot("e").problem is None


def test_a_store_that_fails_is_left_alone_for_a_while(tmp_path, clock):
    tried = []

    def opener(uri):
        tried.append(uri)
        return open_store(uri)

    session = StoreSession(f"sqlite:///{tmp_path / 'none.db'}", clock=clock, opener=opener)
    assert [session.snapshot(None).missing for _ in range(3)] == [True] * 3
    assert len(tried) == 1
    clock.now += RETRY_S
    session.snapshot(None)
    assert len(tried) == 2


def test_names_that_other_trackers_use_are_read_as_ours(training):
    points = [("train_acc", 1.0, 0), ("val_acc", 0.5, 0), ("odd name: x", 3.0, 0)]
    run = training.run(training.experiment("e"), "r", points)
    session = StoreSession(training.uri)
    assert list(session.metrics([run])) == ["odd name: x", "train/accuracy", "val/accuracy"]
    assert session.points([run], ["val/accuracy"])["value"].to_list() == [0.5]


def test_runs_of_one_name_are_told_apart(training):
    experiment = training.experiment("e")
    ids = [training.run(experiment, "twin", []) for _ in range(2)]
    labels = StoreSession(training.uri).snapshot("e").runs.sort("run_id")["label"].to_list()
    assert labels == [f"twin ({run[:6]})" for run in sorted(ids)]


@pytest.mark.parametrize(
    ("text", "planned"), [("2000", 2000), ("2e3", 2000), ("many", None), ("nan", None), ("1e400", None)]
)
def test_planned_steps_are_read_from_params_that_may_hold_anything(training, text, planned):
    training.run(training.experiment("e"), "r", [], params={"compute.exposure.steps": text})
    assert StoreSession(training.uri).snapshot("e").runs["planned"].to_list() == [planned]


def test_runs_of_code_that_names_no_group_are_grouped_by_all_params_but_the_seed(training):
    experiment = training.experiment("plain")
    for lr in (0.1, 0.2):
        for seed in range(2):
            params = {"optim.lr": lr, "random_seed": seed, "output_dir": f"/{lr}/{seed}", "width": 8}
            training.run(experiment, f"{lr} {seed}", [("loss", 1.0, 0)], params=params)
    runs = StoreSession(training.uri).snapshot("plain").runs
    assert sorted(runs["group"]) == ["lr 0.1", "lr 0.1", "lr 0.2", "lr 0.2"]
    training.run(experiment, "own", [("loss", 1.0, 0)], params={"group": "mine", "optim.lr": 0.3})
    assert "mine" in StoreSession(training.uri).snapshot("plain").runs["group"].to_list()


def test_a_store_that_was_upgraded_since_it_was_opened_is_read_directly_soon_after(training, clock):
    experiment = training.experiment("e")
    path = training.uri.removeprefix("sqlite:///")
    with closing(sqlite3.connect(path)) as database:
        database.execute("ALTER TABLE metrics RENAME COLUMN is_nan TO later")
        session = StoreSession(training.uri, clock=clock)
        assert "lacks is_nan" in session.snapshot("e").notice
        database.execute("ALTER TABLE metrics RENAME COLUMN later TO is_nan")
    training.run(experiment, "r", learned(0))
    clock.now += REOPEN_S
    snapshot = session.snapshot("e")
    assert (snapshot.notice, snapshot.problem, snapshot.runs.height) == (None, None, 1)


def test_news_is_asked_cheaply_and_read_anew_at_once(training, clock):
    experiment = training.experiment("e")
    run = training.run(experiment, "first", learned(200), status="RUNNING")
    session = StoreSession(training.uri, clock=clock)
    known = session.snapshot("e")
    assert not session.has_news(known)
    training.client.log_metric(run, "test/accuracy", 0.5, step=220, timestamp=known.taken_ms + 10**12)
    assert session.has_news(known)
    known = session.snapshot("e")  # not the one that is kept for a second
    assert known.runs["step"].to_list() == [220]
    assert not session.has_news(known)
    training.run(experiment, "second", [])
    assert session.has_news(known)
    known = session.snapshot("e")
    training.experiment("another")
    assert session.has_news(known)


def test_a_store_that_has_gone_is_news(training, clock, tmp_path):
    training.run(training.experiment("e"), "r", learned(100))
    moved = tmp_path / "moved.db"
    shutil.copy(training.uri.removeprefix("sqlite:///"), moved)
    session = StoreSession(f"sqlite:///{moved}", clock=clock)
    known = session.snapshot("e")
    moved.unlink()
    assert session.has_news(known)


def test_a_store_that_has_gone_is_not_one_that_nothing_was_written_to(training, tmp_path, clock):
    for name in ("seen", "unseen"):
        training.run(training.experiment(name), "r", [("test/accuracy", 0.5, 0)])
    session = StoreSession(training.uri, clock=clock)
    session.snapshot(None)
    shutil.move(tmp_path / "mlflow.db", tmp_path / "away.db")
    clock.now += LONGEST_FRESH_S
    gone = session.together(["seen" if session.snapshot(None).experiment == "unseen" else "unseen"])
    assert gone.problem is not None
    assert not gone.missing
