"""Groups, seeds and plans of runs that other code logged, under its own names."""

import polars as pl
import pytest

from grokscope.dashboard.tables.runs.run_table import run_table
from grokscope.dashboard.views.run.facts import by_axis
from grokscope.schemas import params_on_axes
from grokscope.schemas.runs.groups import groups_of

RUNS = pl.DataFrame(
    {
        "run_id": ["a", "b"],
        "name": ["first", "second"],
        "experiment": ["e", "e"],
        "status": ["FINISHED", "FINISHED"],
        "start_ms": [0, 0],
        "end_ms": [1, 1],
        "step": [1, 1],
        "last_ms": [1, 1],
    }
)
POINTS = pl.DataFrame(
    schema={
        "run_id": pl.String,
        "metric": pl.String,
        "step": pl.Int64,
        "value": pl.Float64,
        "time_ms": pl.Int64,
    }
)


@pytest.mark.parametrize(
    ("group", "seed", "steps"),
    [
        ("group", "seed", "compute.exposure.steps"),
        ("wandb_group", "random_seed", "max_iters"),
        ("run_group", "args.torchSeed", "trainer.max_steps"),
    ],
)
def test_a_run_s_group_seed_and_plan_are_read_under_whatever_usual_name(group, seed, steps):
    rows = [
        (run, name, value) for run in "ab" for name, value in ((group, "wd 1"), (seed, "3"), (steps, "500"))
    ]
    params = pl.DataFrame(rows, schema=["run_id", "key", "value"], orient="row")
    frame = run_table(RUNS, params, POINTS, now_ms=5)
    assert frame.select("group", "seed", "planned").rows() == [("wd 1", 3, 500)] * 2


@pytest.mark.parametrize("steps", ["-1", "0", "many"])
def test_what_plans_nothing_is_no_plan(steps):
    params = pl.DataFrame([("a", "max_steps", steps)], schema=["run_id", "key", "value"], orient="row")
    assert run_table(RUNS, params, POINTS, now_ms=5)["planned"].to_list() == [None, None]


def test_two_groups_that_differ_in_a_secret_only_stay_two():
    rows = [(run, "group", f"https://canary{run}@h") for run in "ab"]
    frame = run_table(
        RUNS, pl.DataFrame(rows, schema=["run_id", "key", "value"], orient="row"), POINTS, now_ms=5
    )
    assert frame["group"].to_list() == ["https://h", "https://h (2)"]


def test_runs_of_other_code_are_grouped_by_what_is_not_their_seed_and_show_how_far_they_train():
    rows = [
        (f"{lr}{seed}", name, value)
        for lr in ("0.1", "1")
        for seed in ("0", "1")
        for name, value in (("learning_rate", lr), ("random_seed", seed), ("max_iters", "500"))
    ]
    params = pl.DataFrame(rows, schema=["run_id", "key", "value"], orient="row")
    runs = pl.concat([RUNS[:1].with_columns(run_id=pl.lit(run)) for run in params["run_id"].unique().sort()])
    frame = run_table(runs, params, POINTS, now_ms=5)
    assert frame.select("group", "seed", "planned").rows() == [
        ("lr 0.1", 0, 500),
        ("lr 0.1", 1, 500),
        ("lr 1", 0, 500),
        ("lr 1", 1, 500),
    ]
    shown = by_axis(dict(params.filter(pl.col("run_id") == "11").select("key", "value").iter_rows()))
    assert shown == {
        "compute · exposure": {"steps": "500"},
        "intervention · protocol": {"lr": "1"},
        "other": {"seed": "1"},
    }


def names_of(params):
    return [group.name for group in groups_of(params)]


def test_runs_that_name_one_param_differently_are_one_group():
    lr = [("lr", "0.1"), ("learning_rate", "0.1"), ("optimizer.lr", "1"), ("lr", "1")]
    params = [params_on_axes({name: value, "rng_seed": str(i)}) for i, (name, value) in enumerate(lr)]
    assert names_of(params) == ["lr 0.1", "lr 0.1", "lr 1", "lr 1"]


def test_our_own_name_goes_before_another_s():
    assert names_of([params_on_axes({"group": "ours", "wandb_group": "theirs"})]) == ["ours"]


def test_a_secret_that_another_logger_let_through_makes_and_names_no_group():
    params = [{"lr": lr, "api_key": key} for lr in ("0.1", "1") for key in ("canary1", "canary2")]
    assert names_of(params) == ["lr 0.1", "lr 0.1", "lr 1", "lr 1"]
    named = [("a", "group", "https://canary@h"), ("b", "group", "https://canary@h")]
    frame = run_table(
        RUNS, pl.DataFrame(named, schema=["run_id", "key", "value"], orient="row"), POINTS, now_ms=5
    )
    assert frame["group"].to_list() == ["https://h"] * 2


def test_a_run_without_the_param_that_the_others_are_told_apart_by_is_no_setting_of_it():
    with_lr = [{"lr": lr, "wd": wd} for lr in ("0.1", "1") for wd in ("0", "0", "3", "3")]
    groups = groups_of([*with_lr, {"wd": "0"}, {"lr": "", "wd": "3"}, {"seed": "5"}])
    assert [group.lacks for group in groups] == [*[None] * 8, "lr", "lr", "lr, wd"]
    assert [group.name for group in groups[7:]] == ["lr 1, wd 3", "no lr", "no lr", "no lr, wd"]


def test_a_param_that_few_runs_have_does_not_take_the_others_out_of_their_groups():
    runs = [{"lr": lr} for lr in ("0.1", "1") for _ in range(4)]
    assert names_of([*runs, *({"lr": "1", "warmup": w} for w in "5599")]) == [
        *["lr 0.1"] * 4,
        *["lr 1"] * 8,
    ]
    few = [*({"lr": lr} for lr in ("0.1", "0.1", "1", "1")), *[{}] * 6]
    assert names_of(few) == [*["lr 0.1"] * 2, *["lr 1"] * 2, *["no lr"] * 6]


def test_runs_without_a_group_are_no_setting_beside_groups():
    named = [{"group": "a"}, {"group": "b"}, {}]
    assert [(group.name, group.lacks) for group in groups_of(named)] == [
        ("a", None),
        ("b", None),
        ("no group", "group"),
    ]
