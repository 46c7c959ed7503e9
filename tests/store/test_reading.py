"""Every transport gives the same frames, equal to what MLflow's own client says."""

import math
from uuid import uuid4

import pytest
from polars.testing import assert_frame_equal

from grokscope.schemas import POINT_SCHEMA
from grokscope.store import (
    EXPERIMENT_SCHEMA,
    KEY_SCHEMA,
    PAIR_SCHEMA,
    RUN_SCHEMA,
    ExperimentNotFoundError,
    RunNotFoundError,
    open_store,
)

ODD_ROWS = [
    ("test/accuracy", 0, 1000, 0.1),
    ("test/accuracy", 10, 1010, math.nan),
    ("test/accuracy", 10, 1009, 0.7),
    ("test/accuracy", -3, 1020, math.inf),
    ("test/accuracy", 2**40, 1030, -math.inf),
    ("train/loss", 5, 1000, 5e-324),
    ("train/loss", 5, 1000, 3.0),
    ("train/loss", 5, 1000, 2.0),
    ("train loss: α/β.γ", 1, 1000, -0.0),
]


def test_points_equal_the_clients_history_with_nan_inf_and_the_latest_attempt_at_each_step(
    store, new_run, log, reference
):
    runs = [new_run(), new_run()]
    log(runs[0], *ODD_ROWS)
    log(runs[1], *ODD_ROWS[:3])
    assert_frame_equal(store.points(runs), reference(runs))
    assert_frame_equal(store.points(runs, ["train/loss"]), reference(runs, ["train/loss"]))
    assert store.points(runs, ["train/loss"])["value"].to_list() == [3.0]


def test_what_has_not_changed_is_the_same_frame_which_a_reader_need_not_compare(store, new_run, log):
    run = new_run()
    log(run, *ODD_ROWS)
    first = store.points([run], ["train/loss"])
    assert store.points([run], ["train/loss"]) is first
    log(run, ("train/loss", 6, 2000, 1.0))
    assert store.points([run], ["train/loss"])["value"].to_list() == [3.0, 1.0]


def test_a_metric_that_no_run_has_and_an_empty_selection_give_empty_frames(store, new_run):
    run = new_run()
    assert store.points([run]).schema == POINT_SCHEMA
    assert store.points([run], ["nothing"]).is_empty()
    for frame, schema in (
        (store.points([]), POINT_SCHEMA),
        (store.params([]), PAIR_SCHEMA),
        (store.tags([]), PAIR_SCHEMA),
        (store.metrics([run]), KEY_SCHEMA),
    ):
        assert (frame.height, frame.schema) == (0, schema)


def test_an_empty_store_has_only_mlflows_default_experiment_and_no_runs(file):
    store = open_store(f"sqlite:///{file}")
    assert store.experiments().rows() == [("0", "Default", 0, None)]
    assert store.experiments().schema == EXPERIMENT_SCHEMA
    assert (store.runs().height, store.runs("Default").schema) == (0, RUN_SCHEMA)


def test_an_experiment_without_runs_gives_no_rows_and_no_error(store, client):
    name = f"empty {uuid4().hex}"
    client.create_experiment(name)
    assert (store.runs(name).height, store.runs(name).schema) == (0, RUN_SCHEMA)


def test_runs_are_listed_newest_first_with_status_step_and_last_sign_of_life(store, client, new_run, log):
    first = new_run(start_time=1000, run_name="first")
    experiment = client.get_experiment(client.get_run(first).info.experiment_id)
    second = new_run(experiment.experiment_id, start_time=2000, run_name="second")
    log(first, ("m", 3, 1500, 1.0), ("n", 7, 1400, 1.0))
    client.set_terminated(first, "FAILED", end_time=1600)
    client.set_tag(second, "grokscope.last_seen", "2500")
    assert store.runs(experiment.name).rows() == [
        (second, "second", experiment.name, "RUNNING", 2000, None, 2500, None),
        (first, "first", experiment.name, "FAILED", 1000, 1600, 1500, 7),
    ]
    assert {first, second} <= set(store.runs()["run_id"])


def test_experiments_count_active_runs_and_date_the_latest_activity(store, client, new_run):
    run = new_run(start_time=5000)
    experiment = client.get_experiment(client.get_run(run).info.experiment_id)
    client.delete_run(new_run(experiment.experiment_id, start_time=9000))
    listed = {row[0]: row for row in store.experiments().rows()}
    assert listed[experiment.experiment_id] == (experiment.experiment_id, experiment.name, 1, 5000)


def test_params_tags_and_metric_keys_are_listed_by_run(store, client, new_run, log):
    run = new_run(run_name="named")
    client.log_param(run, "intervention.data.fraction", 0.25)
    client.set_tag(run, "note", "a 'quoted' \"one\"")
    log(run, ("b", 0, 1, 1.0), ("a", 0, 1, 1.0))
    assert store.params([run]).rows() == [(run, "intervention.data.fraction", "0.25")]
    assert store.tags([run]).rows() == [(run, "mlflow.runName", "named"), (run, "note", "a 'quoted' \"one\"")]
    assert store.metrics([run]).rows() == [(run, "a"), (run, "b")]


def test_a_deleted_run_is_left_out_named_when_asked_for_and_back_when_restored(
    store, client, new_run, log, reference
):
    run = new_run()
    log(run, *ODD_ROWS)
    client.delete_run(run)
    assert run not in store.runs()["run_id"].to_list()
    with pytest.raises(RunNotFoundError, match=f"^run '{run}' is deleted. Restore it"):
        store.points([run])
    client.restore_run(run)
    assert_frame_equal(store.points([run]), reference([run]))


@pytest.mark.parametrize("ask", ["points", "params", "tags", "metrics"])
def test_ids_that_are_no_runs_are_named(store, new_run, ask):
    with pytest.raises(RunNotFoundError) as caught:
        getattr(store, ask)([new_run(), "nobody", "o'hara"])
    assert str(caught.value).startswith("run 'nobody' does not exist in this store, and 1 more with it.")
    assert caught.value.run_ids == ("nobody", "o'hara")


def test_an_unknown_experiment_is_answered_with_the_closest_name(store, client):
    name = f"modular-addition-{uuid4().hex}"
    client.create_experiment(name)
    with pytest.raises(ExperimentNotFoundError, match=f"closest: '{name}'"):
        store.runs(name.replace("addition", "adition"))
