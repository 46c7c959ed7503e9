import json

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grokscope.dashboard.charts.costs import costs_chart
from grokscope.dashboard.charts.elements.palette import LIGHT, Colouring
from grokscope.dashboard.component.cost_section import answer_of
from grokscope.dashboard.state.session import StoreSession
from grokscope.dashboard.tables.costs import (
    COSTS,
    costs_of,
    group_costs,
    said_of_others,
)
from grokscope.dashboard.tables.x_units import STEPS, UNITS, in_unit, units_of
from grokscope.schemas import METRICS

FLOPS = next(unit for unit in UNITS if unit.name == "FLOPs")
EVIL = "' || alert(1) || 'datum.x <img src=x>"


@pytest.fixture(scope="module")
def priced(new_training, tmp_path_factory, curves):
    """Two groups that generalize at the same steps, at 1 and 3 GFLOP a step, and one that does not."""
    training = new_training(tmp_path_factory.mktemp("priced") / "mlflow.db")
    experiment = training.experiment("priced")
    for group, each, groks in (("costly", 3e9, True), ("cheap", 1e9, True), ("never", 2e9, False)):
        for seed in range(2):
            points = curves(groks=groks)
            flops = [("progress/flops", each * step, step) for step in sorted({step for *_, step in points})]
            training.run(experiment, f"{group} {seed}", [*points, *flops], params={"group": group})
    return training


@pytest.fixture(scope="module")
def partly(new_training, tmp_path_factory, curves):
    """Two learning rates, two seeds each, and three runs that have none, which generalize for the least."""
    training = new_training(tmp_path_factory.mktemp("partly") / "mlflow.db")
    experiment = training.experiment("partly")
    for lr, each, seeds in (("0.1", 3e9, 2), ("1", 2e9, 2), (None, 1e9, 3)):
        flops = [("progress/flops", each * step, step) for step in (0, 2000)]
        for seed in range(seeds):
            training.run(
                experiment, f"{lr} {seed}", [*curves(groks=True), *flops], params={"lr": lr} if lr else {}
            )
    return training


@pytest.fixture(scope="module")
def snapshot(priced):
    return StoreSession(priced.uri).snapshot("priced")


def frame(*rows):
    return pl.DataFrame(
        [
            ("", f"{group} {i}", group, reached, cost, cost, cost)
            for i, (group, reached, cost) in enumerate(rows)
        ],
        schema=COSTS,
        orient="row",
    )


def test_what_a_run_spent_is_read_off_its_own_counter_at_its_own_date(snapshot):
    costs = costs_of(snapshot, snapshot.runs["run_id"].to_list(), event="completion", unit=FLOPS)
    each = {"costly": 3e9, "cheap": 1e9, "never": 2e9}
    assert costs.height == 6
    for row in costs.iter_rows(named=True):
        date = snapshot.verdicts[row["run_id"]].generalized
        assert row["reached"] == (row["group"] != "never")
        steps = (date.step, date.low, date.high) if date else (2000,) * 3
        assert (row["cost"], row["low"], row["high"]) == tuple(
            pytest.approx(each[row["group"]] * step) for step in steps
        )


def test_the_cheapest_group_by_compute_is_named_although_all_take_as_many_steps(snapshot):
    costs = costs_of(snapshot, snapshot.runs["run_id"].to_list(), event="completion", unit=FLOPS)
    assert group_costs(costs)["group"].to_list() == ["cheap", "costly", "never"]
    said = answer_of(snapshot)
    assert said.startswith("No group is called the cheapest: that takes two groups of 3 finished runs")
    assert "So far cheap generalized for the least compute: 2 of 2, median" in said


def test_runs_without_the_param_that_is_compared_win_nothing_and_are_told_apart(partly, page, texts):
    found = StoreSession(partly.uri).snapshot("partly")
    said = answer_of(found)
    assert "So far lr 1 generalized for the least compute: 2 of 2, median" in said
    assert said.endswith("3 runs have no lr and are not compared.")
    with_lr = found.runs.filter(pl.col("lacks").is_null())["run_id"].to_list()
    assert said_of_others(found, with_lr) is None
    app = page("compare", partly.uri, experiment="partly")
    assert said in texts(app)
    groups = app.dataframe[-1].value
    assert groups["group"].tolist() == ["lr 0.1", "lr 1", "no lr"]
    app = page("interventions", partly.uri, experiment="partly")
    (chart,) = [one.proto for one in app.get("vega_lite_chart") if "spent until" in one.proto.alt]
    frames = [pl.read_ipc_stream(own.data.data) for own in chart.datasets]
    rows = next(frame["said"].to_list() for frame in frames if "said" in frame.columns)
    assert [row.partition(", median")[0] for row in rows] == [
        "lr 1  ·  2 of 2",
        "lr 0.1  ·  2 of 2",
        "no lr  ·  3 of 3",
    ]
    assert "median" not in rows[-1]
    assert app.dataframe[0].value["group"].tolist() == ["lr 1", "lr 0.1"]
    assert any("3 runs have no lr and are not compared" in text for text in texts(app))


