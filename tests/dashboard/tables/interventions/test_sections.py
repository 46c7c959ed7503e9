"""Sections of the page on the recorded sweep: variables, phase diagram, law, front, profile, noise, lines."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from grokscope.dashboard.state.data import Snapshot
from grokscope.dashboard.tables.interventions.coordinates import LINES, MOST_RUNS, coordinates_of
from grokscope.dashboard.tables.interventions.forecasts import outlooks
from grokscope.dashboard.tables.interventions.fronts import FRONT, front_of_groups
from grokscope.dashboard.tables.interventions.goals import Goal
from grokscope.dashboard.tables.interventions.groups import groups_of
from grokscope.dashboard.tables.interventions.levels import LEVELS
from grokscope.dashboard.tables.interventions.noise import gain_of_costs, gain_of_levels, repeats_among
from grokscope.dashboard.tables.interventions.phases import CELLS, LINE, MOST_VALUES, phase_grid
from grokscope.dashboard.tables.interventions.profiles import profile_of_groups, workload_options
from grokscope.dashboard.tables.interventions.trends import trend_of
from grokscope.dashboard.tables.interventions.variables import Settings, Variable, settings_of_runs, unlike
from grokscope.dashboard.tables.x_units import STEPS
from grokscope.interventions.laws.power_law import power_law
from grokscope.store import PAIR_SCHEMA

BUDGET = 4000.0


def snapshot_of(*params):
    rows = [(str(i), key, value) for i, own in enumerate(params) for key, value in own.items()]
    runs = pl.DataFrame({"run_id": [str(i) for i in range(len(params))]})
    return Snapshot(runs=runs, params=pl.DataFrame(rows, schema=PAIR_SCHEMA, orient="row"))


def test_variables_are_params_that_vary_numbers_first_and_the_pair_varies_independently():
    runs = [
        {
            "lr": lr,
            "intervention.data.fraction": share,
            "compute.exposure.unique_examples": f"{1000 * float(share)}",
            "opt": "sgd" if lr == "1" else "adam",
            "seed": seed,
            "token": f"hf_{seed}",
            "width": "8",
        }
        for lr in "123"
        for share in ("0.3", "0.5")
        for seed in "01"
    ]
    known = settings_of_runs(snapshot_of(*runs))
    wanted = [("lr", True), ("fraction", True), ("opt", False), ("unique_examples", True)]
    assert [(one.label, one.is_number) for one in known.variables] == wanted
    assert known.pair() == ("lr", "fraction")
    assert known.of_enough(3) == "lr"
    assert known.of_enough(7) is None


def test_two_params_of_one_last_name_keep_their_whole_names_and_none_is_called_as_a_cost():
    known = settings_of_runs(
        snapshot_of(*({"a.lr": str(i), "b.lr": str(i % 2), "high": str(i)} for i in range(4)))
    )
    assert sorted(known.labels) == ["a.lr", "b.lr", "high_"]


def test_params_that_vary_together_are_no_pair():
    assert settings_of_runs(snapshot_of(*({"a": str(i), "b": str(2 * i)} for i in range(3)))).pair() is None


def test_the_phase_diagram_has_every_cell_its_counts_and_runs(rows, frame):
    found = phase_grid(rows, frame, x="weight_decay", y="fraction", budget=BUDGET)
    assert (found.columns, found.rows) == (["0", "0.1", "0.3", "1", "3"], ["0.3", "0.4", "0.5"])
    assert found.cells.schema == CELLS
    assert found.cells.filter(x="3", y="0.5").select("runs", "reached", "said").row(0) == (2, 2, "2/2")
    assert found.cells["runs"].sum() == rows.height
    in_cell = found.members.filter((pl.col("x") == "3") & (pl.col("y") == "0.5"))["run_id"].to_list()
    wanted = frame.filter((pl.col("weight_decay") == 3) & (pl.col("fraction") == 0.5))["run_id"].to_list()
    assert sorted(in_cell) == sorted(wanted)
    assert found.cells["next"].drop_nulls().sort().to_list() == [1, 2, 3]
    assert len(found.suggestions) == 3


def test_the_boundary_lies_on_the_grid_between_cells_that_do_and_cells_that_do_not(rows, frame):
    found = phase_grid(rows, frame, x="weight_decay", y="fraction", budget=BUDGET)
    assert found.line.schema == LINE
    at = found.line.filter(part="at")
    # At half of the data runs with .3 get there and runs with .1 do not; at .4 those with 1 and not with .3.
    assert 1 < np.interp(2.0, at["py"].to_numpy()[::-1], at["px"].to_numpy()[::-1]) < 2
    assert 2 < np.interp(1.0, at["py"].to_numpy()[::-1], at["px"].to_numpy()[::-1]) < 3.5
    assert any("log axis" in one for one in found.caveats)


def test_a_variable_of_many_numbers_is_binned_and_one_of_text_has_no_boundary(rows, frame):
    rng = np.random.default_rng(0)
    drawn = frame.with_columns(lr=pl.Series(10 ** rng.uniform(-4, -1, frame.height)))
    found = phase_grid(rows, drawn, x="lr", y="fraction", budget=BUDGET)
    assert len(found.columns) <= MOST_VALUES < drawn["lr"].n_unique()
    assert found.cells["runs"].sum() == rows.height
    named = frame.with_columns(
        optimizer=pl.when(pl.col("weight_decay") > 0.2).then(pl.lit("b")).otherwise(pl.lit("a"))
    )
    text = phase_grid(rows, named, x="optimizer", y="fraction", budget=BUDGET)
    assert text.line.is_empty()
    assert text.caveats[0].startswith("No boundary: optimizer is not a number in all runs")
    assert text.suggestions == [f"No cell is suggested: {text.caveats[0].removeprefix('No boundary: ')}"]


def test_where_all_runs_get_there_no_boundary_is_told(rows, frame):
    there = rows.with_columns(reached=pl.lit(value=True), high=pl.col("low") + 1)
    found = phase_grid(there, frame, x="weight_decay", y="fraction", budget=2 * BUDGET)
    assert found.line.is_empty()
    assert found.caveats[0].startswith("No boundary: all of the 24 runs reach the target")


def test_a_law_is_refused_with_the_premise_that_fails(rows, frame):
    found = trend_of(rows, frame, x="weight_decay", budget=BUDGET, unit="steps")
    assert found.sentence.startswith("No power law of weight_decay is read: 10 of 24 runs have reached")
    assert [holds for holds, _ in found.premises] == [True, True, False]
    assert found.curve.is_empty()
    assert found.caveats[0].startswith("Runs are compared at equal fraction only")
    assert "at weight_decay = " in found.half_way


def test_a_law_that_holds_is_the_librarys_with_a_curve_over_the_values_tried(rows, frame):
    half = frame.filter(pl.col("fraction") == 0.5)
    mine = rows.filter(pl.col("run_id").is_in(half["run_id"].implode()))
    found = trend_of(mine, frame, x="weight_decay", budget=BUDGET, unit="steps")
    law = power_law(mine.join(half, on="run_id"), x="weight_decay")
    assert f"to the power of {law.exponent.value:.2g}" in found.sentence
    assert (found.curve["x"].min(), found.curve["x"].max()) == pytest.approx((0.1, 3.0))
    middle = law.predict(1.0)
    near = found.curve.sort((pl.col("x") - 1).abs()).row(0, named=True)
    assert near["cost"] == pytest.approx(middle.value, rel=0.1)


@pytest.fixture(scope="module")
def levels(rows, recorded):
    test = recorded.filter(pl.col("metric") == "test/accuracy").sort("step")
    ends = test.group_by("run_id").agg(best=pl.col("value").max(), final=pl.col("value").last())
    made = rows.join(ends, on="run_id").with_columns(compute=pl.col("at"), is_over=pl.lit(value=True))
    return made.match_to_schema(LEVELS, extra_columns="ignore")


def test_the_front_is_of_runs_that_ended(levels):
    found = front_of_groups(levels, is_upward=True)
    assert found.groups.schema == FRONT
    assert found.groups["runs"].sum() == 30
    on_front = found.groups.filter("on_front")
    assert on_front["quality"].is_sorted()
    assert found.groups.filter(~pl.col("on_front"))["beaten_by"].null_count() == 0
    none = front_of_groups(levels.with_columns(is_over=pl.lit(value=False)), is_upward=True)
    assert none.sentence.startswith("A front takes two groups")


def test_the_noise_floor_is_of_runs_that_differ_in_their_seed_only(levels, frame):
    found = gain_of_levels(levels, frame, metric="test/accuracy", is_upward=True, baseline="weight_decay 0.1")
    assert found.other == "weight_decay 0.1"
    assert (found.floor.configurations, found.floor.df) == (15, 15)
    assert found.floor.sd.value < 0.02
    assert "differ in more than their seed" in found.caveat
    assert found.decision.verdict == "gain"


def test_the_noise_of_costs_is_refused_where_some_are_only_bounds(rows, frame):
    groups = groups_of(rows, baseline=None, budget=None)
    found = gain_of_costs(rows, frame, groups=groups, baseline=None)
    assert found.decision is None
    assert found.sentence.startswith("4 of 6 runs of weight_decay 3.0 are there")


def test_a_small_gain_is_undecided_and_says_how_many_seeds_would_settle_it(rows, frame):
    noise = [0.0, 0.2, -0.2, 0.3, -0.3, 0.1]
    made = {name: [1000 * np.exp(shift + e) for e in noise] for name, shift in (("a", 0.0), ("b", 0.1))}
    own = pl.concat([
        rows.head(6).with_columns(group=pl.lit(name), run_id=pl.format("{}{}", pl.lit(name), "run_id"),
                                  reached=pl.lit(value=True), at=pl.Series(costs), low=pl.Series(costs) - 1,
                                  high=pl.Series(costs))
        for name, costs in made.items()
    ])  # fmt: skip
    groups = groups_of(own, baseline=None, budget=None)
    found = gain_of_costs(own, frame.head(0), groups=groups, baseline=None)
    assert found.decision.verdict == "undecided"
    assert "more seeds a group would settle it" in found.sentence


def test_profiles_are_of_groups_that_were_run_on_all_workloads(rows, frame):
    assert workload_options(rows, frame, ["weight_decay", "fraction"]) == ["fraction"]
    found = profile_of_groups(rows, frame, workload="fraction")
    assert found.workloads == 3
    at_once = dict(found.curves.filter(tau=1.0).select("group", "share").iter_rows())
    # Of .3 of the data nobody gets there; of the other two, the strongest weight decay does first.
    assert at_once["weight_decay 3.0"] == pytest.approx(2 / 3)
    assert at_once["weight_decay 0.0"] == 0
    few = frame.with_columns(
        fraction=pl.when(pl.col("weight_decay") < 3).then("fraction").otherwise(pl.lit(0.9))
    )
    assert (
        "two are needed"
        in profile_of_groups(
            rows.filter(pl.col("group").is_in(["weight_decay 3.0", "weight_decay 1.0"])),
            few,
            workload="fraction",
        ).sentence
    )


def test_lines_lie_at_their_values_and_of_many_runs_a_spread_of_costs_is_drawn(rows, frame):
    variables = [Variable(param=n, label=n, values=3, is_number=True) for n in ("weight_decay", "fraction")]
    found = coordinates_of(rows, Settings(variables=variables, frame=frame))
    assert found.lines.schema == LINES
    assert found.lines.height == 2 * rows.height == 2 * found.runs
    assert found.lines.filter(pl.col("reached"))["cost"].null_count() == 0
    places = found.ticks.filter(variable="weight_decay").select("value", "position").rows()
    assert places == [("0", 0.0), ("0.1", 0.25), ("0.3", 0.5), ("1", 0.75), ("3", 1.0)]
    count = 1 + MOST_RUNS // rows.height
    many = pl.concat(
        [rows.with_columns(run_id=pl.format("{}-{}", "run_id", pl.lit(i))) for i in range(count)]
    )
    wide = pl.concat(
        [frame.with_columns(run_id=pl.format("{}-{}", "run_id", pl.lit(i))) for i in range(count)]
    )
    drawn = coordinates_of(many, Settings(variables=variables, frame=wide))
    assert (drawn.runs, drawn.of) == (MOST_RUNS, many.height)
    assert drawn.lines["cost"].min() == rows.filter("reached")["at"].min()


def test_copies_and_repeated_seeds_of_a_group_are_told(rows, frame, recorded):
    seeds = recorded.select("run_id", key=pl.lit("seed"), value=pl.col("seed").cast(pl.String)).unique()
    settings = frame.unpivot(index="run_id", variable_name="key").with_columns(
        pl.col("value").cast(pl.String)
    )
    seeds = pl.concat([seeds, settings])
    curves = recorded.select("run_id", "metric", "step", "value")
    known = Snapshot(params=seeds, curves=curves)
    assert repeats_among(rows, known) == ()

    def doubled(part):
        return pl.concat(
            [part, part.filter(pl.col("run_id") == rows["run_id"][0]).with_columns(run_id=pl.lit("x"))]
        )

    twice = replace(known, params=doubled(seeds), curves=doubled(curves))
    said = repeats_among(doubled(rows), twice)
    assert [sentence[:44] for sentence in said] == [
        "2 runs share seed and settings with another ",
        "1 run of a group is a copy of another, equal",
    ]
    own = pl.DataFrame({"run_id": rows["run_id"], "key": "data_seed", "value": "0"})
    of_x = pl.DataFrame({"run_id": ["x"], "key": ["data_seed"], "value": ["1"]})
    other_data = replace(twice, params=pl.concat([twice.params, own, of_x]), curves=curves)
    assert repeats_among(doubled(rows), other_data) == ()


def test_a_run_in_training_is_forecast_from_the_dates_of_the_verdicts_of_finished_runs(rows, frame, recorded):
    live = rows.filter(~pl.col("reached"))["run_id"][0]
    is_live = pl.col("run_id") == live
    at = [pl.when(is_live).then(500.0).otherwise(name).alias(name) for name in ("at", "low", "spent")]
    early = recorded.filter(~is_live | (pl.col("step") <= 500))
    runs = rows.select(
        "run_id", status=pl.when(is_live).then(pl.lit("RUNNING")).otherwise(pl.lit("FINISHED"))
    )
    snapshot = Snapshot(runs=runs.with_columns(silent=pl.lit(value=False)), curves=early)
    known = Settings(variables=(), frame=frame)
    (found,) = outlooks(
        snapshot, rows.with_columns(at), known, goal=Goal(event="completion"), unit=STEPS, budget=BUDGET
    )
    assert found.reason is None or found.reason.startswith("On configurations left out the forecast's Brier")


@pytest.mark.parametrize(
    ("left_out", "named"),
    [((), []), (("0",), []), (("0", "1", "2"), ["lr"])],
    ids=["balanced", "a run that crashed", "a setting that one group lacks"],
)
def test_what_groups_differ_in_besides_their_names(left_out, named):
    runs = [(str(i), ("adam", "sgd")[i // 9], i // 3 % 3, f"out/{i}") for i in range(18)]
    kept = [run for run in runs if run[0] not in left_out]
    frame = pl.DataFrame(kept, schema=["run_id", "group", "lr", "folder"], orient="row")
    assert unlike(frame.select("run_id", "lr", "folder"), frame.select("run_id", "group")) == named


def test_a_gain_of_groups_that_are_mixed_otherwise_is_not_judged_by_the_noise_of_a_seed(levels, frame):
    lowest = frame.filter((pl.col("weight_decay") == 0.1) & (pl.col("fraction") < 0.5))["run_id"].to_list()
    left = levels.filter(~pl.col("run_id").is_in(lowest))
    found = gain_of_levels(left, frame, metric="test/accuracy", is_upward=True, baseline="weight_decay 0.1")
    assert found.decision is None
    assert "differ in fraction, too, and not alike. Group by that as well." in found.sentence
