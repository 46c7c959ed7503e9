"""Several experiments read as one: what each keeps, and what is never put together."""

from dataclasses import replace

import polars as pl
import pytest

from grokscope.dashboard.health.store import store_findings
from grokscope.dashboard.state.feeds.joined import joined
from grokscope.dashboard.state.narrowing import choices, grouped, mixed_groups, settings_of_several
from grokscope.dashboard.state.search import matching
from grokscope.dashboard.state.session import StoreSession


@pytest.fixture(scope="module")
def two(new_training, tmp_path_factory, curves):
    """Two experiments with a run of the same name; one logs other names in per cent, and trains on."""
    training = new_training(tmp_path_factory.mktemp("two") / "mlflow.db")
    first, second = training.experiment("small, bridge"), training.experiment("large")
    for width in (8, 16):
        for seed in range(2):
            training.run(
                first,
                f"run {width} {seed}",
                curves(groks=True),
                params={"width": width, "seed": seed, "setting": "bridge"},
            )
    points = [
        ("val_acc", 100 * value, step) for key, value, step in curves(groks=True) if key == "test/accuracy"
    ]
    points += [
        ("train_acc", 100 * value, step) for key, value, step in curves(groks=True) if key == "train/accuracy"
    ]
    training.run(second, "run 8 0", points, params={"width": 8, "setting": "pretraining"}, status="RUNNING")
    return training


BOTH = ("small, bridge", "large")


def test_several_experiments_are_one_snapshot_and_each_run_says_where_it_is_from(two):
    session = StoreSession(two.uri)
    found = session.together(BOTH)
    parts = [session.snapshot(name) for name in BOTH]
    assert found.names() == BOTH
    assert dict(found.runs["experiment"].value_counts().iter_rows()) == {"small, bridge": 4, "large": 1}
    assert found.curves.height == sum(part.curves.height for part in parts)
    assert set(found.verdicts) == set(found.runs["run_id"])
    assert found.runs["label"].n_unique() == 5
    assert found.groups() == ["large", "width 8 · small, bridge", "width 16 · small, bridge"]
    assert session.together(BOTH) is found
    assert session.together(BOTH[:1]).parts == ()


def test_metrics_of_each_run_go_by_the_names_and_units_of_its_own_experiment(two):
    session = StoreSession(two.uri)
    assert session.set_role("small, bridge", "weights/norm", "test/loss") is None
    found = session.together(BOTH)
    ids = found.runs["run_id"].to_list()
    assert session.metrics(ids)["test/loss"] == 4
    assert session.metrics(ids)["val/accuracy"] == 1
    assert session.points(ids, ["val/accuracy"])["value"].max() == pytest.approx(1.0, abs=0.01)
    assert session.set_role("small, bridge", "weights/norm", None) is None


def test_runs_are_found_and_grouped_by_their_experiment(two):
    session = StoreSession(two.uri)
    found = session.together(BOTH)
    assert choices(found) == ["experiment", "seed", "setting", "width"]
    assert len(matching(found, "experiment = large", source=session)) == 1
    assert grouped(found, ["experiment"]).groups() == ["experiment large", "experiment small, bridge"]


def test_runs_of_a_small_model_and_of_a_pretraining_are_in_no_group_together(two):
    found = grouped(StoreSession(two.uri).together(BOTH), ["width"])
    assert found.groups() == ["width 8, setting bridge", "width 8, setting pretraining", "width 16"]
    assert mixed_groups(found) == 0
    assert settings_of_several(found) == ["bridge", "pretraining"]
    alike = replace(found, runs=found.runs.with_columns(group=pl.lit("one")))
    assert mixed_groups(alike) == 1


def test_a_live_run_is_followed_in_its_own_experiment(two):
    session = StoreSession(two.uri)
    found = session.together(BOTH)
    status = session.live(found)
    training = found.runs.filter(status="RUNNING")["run_id"].to_list()
    assert list(status.states) == training
    assert set(status.changes["run"]) <= set(found.runs["label"])


def test_news_of_any_of_several_experiments_is_news(two):
    session = StoreSession(two.uri)
    found = session.together(BOTH)
    assert not session.has_news(found)
    two.client.log_metric(found.runs.filter(status="RUNNING")["run_id"][0], "val_acc", 99.0, step=5000)
    assert session.has_news(found)


def test_one_experiment_that_cannot_be_read_takes_no_other_with_it(two):
    session = StoreSession(two.uri)
    good = session.snapshot("large")
    failed = replace(session.snapshot("small, bridge"), problem="the disk is gone.")
    found = joined([failed, good])
    assert found.problem == "Experiment small, bridge cannot be read: the disk is gone."
    assert found.runs.filter(experiment="large").height == 1
    assert joined([failed, replace(good, problem="the disk is gone.")]).problem == "the disk is gone."
    assert session.together(["gone", "large"]).names() == ("large",)
    assert session.together(["gone", "away"]).names() == session.snapshot(None).names()


def test_health_says_that_the_runs_are_of_several_experiments(two):
    session = StoreSession(two.uri)
    for names, of in ((BOTH, "5 runs of these experiments;"), (BOTH[1:], "1 run of this experiment;")):
        findings = store_findings(session.store_state(names), session.together(names))
        assert [one.says.startswith(of) for one in findings if one.subject == "in memory"] == [True]


def test_what_puts_runs_of_different_settings_together_is_not_drawn_and_that_is_said(two, page, texts):
    said = "\n".join(texts(page("interventions", two.uri, experiment=BOTH)))
    assert "These experiments differ in their setting, so none is drawn" in said
    assert "real pretraining (setting: bridge, pretraining)" in said
    assert "differ in their setting" not in "\n".join(
        texts(page("interventions", two.uri, experiment=BOTH[0]))
    )