def test_runs_that_have_not_got_there_count_in_the_median():
    """Kaplan-Meier by hand: of four at risk one gets there, one leaves; then one of two: 3/4 · 1/2 = 3/8."""
    costs = frame(("g", True, 1.0), ("g", False, 2.0), ("g", True, 5.0), ("g", False, 9.0))
    (row,) = group_costs(costs).rows(named=True)
    assert row == {
        "group": "g",
        "runs": 4,
        "reached": 2,
        "median": 5.0,
        "low": None,
        "high": None,
        "least": 1.0,
        "most": 5.0,
        "spent": 9.0,
    }


@given(st.lists(st.floats(1, 1e12), min_size=1, max_size=30))
def test_where_all_got_there_half_of_them_had_by_the_median(costs):
    median = group_costs(frame(*(("g", True, cost) for cost in costs)))["median"][0]
    assert sum(cost <= median for cost in costs) >= len(costs) / 2
    assert sum(cost < median for cost in costs) < len(costs) / 2


def test_one_lucky_run_of_many_does_not_make_its_group_the_cheapest():
    lucky = [("lucky", True, 1.0), *(("lucky", False, 100.0) for _ in range(4))]
    costs = frame(*lucky, ("steady", True, 50.0), ("steady", True, 60.0))
    assert group_costs(costs)["group"].to_list() == ["steady", "lucky"]


def test_a_median_has_an_interval_from_six_runs_on_which_the_dates_own_intervals_widen():
    """Of six runs the sign test bounds a median by the first and the last: 1 - 2 / 2⁶ = 97 %."""
    costs = frame(*(("g", True, cost) for cost in (10.0, 20.0, 30.0, 40.0, 50.0, 60.0)))
    wide = costs.with_columns(low=pl.col("cost") - 2, high=pl.col("cost") + 3)
    ends = ("median", "low", "high")
    assert group_costs(costs).select(ends).row(0) == (30.0, 10.0, 60.0)
    assert group_costs(wide).select(ends).row(0) == (30.0, 8.0, 63.0)
    assert group_costs(costs.head(5)).select(ends).row(0) == (30.0, None, None)


def test_an_end_of_a_median_that_nothing_bounds_stays_open():
    costs = frame(*(("g", cost < 60, cost) for cost in (10.0, 20.0, 30.0, 40.0, 50.0, 60.0)))
    assert group_costs(costs).select("median", "low", "high").row(0) == (30.0, 10.0, None)


def test_runs_are_counted_only_in_what_all_of_them_have_logged(snapshot):
    ids = snapshot.runs["run_id"].to_list()
    assert [unit.name for unit in units_of(snapshot.curves, ids)] == ["steps", "FLOPs"]
    without = snapshot.curves.filter((pl.col("metric") != FLOPS.metric) | (pl.col("run_id") != ids[0]))
    assert [unit.name for unit in units_of(without, ids)] == ["steps"]


def test_steps_stay_whole_and_missing_ones_stay_missing_when_counted_anew(snapshot):
    rows = pl.DataFrame({"run_id": snapshot.runs["run_id"][:1], "step": pl.Series([None], dtype=pl.Int64)})
    assert in_unit(rows, snapshot.curves, STEPS).equals(rows)
    assert in_unit(rows, snapshot.curves, FLOPS)["step"].to_list() == [None]


@pytest.mark.parametrize("span", [2.0, 1e6])
def test_the_chart_is_valid_and_other_peoples_names_are_data(span):
    costs = frame((EVIL, True, 3.0), (EVIL, False, 3.0 * span), ("b", True, 5.0))
    groups = group_costs(costs).select("group", "median").with_columns(said=pl.lit("1 of 2"))
    colouring = Colouring(field="group", colours={EVIL: "#2a6bb4", "b": "#d9730d"}, palette=LIGHT)
    spec = costs_chart(costs, groups, colouring=colouring, symbol="FLOPs").to_dict(validate=True)
    assert json.loads(json.dumps(spec, allow_nan=False)) == spec
    expressions = [node for node in walk(spec["layer"]) if isinstance(node, str) and "alert(1)" in node]
    assert all(node == EVIL for node in expressions)


def test_compare_answers_first_and_leads_to_the_page_with_the_details(page, priced, texts):
    app = page("compare", priced.uri, experiment="priced")
    said = [text for text in texts(app) if "So far cheap generalized for the least compute" in text]
    assert len(said) == 1
    app.button(key="compare_interventions").click().run()
    assert app.session_state["opened"] == ("interventions", [])


def walk(node):
    yield node
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from walk(child)


def test_steps_count_in_every_progress_that_is_written_and_each_unit_is_told_apart():
    counted = {unit.metric for unit in UNITS if unit.metric is not None}
    assert counted == {measure.key for measure in METRICS.values() if measure.family == "progress"}
    assert len({unit.name for unit in UNITS} | {unit.metric for unit in UNITS}) == 2 * len(UNITS)
