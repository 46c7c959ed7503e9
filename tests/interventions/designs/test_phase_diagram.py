"""Cells of two variables: shares with exact intervals, medians of costs that are known in part."""

import math

import numpy as np
import polars as pl
import pytest
from scipy import stats

from grokscope.interventions.designs.axis import VariableError
from grokscope.interventions.designs.phase_diagram import CELLS, phase_diagram


def costs_of(*rows):
    """Runs told as (x, y, cost or None, spent), evaluated every 10."""
    frame = pl.DataFrame(rows, schema=["x", "y", "high", "spent"], orient="row")
    return frame.with_columns(
        pl.col("high").cast(pl.Float64),
        pl.col("spent").cast(pl.Float64),
        run_id=pl.int_range(pl.len()).cast(pl.String),
        reached=pl.col("high").is_not_null(),
        low=pl.coalesce(pl.col("high") - 10, "spent").cast(pl.Float64),
        last=0.0,
        evaluations=(pl.col("spent") / 10).cast(pl.Int64),
    )


def cell(costs, **options):
    return phase_diagram(costs, x="x", y="y", **options).cells.row(0, named=True)


def test_a_share_has_the_exact_interval_of_its_runs():
    costs = costs_of(*[(1, 1, 50, 100)] * 7, *[(1, 1, None, 100)] * 2)
    told = cell(costs)
    exact = stats.binomtest(7, 9).proportion_ci(method="exact")
    assert (told["reached"], told["decided"], told["share"]) == (7, 9, 7 / 9)
    assert (told["share_low"], told["share_high"]) == pytest.approx((exact.low, exact.high))


def test_a_run_on_its_way_below_the_budget_is_no_failure():
    told = cell(costs_of((1, 1, 50, 100), (1, 1, None, 100), (1, 1, None, 40)))
    assert (told["runs"], told["reached"], told["decided"], told["on_their_way"]) == (3, 1, 2, 1)


def test_a_cell_with_only_runs_on_their_way_has_no_share():
    told = cell(costs_of((1, 1, None, 40)), budget=100)
    assert (told["decided"], told["share"], told["share_low"], told["share_high"]) == (0, None, None, None)


def test_a_run_has_missed_where_its_next_evaluation_comes_after_the_budget():
    assert cell(costs_of((1, 1, None, 90)), budget=100)["on_their_way"] == 1
    assert cell(costs_of((1, 1, None, 90)), budget=99)["decided"] == 1


def test_a_run_that_diverged_has_missed():
    costs = costs_of((1, 1, None, 20)).with_columns(last=pl.lit(math.nan))
    assert cell(costs, budget=100)["decided"] == 1


def test_a_run_that_reaches_the_target_after_the_budget_has_missed():
    told = cell(costs_of((1, 1, 150, 200), (1, 1, 80, 200)), budget=100)
    assert (told["reached"], told["decided"]) == (1, 2)


def test_a_budget_can_be_what_each_run_planned():
    costs = costs_of((1, 1, None, 100), (1, 1, None, 100)).with_columns(planned=pl.Series([100, 300]))
    assert cell(costs, budget="planned")["on_their_way"] == 1


def test_cells_of_the_grid_that_nobody_trained_are_listed():
    diagram = phase_diagram(costs_of((1, 1, 50, 100), (2, 2, 50, 100)), x="x", y="y")
    assert diagram.cells.select("x", "y", "runs", "median_missing").rows()[1:3] == [
        (1, 2, 0, "no run"),
        (2, 1, 0, "no run"),
    ]
    assert "2 cells of the grid have no run" in diagram.caveats


def test_below_six_runs_a_median_has_no_interval_and_it_is_said():
    told = cell(costs_of(*[(1, 1, cost, 100) for cost in (20, 30, 40, 50, 60)]))
    assert (told["median"], told["median_low"], told["median_high"]) == (40.0, None, None)
    assert told["median_missing"] == "5 runs: an interval of the median needs 6"


def test_of_six_runs_the_interval_is_from_the_cheapest_to_the_dearest():
    told = cell(costs_of(*[(1, 1, cost, 100) for cost in (20, 30, 40, 50, 60, 70)]))
    assert (told["median"], told["median_low"], told["median_high"]) == (40.0, 10.0, 70.0)
    assert told["median_missing"] is None


def test_an_interval_has_no_upper_end_where_too_few_runs_reach_the_target():
    told = cell(costs_of(*[(1, 1, cost, 100) for cost in (20, 30, 40, 50, 60, None)]))
    assert (told["median"], told["median_low"], told["median_high"]) == (40.0, 10.0, None)
    assert "no upper end" in told["median_missing"]


def test_a_median_is_that_of_kaplan_and_meier_in_every_cell():
    rng = np.random.default_rng(0)
    rows = []
    for x in range(40):
        cost, spent = rng.integers(2, 30, 9) * 10, rng.integers(5, 30, 9) * 10
        rows += [(x, 0, c if c <= s else None, s) for c, s in zip(cost.tolist(), spent.tolist(), strict=True)]
    costs = costs_of(*rows)
    medians = phase_diagram(costs, x="x", y="y", budget=1000).cells["median"]
    for x, found in enumerate(medians):
        runs = costs.filter(pl.col("x") == x)
        data = stats.CensoredData.right_censored(
            runs.select(pl.coalesce("high", "spent")).to_series().to_numpy(), ~runs["reached"].to_numpy()
        )
        curve = stats.ecdf(data).sf
        below = curve.quantiles[curve.probabilities <= 0.5 + 1e-9]
        assert found == (below[0] if len(below) else None)


def test_the_interval_of_a_median_covers_it_however_runs_on_their_way_go_on():
    rng = np.random.default_rng(1)
    cells, n = 1500, 8
    cost = rng.lognormal(5, 1, cells * n)
    # The slower a run, the earlier it is looked at: censoring that tells of the cost.
    spent = np.where(cost > np.exp(5.3), rng.uniform(50, 200, cells * n), 5000.0)
    high = np.ceil(cost / 10) * 10
    reached = high <= spent
    costs = pl.DataFrame(
        {"x": np.repeat(np.arange(cells), n), "reached": reached, "spent": spent}
    ).with_columns(
        y=0,
        high=pl.when(pl.Series(reached)).then(pl.Series(high)),
        low=pl.Series(np.where(reached, high - 10, spent)),
    )
    found = phase_diagram(costs, x="x", y="y", budget=5000).cells
    covers = (found["median_low"] <= np.exp(5)) & (found["median_high"].fill_null(np.inf) >= np.exp(5))
    assert covers.mean() >= 0.95


def test_variables_may_be_text_and_seeds_are_told():
    costs = costs_of((1, 1, 50, 100), (1, 1, 60, 100)).with_columns(x=pl.lit("muon"), seed=pl.Series([3, 1]))
    told = cell(costs)
    assert (told["x"], told["seeds"]) == ("muon", ["1", "3"])


def test_cells_have_the_columns_that_are_promised_even_without_runs():
    empty = costs_of((1, 1, 50, 100)).clear()
    assert phase_diagram(empty, x="x", y="y").cells.columns == ["x", "y", *CELLS]


def test_a_variable_that_is_not_there_is_refused():
    with pytest.raises(VariableError, match="no column 'lr' in these runs; they have"):
        phase_diagram(costs_of((1, 1, 50, 100)), x="lr", y="y")
    with pytest.raises(VariableError, match="a budget is above 0, got -1"):
        phase_diagram(costs_of((1, 1, 50, 100)), x="x", y="y", budget=-1)
